"""The everyday command, in one straight line: a plain limit order, and the cancellation of one.

Most orders of a market are alike: a limit order, good till cancelled or immediate, from an active
account, in a contract that trades, within its band and its account's margin. None of the checks
of `admit.py` can fail for it. If nobody meets it, it rests, and nothing of `match.py` happens to
it. Whatever is less plain in any way goes the general way: only there are reasons known, and
everything here must be what it would have done.
"""

from typing import Final

import numpy as np

from matching._jit import cold_kernel, kernel
from matching._raw import word_at
from matching.admit import Order
from matching.book import key_of, opposite_key
from matching.client_ids import client_words
from matching.codes import (
    AccountState,
    Code,
    EventKind,
    Kind,
    OrderType,
    Side,
    Stp,
    Tif,
    TradingState,
)
from matching.emit import emit_order
from matching.limits import MONEY_USD_MICROS_MAX
from matching.lots import rest_lots
from matching.orders import enter
from matching.pool import find_order, find_position, order_slots_left, take_order_slot
from matching.rest import new_order_id, rest
from matching.risk import margin_after, price_loss_ticks
from matching.trade import cancel_whole
from matching.wire import COMMAND

# The word of a command that begins with its kind: of a plain order, all these bits are as here.
PLAIN: Final = int(Kind.PLACE)


def head_bits(**most: int) -> int:
    """Return the bits that fields in a command's first word of marks may have."""
    assert COMMAND.fields is not None
    bits = 0
    for name, value in most.items():
        bits |= value << 8 * (COMMAND.fields[name][1] - COMMAND.fields["kind"][1])
    return bits


# One bit says the side, one whether it is immediate, three the self-trade mode; `state` says
# nothing of a plain order.
FREE_BITS: Final = head_bits(side=Side.SELL, tif=Tif.IOC, stp=7, state=0xFF)
FIXED_BITS: Final = ~FREE_BITS
assert int(Tif.GTC) == int(OrderType.LIMIT) == 0


@kernel
def plain_words(cmd):
    """Return whether a command is an order of nothing but side, price, quantity, modes."""
    if (word_at(cmd, "kind") & FIXED_BITS) != PLAIN or cmd["stp"] > Stp.DECREMENT:
        return False
    unusual = cmd["expires_ns"] | cmd["amount_usd_micros"] | cmd["ref_id"]  # all zero: plain
    return (unusual | client_words(cmd)) == 0


@kernel
def plain_times(s, account, contract, book_idx, key):
    """Return whether account and contract trade, and the price is in the band."""
    # Zero: active, without limits of its own, no combination, and no implied price.
    unusual = account["state"] | account["limited"] | contract["legs_count"] | contract["implied"]
    if unusual != AccountState.ACTIVE or contract["state"] != TradingState.CONTINUOUS:
        return False
    return key >= s.books[book_idx]["band_key"]


@kernel
def within_limits(s, account, position, order, gross_tick_value, plain_lots):
    """Return whether slots, money and lots leave room."""
    held_lots = position["buy_lots"] + position["sell_lots"] + abs(position["qty_lots"])
    gross = account["gross_tick_value"] + gross_tick_value
    if held_lots + order.qty_lots > plain_lots or gross > s.meta[0]["gross_max"]:
        return False
    # Two in one: the bound is a power of two. At the bound itself the general way judges.
    cash = account["cash_usd_micros"] + MONEY_USD_MICROS_MAX
    unsettled = account["unsettled_usd_micros"] + MONEY_USD_MICROS_MAX
    if (cash | unsettled) < 0 or (cash | unsettled) >= 2 * MONEY_USD_MICROS_MAX:
        return False
    return order_slots_left(s)


@kernel
def everyday_order(cmd, contract, account_idx, contract_idx, position_idx, book_idx, key):
    """Return a plain command as an order."""
    tif = np.int64(Tif.GTC if cmd["tif"] == Tif.GTC else Tif.IOC)
    return Order(
        account_idx=account_idx,
        contract_idx=contract_idx,
        position_idx=position_idx,
        book_idx=book_idx,
        key=key,
        qty_lots=np.int64(cmd["qty_lots"]),
        tick_value=np.int64(contract["tick_value_usd_micros"]),
        order_type=np.int64(OrderType.LIMIT),
        tif=tif,
        stp=np.int64(cmd["stp"]),
        flags=np.int64(0),
        display_lots=np.int64(0),
        min_lots=np.int64(0),
        held_lots=np.int64(0),
        held_loss_usd_micros=np.int64(0),
        client=np.int64(0),
        by_legs=np.int64(0),
    )


