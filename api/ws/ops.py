"""What a connection can ask for, op by op."""

from functools import partial
from typing import Any

from msgspec import UNSET

from api import orders
from api.auth import RECV_WINDOW_MS_DEFAULT, WS_METHOD, WS_TARGET, Claim
from api.edge import new_request_id
from api.errors import Problem
from api.limits import Bucket
from api.schemas import (
    WsAuth,
    WsBatch,
    WsCancelAll,
    WsOrderAmend,
    WsOrderCancel,
    WsOrderNew,
    WsPing,
    WsResync,
    WsSubscribe,
    WsUnsubscribe,
)
from api.whole import post_whole
from api.ws.private import NAMES as PRIVATE
from api.ws.session import Session, id_of, op_of
from api.ws.waiters import OrderWaiter, PlaceWaiter
from exchange.io.registry import Scope

# Orders: parsed and sent at once, in the order they came; answered when durable


def order_new(session: Session, message: WsOrderNew) -> None:
    """Place an order."""
    who = session.need(Scope.TRADE)
    gateway = session.services.gateway
    bucket = session.take_token(who)
    row = orders.new_row(gateway, message, who.account_idx)
    gateway.post(row, PlaceWaiter(session, message, bucket))
    session.in_flight += 1


def order_amend(session: Session, message: WsOrderAmend) -> None:
    """Amend an order."""
    who = session.need(Scope.TRADE)
    gateway = session.services.gateway
    bucket = session.take_token(who)
    ids = orders.ids_of(message.order_id, message.client_order_id)
    row = orders.amend_row(gateway, message, who.account_idx, *ids)
    how = partial(orders.amended, order_id=ids[0], words=ids[1])
    gateway.post(row, OrderWaiter(session, message, how, bucket))
    session.in_flight += 1


def order_cancel(session: Session, message: WsOrderCancel) -> None:
    """Cancel an order; cancellations are never held back by a rate."""
    who = session.need(Scope.TRADE)
    session.take_place()
    gateway = session.services.gateway
    ids = orders.ids_of(message.order_id, message.client_order_id)
    row = orders.cancel_row(gateway, who.account_idx, *ids)
    how = partial(orders.cancelled, order_id=ids[0], words=ids[1])
    gateway.post(row, OrderWaiter(session, message, how, None))
    session.in_flight += 1


def order_cancel_all(session: Session, message: WsCancelAll) -> None:
    """Cancel all orders."""
    who = session.need(Scope.TRADE)
    session.take_place()
    gateway = session.services.gateway
    row = orders.cancel_all_row(gateway, who.account_idx, message.symbol, message.side)
    post_whole(gateway, row, OrderWaiter(session, message, orders.cancelled_all, None))
    session.in_flight += 1


def order_batch(session: Session, message: WsBatch) -> None:
    """Carry out several requests; one reply with a result for each."""
    who = session.need(Scope.TRADE)
    services = session.services
    count = sum(map(orders.takes_tokens, message.requests))
    session.take_place(len(message.requests))
    bucket = session.take_token(who, count) if count else None
    session.in_flight += len(message.requests)
    orders.Batch(
        services.gateway,
        orders.item_makers(services.gateway, message.requests, who.account_idx),
        partial(answer_batch, session, message, bucket),
    )


def answer_batch(
    session: Session, message: Any, bucket: Bucket | None, outcomes: list[orders.Outcome]
) -> None:
    """Answer a batch whose requests all have their outcome."""
    session.in_flight -= len(outcomes)
    if session.closed:
        return
    state = session.services.gateway.mirror
    results = [outcome_out(session, outcome) for outcome in outcomes]
    session.reply(
        id_of(message),
        op_of(message),
        state.seq,
        session.services.now_ns(),
        {"results": results},
        bucket,
    )


