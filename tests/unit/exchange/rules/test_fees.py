from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.fees import (
    FEE_ROWS,
    OBLIGATION,
    Pays,
    Rates,
    fee_row,
    paid_for,
    pays_as,
    rates_of,
    rebate_rate,
    reserve_usd_micros_per_gpu_hour,
    tier_of,
)
from exchange.rules.records import BLOCK, CASCADED, EXCHANGED, MOVED
from tests.support.bills import Fill, bill_of

CHARGED = date(2027, 1, 1)
DAYS = st.integers(0, 2_000).map(lambda days: date(2026, 1, 1) + timedelta(days))
FILLS = st.lists(st.builds(Fill, st.integers(1, 900), st.integers(24, 8_784), st.booleans()))


def test_a_lot_of_a_month_costs_a_taker_37_cents_and_clearing_7() -> None:
    rates = rates_of(fee_row("standard", date(2026, 11, 22)))
    assert paid_for(rates, Pays.TAKER, 1, 744_000) == (372_000, 74_400)
    assert paid_for(rates, Pays.MAKER, 1, 744_000) == (148_800, 74_400)
    assert paid_for(rates, Pays.NOTHING, 1, 744_000) == (0, 0)
    assert Rates.of_word(rates.word) == rates


def test_FEES_107_what_is_no_whole_micro_dollar_rounds_up() -> None:
    assert paid_for(Rates(1, 1, 1), Pays.TAKER, 1, 1) == (1, 1)


def test_FEES_108_both_take_a_block_and_nobody_takes_at_the_price_of_a_call() -> None:
    assert pays_as(block=BLOCK, in_auction=False, is_maker=True) == Pays.TAKER
    assert pays_as(block=0, in_auction=True, is_maker=False) == Pays.MAKER
    for block in (MOVED, CASCADED, EXCHANGED):
        assert pays_as(block=block, in_auction=False, is_maker=False) == Pays.NOTHING
    assert pays_as(block=0, in_auction=False, is_maker=False) == Pays.TAKER


@pytest.mark.parametrize(
    ("tier", "on"), [("gold", date(2026, 1, 1)), ("standard", date(2025, 1, 1))]
)
def test_an_unknown_tier_or_day_is_refused(tier: str, on: date) -> None:
    with pytest.raises(KeyError, match="no fee tier"):
        fee_row(tier, on)


@pytest.mark.parametrize(
    ("volume", "tier"),
    [(0, "standard"), (999_999, "standard"), (1_000_000, "active"), (10**9, "large")],
)
def test_FEES_101_the_volume_of_thirty_days_gives_the_tier(volume: int, tier: str) -> None:
    assert tier_of(volume, CHARGED).tier == tier


def test_FEES_102_a_bill_is_lots_times_hours_times_rate() -> None:
    fills = [Fill(3, 744, True), Fill(2, 720, False)]
    bill = bill_of(fills, fee_row("standard", CHARGED), rebate_usd_micros_per_gpu_hour=100)
    assert bill == (3 * 744 * 200 + 2 * 720 * 500, (3 * 744 + 2 * 720) * 100, 3 * 744 * 100)
    assert bill.owed_usd_micros == sum(bill[:2]) - bill[2]


@given(volume=st.integers(0, 1 << 40), more=st.integers(0, 1 << 40), on=DAYS)
def test_who_trades_more_never_pays_more(volume: int, more: int, on: date) -> None:
    less, best = tier_of(volume, on), tier_of(volume + more, on)
    assert best.taker_usd_micros_per_gpu_hour <= less.taker_usd_micros_per_gpu_hour
    assert best.maker_usd_micros_per_gpu_hour <= less.maker_usd_micros_per_gpu_hour


@given(fills=FILLS, on=DAYS, volume=st.integers(0, 1 << 40), presence=st.integers(0, 10_000))
def test_FEES_103_a_maker_never_pays_more_than_a_taker_and_a_trade_never_costs_the_house(
    fills: list[Fill], on: date, volume: int, presence: int
) -> None:
    row = tier_of(volume, on)
    makers = [fill._replace(is_maker=True) for fill in fills]
    takers = [fill._replace(is_maker=False) for fill in fills]
    rate = rebate_rate(tier_of(1 << 40, on), presence)
    made, taken = bill_of(makers, row, rate), bill_of(takers, row)
    assert made.owed_usd_micros <= taken.owed_usd_micros
    assert made.owed_usd_micros + taken.owed_usd_micros >= 0


def test_FEES_104_a_rebate_is_for_who_was_present() -> None:
    row = fee_row("standard", CHARGED)
    assert rebate_rate(row, OBLIGATION.presence_bps) == OBLIGATION.rebate_usd_micros_per_gpu_hour
    assert rebate_rate(row, OBLIGATION.presence_bps - 1) == 0


@given(fills=FILLS)
def test_FEES_105_the_reserve_covers_what_an_order_can_cost(fills: list[Fill]) -> None:
    for row in FEE_ROWS:
        hours = sum(fill.qty_lots * fill.lot_gpu_hours for fill in fills)
        owed = bill_of(fills, row).owed_usd_micros
        assert owed <= hours * reserve_usd_micros_per_gpu_hour(row)
