"""A client's money pays for nobody else: neither its member's house account nor another client.

Alice is the house account of a member, with a share of the default fund; carol and the flat one
are its clients, and have none. Bob is a stranger on the other side.
"""

import pytest

from exchange.rules.layers import guaranteed_usd_micros
from exchange.rules.loss_proof import faults, proof_in, proof_out
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.waterfall import LAYERS, PLACE_OF, LayerName
from matching.codes import Kind
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, FLAT, HOUSE
from tests.unit.exchange.services.test_waterfall_runs import (
    OF_ALICE,
    SECOND,
    given,
    money,
    put,
    stage_of,
)

ORDER = [layer.place for layer in LAYERS]
GUARANTEE = PLACE_OF[LayerName.MEMBER_GUARANTEE]
HAIRCUT = PLACE_OF[LayerName.GAINS_HAIRCUT]
NAMES = [(HOUSE, "insurance", "house"), (SECOND, "house-second", "house"),
         (OF_ALICE, f"fund.{ALICE}", "fund")]  # fmt: skip


def stage_with_clients():
    """Return the stage; carol holds five lots on the side of its member."""
    stage = stage_of()
    stage.rows.of_funds = NAMES
    stage.place(CAROL, 0, 1_000, 5)
    stage.place(BOB, 1, 1_000, 5)
    return stage


@pytest.mark.parametrize("price", [695, 690, 600])
async def test_port_002_clients_of_a_member_that_fails_lose_what_their_own_positions_lose(price):
    stage = stage_with_clients()
    before = {idx: stage.world.mirror.accounts[idx].cash_usd_micros for idx in (CAROL, FLAT)}
    own_loss = 5 * (1_000 - price)
    stage.mark(price)
    await stage.steps(3)
    assert stage.lots(ALICE) == 0 and stage.lots(CAROL) == 5
    assert stage.equity(CAROL) == before[CAROL] - own_loss
    assert stage.equity(FLAT) == before[FLAT] == 77
    assert stage.world.mirror.accounts[CAROL].cash_usd_micros == before[CAROL]


async def test_port_002_the_last_layers_cut_gains_not_settled_and_never_what_was_there_before():
    stage = stage_with_clients()
    cash = stage.world.mirror.accounts[BOB].cash_usd_micros
    stage.mark(600)
    await stage.steps(3)
    cut = given(stage)[HAIRCUT]
    assert cut > 0 and stage.equity(BOB) >= cash  # of 6,000 gained


# A member answers for its clients: alice is a client of carol here, and carol has a fund share.


def stage_with_member(cash: int | None = None):
    """Return the stage with alice, who is long and lacks money soon, as a client of carol."""
    stage = stage_of()
    stage.rows.member_of = {ALICE: CAROL}
    if cash is not None:
        put(stage, Kind.WITHDRAW, account_idx=CAROL, amount_usd_micros=100_000 - cash)
    return stage


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        (99_000, {GUARANTEE: 1_000}),
        (995, {GUARANTEE: 995, 2: 5}),
        (940, {GUARANTEE: 940, 2: 10, 3: 50}),
        (900, {GUARANTEE: 900, 2: 10, 3: 50, 4: 20, 5: 20}),
        (0, {2: 10, 3: 50, 4: 20, 5: 40, 6: 55, 7: 825}),
    ],
)
async def test_guar_001_the_member_pays_for_its_client_before_any_layer_of_others(cash, expected):
    stage = stage_with_member(cash)
    before = money(stage)
    stage.mark(600)  # 1,000 missing
    await stage.steps(3)
    assert given(stage) == expected and sum(expected.values()) == 1_000
    assert stage.world.refused == {} and money(stage) == before
    (loss,) = stage.rows.borne.values()
    first = next(row.place for row in loss.rows if row.used_usd_micros)
    assert first == min(expected, key=ORDER.index)
    assert faults(loss) == []
    assert proof_in({**proof_out(loss), "digest": loss.digest()}) == loss
    assert stage.equity(FLAT) == 77


async def test_guar_001_only_the_own_member_answers_and_is_not_assessed_for_the_same():
    stage = stage_of()
    stage.rows.member_of = {FLAT: CAROL}  # of another client
    stage.mark(695)
    await stage.steps(3)
    assert given(stage) == {2: 30, 3: 20}  # as ever: alice's own share, then the house


async def test_guar_002_a_member_that_is_closed_out_gives_what_its_positions_leave_free():
    stage = stage_with_member(1_500)
    stage.place(CAROL, 0, 1_000, 1)
    stage.place(BOB, 1, 1_000, 1)
    state = stage.world.mirror
    assert guaranteed_usd_micros(state, CAROL) == 1_500
    state.liquidations[CAROL] = Liquidation(1, 0, 0)
    assert guaranteed_usd_micros(state, CAROL) == 1_500 - 200  # what one lot loses at the worst


@pytest.mark.parametrize("price", [696, 600, 100])
async def test_guar_001_killed_between_any_two_steps_the_member_gives_the_same(price):
    straight, killed = stage_with_member(950), stage_with_member(950)
    for stage in (straight, killed):
        stage.mark(price)
    await straight.steps(6)
    for _ in range(6):
        killed.wake()
        await killed.steps(1)
    assert given(killed) == given(straight)
    everybody = range(len(straight.world.mirror.accounts))
    assert [killed.equity(idx) for idx in everybody] == [straight.equity(idx) for idx in everybody]
