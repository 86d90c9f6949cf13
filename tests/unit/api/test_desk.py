"""The risk desk: who is nearest to its end, what a bad day does, and that it all adds up."""

import csv
import io
from dataclasses import replace

import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.desk import by_danger, required_of
from exchange.rules.layers import Funds
from exchange.rules.margin import margin_of
from exchange.rules.money import USD_MICROS
from exchange.rules.stress_play import (
    STORY_BY_NAME,
    Fate,
    Machine,
    Struck,
    outcome_of,
    play,
)
from exchange.rules.valuation import CUSTOMER
from exchange.rules.waterfall import LayerName
from tests.support.api_world import SYMBOL, World, running
from tests.support.scenario_sets import built, make_live

MACHINE = Machine(load_price_data().steps)
ALICE, BOB = 0, 1


@pytest.fixture
async def world():
    async with running() as one:
        await one.services.scenarios.publish(built().document(), built())
        await make_live(one)
        await one.place("bob", "sell", "2.000", "40")
        await one.place("alice", "buy", "2.000", "40")
        yield one


async def desk(world: World, path: str = "") -> dict:
    response = await world.call("operator", "GET", f"/admin/risk{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_desk_shows_each_account_as_its_own_margin_does(world: World):
    answer = await desk(world, "/accounts")
    rows = {row["account_id"]: row for row in answer["accounts"]}
    for name in ("alice", "bob"):
        own = (await world.call(name, "GET", "/margin")).json()["margin"]
        for field in ("equity", "initial_margin", "maintenance_margin", "free", "state", "cash"):
            assert rows[name][field] == own[field], (name, field)
        assert rows[name]["worst_scenario"] == own["worst_scenarios"][0]["scenario"]
        assert rows[name]["worst_loss"] == own["worst_scenarios"][0]["loss"]
    assert answer["totals"]["accounts"] == len(world.mirror.accounts)
    assert [row["account_id"] for row in answer["accounts"]][:2] != ["operator"]


async def test_rows_are_sorted_by_danger_and_chosen_by_state(world: World):
    rows = list(world.services.desk.rows(world.mirror))
    shares = [
        row.required.maintenance_usd_micros / row.equity_usd_micros for row in by_danger(rows)
    ]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]
    assert (await desk(world, "/accounts?state=bankrupt"))["matching"] == 0
    bad = await world.call("operator", "GET", "/admin/risk/accounts?state=poor")
    assert (bad.status_code, bad.json()["field"]) == (422, "state")


async def test_what_is_kept_of_an_account_follows_its_lots(world: World):
    kept = world.services.desk
    before = kept.row(world.mirror, ALICE).required
    assert kept.row(world.mirror, ALICE).required is before
    await world.place("alice", "buy", "1.950", "5")
    after = kept.row(world.mirror, ALICE).required
    assert after == required_of(world.mirror, ALICE) != before
    assert after.initial_usd_micros == margin_of(world.mirror, ALICE).initial_usd_micros


async def test_an_account_goes_down_to_its_postings(world: World):
    one = await desk(world, "/accounts/alice")
    assert one["postings"][0]["balance"] == one["account"]["cash"]
    assert len(one["scenarios"]) == len(one["position_losses"][0]["losses"]) > 60
    pairs = zip(one["scenarios"], one["position_losses"][0]["losses"], strict=True)
    assert all(scenario["loss"] == loss for scenario, loss in pairs)
    number = one["postings"][0]["transfer_id"]
    found = await world.call("operator", "GET", f"/admin/ledger/transfers/{number}")
    amounts = [float(side["amount"]) for side in found.json()["transfer"]["postings"]]
    assert sum(amounts) == 0 and len(amounts) == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/admin/risk/stress/no-such", "story_unknown"),
        ("/admin/risk/stress/aws-cut?whole=perhaps", "query_invalid"),
        ("/admin/risk/stress/aws-cut?account_id=nobody", "account_unknown"),
        ("/admin/risk/accounts/nobody", "account_unknown"),
        ("/admin/risk/accounts?limit=0", "query_invalid"),
        ("/admin/ledger/transfers/7", "transfer_unknown"),
        ("/admin/ledger/transfers/x", "query_invalid"),
        ("/stress?day=yesterday", "query_invalid"),
    ],
)
async def test_a_bad_question_is_refused_by_its_code(world: World, path: str, code: str):
    response = await world.call("operator", "GET", path)
    assert response.json()["code"] == code


