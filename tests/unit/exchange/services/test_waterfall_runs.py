"""The waterfall as it really runs: every layer in its order, on the core, over any kill."""

import pytest

from exchange.rules.adl import tag_of
from exchange.rules.holdings import Held
from exchange.rules.layers import funds_of
from exchange.rules.loss_proof import PublicUse, faults_of_published, proof_in, proof_out
from exchange.rules.mirror_moves import Liquidation
from exchange.services.stress.world import Keep, row
from matching.codes import EventKind, Kind, PriceSource
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, FLAT, HOUSE, Stage

SECOND, OF_ALICE, OF_BOB, OF_CAROL = range(5, 9)
LAYERS = {SECOND: 40, OF_ALICE: 30, OF_BOB: 20, OF_CAROL: 10}
NAMES = {
    HOUSE: "insurance", SECOND: "house-second", OF_ALICE: f"fund.{ALICE}", OF_BOB: f"fund.{BOB}",
    OF_CAROL: f"fund.{CAROL}",
}  # fmt: skip
UST = 1


def put(stage: Stage, kind: Kind, **fields: int) -> None:
    stage.world.send(row(kind, **fields))


def stage_of(
    house: int = 50, layers: dict[int, int] | None = None, keep: Keep | None = None
) -> Stage:
    """Return the stage with every layer's account; the insurance fund has `house`."""
    stage = Stage(keep=keep)
    for idx, usd in (LAYERS if layers is None else layers).items():
        put(stage, Kind.OPEN_ACCOUNT, account_idx=idx)
        if usd:
            put(stage, Kind.DEPOSIT, account_idx=idx, amount_usd_micros=usd)
    put(stage, Kind.WITHDRAW, account_idx=HOUSE, amount_usd_micros=5_000 - house)
    stage.rows.of_kind |= dict.fromkeys((OF_ALICE, OF_BOB, OF_CAROL), "fund")
    stage.rows.of_kind[SECOND] = "house"
    stage.rows.of_funds = [
        (idx, name, "house" if idx in (HOUSE, SECOND) else "fund") for idx, name in NAMES.items()
    ]
    return stage


def given(stage: Stage) -> dict[int, int]:
    """Return what each layer gave, by its place, as the journal says."""
    found: dict[int, int] = {}
    for events in stage.world.moves:
        for event in events[events["kind"] == EventKind.CASH_TRANSFERRED]:
            place = int(event["code"])
            found[place] = found.get(place, 0) + int(event["amount_usd_micros"])
    return found


def money(stage: Stage) -> int:
    return sum(
        one.cash_usd_micros + one.unsettled_usd_micros for one in stage.world.mirror.accounts
    )


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (697, {2: 30}),  # 3,030 lost of 3,000: the defaulter's own share
        (695, {2: 30, 3: 20}),
        (691, {2: 30, 3: 50, 4: 10}),
        (688, {2: 30, 3: 50, 4: 30, 5: 10}),
        (685, {2: 30, 3: 50, 4: 30}),
    ],
)
async def test_layers_are_used_in_their_order_and_each_before_the_next(price, expected):
    stage = stage_of()
    before = money(stage)
    stage.mark(price)
    await stage.steps(3)
    missing = 10 * (1_000 - price) - 3_000
    if price == 685:
        expected = {2: 30, 3: 50, 4: 30, 5: 40}
    assert given(stage) == expected and sum(expected.values()) == missing
    assert stage.lots(ALICE) == 0 and 0 <= stage.equity(ALICE) < 10
    assert stage.equity(FLAT) == 77 and money(stage) == before
    assert stage.world.refused == {}


async def test_assessments_end_at_their_cap_then_gains_are_cut_then_positions_torn_up():
    stage = stage_of()
    before = money(stage)
    stage.mark(600)  # 1,000 missing; 150 in layers, 2.75 x 30 = 82 assessed
    await stage.steps(3)
    used = given(stage)
    assert used == {2: 30, 3: 50, 4: 30, 5: 40, 6: 82, 7: 768}
    assert stage.equity(BOB) == 100_000 + 4_000 - 55 - 768
    assert stage.equity(CAROL) == 100_000 - 27
    assert stage.lots(ALICE) == stage.lots(BOB) == stage.lots(HOUSE) == 0  # nobody holds it
    assert money(stage) == before
    (loss,) = stage.rows.borne.values()
    assert loss.left_usd_micros == 0
    body = {"digest": loss.digest(), **proof_out(loss)}
    assert proof_in(body) == loss
    uses = [
        PublicUse(seq=loss.round.round_no + 1, place=row.place, tag=row.tag,
                  amount_usd_micros=row.used_usd_micros)
        for row in loss.rows if row.used_usd_micros
    ]  # fmt: skip
    assert faults_of_published([body], uses) == []
    assert faults_of_published([body], uses[:3]) == []  # cut off by a crash: the rest is not there
    assert faults_of_published([body], [*uses, uses[0]]) != []
    wrong = body | {"left_usd_micros": 1}
    assert len(faults_of_published([wrong], [])) == 2
    own = next(row for row in loss.rows if row.tag == tag_of(CAROL, loss.round.liquidation_id))
    assert own.used_usd_micros in (10, 27)
    with pytest.raises(ValueError, match="not a proof"):
        proof_in({"rows": []})


