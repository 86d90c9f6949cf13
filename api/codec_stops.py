"""What an order waits for, and what it is tied to, as words of its row.

A stop has a trigger, an order with a bracket the prices of its two children: they share words of
the row, so no order has both.
"""

from typing import Final, NamedTuple

from msgspec import UNSET

from api.codec import TRAILING, TRIGGERS, choice, order_id, price_ticks
from api.errors import Problem
from api.schemas import OrderAmend, OrderNew
from exchange.rules.records import Order
from exchange.rules.stops import STOP_TYPES
from matching.codes import TRAIL_IS_BPS, Flag, OrderType, TriggerBy

TRIGGER_FIELDS: Final = ("trigger_price", "trail_offset", "trail_bps")
AT_MARKET: Final = (OrderType.STOP, OrderType.TAKE_PROFIT)
WAITING: Final = frozenset(int(kind) for kind in STOP_TYPES)


class Ties(NamedTuple):
    """What `matching/wire.py` calls state, order_id, and the low halves of two more words."""

    flags: int = 0
    state: int = 0
    other_id: int = 0
    low_amount: int = 0  # the trigger price, or that of a stop loss
    low_ref: int = 0  # how far it trails, or the price of a take-profit


NO_TIES: Final = Ties()


def ties_of(order: OrderNew, kind: int) -> Ties:
    """Return what an order says of triggers, links and brackets.

    Errors:
        Problem: a field that does not go with the others.
    """
    if kind in WAITING:
        ties = _stop(order)
    else:
        for name in TRIGGER_FIELDS:
            if getattr(order, name) is not UNSET:
                raise _not_here("only an order that waits for a price has one", name)
        ties = _bracket(order, kind)
    if order.oco_with is UNSET:
        return ties
    if ties.flags & Flag.BRACKET:
        raise _not_here("an order with take_profit or stop_loss is not linked", "oco_with")
    other_id = order_id(order.oco_with, "oco_with")
    return ties._replace(flags=ties.flags | Flag.LINKED, other_id=other_id)


def _stop(order: OrderNew) -> Ties:
    """Return the trigger of an order that waits."""
    for name in ("display_quantity", "min_quantity", "take_profit", "stop_loss"):
        if getattr(order, name) is not UNSET:
            raise _not_here("an order that waits for a price has none", name)
    if order.post_only is True:
        raise _not_here("an order that waits for a price is never post-only", "post_only")
    state = choice(TRIGGERS, order.trigger_by, int(TriggerBy.LAST), "trigger_by")
    if order.type != TRAILING:
        for name in ("trail_offset", "trail_bps"):
            if getattr(order, name) is not UNSET:
                raise _not_here("only a trailing_stop has one", name)
        if order.trigger_price is UNSET:
            detail = f"a {order.type} order waits for a price"
            raise Problem("field_missing", detail, field="trigger_price")
        return Ties(state=state, low_amount=_price(order.trigger_price, "trigger_price"))
    if order.trigger_price is not UNSET:
        raise _not_here("a trailing stop follows the price by an offset", "trigger_price")
    if order.trail_bps is not UNSET:
        if order.trail_offset is not UNSET:
            raise _not_here("trail_offset or trail_bps, not both", "trail_bps")
        return Ties(state=state | TRAIL_IS_BPS, low_ref=order.trail_bps)
    if order.trail_offset is UNSET:
        detail = "a trailing stop has trail_offset or trail_bps"
        raise Problem("field_missing", detail, field="trail_offset")
    return Ties(state=state, low_ref=_price(order.trail_offset, "trail_offset"))


def amended_trigger(change: OrderAmend) -> Ties:
    """Return the trigger that an amendment names, if it does: a price, or how far it trails."""
    named = [name for name in TRIGGER_FIELDS if getattr(change, name) is not UNSET]
    if not named:
        return NO_TIES
    if len(named) > 1:
        raise _not_here(f"{named[0]} or {named[1]}, not both", named[1])
    if change.peg_offset is not UNSET:
        raise _not_here("a pegged order waits for no price", named[0])
    if change.trigger_price is not UNSET:
        return Ties(low_amount=_price(change.trigger_price, "trigger_price"))
    if change.trail_bps is not UNSET:
        return Ties(state=TRAIL_IS_BPS, low_ref=change.trail_bps)
    assert change.trail_offset is not UNSET
    return Ties(low_ref=_price(change.trail_offset, "trail_offset"))


def check_waiting(change: OrderAmend, one: Order) -> None:
    """Refuse to amend what an order that waits for a price has not."""
    for name in ("display_quantity", "post_only", "reduce_only", "peg_offset"):
        if getattr(change, name) is not UNSET:
            raise _not_here("of an order that waits for a price this is not amended", name)
    if change.price is not UNSET and one.order_type in AT_MARKET:
        raise _not_here("this order enters at market: it has no price", "price")


def _bracket(order: OrderNew, kind: int) -> Ties:
    """Return the bracket of an order that enters now, if it has one."""
    if order.take_profit is UNSET and order.stop_loss is UNSET:
        if order.trigger_by is not UNSET:
            detail = "only an order that waits for a price, or has a bracket, has one"
            raise _not_here(detail, "trigger_by")
        return NO_TIES
    field = "stop_loss" if order.take_profit is UNSET else "take_profit"
    if kind == OrderType.PEGGED:
        raise _not_here("a pegged order has none", field)
    if order.reduce_only is True:
        raise _not_here("an order that only reduces opens nothing to guard", field)
    profit = 0 if order.take_profit is UNSET else _price(order.take_profit, "take_profit")
    loss = 0 if order.stop_loss is UNSET else _price(order.stop_loss, "stop_loss")
    state = choice(TRIGGERS, order.trigger_by, int(TriggerBy.LAST), "trigger_by")
    return Ties(flags=int(Flag.BRACKET), state=state, low_amount=loss, low_ref=profit)


def _price(text: str, field: str) -> int:
    """Return ticks, of which there must be one."""
    ticks = price_ticks(text, field)
    if ticks == 0:
        raise Problem("field_invalid", "a price is above zero", field=field)
    return ticks


def _not_here(detail: str, field: str) -> Problem:
    return Problem("field_invalid", detail, field=field)
