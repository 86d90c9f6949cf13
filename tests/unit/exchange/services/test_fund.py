"""The default fund is sized once a day, by the positions and scenarios of one command."""

import pytest

from exchange.rules.default_fund import AlarmKind, CoverLoss
from exchange.rules.fund_sizing import (
    DAY_NS,
    LEAST_USD_MICROS,
    GroupLoss,
    books_of,
    cover_of,
    joined,
    loss_of,
    sizing_of,
    worst_alarms,
)
from exchange.rules.layers import owes_usd_micros
from exchange.services.fund import FundKeeper
from matching.codes import Kind
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, FLAT, HOUSE
from tests.unit.exchange.services.test_waterfall_runs import OF_ALICE, put, stage_of

KINDS = {HOUSE: "house", ALICE: "member", BOB: "member", CAROL: "customer", FLAT: "customer"}


def keeper_of(stage) -> FundKeeper:
    stage.rows.of_kind |= KINDS
    stage.rows.names = {idx: name for idx, name, _ in stage.rows.of_funds} | {
        ALICE: "alice", BOB: "bob"
    }  # fmt: skip
    return FundKeeper(stage.world.mirror, stage.rows)


async def test_the_fund_covers_what_the_two_largest_lose_beyond_margin():
    stage = stage_of()
    stage.mark(800)  # alice has 1,000 left of her margin of 2,000
    keeper = keeper_of(stage)
    assert await keeper.step()
    (sizing,) = stage.rows.sized
    assert sizing.seq == stage.world.mirror.seq and sizing.day == 10**18 // DAY_NS
    assert sizing.size_usd_micros == 1_050  # 1.05 x what 10 lots lose at 200 beyond 1,000
    worst = max(sizing.body["covers"], key=lambda one: sum(one["losses_usd_micros"]))
    assert worst == {"scenario": "0", "groups": ("alice", "bob"), "losses_usd_micros": (1_000, 0)}
    members = sizing.body["members"]
    assert members["alice"]["held_usd_micros"] == 30 and sizing.held_usd_micros == 50
    assert sum(one["required_usd_micros"] for one in members.values()) == 2 * LEAST_USD_MICROS
    kinds = {alarm["kind"] for alarm in sizing.body["alarms"]}
    assert kinds == {AlarmKind.TWO_LARGEST, AlarmKind.LARGEST}


async def test_once_a_day_and_again_after_a_start_nothing():
    stage = stage_of()
    keeper = keeper_of(stage)
    assert await keeper.step() and not await keeper.step()
    assert not await keeper_of(stage).step()  # after a kill
    stage.world.pass_time(24 * 3600)
    assert await keeper.step()
    assert [one.day for one in stage.rows.sized] == [11_575, 11_574]
    put(stage, Kind.STAGE_SHOCKS, price_ticks=-300, qty_lots=300)
    put(stage, Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
    assert await keeper.step() and not await keeper.step()  # by the new scenarios
    assert [one.day for one in stage.rows.sized] == [11_575, 11_575, 11_574]


async def test_without_scenarios_nothing_is_sized():
    stage = stage_of()
    stage.world.mirror.scenario_count = 0
    assert not await keeper_of(stage).step()


async def test_what_layers_hold_is_no_position_of_anybody():
    stage = stage_of()
    put(stage, Kind.TRANSFER_POSITION, account_idx=ALICE, ref_id=OF_ALICE, side=1, qty_lots=1,
        price_ticks=1_000, state=2)  # fmt: skip
    books = books_of(stage.world.mirror, frozenset({HOUSE, OF_ALICE}))
    assert [book.account_idx for book in books.books] == [ALICE, BOB]
    losses = loss_of(books.books[0], books)
    assert losses == GroupLoss(margin_usd_micros=1_800, losses_usd_micros=(1_800, -1_800))


def test_accounts_of_a_group_net_their_losses_and_join_their_margins():
    parts = [
        ("g", GroupLoss(margin_usd_micros=10, losses_usd_micros=(50, -20))),
        ("g", GroupLoss(margin_usd_micros=5, losses_usd_micros=(-30, 90))),
        ("h", GroupLoss(margin_usd_micros=0, losses_usd_micros=(7, 1))),
    ]
    groups = joined(parts)
    assert groups["g"] == GroupLoss(margin_usd_micros=15, losses_usd_micros=(20, 70))
    covers = [cover_of(groups, at) for at in (0, 1)]
    assert [cover.total_usd_micros for cover in covers] == [12, 56]


@pytest.mark.parametrize("fund", [0, 100])
def test_of_each_alarm_the_worst_is_said(fund):
    covers = [
        CoverLoss(scenario=str(loss), groups=("a",), losses_usd_micros=(loss,))
        for loss in (60, 95, 70)
    ]
    found = worst_alarms(covers, fund)
    assert [(one.kind, one.scenario) for one in found] == [
        (AlarmKind.TWO_LARGEST, "95"), (AlarmKind.LARGEST, "95"),
    ]  # fmt: skip
    assert (
        sizing_of(books_of(stage_of().world.mirror, frozenset()), {}, [], {}).size_usd_micros == 0
    )


async def test_DEF_14_the_house_below_zero_is_said_once_and_again_the_next_day(caplog):
    stage = stage_of()
    keeper = keeper_of(stage)
    house = stage.world.mirror.accounts[HOUSE]
    await keeper.step()
    assert "below zero" not in caplog.text
    house.cash_usd_micros = -2_500_000 - house.unsettled_usd_micros
    for _ in range(3):
        await keeper.step()
    said = [one.message for one in caplog.records if "below zero" in one.message]
    assert said == ["the house's account insurance is 2.50 USD below zero"]
    assert owes_usd_micros(stage.world.mirror, HOUSE) == 2_500_000
    stage.world.pass_time(24 * 3600)
    await keeper.step()
    assert caplog.text.count("below zero") == 2
