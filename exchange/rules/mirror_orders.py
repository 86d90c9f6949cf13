"""What a mirror learns of an order from the command that placed or amended it."""

from typing import Any

from exchange.rules.protections import order_flags
from exchange.rules.records import Order
from matching.codes import PLACE_FLAGS, EventKind, Flag, OrderType
from matching.wire import COMMAND, EVENT, halves

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _TYPE, _TIF, _STP = _FIELD["ts_ns"], _FIELD["order_type"], _FIELD["tif"], _FIELD["stp"]
_FLAGS, _AMOUNT = _FIELD["flags"], _FIELD["amount_usd_micros"]
_STATE, _REF = _FIELD["state"], _FIELD["ref_id"]
_EXPIRES, _CLIENT = _FIELD["expires_ns"], _FIELD["client_a"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_KIND_E, _SIDE_E = _E["kind"], _E["side"]
_ACCOUNT_E, _ORDER_E = _E["account_idx"], _E["order_id"]
_CONTRACT_E, _PRICE_E, _QTY_E = _E["contract_idx"], _E["price_ticks"], _E["qty_lots"]
_LEAVES_E, _AMOUNT_E = _E["leaves_lots"], _E["amount_usd_micros"]
# An enumeration takes longer to ask than the rest of a line here.
_PEGGED, _LIMIT = int(OrderType.PEGGED), int(OrderType.LIMIT)
_TRADE = int(EventKind.TRADE)
_MARKET_TO_LIMIT = int(OrderType.MARKET_TO_LIMIT)

Row = Any  # the tuple of a COMMAND or EVENT row


def accepted_order(command: Row, event: Row) -> Order:
    """Return the order that was accepted, as its reply says it; its trades follow."""
    order = Order()
    order.order_id = event[_ORDER_E]
    order.account_idx = event[_ACCOUNT_E]
    order.contract_idx = event[_CONTRACT_E]
    order.side = event[_SIDE_E]
    order.order_type, order.tif, order.stp = command[_TYPE], command[_TIF], command[_STP]
    order.flags = order_flags(command)
    order.price_ticks = event[_PRICE_E]
    order.qty_lots = event[_QTY_E]
    order.leaves_lots = event[_LEAVES_E]
    order.filled_lots = order.filled_tick_lots = order.cancelled_lots = order.code = 0
    order.fills_known = True
    order.display_lots, order.shown_lots = command[_AMOUNT] >> 32, event[_AMOUNT_E]
    order.peg = order.offset_ticks = 0
    if order.order_type == _PEGGED:
        order.peg, order.offset_ticks = command[_STATE], halves(command[_REF])[0]
    order.expires_ns = command[_EXPIRES]
    order.client_words = command[_CLIENT : _CLIENT + 4]
    order.stop, order.link_id, order.parent_id = None, 0, 0
    order.created_ns = order.updated_ns = command[_TS]
    order.updated_seq = event[0]
    if order.leaves_lots and order.order_type == _MARKET_TO_LIMIT:
        order.order_type = _LIMIT  # what rests is no more than that
    return order


def placed_order(command: Row, events: list[Row]) -> Order:
    """Return the order of an accepted PLACE, with the trades of its own that its events tell."""
    order = accepted_order(command, events[0])
    for event in events[1:]:
        if event[_KIND_E] == _TRADE and event[_ORDER_E] == order.order_id:
            order.filled_lots += event[_QTY_E]
            order.filled_tick_lots += event[_QTY_E] * event[_PRICE_E]
    return order


def new_terms(order: Order, command: Row) -> None:
    """Take over what an amendment names beside price and quantity."""
    named = command[_FLAGS]
    if named & Flag.NEW_DISPLAY:
        order.display_lots = command[_AMOUNT] >> 32
    if named & Flag.NEW_OFFSET:
        order.offset_ticks = halves(command[_REF])[0]
    if named & Flag.NEW_TIF:
        order.tif, order.expires_ns = command[_TIF], command[_EXPIRES]
    if named & Flag.NEW_FLAGS:
        order.flags = order.flags & ~PLACE_FLAGS | named & PLACE_FLAGS
