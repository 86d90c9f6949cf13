"""Answers against the journal: acknowledged means there, once, as it was said.

Every check returns what it found wrong as readable lines, so that a failing run shows all of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from matching.codes import Code, EventKind, Kind, Side
from matching.limits import ORDERS_MAX
from matching.wire import unpack_text
from tests.oracle.state import Command
from tests.torture.record import CORE_CODES, Fate, Record, Request
from tests.torture.truth import Event, TrueOrder, Truth

TICKS_PER_USD: Final = 1000
KINDS: Final = {
    "order.new": Kind.PLACE,
    "order.amend": Kind.AMEND,
    "order.cancel": Kind.CANCEL,
    "order.cancel_all": Kind.MASS_CANCEL,
}
# A gateway that sends again is told so by the core, before the command itself is judged.
ENVELOPE_CODES: Final = frozenset(
    {Code.REQUEST_REPEATED, Code.REQUEST_GAP, Code.ORIGIN_STALE, Code.ORIGIN_INVALID}
)
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}

AccountIdx = Mapping[str, int]  # public id -> slot
Found = Iterator[str]


def ticks(price: str) -> int:
    """Return a price in ticks, by other arithmetic than the exchange's."""
    value = Decimal(price) * TICKS_PER_USD
    assert value == int(value), f"{price} is not on the grid"
    return int(value)


def violations(record: Record, truth: Truth, accounts: AccountIdx) -> list[str]:
    """Return every contradiction between what clients were told and the journal."""
    return [
        *answers(record.requests, truth, accounts),
        *doubled(truth),
        *_strays(record, truth, accounts),
        *_not_done(record, truth, accounts),
    ]


def answers(requests: Iterable[Request], truth: Truth, accounts: AccountIdx) -> Found:
    """What was answered is in the journal at the answer's `seq`."""
    for request in requests:
        if request.fate not in (Fate.DONE, Fate.REFUSED):
            continue
        for wrong in _answer(request, truth, accounts[request.account_id]):
            yield f"{wrong}: {request}"


def _answer(request: Request, truth: Truth, account_idx: int) -> Found:
    there = truth.reply(request.seq)
    if there is None:
        yield f"answered at {request.seq}, but the journal ends at {truth.last_seq}"
        return
    command, said = there
    if command.kind != KINDS[request.op] or command.account_idx != account_idx:
        yield f"command {request.seq} is another one (kind {command.kind})"
        return
    if request.fate == Fate.REFUSED:
        if said[0].kind != EventKind.REFUSED or said[0].code != CORE_CODES[request.code]:
            yield f"command {request.seq} was not refused with {request.code}"
        return
    yield from _READ[request.op](request, command, said, truth)


def _placed(request: Request, command: Command, said: list[Event], truth: Truth) -> Found:
    order, seq = request.result["order"], request.seq
    if unpack_text(*command.words) != request.client_order_id:
        yield f"command {seq} has the client order id {unpack_text(*command.words)}"
        return
    if order["client_order_id"] != request.client_order_id:
        yield f"the answer names {order['client_order_id']}"
    if request.result["duplicate"]:
        known = truth.by_client.get((command.account_idx, request.client_order_id), [])
        if said[0].code != Code.CLIENT_ORDER_ID_REPEATED or int(order["order_id"]) not in known:
            yield f"called a duplicate, but command {seq} is not one"
        return
    if said[0].kind != EventKind.ACCEPTED or said[0].order_id != int(order["order_id"]):
        yield f"command {seq} did not accept order {order['order_id']}"
        return
    yield from _as_said(request, said)


def _amended(request: Request, command: Command, said: list[Event], truth: Truth) -> Found:
    order = request.result["order"]
    if said[0].kind != EventKind.AMENDED or said[0].order_id != int(order["order_id"]):
        yield f"command {request.seq} did not amend order {order['order_id']}"
        return
    yield from _as_said(request, said)


def _as_said(request: Request, said: list[Event]) -> Found:
    """The answer's order and trades are those of the events."""
    order, first = request.result["order"], said[0]
    if order["price"] is not None and ticks(order["price"]) != first.price_ticks:
        yield f"the journal has the price {first.price_ticks} ticks"
    if int(order["quantity"]) != first.qty_lots:
        yield f"the journal has the quantity {first.qty_lots}"
    if int(order["remaining_quantity"]) != first.leaves_lots:
        yield f"the journal has {first.leaves_lots} left"
    traded = [e for e in said if e.kind == EventKind.TRADE]
    expected = [(f"{e.seq}-{leg}", e.price_ticks, e.qty_lots) for leg, e in enumerate(traded)]
    answered = [
        (t["trade_id"], ticks(t["price"]), int(t["quantity"])) for t in request.result["trades"]
    ]
    if answered != expected:
        yield f"the journal has the trades {expected}"


