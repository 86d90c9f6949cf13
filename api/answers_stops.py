"""What an answer says of the price that an order waits for, or has waited for.

An order without a trigger has the same fields, with null in them.
"""

from typing import Any, Final

from api import codec
from exchange.rules.clearing_rows import OrderRow
from exchange.rules.records import Order
from exchange.rules.stops import Stop, stop_of

UNTRIGGERED: Final = {"status": "untriggered", "reason": None}
NO_TRIGGER: Final[dict[str, Any]] = dict.fromkeys(
    ("trigger_price", "trigger_by", "trail_offset", "trail_bps")
)

TIES: Final = ("oco_with", "bracket_of")


def ties(one: Order | OrderRow) -> dict[str, str | None]:
    """Return what an order is tied to, or was: the other of a pair, and whose fills it closes."""
    ids = (one.link_id, one.parent_id)
    return {
        name: str(order_id) if order_id else None for name, order_id in zip(TIES, ids, strict=True)
    }


def trigger(
    stop: Stop | None, *, waits: bool | None = None, trigger_ticks: int = 0
) -> dict[str, Any]:
    """Return what an order waits for, or waited for; as it was at some moment where that is given.

    A trailing stop says so in its type, and a waiting one in its status.
    """
    if stop is None:
        return NO_TRIGGER
    said: dict[str, Any] = {
        "trigger_price": codec.price_out(trigger_ticks or stop.trigger_ticks),
        "trigger_by": codec.TRIGGER_NAMES[stop.source],
        "trail_offset": None if stop.in_bps or not stop.offset else codec.price_out(stop.offset),
        "trail_bps": stop.offset if stop.in_bps else None,
    }
    if stop.offset:
        said["type"] = codec.TRAILING
    if stop.waits if waits is None else waits:
        said |= UNTRIGGERED
    return said


def ended_stop(row: OrderRow) -> Stop | None:
    """Return what an order of the views has waited for; None if it never did."""
    if row.trigger_ticks == 0:
        return None
    stop = stop_of(row.trigger_bits, row.trigger_ticks)
    stop.offset, stop.waits = row.offset_ticks, False
    return stop