def outcome_out(session: Session, outcome: orders.Outcome) -> dict[str, Any]:
    """Return the result of one request of a batch."""
    if isinstance(outcome, Problem):  # no reply of the core, so no seq
        return {"ok": False, "error": outcome.to_dict(new_request_id())}
    reply, how = outcome
    try:
        return {"ok": True, "seq": reply.seq, **how(session.services.gateway.mirror, reply)}
    except Problem as problem:
        return {"ok": False, "seq": reply.seq, "error": problem.to_dict(new_request_id())}
    except orders.KnownElsewhere as elsewhere:
        order = {"order_id": str(elsewhere.order_id)}
        known = {"order": order, "trades": [], "duplicate": elsewhere.duplicate}
        return {"ok": True, "seq": reply.seq, **known}


# Logging in


def auth(session: Session, message: WsAuth) -> None:
    """Log in, once a connection."""
    if session.who is not None:
        raise Problem("already_authenticated", "one login a connection")
    session.start(id_of(message), op_of(message), _auth(session, message))


async def _auth(session: Session, message: WsAuth) -> None:
    window = RECV_WINDOW_MS_DEFAULT if message.recv_window is UNSET else message.recv_window
    claim = Claim(
        key_id=message.key,
        timestamp=str(message.timestamp),
        recv_window=str(window),
        signature=message.signature,
        method=WS_METHOD,
        target=WS_TARGET,
    )
    who = await session.services.auth.check(claim, session.address)
    if session.who is not None:
        raise Problem("already_authenticated", "one login a connection")
    session.who = who
    if message.cancel_on_disconnect is True:
        session.cancel_on_disconnect = True
        session.hub.guard(who.account_idx)
    session.reply_now(
        message,
        {"account_id": who.account_id, "key": who.key_id, "scopes": sorted(map(str, who.scopes))},
    )


# Channels


def subscribe(session: Session, message: WsSubscribe) -> None:
    """Subscribe to all the channels named, or to none of them."""
    new = [name for name in dict.fromkeys(message.channels) if name not in session.channels]
    new = [name for name in new if name not in session.private]
    limit = session.services.limits.settings.channels_max
    if len(session.channels) + len(session.private) + len(new) > limit:
        raise Problem("too_many_channels", f"at most {limit} a connection")
    for name in new:
        if name in PRIVATE:
            session.need(Scope.READ)
    snapshots: list[bytes] = []
    opened: list[str] = []
    for name in new:
        snapshot = open_channel(session, name)
        if snapshot is None:
            for other in opened:
                close_channel(session, other)
            raise Problem("channel_unknown", f"no channel {name[:80]}", field="channels")
        opened.append(name)
        snapshots.append(snapshot)
    session.reply_now(message, {"channels": [*session.channels, *session.private]})
    for snapshot in snapshots:
        session.push(snapshot)


def open_channel(session: Session, name: str) -> bytes | None:
    """Subscribe to one channel and return its snapshot, None when there is none of that name."""
    if name in PRIVATE:
        who = session.need(Scope.READ)
        session.private[name] = None
        return session.hub.private.subscribe(name, who.account_idx, session)
    snapshot = session.hub.subscribe(name, session)
    if snapshot is not None:
        session.channels[name] = None
    return snapshot


def close_channel(session: Session, name: str) -> None:
    """Unsubscribe from one channel."""
    if name in session.private and session.who is not None:
        del session.private[name]
        session.hub.private.unsubscribe(name, session.who.account_idx, session)
    elif name in session.channels:
        del session.channels[name]
        session.hub.unsubscribe(name, session)


def unsubscribe(session: Session, message: WsUnsubscribe) -> None:
    """Unsubscribe; a channel not subscribed to is no mistake."""
    for name in message.channels:
        close_channel(session, name)
    session.reply_now(message, {"channels": [*session.channels, *session.private]})


def resync(session: Session, message: WsResync) -> None:
    """Send a fresh snapshot of a channel."""
    name = message.channel
    if name in session.private:
        who = session.need(Scope.READ)
        snapshot: bytes | None = session.hub.private.snapshot(name, who.account_idx)
    elif name in session.channels:
        snapshot = session.hub.snapshot(name)
    else:
        raise Problem("channel_not_subscribed", "subscribe to it first", field="channel")
    session.reply_now(message, {"channel": name})
    if snapshot is not None:
        session.push(snapshot)


def ping(session: Session, message: WsPing) -> None:
    """Answer."""
    session.reply_now(message, {})