@pytest.mark.parametrize("price", [691, 600, 100])
async def test_killed_between_any_two_steps_the_layers_give_the_same(price):
    straight, killed = stage_of(), stage_of()
    for stage in (straight, killed):
        stage.mark(price)
    await straight.steps(6)
    for _ in range(6):
        killed.wake()
        await killed.steps(1)
    assert given(killed) == given(straight)
    everybody = range(len(straight.world.mirror.accounts))
    assert [killed.equity(idx) for idx in everybody] == [straight.equity(idx) for idx in everybody]
    assert killed.lots(HOUSE) == straight.lots(HOUSE)


async def test_a_gain_is_never_cut_twice_and_a_settlement_begins_anew():
    stage = stage_of(house=0, layers={})
    stage.rows.of_funds = [(HOUSE, "insurance", "house")]
    stage.place(CAROL, 0, 1_000, 5)
    stage.place(BOB, 1, 1_000, 5)
    stage.mark(690)  # alice lacks 100; bob has 4,650 of gains
    await stage.steps(3)
    assert given(stage) == {7: 100} and stage.world.mirror.haircuts == {BOB: 100}
    put(stage, Kind.SETTLE, price_ticks=690)
    assert stage.world.mirror.haircuts == {}


async def test_collateral_is_sold_to_the_house_before_others_pay():
    stage = stage_of()
    now = stage.world.now_ns
    put(stage, Kind.MOVE_ASSET, account_idx=ALICE, order_id=UST, state=1, price_ticks=400, ref_id=1)
    put(stage, Kind.PRICE_ASSET, order_id=UST, state=PriceSource.OPERATOR, price_ticks=1_000_000,
        expires_ns=now)  # fmt: skip
    stage.mark(695)  # 50 missing; bills of 400 are worth 396 after their haircut
    await stage.steps(3)
    sold = stage.world.mirror.accounts[ALICE].collateral.holdings
    assert sold[UST] == Held(310, 0)  # the house had cash for 50 and 40 only
    assert stage.world.mirror.accounts[HOUSE].collateral.holdings[UST].units == 50
    assert given(stage) == {} and 0 < stage.equity(ALICE) < 50  # no longer bankrupt
    await stage.steps(30)
    assert given(stage) == {} and stage.lots(ALICE) == 0  # taken over
    books = stage.world.clearing.books
    assert books.all_units() == {(ALICE, "UST"): 310, (HOUSE, "UST"): 50, (SECOND, "UST"): 40}
    cash = [one.cash_usd_micros for one in stage.world.mirror.accounts]
    assert [books.cash_usd_micros(idx) for idx in range(len(cash))] == cash


async def test_an_account_of_a_layer_is_never_liquidated():
    stage = stage_of()
    await stage.steps(1)
    liquidator = stage.service._liquidator
    assert liquidator is not None and liquidator.look(OF_BOB) is None
    assert liquidator.funds.shares == {ALICE: OF_ALICE, BOB: OF_BOB, CAROL: OF_CAROL}
    odd = [(7, "fund.x", "fund"), (8, "fund.3", "member"), (9, "fund.4", "fund")]
    assert funds_of(0, odd, 9).accounts == {0}  # no number, another kind, not open yet


async def test_layers_give_to_one_default_at_a_time():
    stage = stage_of()
    stage.place(CAROL, 0, 1_000, 10)
    stage.place(BOB, 1, 1_000, 10)
    put(stage, Kind.WITHDRAW, account_idx=CAROL, amount_usd_micros=97_000)
    stage.mark(690)  # both lack 100
    await stage.steps(0)
    await stage.service._prepare()
    stage.world.pass_time()
    await stage.service.step()  # both begin
    stage.asleep = True
    before = stage.service._ticket
    assert await stage.service.step() and await stage.service.step()
    assert stage.service._ticket == before + 1  # only one of them is given anything
    stage.asleep = False
    stage.wake()
    await stage.steps(3)
    assert stage.equity(ALICE) == stage.equity(CAROL) == 0
    assert sum(given(stage).values()) == 200 and stage.world.refused == {}
    gains = 20 * 310
    assert stage.world.mirror.haircuts.get(BOB, 0) <= gains


async def test_what_layers_gave_before_a_start_is_remembered():
    stage = stage_of()
    stage.rows.going = {CAROL: Liquidation(7, 0, 0)}
    stage.rows.given = [(7, 6, BOB, 55), (8, 6, BOB, 1)]  # of 8 nothing goes on
    stage.rows.cut = {BOB: 11}
    await stage.service._prepare()
    mirror = stage.world.mirror
    assert mirror.haircuts == {BOB: 11}
    assert mirror.layer_uses == {7: {(6, BOB): 55}}
    assert mirror.liquidations == stage.rows.going