@kernel
def rest_everyday(s, cmd, order, account, position, gross_tick_value, loss_usd_micros):
    """Accept an order and rest it whole."""
    order_idx = take_order_slot(s)
    order_id = new_order_id(s, order_idx)
    lots, position_idx, none = order.qty_lots, order.position_idx, np.int64(0)
    price_ticks = np.int64(cmd["price_ticks"])
    emit_order(
        s, EventKind.ACCEPTED, Code.OK, order.account_idx, order.book_idx, order_id, price_ticks,
        lots, lots,
    )  # fmt: skip
    side = order.book_idx & 1
    rest_lots(s, account, position, order, side, lots, gross_tick_value, loss_usd_micros)
    rest(s, cmd, order, order_idx, order_id, position_idx, none, lots, none)


@cold_kernel
def take_everyday(s, cmd, account_idx, contract_idx, position_idx, key):
    """Accept an order that may trade at once, and is judged."""
    contract = s.contracts[contract_idx]
    book_idx = 2 * contract_idx + np.int64(cmd["side"])
    order = everyday_order(cmd, contract, account_idx, contract_idx, position_idx, book_idx, key)
    enter(s, cmd, order, order.qty_lots)


@kernel
def place_everyday(s, cmd):
    """Accept an order, trade it and rest what is left, if it is as plain as that.

    Returns: False if it is not; nothing is written then
    """
    meta = s.meta[0]
    account_idx, contract_idx = np.int64(cmd["account_idx"]), np.int64(cmd["contract_idx"])
    if account_idx < 0 or account_idx >= meta["accounts_count"]:
        return False
    if contract_idx < 0 or contract_idx >= meta["contracts_trading"] or not plain_words(cmd):
        return False
    account, contract = s.accounts[account_idx], s.contracts[contract_idx]
    price_ticks, qty_lots = cmd["price_ticks"], cmd["qty_lots"]
    if qty_lots < 1 or qty_lots > contract["qty_max_lots"]:
        return False
    if price_ticks < 1 or price_ticks > meta["price_top"]:
        return False
    side = np.int64(cmd["side"])
    book_idx, key = 2 * contract_idx + side, key_of(s, side, price_ticks)
    position_idx = find_position(s, account_idx, contract_idx)
    if position_idx == 0 or not plain_times(s, account, contract, book_idx, key):
        return False
    position = s.positions[position_idx]
    order = everyday_order(cmd, contract, account_idx, contract_idx, position_idx, book_idx, key)
    gross_tick_value = qty_lots * order.tick_value
    if not within_limits(s, account, position, order, gross_tick_value, contract["plain_lots"]):
        return False
    bound_usd_micros, room_usd_micros = margin_after(s, order, qty_lots)
    if bound_usd_micros > room_usd_micros:
        return False
    account["im_bound_usd_micros"] = bound_usd_micros
    if order.tif != Tif.GTC or s.books[book_idx ^ 1]["best_key"] <= opposite_key(s, key):
        take_everyday(s, cmd, account_idx, contract_idx, position_idx, key)
        return True
    loss_usd_micros = gross_tick_value * price_loss_ticks(s, book_idx, key)
    rest_everyday(s, cmd, order, account, position, gross_tick_value, loss_usd_micros)
    return True


@kernel
def cancel_everyday(s, cmd):
    """Cancel an order that is as plain as that, named by the exchange's id.

    Returns: False if it is not; nothing is written then
    """
    account_idx = np.int64(cmd["account_idx"])
    if account_idx < 0 or account_idx >= s.meta[0]["accounts_count"]:
        return False
    order_idx = find_order(s, account_idx, np.int64(cmd["order_id"]))
    if order_idx == 0 or s.orders[order_idx]["flags"] != 0:
        return False
    cancel_whole(s, order_idx, Code.CANCELLED_BY_USER)
    return True
