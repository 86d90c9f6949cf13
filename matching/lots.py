"""Lots of an account: the one place where position, resting lots, gross and margin change."""

from matching._jit import kernel
from matching.risk import price_loss_ticks
from matching.worst import shift_worst


@kernel
def change_lots(s, account_idx, position_idx, book_idx, key, resting_lots, traded_lots, gain_ticks):
    """Apply a change of resting lots at `key` and of traded lots, both of one side.

    Args:
        resting_lots: what the book gains, negative when lots leave it
        traded_lots: >= 0, bought on a buy book and sold on a sell book
        gain_ticks: sum over the trades of lots x ticks that the mark is better than the price
    """
    side = book_idx & 1
    contract_idx = book_idx >> 1
    position = s.positions[position_idx]
    account = s.accounts[account_idx]
    contract = s.contracts[contract_idx]
    tick_value = contract["tick_value_usd_micros"]
    loss_ticks = price_loss_ticks(s, book_idx, key)
    sell_lots = resting_lots * side
    position["buy_lots"] += resting_lots - sell_lots
    position["sell_lots"] += sell_lots
    account["claims_usd_micros"] += resting_lots * tick_value * loss_ticks
    gross_lots = resting_lots
    if traded_lots != 0:
        gross_lots += trade_lots(position, account, contract, side, traded_lots, gain_ticks)
    account["gross_tick_value"] += gross_lots * s.books[book_idx]["gross_tick_value"]
    up_lots = resting_lots * side - traded_lots * (1 - side) + traded_lots * side
    down_lots = resting_lots * (1 - side) + traded_lots * (1 - side) - traded_lots * side
    shift_worst(s, account_idx, contract_idx, up_lots, down_lots)


@kernel
def trade_lots(position, account, contract, side, traded_lots, gain_ticks):
    """Move a position by a trade, and return by how much its size grew."""
    old_lots = position["qty_lots"]
    new_lots = old_lots + traded_lots * (1 - 2 * side)
    gain_usd_micros = gain_ticks * contract["tick_value_usd_micros"]
    position["qty_lots"] = new_lots
    position["unsettled_usd_micros"] += gain_usd_micros
    account["unsettled_usd_micros"] += gain_usd_micros
    contract["open_interest_lots"] += max(new_lots, 0) - max(old_lots, 0)
    return abs(new_lots) - abs(old_lots)


@kernel
def rest_lots(s, account, position, order, side, lots, gross_tick_value, loss_usd_micros):
    """Do as `change_lots` for an order that comes to rest whole, with what is known of it."""
    sell_lots = lots * side
    position["buy_lots"] += lots - sell_lots
    position["sell_lots"] += sell_lots
    account["claims_usd_micros"] += loss_usd_micros
    account["gross_tick_value"] += gross_tick_value
    shift_worst(s, order.account_idx, order.contract_idx, sell_lots, lots - sell_lots)
