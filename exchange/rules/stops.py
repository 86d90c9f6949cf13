"""Orders that wait for a price: what is known of one, and how the core's events say it."""

from typing import Any

from matching.codes import RISES, TRAIL_IS_BPS, EventKind, OrderType
from matching.wire import EVENT, halves

_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SOURCE_MASK = 3
TRIGGER_BITS = _SOURCE_MASK | TRAIL_IS_BPS  # what readers keep of a trigger's bits

Row = Any  # the tuple of an EVENT row

STOP_TYPES = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT}
)
STOP_EVENTS = frozenset(
    {
        EventKind.STOP_ACCEPTED, EventKind.STOP_AMENDED, EventKind.STOP_MOVED, EventKind.STOP_GREW,
    }
)  # fmt: skip


def said_of_stop(event: Row) -> tuple[int, int, int]:
    """Return trigger price, order type and trigger bits, as an event about a stop has them."""
    trigger_ticks, word = halves(event[_E["amount_usd_micros"]])
    return trigger_ticks, word & 255, word >> 8


class Stop:
    """What an order waits for, or has waited for."""

    __slots__ = ("asleep", "in_bps", "offset", "source", "trigger_ticks", "waits")

    def __init__(self, source: int, trigger_ticks: int) -> None:
        self.source = source  # TriggerBy
        self.trigger_ticks = trigger_ticks
        self.offset = 0  # of a trailing stop, ticks or basis points
        self.in_bps = False
        self.waits = True
        self.asleep = False  # a bracket's child whose parent has not filled


def stop_of(trigger: int, trigger_ticks: int) -> Stop:
    """Return a waiting stop of the core's trigger bits."""
    assert trigger & ~(_SOURCE_MASK | RISES | TRAIL_IS_BPS) == 0
    stop = Stop(trigger & _SOURCE_MASK, trigger_ticks)
    stop.in_bps = bool(trigger & TRAIL_IS_BPS)
    return stop
