"""What a connection can ask for about blocks and requests for quotes, and the table of all ops.

These look up who is on the other side, so they are carried out beside the orders of a connection:
one that must come after another waits for its reply.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from api import dealing
from api.dealing import Dealt
from api.limits import Bucket
from api.schemas_deals import (
    WsBlockAccept,
    WsBlockDecline,
    WsBlockPropose,
    WsRfqCancel,
    WsRfqNew,
)
from api.ws import ops_protect
from api.ws.session import Op, Session, id_of, op_of
from exchange.io.registry import Scope


def deal(session: Session, message: Any, work: Callable[..., Awaitable[Dealt]], what: Any) -> None:
    """Carry out a request about a deal; it counts like an order."""
    who = session.need(Scope.TRADE)
    bucket = session.take_token(who)
    _start(session, message, work(session.services, who, what), bucket)


def end(session: Session, message: Any, work: Callable[..., Awaitable[Dealt]], what: str) -> None:
    """Carry out the end of a deal; it counts like a cancellation."""
    who = session.need(Scope.TRADE)
    session.take_place()
    _start(session, message, work(session.services, who, what), None)


def _start(session: Session, message: Any, work: Awaitable[Dealt], bucket: Bucket | None) -> None:
    session.in_flight += 1

    async def answered() -> None:
        try:
            dealt = await work
        finally:
            session.in_flight -= 1
        reply = dealt.reply
        session.reply(id_of(message), op_of(message), reply.seq, reply.ts_ns, dealt.answer, bucket)

    session.start(id_of(message), op_of(message), answered())


def block_propose(session: Session, message: WsBlockPropose) -> None:
    """Propose a block."""
    deal(session, message, dealing.propose, message)


def block_accept(session: Session, message: WsBlockAccept) -> None:
    """Accept a block."""
    deal(session, message, dealing.accept, message.block_id)


def block_decline(session: Session, message: WsBlockDecline) -> None:
    """Decline or withdraw a block."""
    end(session, message, dealing.decline, message.block_id)


def rfq_new(session: Session, message: WsRfqNew) -> None:
    """Ask for quotes."""
    deal(session, message, dealing.ask, message)


def rfq_cancel(session: Session, message: WsRfqCancel) -> None:
    """Withdraw a request for quotes."""
    end(session, message, dealing.withdraw, message.rfq_id)


OPS: Final[dict[type, Op]] = {
    **ops_protect.OPS,
    WsBlockPropose: block_propose,
    WsBlockAccept: block_accept,
    WsBlockDecline: block_decline,
    WsRfqNew: rfq_new,
    WsRfqCancel: rfq_cancel,
}