def _cancelled(request: Request, command: Command, said: list[Event], truth: Truth) -> Found:
    order_id = int(request.result["order"]["order_id"])
    if said[0].kind != EventKind.CANCELLED or said[0].order_id != order_id:
        yield f"command {request.seq} did not cancel order {order_id}"
    elif truth.orders[order_id].open_lots:
        yield f"order {order_id} rests again"


def _cancelled_all(request: Request, command: Command, said: list[Event], truth: Truth) -> Found:
    expected = [str(e.order_id) for e in said if e.kind == EventKind.CANCELLED]
    if said[0].kind != EventKind.MASS_CANCELLED or request.result["order_ids"] != expected:
        yield f"command {request.seq} cancelled {expected}"


_READ: Final[dict[str, Callable[[Request, Command, list[Event], Truth], Found]]] = {
    "order.new": _placed,
    "order.amend": _amended,
    "order.cancel": _cancelled,
    "order.cancel_all": _cancelled_all,
}


def doubled(truth: Truth) -> Found:
    """No client order id made two orders; nothing below zero anywhere."""
    for (account_idx, client), order_ids in truth.by_client.items():
        if len(order_ids) > 1:
            yield f"account {account_idx} has {client} twice: orders {order_ids}"
    for order in truth.orders.values():
        if order.open_lots < 0:
            yield f"order {order.order_id} traded or lost more lots than it had"


def _strays(record: Record, truth: Truth, accounts: AccountIdx) -> Found:
    """What is in the journal for a client is what that client sent, no more often than sent."""
    bodies = {(accounts[r.account_id], r.client_order_id): r.fields for r in record.of("order.new")}
    for key, order_ids in truth.by_client.items():
        if key[0] not in accounts.values():
            continue
        body = bodies.get(key)
        if body is None:
            yield f"nobody sent order {order_ids[0]} ({key[1]} of account {key[0]})"
        elif wrong := _other_body(body, truth.orders[order_ids[0]], truth):
            yield f"order {order_ids[0]} is not what was sent ({wrong}): {body}"
    yield from _too_often(record, truth, accounts)


def _other_body(body: Mapping[str, Any], order: TrueOrder, truth: Truth) -> str:
    """Say which field of an accepted order is not the one that was sent."""
    accepted = truth.events[order_seq(order.order_id) - 1][0]
    if truth.symbols[order.contract_idx] != body["symbol"]:
        return "symbol"
    if order.side != SIDES[body["side"]]:
        return "side"
    if accepted.qty_lots != int(body["quantity"]):
        return "quantity"
    if "price" in body and accepted.price_ticks != ticks(body["price"]):
        return "price"
    return ""


def order_seq(order_id: int) -> int:
    """Return the command that made an order: the upper part of its id."""
    return order_id // ORDERS_MAX


def _too_often(record: Record, truth: Truth, accounts: AccountIdx) -> Found:
    """The core judged nothing more often than it was sent."""
    names = {idx: account_id for account_id, idx in accounts.items()}
    judged = [
        command
        for command, said in zip(truth.commands, truth.events, strict=True)
        if not (said[0].kind == EventKind.REFUSED and said[0].code in ENVELOPE_CODES)
    ]
    for op, kind in KINDS.items():
        sent = Counter(r.account_id for r in record.of(op))
        taken = Counter(names.get(c.account_idx) for c in judged if c.kind == kind)
        for account_id in accounts:
            if taken[account_id] > sent[account_id]:
                yield (
                    f"{account_id} sent {sent[account_id]} {op},"
                    f" the journal has {taken[account_id]}"
                )


def _not_done(record: Record, truth: Truth, accounts: AccountIdx) -> Found:
    """What was turned away at the door has not been carried out."""
    for request in record.of("order.new", Fate.NOT_DONE):
        key = (accounts[request.account_id], request.client_order_id)
        if key in truth.by_client and not _sent_otherwise(request, record):
            yield f"turned away with {request.code}, yet placed: {request}"


def _sent_otherwise(request: Request, record: Record) -> bool:
    """Say whether the same order was sent another time, with a better or an unknown answer."""
    return any(
        r.fate in (Fate.DONE, Fate.UNKNOWN)
        for r in record.requests
        if r.client_order_id == request.client_order_id and r.account_id == request.account_id
    )