async def test_only_an_admin_is_told(world: World):
    for path in ("/accounts", "/stress", "/accounts/bob", "/stress/aws-cut"):
        assert (await world.call("alice", "GET", f"/admin/risk{path}")).status_code == 403


async def test_STRS_2_every_story_sums_to_zero_and_its_mirror_turns_it_round(world: World):
    rows = list(world.services.desk.rows(world.mirror))
    for name, story in STORY_BY_NAME.items():
        found = play(world.mirror, rows, MACHINE, story, lambda idx: CUSTOMER, None)
        assert found.pnl_usd_micros == 0, name
    falls, rises = (
        {one.account_idx: one.pnl_usd_micros for one in play(
            world.mirror, rows, MACHINE, STORY_BY_NAME[name], lambda idx: CUSTOMER, None
        ).accounts}
        for name in ("deepseek-day", "-deepseek-day")
    )  # fmt: skip
    assert falls[ALICE] < 0 < rises[ALICE]
    assert falls == {idx: -pnl for idx, pnl in rises.items()}


async def test_STRS_1_a_long_story_is_played_whole_or_for_the_margin_period(world: World):
    (contract,) = [one for one in world.mirror.contracts if one.symbol == SYMBOL]
    story = STORY_BY_NAME["slow-bleed"]  # 42 % in 180 days, the same along the curve
    whole = MACHINE.moves(world.mirror, story)[contract.contract_idx]
    part = MACHINE.moves(world.mirror, story, whole=False)[contract.contract_idx]
    assert whole == -840 * contract.tick_value_usd_micros  # of 2,000 ticks
    assert part == -210 * contract.tick_value_usd_micros  # a quarter, the least that counts


async def test_a_story_says_who_would_be_called_liquidated_or_default(world: World):
    answer = await desk(world, "/stress/aws-cut")
    (alice,) = [one for one in answer["accounts"] if one["account_id"] == "alice"]
    assert float(alice["pnl"]) < 0
    after = float(alice["equity_before"]) + float(alice["pnl"])
    assert float(alice["equity_after"]) == pytest.approx(after)
    one = Struck(
        account_idx=ALICE, pnl_usd_micros=-10, collateral_usd_micros=0, before_usd_micros=15,
        after_usd_micros=5, initial_usd_micros=10, maintenance_usd_micros=8, is_member=False,
    )  # fmt: skip
    assert (one.fate, one.shortfall_usd_micros) == (Fate.LIQUIDATED, 5)
    assert answer["moves"] == [
        {
            "symbol": SYMBOL,
            "mark_price": "2.000",
            "stress_price": answer["moves"][0]["stress_price"],
        }
    ]
    assert 1.1 < float(answer["moves"][0]["stress_price"]) < 1.6  # -44 % at the very front


def test_STRS_4_the_fund_bears_what_a_defaulter_has_not_then_the_winners():
    def one(idx: int, pnl: int, before: int) -> Struck:
        return Struck(
            account_idx=idx, pnl_usd_micros=pnl, collateral_usd_micros=0,
            before_usd_micros=before, after_usd_micros=before + pnl, initial_usd_micros=4,
            maintenance_usd_micros=3, is_member=True,
        )  # fmt: skip

    story = STORY_BY_NAME["aws-cut"]
    found = outcome_of(
        story, 9, [one(0, -100, 30), one(1, 90, 5), one(2, 10, 40)], Funds(first_idx=2)
    )
    assert found.waterfall.loss_usd_micros == 70
    assert found.waterfall.used_of(LayerName.HOUSE_FIRST) == 50
    assert found.waterfall.used_of(LayerName.GAINS_HAIRCUT) == 20
    assert found.house_usd_micros == 10 - 50
    assert found.fates[Fate.DEFAULTED] == 1 and found.lost_usd_micros == 100
    assert found.accounts[0].account_idx == 0


