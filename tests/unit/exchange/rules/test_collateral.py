"""What collateral counts for: every rule of docs/clearing.md once, and the formula itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.assets import ASSET_BY_SYMBOL, ASSETS, DAY_NS, MINUTE_NS
from exchange.rules.collateral import (
    Member,
    approvals_needed,
    count,
    cover_lots,
)
from exchange.rules.holdings import AssetPrice
from matching.codes import PriceSource

NOW_NS = 1_000 * DAY_NS
USD = 1_000_000
MEMBER = Member(kind="customer", group="", long_lots=0, requirement_usd_micros=1_000 * USD)
UST, USDC, EURC, BTC, LETTER = (
    ASSET_BY_SYMBOL[symbol].asset for symbol in ("UST", "USDC", "EURC", "BTC", "LC-1")
)
BITCOIN = 10**8


def prices(age_ns: int = 0, **more: int) -> dict[int, AssetPrice]:
    known = {"UST": USD, "USDC": USD, "EURC": USD, "PYUSD": USD, "BTC": 60_000 * USD} | more
    return {
        ASSET_BY_SYMBOL[symbol].asset: AssetPrice(price, NOW_NS - age_ns, PriceSource.FEED)
        for symbol, price in known.items()
    }


def counted(units: dict[int, int], member: Member = MEMBER, **more: int) -> int:
    return count(units, prices(**more), member, NOW_NS).counted_usd_micros


def test_COLL_110_a_treasury_bill_counts_for_99_percent_without_a_cap():
    assert counted({UST: 5_000 * USD}) == 4_950 * USD


def test_COLL_111_stablecoins_of_one_issuer_share_one_cap():
    assert counted({USDC: 100 * USD}) == 97 * USD
    assert counted({USDC: 900 * USD}) == 250 * USD
    assert counted({USDC: 900 * USD, EURC: 900 * USD}) == 250 * USD
    assert counted({USDC: 900 * USD, ASSET_BY_SYMBOL["PYUSD"].asset: 900 * USD}) == 500 * USD


def test_COLL_112_a_stablecoin_below_its_floor_counts_for_nothing():
    assert counted({USDC: 100 * USD}, USDC=985_000) == 100 * 985_000 * 97 // 100
    assert counted({USDC: 100 * USD}, USDC=984_999) == 0


def test_COLL_113_bitcoin_counts_for_55_percent_up_to_15_percent_of_the_requirement():
    assert counted({BTC: BITCOIN // 1_000}) == 33 * USD
    assert counted({BTC: BITCOIN}) == 150 * USD


def test_COLL_114_bitcoin_of_a_miner_is_wrong_way_and_of_who_is_long_is_worth_less():
    assert counted({BTC: BITCOIN // 1_000}, replace(MEMBER, kind="miner")) == 0
    assert counted({BTC: BITCOIN // 1_000}, replace(MEMBER, long_lots=1)) == 30 * USD


def test_COLL_115_a_letter_of_credit_counts_in_full_up_to_half_of_the_requirement_a_bank():
    other = ASSET_BY_SYMBOL["LC-2"].asset
    assert counted({LETTER: 400 * USD}) == 400 * USD
    assert counted({LETTER: 900 * USD}) == 500 * USD
    assert counted({LETTER: 900 * USD, other: 900 * USD}) == 1_000 * USD


def test_COLL_116_an_old_price_counts_by_half_then_not_at_all():
    for age_ns, expected in ((15 * MINUTE_NS, 97), (16 * MINUTE_NS, 48.5), (121 * MINUTE_NS, 0)):
        assert counted({USDC: 100 * USD}, age_ns=age_ns) == int(expected * USD)
    assert count({USDC: 100}, {}, MEMBER, NOW_NS).lines[0].reason == "no_price"


def test_COLL_117_paper_of_ones_own_group_counts_for_nothing():
    assert counted({LETTER: 400 * USD}, replace(MEMBER, group="First Bank")) == 0


def test_COLL_118_pledged_capacity_covers_a_short_position_unless_one_is_long():
    assert cover_lots(short_lots=10, pledged_lots=20, long_lots=-10) == 10
    assert cover_lots(short_lots=100, pledged_lots=20, long_lots=-10) == 17
    assert cover_lots(short_lots=10, pledged_lots=20, long_lots=5) == 0
    assert cover_lots(short_lots=-3, pledged_lots=20, long_lots=0) == 0


@pytest.mark.parametrize("row", ASSETS, ids=lambda row: row.symbol)
@given(units=st.integers(0, 1 << 53), need=st.integers(0, 1 << 50), age=st.integers(0, 11 * DAY_NS))
def test_nothing_counts_for_more_than_its_value_or_its_cap(row, units, need, age):
    member = replace(MEMBER, requirement_usd_micros=need)
    found = count({row.asset: units}, prices(age), member, NOW_NS)
    for line in found.lines:
        assert 0 <= line.counted_usd_micros <= line.after_haircut_usd_micros
        assert line.after_haircut_usd_micros <= line.value_usd_micros
        if row.cap_bps:
            assert line.counted_usd_micros <= row.cap_bps * need // 10_000
    assert found.counted_usd_micros >= 0


def test_assets_that_are_in_no_row_count_for_nothing():
    assert count({15: 100, 1: 0}, prices(), MEMBER, NOW_NS).lines == ()


def test_COLL_120_two_admins_approve_what_is_large_or_of_unknown_worth():
    bill, bitcoin, letter = (ASSET_BY_SYMBOL[symbol] for symbol in ("UST", "BTC", "LC-1"))
    fresh, dead = prices(), prices(3 * 60 * MINUTE_NS)
    assert approvals_needed(bill, 100_000 * USD, fresh[UST], NOW_NS) == 1
    assert approvals_needed(bill, 100_000 * USD + 1, fresh[UST], NOW_NS) == 2
    assert approvals_needed(bitcoin, BITCOIN, fresh[BTC], NOW_NS) == 1
    assert approvals_needed(bitcoin, 1, None, NOW_NS) == 2
    assert approvals_needed(bitcoin, 1, dead[BTC], NOW_NS) == 2
    assert approvals_needed(letter, 1, None, NOW_NS) == 1
