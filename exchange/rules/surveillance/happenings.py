"""What surveillance sees of a batch: orders placed and gone, trades, settlements."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from exchange.rules.rows import event_rows
from matching.codes import Code, EventKind, Side


class Placed(NamedTuple):
    """An order that was accepted."""

    seq: int
    ts_ns: int
    account_idx: int
    contract_idx: int
    order_id: int
    side: int
    price_ticks: int
    qty_lots: int


class Changed(NamedTuple):
    """An order that was amended: its side, and what it is now."""

    seq: int
    ts_ns: int
    account_idx: int
    contract_idx: int
    order_id: int
    side: int
    price_ticks: int
    leaves_lots: int  # 0: it ends, and says so


class Gone(NamedTuple):
    """Lots of an order that were cancelled."""

    seq: int
    ts_ns: int
    account_idx: int
    contract_idx: int
    order_id: int
    qty_lots: int


class Traded(NamedTuple):
    """One fill. In a call nobody takes: the buyer stands where the taker would."""

    seq: int
    ts_ns: int
    contract_idx: int
    side: int  # of the taker
    price_ticks: int
    qty_lots: int
    taker_idx: int
    maker_idx: int
    taker_id: int
    maker_id: int
    in_call: bool


class Settled(NamedTuple):
    """A contract's daily settlement."""

    seq: int
    ts_ns: int
    contract_idx: int


Happening = Placed | Changed | Gone | Traded | Settled

# Numbers as they are in rows: an enumeration takes several times as long to ask.
_ACCEPTED: Final = int(EventKind.ACCEPTED)
_TRIGGERED: Final = int(EventKind.TRIGGERED)
_AMENDED: Final = int(EventKind.AMENDED)
_CANCELLED: Final = int(EventKind.CANCELLED)
_SETTLED: Final = int(EventKind.SETTLED)
_BUY: Final = int(Side.BUY)
_AUCTION: Final = int(Code.AUCTION_TRADE)
_SEEN: Final = np.zeros(256, np.bool_)  # by kind of an event
_SEEN[[
    EventKind.ACCEPTED, EventKind.TRIGGERED, EventKind.AMENDED, EventKind.CANCELLED,
    EventKind.TRADE, EventKind.IMPLIED_LEG, EventKind.BLOCK_TRADE, EventKind.SETTLED,
]] = True  # fmt: skip


def happenings(commands: np.ndarray, events: np.ndarray) -> Iterator[Happening]:
    """Yield what happened in a batch, in order.

    Args:
        commands: COMMAND rows, gap-free; events: EVENT rows in their order.
    """
    seen = events[_SEEN[events["kind"]]]
    if not len(seen):
        return
    first_seq = int(commands["seq"][0])
    place = seen["seq"] - first_seq
    times = commands["ts_ns"][place].tolist()
    for event, ts_ns in zip(event_rows(seen), times, strict=True):
        yield _happening(event, ts_ns)


def _happening(event: Any, ts_ns: int) -> Happening:
    (
        seq, kind, side, code, account_idx, order_id, maker_id, contract_idx, maker_idx,
        price_ticks, qty_lots, leaves_lots, _,
    ) = event  # fmt: skip
    if kind in (_ACCEPTED, _TRIGGERED):
        return Placed(seq, ts_ns, account_idx, contract_idx, order_id, side, price_ticks, qty_lots)
    if kind == _AMENDED:
        return Changed(
            seq, ts_ns, account_idx, contract_idx, order_id, side, price_ticks, leaves_lots
        )
    if kind == _CANCELLED:
        return Gone(seq, ts_ns, account_idx, contract_idx, order_id, qty_lots)
    if kind == _SETTLED:
        return Settled(seq, ts_ns, contract_idx)
    return Traded(
        seq, ts_ns, contract_idx, side, price_ticks, qty_lots, account_idx, maker_idx, order_id,
        maker_id, code == _AUCTION,  # what ends a call trades all that crosses
    )  # fmt: skip


def direction(side: int) -> int:
    """Return which way a side moves a price: 1 up, -1 down."""
    return 1 if side == _BUY else -1