def test_STRS_5_every_layer_of_the_waterfall_is_played_in_its_order():
    def one(idx: int, pnl: int, before: int, initial: int = 0) -> Struck:
        return Struck(
            account_idx=idx, pnl_usd_micros=pnl, collateral_usd_micros=0,
            before_usd_micros=before, after_usd_micros=before + pnl, initial_usd_micros=initial,
            maintenance_usd_micros=0, is_member=True,
        )  # fmt: skip

    funds = Funds(first_idx=0, second_idx=1, shares={4: 2, 5: 3})
    found = outcome_of(
        STORY_BY_NAME["aws-cut"], 9,
        [one(0, 0, 10), one(1, 0, 8), one(2, 0, 6), one(3, 0, 4),
         one(4, -100, 30), one(5, 70, 50, 100), one(6, 30, 0)], funds,
    )  # fmt: skip
    used = {(use.place, use.party): use.used_usd_micros for use in found.waterfall.uses}
    assert found.waterfall.loss_usd_micros == 70
    # 6 of its own share, 10 and then 8 of the house, 4 of the other share, 2.75 times that, gains.
    assert {key: used[key] for key in used if key[0] < 7} == {
        (2, "4"): 6, (3, "0"): 10, (4, "5"): 4, (5, "1"): 8, (6, "5"): 11,
    }  # fmt: skip
    assert sum(usd for (place, _), usd in used.items() if place == 7) == 70 - 39
    assert found.waterfall.uncovered_usd_micros == 0 and found.house_usd_micros == -18
    alone = outcome_of(STORY_BY_NAME["aws-cut"], 9, [one(4, -100, 30)], None)
    answers = replace(funds, guarantors={4: 5, 6: 5})  # 4 is a client of 5
    client = outcome_of(
        STORY_BY_NAME["aws-cut"], 9, [one(0, 0, 10), one(3, 0, 4), one(4, -100, 30), one(5, 0, 50)],
        answers,
    )  # fmt: skip
    used = {(use.place, use.party): use.used_usd_micros for use in client.waterfall.uses}
    assert used == {(9, "5"): 50, (2, "5"): 4, (3, "0"): 10}
    assert alone.waterfall.uncovered_usd_micros == 70  # torn up: nobody else bears it


async def test_bitcoin_takes_collateral_with_it(world: World):
    asset = {"asset": "BTC", "amount": "0.04"}
    await world.call("operator", "POST", "/admin/assets/BTC/price", {"price": "100000"})
    await world.call("operator", "POST", "/admin/accounts/alice/assets", asset)
    account = world.mirror.accounts[ALICE]
    assert account.collateral.holdings
    rows = [world.services.desk.row(world.mirror, ALICE)]
    account.collateral.counted_usd_micros = 2_000 * USD_MICROS  # half of 4,000: it is long
    quiet, loud = (
        play(world.mirror, rows, MACHINE, STORY_BY_NAME[name], lambda idx: CUSTOMER, None)
        for name in ("aws-cut", "wrong-way")
    )
    assert quiet.accounts[0].collateral_usd_micros == 0
    assert loud.accounts[0].collateral_usd_micros == -1_000 * USD_MICROS


async def test_a_statement_is_json_or_csv_of_a_month(world: World):
    entries = (await world.call("bob", "GET", "/statements")).json()["entries"]
    assert entries[0]["asset"] == "USD" and entries[0]["amount"] == entries[0]["balance"]
    text = (await world.call("bob", "GET", "/statements?format=csv")).text
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["amount"], row["transfer_id"]) == (entries[0]["amount"], "1")
    for bad in (
        "month=2026-13", "month=26-1", "month=x", "month=1969-12", "month=2262-01",
        "month=9998-01", "format=pdf", "format=csv&limit=3",
    ):  # fmt: skip
        response = await world.call("bob", "GET", f"/statements?{bad}")
        assert (response.status_code, response.json()["code"]) == (422, "query_invalid"), bad
