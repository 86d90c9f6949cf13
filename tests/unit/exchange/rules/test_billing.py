from datetime import date

import pytest

from exchange.rules.billing import (
    Billed,
    Exchanged,
    Held,
    MakerDay,
    charges_of,
    date_of,
    delivery_fee_of,
    efd_fee_of,
    quotes_enough,
    rates_for,
    rebate_usd_micros,
    tiers_of,
)
from exchange.rules.fees import NO_RATES, Rates, efd_most_usd_micros_per_gpu_hour
from exchange.rules.records import Order
from matching.codes import Charge, Side

ON = date(2026, 11, 22)


def quote(side: Side, price_ticks: int, lots: int) -> Order:
    order = Order()
    order.side, order.price_ticks, order.leaves_lots, order.display_lots = (
        side,
        price_ticks,
        lots,
        0,
    )
    return order


def test_charges_are_summed_over_contracts_and_days_and_nothing_is_no_charge() -> None:
    rows = [
        Billed(1, 7, 0, 10, 0, 5, 1),
        Billed(2, 7, 3, 10, 4, 6, 1),
        Billed(1, 8, 0, 1, 1, 0, 0),
    ]
    assert charges_of(rows) == [(7, Charge.TRADING_FEE, 11), (7, Charge.CLEARING_FEE, 2)]


def test_FEES_101_tiers_are_of_those_who_traded() -> None:
    assert tiers_of({3: 1_000_000, 1: 999_999}, ON) == [
        (1, 999_999, "standard"), (3, 1_000_000, "active"),
    ]  # fmt: skip


def test_the_exchange_pays_itself_nothing() -> None:
    assert rates_for("house", "standard", ON) == NO_RATES
    assert rates_for("customer", "large", ON) == Rates(0, 300, 50)


@pytest.mark.parametrize(("present", "paid"), [(80, 100_000), (79, 0), (100, 100_000)])
def test_FEES_104_a_day_pays_a_maker_that_was_there_80_minutes_of_100(present, paid) -> None:
    assert rebate_usd_micros(MakerDay(1, 2, present, 100, 1_000), ON) == paid


def test_a_market_that_never_opened_pays_nothing() -> None:
    assert rebate_usd_micros(MakerDay(1, 2, 0, 0, 1_000), ON) == 0


@pytest.mark.parametrize(
    ("orders", "good"),
    [
        ([(Side.BUY, 1_970, 10), (Side.SELL, 2_000, 10)], True),
        ([(Side.BUY, 1_970, 6), (Side.BUY, 1_969, 4), (Side.SELL, 2_000, 10)], True),
        ([(Side.BUY, 1_970, 9), (Side.SELL, 2_000, 10)], False),
        ([(Side.BUY, 1_970, 9), (Side.BUY, 1_900, 1), (Side.SELL, 2_000, 10)], False),
        ([(Side.BUY, 1_940, 10), (Side.SELL, 2_000, 10)], False),
        ([(Side.SELL, 2_000, 10)], False),
        ([], False),
    ],
)
def test_FEES_104_a_promise_is_both_sides_ten_lots_within_three_percent(orders, good) -> None:
    assert quotes_enough([quote(*one) for one in orders]) is good


def test_days_are_counted_from_1970() -> None:
    assert date_of(0) == date(1970, 1, 1)


@pytest.mark.parametrize(
    ("lots", "kind", "tier", "rate"),
    [
        (3, "customer", "standard", 1_000),
        (-3, "customer", "standard", 1_000),
        (-3, "customer", "large", 800),
        (3, "house", "standard", 0),
    ],
)
def test_FEES_106_lots_held_into_delivery_owe_for_it_either_way(lots, kind, tier, rate) -> None:
    fee = delivery_fee_of(Held(7, 1, 99, lots, 744, kind, tier, (ON - date(1970, 1, 1)).days))
    assert fee[:4] == (7, 1, 99, lots)
    assert fee[4:] == (3 * 744, rate, 3 * 744 * rate)


@pytest.mark.parametrize(
    ("kind", "tier", "rate"),
    [("customer", "standard", 500), ("neocloud", "large", 400), ("operator", "large", 0)],
)
def test_FEES_110_both_sides_of_an_exchange_for_delivery_owe_for_it(kind, tier, rate) -> None:
    day = (ON - date(1970, 1, 1)).days
    for lots in (16, -16):
        fee = efd_fee_of(Exchanged(99, 7, 1, lots, 744, kind, tier, day))
        assert fee == (99, 1, 7, lots, 16 * 744, rate, 16 * 744 * rate)


def test_FEES_110_a_day_before_the_first_row_has_no_fee_to_set_aside() -> None:
    assert efd_most_usd_micros_per_gpu_hour(ON) == 500
    assert efd_most_usd_micros_per_gpu_hour(date(2025, 12, 31)) == 0
