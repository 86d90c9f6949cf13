"""Klines: minutes fold into hours and days, and rows merge as trades do."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.clearing_rows import KlineRow
from exchange.rules.klines import DAY_S, HOUR_S, INTERVALS_S, MINUTE_S, NS_PER_S, Klines, merged

DAY_NS = DAY_S * NS_PER_S


def test_a_trade_opens_a_bar_of_each_interval():
    klines = Klines()
    klines.add(3, DAY_NS + 61 * NS_PER_S + 5, 200, 7)
    assert klines.rows() == [
        KlineRow(3, MINUTE_S, DAY_NS + 60 * NS_PER_S, 200, 200, 200, 200, 7, 1400, 1),
        KlineRow(3, HOUR_S, DAY_NS, 200, 200, 200, 200, 7, 1400, 1),
        KlineRow(3, DAY_S, DAY_NS, 200, 200, 200, 200, 7, 1400, 1),
    ]


def test_contracts_and_empty_minutes_are_kept_apart():
    klines = Klines()
    klines.add(1, 0, 10, 1)
    klines.add(2, 0, 20, 1)
    klines.add(1, 3 * 60 * NS_PER_S, 11, 1)
    minutes = [(row.contract_idx, row.open_ns) for row in klines.rows() if row.interval_s == 60]
    assert minutes == [(1, 0), (1, 3 * 60 * NS_PER_S), (2, 0)]


TRADES = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(1, 99), st.integers(1, 9)), max_size=40
)


@given(TRADES, st.integers(0, 40))
def test_where_the_rows_are_taken_makes_no_difference(trades, cut):
    trades.sort(key=lambda trade: trade[0])
    whole, parts = Klines(), Klines()
    stored: dict[tuple, KlineRow] = {}
    for place, (second, price_ticks, qty_lots) in enumerate(trades):
        whole.add(0, second * NS_PER_S, price_ticks, qty_lots)
        parts.add(0, second * NS_PER_S, price_ticks, qty_lots)
        if place == cut:
            stored = {row[:3]: row for row in parts.rows()}
            parts.clear()
    for row in parts.rows():
        stored[row[:3]] = merged(stored[row[:3]], row) if row[:3] in stored else row
    assert sorted(stored.values()) == whole.rows()
    total = sum(qty_lots for _, _, qty_lots in trades)
    for interval_s in INTERVALS_S:
        rows = [row for row in whole.rows() if row.interval_s == interval_s]
        assert sum(row.volume_lots for row in rows) == total
