"""The price of a call auction: the one at which most lots trade.

Of several such prices the one that leaves the smallest surplus; of those the highest if buyers are
left over, the lowest if sellers are; of what is left the nearest to the reference. Market orders
count up to their limit, the band's edge, but make no price: what only they would pay is not looked
at. Work: each order that could trade at the best price of the other side is looked at twice.
"""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.book import key_of, level_of, next_key
from matching.codes import MARKET_ORDER, Side
from matching.turns import begin_count, counted_lots, edge_key, new_walk

NONE = np.int64(0)


class Marginal(NamedTuple):
    """What stands where buyers and sellers part, after most lots were matched."""

    lots: int  # matched
    low_ticks: int  # lots are the most from here
    high_ticks: int  # to here
    buy_ticks: int  # the best buy with lots left, 0 for none
    buy_lots: int
    sell_ticks: int  # the best sell with lots left, beyond all prices for none
    sell_lots: int


@cold_kernel
def level_lots(s, book_idx, key, walk):
    """Return what counts of a level, in turn."""
    lots = np.int64(0)
    has_markets = key == edge_key(s, book_idx)
    order_idx = np.int64(level_of(s, book_idx, key)["head"])
    first_idx = order_idx
    while has_markets and order_idx != 0:
        if (s.orders[order_idx]["flags"] & MARKET_ORDER) != 0:
            lots += counted_lots(s, order_idx, walk)
        order_idx = np.int64(s.orders[order_idx]["next"])
    order_idx = first_idx
    while order_idx != 0:
        if not has_markets or (s.orders[order_idx]["flags"] & MARKET_ORDER) == 0:
            lots += counted_lots(s, order_idx, walk)
        order_idx = np.int64(s.orders[order_idx]["next"])
    return lots


@cold_kernel
def lots_within(s, book_idx, limit_key):
    """Return what counts of a side at this key."""
    walk = new_walk(s)
    lots = np.int64(0)
    key = np.int64(s.books[book_idx]["best_key"])
    while key <= limit_key:
        lots += level_lots(s, book_idx, key, walk)
        key = next_key(s, book_idx, key + 1) if key < s.meta[0]["price_top"] else key + 1
    return lots


@cold_kernel
def next_level(s, book_idx, key, walk):
    """Return the first key at or behind `key` at which anything counts, and its lots."""
    top = s.meta[0]["price_top"]
    while key <= top:
        key = next_key(s, book_idx, key)
        if key > top:
            break
        lots = level_lots(s, book_idx, key, walk)
        if lots > 0:
            return key, lots
        key += 1
    return top + 1, NONE


@cold_kernel
def best_limit_ticks(s, book_idx, none_ticks):
    """Return the best price of a side's limit orders, `none_ticks` if it has none."""
    top = s.meta[0]["price_top"]
    key = np.int64(s.books[book_idx]["best_key"])
    while key <= top:
        order_idx = np.int64(level_of(s, book_idx, key)["head"])
        while order_idx != 0:
            if (s.orders[order_idx]["flags"] & MARKET_ORDER) == 0:
                return key_of(s, book_idx & 1, key)
            order_idx = np.int64(s.orders[order_idx]["next"])
        key = next_key(s, book_idx, key + 1) if key < top else key + 1
    return none_ticks


@cold_kernel
def matched_best_first(s, contract_idx):
    """Match buyers and sellers on paper, the best first, as long as they cross."""
    top = s.meta[0]["price_top"]
    buys, sells = 2 * contract_idx + Side.BUY, 2 * contract_idx + Side.SELL
    walk = new_walk(s)
    buy_key, buy_lots = next_level(s, buys, np.int64(s.books[buys]["best_key"]), walk)
    sell_key, sell_lots = next_level(s, sells, np.int64(s.books[sells]["best_key"]), walk)
    matched_lots, low_ticks, high_ticks = np.int64(0), np.int64(0), np.int64(0)
    while buy_lots > 0 and sell_lots > 0 and top - buy_key >= sell_key:
        lots = min(buy_lots, sell_lots)
        matched_lots += lots
        low_ticks, high_ticks = sell_key, top - buy_key
        buy_lots -= lots
        sell_lots -= lots
        if buy_lots == 0:
            buy_key, buy_lots = next_level(s, buys, buy_key + 1, walk)
        if sell_lots == 0:
            sell_key, sell_lots = next_level(s, sells, sell_key + 1, walk)
    return Marginal(
        lots=matched_lots,
        low_ticks=low_ticks,
        high_ticks=high_ticks,
        buy_ticks=top - buy_key if buy_lots > 0 else NONE,
        buy_lots=buy_lots,
        sell_ticks=sell_key,
        sell_lots=sell_lots,
    )


@kernel
def least_surplus(m, low_ticks, high_ticks, reference_ticks):
    """Return the price of a range of equal volume: least surplus, pressure, then the reference."""
    if m.buy_ticks == m.high_ticks:
        return high_ticks
    if m.sell_ticks == m.low_ticks:
        return low_ticks
    even_low_ticks = max(m.buy_ticks + 1, low_ticks)
    even_high_ticks = min(m.sell_ticks - 1, high_ticks)
    if even_low_ticks <= even_high_ticks:
        return max(even_low_ticks, min(even_high_ticks, reference_ticks))
    if high_ticks <= m.buy_ticks:
        return high_ticks
    if low_ticks >= m.sell_ticks:
        return low_ticks
    if m.buy_lots != m.sell_lots:
        return m.buy_ticks if m.buy_lots < m.sell_lots else m.sell_ticks
    return m.buy_ticks if reference_ticks <= m.buy_ticks else m.sell_ticks


@cold_kernel
def equilibrium(s, contract_idx):
    """Find the price of a call.

    Returns: price ticks, lots that trade there, buys less sells there; zeros if nothing crosses
    """
    begin_count(s)
    m = matched_best_first(s, contract_idx)
    if m.lots == 0:
        return NONE, NONE, NONE
    buys, sells = 2 * contract_idx + Side.BUY, 2 * contract_idx + Side.SELL
    reference_ticks = np.int64(s.contracts[contract_idx]["mark_ticks"])
    best_buy_ticks = best_limit_ticks(s, buys, NONE)
    best_sell_ticks = best_limit_ticks(s, sells, s.meta[0]["price_top"] + 1)
    low_ticks = max(m.low_ticks, min(m.high_ticks, min(reference_ticks, best_sell_ticks)))
    high_ticks = min(m.high_ticks, max(m.low_ticks, max(reference_ticks, best_buy_ticks)))
    price_ticks = least_surplus(m, low_ticks, high_ticks, reference_ticks)
    bought_lots = lots_within(s, buys, key_of(s, np.int64(Side.BUY), price_ticks))
    sold_lots = lots_within(s, sells, price_ticks)
    return price_ticks, m.lots, bought_lots - sold_lots
