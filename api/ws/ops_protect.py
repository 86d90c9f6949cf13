"""What a connection can ask for to quote and to be safe, and the table of all ops."""

from functools import partial
from typing import Final

from api import orders, protect
from api.schemas import (
    WsAuth,
    WsBatch,
    WsCancelAfter,
    WsCancelAll,
    WsMmpReset,
    WsOrderAmend,
    WsOrderCancel,
    WsOrderNew,
    WsPing,
    WsQuoteMass,
    WsResync,
    WsSubscribe,
    WsUnsubscribe,
)
from api.ws import ops
from api.ws.ops import answer_batch
from api.ws.session import Op, Session
from api.ws.waiters import OrderWaiter
from exchange.io.registry import Scope
from matching.codes import Timer


def quote_mass(session: Session, message: WsQuoteMass) -> None:
    """Replace quotes of several contracts; one reply with a result for each."""
    who = session.need(Scope.TRADE)
    gateway = session.services.gateway
    makers = protect.quote_makers(gateway, message, who.account_idx)
    count = protect.quotes_counted(message)
    session.take_place(len(makers))
    bucket = session.take_token(who, count) if count else None
    session.in_flight += len(makers)
    orders.Batch(gateway, makers, partial(answer_batch, session, message, bucket))


def cancel_all_after(session: Session, message: WsCancelAfter) -> None:
    """Arm, put off or disarm the account's timer."""
    who = session.need(Scope.TRADE)
    session.take_place()
    gateway = session.services.gateway
    row = protect.cancel_after_row(gateway, who.account_idx, message.timeout_ms, Timer.MEMBER)
    gateway.post(row, OrderWaiter(session, message, protect.timer_set, None))
    session.in_flight += 1


def mmp_reset(session: Session, message: WsMmpReset) -> None:
    """Let a quote group quote again."""
    who = session.need(Scope.TRADE)
    session.take_place()
    gateway = session.services.gateway
    row = protect.mmp_reset_row(gateway, who.account_idx, message.group)
    gateway.post(row, OrderWaiter(session, message, protect.mmp_set, None))
    session.in_flight += 1


OPS: Final[dict[type, Op]] = {
    WsOrderNew: ops.order_new,
    WsOrderAmend: ops.order_amend,
    WsOrderCancel: ops.order_cancel,
    WsCancelAll: ops.order_cancel_all,
    WsBatch: ops.order_batch,
    WsAuth: ops.auth,
    WsSubscribe: ops.subscribe,
    WsUnsubscribe: ops.unsubscribe,
    WsResync: ops.resync,
    WsPing: ops.ping,
    WsQuoteMass: quote_mass,
    WsCancelAfter: cancel_all_after,
    WsMmpReset: mmp_reset,
}
