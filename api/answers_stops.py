"""What an answer says of the price that an order waits for, or has waited for.

An order without a trigger has the same fields, with null in them; so has one that ended so long
ago that only the views know it.
"""

from typing import Any, Final

from api import codec
from exchange.rules.stops import Stop

UNTRIGGERED: Final = {"status": "untriggered", "reason": None}
NO_TRIGGER: Final[dict[str, Any]] = dict.fromkeys(
    ("trigger_price", "trigger_by", "trail_offset", "trail_bps")
)


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
