"""The reply to an accepted order as text, written in one go.

It says exactly what `orders.placed` and `Session.reply` say, which a test holds it to; it exists
because most of a gateway's work is this one message.
"""

from functools import lru_cache
from typing import Any, Final

import orjson
from msgspec import UNSET

from api import answers, codec
from api.answers_stops import NO_TRIGGER, TIES
from api.errors import core_name
from api.limits import Bucket
from api.replies import CommandRow, Reply
from exchange.rules.mirror_orders import placed_order
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract, Order
from matching.codes import EventKind, Flag, OrderType
from matching.wire import COMMAND

_ACCEPTED: Final = int(EventKind.ACCEPTED)
_TRADE: Final = int(EventKind.TRADE)
_REPRICED: Final = int(EventKind.REPRICED)
_IMPLIED: Final = (int(EventKind.IMPLIED_TRADE), int(EventKind.IMPLIED_LEG))
_LINKED: Final = int(Flag.LINKED)
_FLAGS: Final = list(COMMAND.names or ()).index("flags")
_MARKET: Final = int(OrderType.MARKET)
_NO_TRIGGER: Final = ",".join(f'"{name}":null' for name in (*NO_TRIGGER, *TIES))
_STATIC_MAX: Final = 10_000
_statics: dict[tuple[str | int, ...], str] = {}


def placed_text(state: MirrorState, reply: Reply, request_id: Any) -> str | None:
    """Return the reply to an order.new that was accepted, to be `limited`; None when it was not.

    None also for an order of a combination, or one tied to another: they have more to say.
    """
    first = reply.events[0]
    one = state.order(first[5]) if first[1] == _ACCEPTED else None
    if one is None or one.link_id:
        return None
    return _text(state.contracts[first[7]], one, reply, request_id)


def foreseen_text(
    state: MirrorState, command: CommandRow, reply: Reply, request_id: Any
) -> str | None:
    """Return the same of an order that the mirror does not show yet."""
    first = reply.events[0]
    if first[1] != _ACCEPTED or command[_FLAGS] & _LINKED:
        return None
    one = placed_order(command, reply.events)
    return _text(state.contracts[first[7]], one, reply, request_id)


def limited(text: str, bucket: Bucket) -> str:
    """Return a reply with what is left of the rate as it leaves."""
    return f'{text},"limit":{{"remaining":{bucket.remaining},"reset":{bucket.reset_ms}}}}}'


def _text(contract: Contract, one: Order, reply: Reply, request_id: Any) -> str | None:
    events = reply.events
    seq, _, _, _, _, order_id, _, _, _, ticks, qty, leaves, _ = events[0]
    if contract.legs:
        return None
    code = dropped = 0
    trades = ""
    if len(events) > 1:
        if any(_by_aftermath(event, order_id, leaves) for event in events):
            return None
        trades, dropped, code = _after(contract, reply)
    filled = qty - leaves - dropped
    average = "null"
    if filled and filled == one.filled_lots:
        average = _average_text(one.filled_tick_lots, filled)
    client = f'"{one.client_order_id}"' if any(one.client_words) else "null"
    price = "null" if one.order_type == _MARKET else f'"{codec.price_out(ticks)}"'
    reason = f'"{core_name(code)}"' if code and not leaves else "null"
    ts_ms = reply.ts_ns // 1_000_000
    return (
        f'{{"id":{_id_text(request_id)},"op":"order.new","ok":true,"seq":{seq},'
        f'"ts_ns":"{reply.ts_ns}","result":{{"order":{{"order_id":"{order_id}",'
        f'"client_order_id":{client},{_static(contract, one)},"filled_quantity":"{filled}",'
        f'"remaining_quantity":"{leaves}",'
        f'"status":"{"open" if leaves else "cancelled" if code else "filled"}",'
        f'"reason":{reason},"expires_at":{one.expires_ns // 1_000_000 or "null"},'
        f'"price":{price},"quantity":"{qty}",'
        f'"average_price":{average},'
        f'"created_ts":{ts_ms},"updated_ts":{ts_ms},"seq":{seq}}},"trades":[{trades}],'
        '"duplicate":false}'
    )


def _by_aftermath(event: Any, order_id: int, leaves: int) -> bool:
    """Return whether what followed moved pegs, ended the order itself, or made others trade.

    Implied trades too have more to say than a line each.
    """
    if event[1] in _IMPLIED:
        return True
    if event[1] == _REPRICED or (event[1] == _TRADE and event[5] != order_id):
        return True
    return bool(event[5] == order_id and event[1] != _TRADE and event[11] != leaves)


def _id_text(request_id: Any) -> str:
    if type(request_id) is int:
        return str(request_id)
    return "null" if request_id is UNSET else orjson.dumps(request_id).decode()


@lru_cache(maxsize=1 << 16)
def _average_text(tick_lots: int, lots: int) -> str:
    """Return an average price; small orders have few different ones."""
    return f'"{answers.average_price(tick_lots, lots)}"'


def _static(contract: Contract, one: Order) -> str:
    """Return what many orders have in common, each kind of them written once."""
    key = (
        contract.symbol, one.side, one.order_type, one.tif, one.stp, one.flags, one.display_lots,
        one.peg, one.offset_ticks,
    )  # fmt: skip
    text = _statics.get(key)
    if text is None:
        if len(_statics) >= _STATIC_MAX:
            _statics.clear()
        post_only = "true" if one.flags & Flag.POST_ONLY else "false"
        reduce_only = "true" if one.flags & Flag.REDUCE_ONLY else "false"
        text = _statics[key] = (
            f'"symbol":"{contract.symbol}","side":"{codec.SIDE_NAMES[one.side]}",'
            f'"type":"{codec.TYPE_NAMES[one.order_type]}","tif":"{codec.TIF_NAMES[one.tif]}",'
            f'"stp":"{codec.STP_NAMES[one.stp]}","post_only":{post_only},'
            f'"reduce_only":{reduce_only},{_richer(one)}'
        )
    return text


def _richer(one: Order) -> str:
    """Return what few orders say of themselves."""
    display = f'"{one.display_lots}"' if one.display_lots else "null"
    if not one.peg:
        return f'"display_quantity":{display},"peg":null,"peg_offset":null,{_NO_TRIGGER}'
    offset = codec.offset_out(one.offset_ticks)
    return (
        f'"display_quantity":{display},"peg":"{codec.PEG_NAMES[one.peg]}","peg_offset":"{offset}",'
        f"{_NO_TRIGGER}"
    )


def _after(contract: Contract, reply: Reply) -> tuple[str, int, int]:
    """Return the trades as text, the taker's dropped lots, and the code of the last drop."""
    order_id = reply.events[0][5]
    code = dropped = 0
    trades: list[str] = []
    seq, ts_ns = reply.seq, reply.ts_ns
    tail = f'"role":"taker","seq":{seq},"ts":{ts_ns // 1_000_000},"ts_ns":"{ts_ns}"'
    for event in reply.events[1:]:
        if event[1] == _TRADE:
            trades.append(
                f'{{"trade_id":"{seq}-{len(trades)}","order_id":"{order_id}",'
                f'"symbol":"{contract.symbol}","side":"{codec.SIDE_NAMES[event[2]]}",'
                f'"price":"{codec.price_out(event[9])}","quantity":"{event[10]}",{tail}}}'
            )
        elif event[5] == order_id:
            dropped += event[10]
            code = event[3]
    return ",".join(trades), dropped, code
