"""What becomes of the core's replies to order messages: our answers to them."""

from typing import Any

from api import orders
from api.errors import Problem
from api.limits import Bucket
from api.replies import CommandRow, EarlyWaiter, Reply
from api.schemas import WsOrderNew
from api.views import find_order
from api.ws.placed import foreseen_text, limited, placed_text
from api.ws.session import RequestId, Session, id_of, op_of


class OrderWaiter:
    """Turns the core's reply to an order message into ours."""

    __slots__ = ("bucket", "how", "message", "session")

    def __init__(
        self, session: Session, message: Any, how: orders.Read, bucket: Bucket | None
    ) -> None:
        self.session, self.message, self.how, self.bucket = session, message, how, bucket

    def replied(self, reply: Reply) -> None:
        """Answer the message."""
        session = self.session
        if session.closed:
            return
        request_id, op = id_of(self.message), op_of(self.message)
        try:
            result = self.how(session.services.gateway.mirror, reply)
        except Problem as problem:
            session.in_flight -= 1
            session.refuse(request_id, op, problem, reply)
        except orders.KnownElsewhere as elsewhere:
            session.in_flight -= 1
            if session.who is not None:
                account_idx = session.who.account_idx
                work = reply_elsewhere(session, request_id, op, reply, account_idx, elsewhere)
                session.start(request_id, op, work)
        else:
            session.in_flight -= 1
            session.reply(request_id, op, reply.seq, reply.ts_ns, result, self.bucket)

    def lost(self, problem: Problem) -> None:
        """Say why the command was not carried out."""
        self.session.in_flight -= 1
        self.session.refuse(id_of(self.message), op_of(self.message), problem)


class PlaceWaiter(OrderWaiter, EarlyWaiter):
    """The same for a new order, which is most of them: the text is written in one go."""

    __slots__ = ("_foreseen",)
    bucket: Bucket

    def __init__(self, session: Session, message: WsOrderNew, bucket: Bucket) -> None:
        # not by the class above: most of a gateway's commands make one of these
        self.session, self.message, self.how, self.bucket = session, message, orders.placed, bucket
        self._foreseen: tuple[Reply, str] | None = None

    def foresee(self, command: CommandRow, reply: Reply) -> bool:
        """Write the answer to be."""
        state = self.session.services.gateway.mirror
        text = foreseen_text(state, command, reply, self.message.id)
        if text is not None:
            self._foreseen = reply, text
        return text is not None

    def replied(self, reply: Reply) -> None:
        """Answer the message."""
        session, foreseen, text = self.session, self._foreseen, None
        if foreseen is not None and foreseen[0] is reply:
            text = foreseen[1]
        elif not session.closed:
            state = session.services.gateway.mirror
            text = placed_text(state, reply, self.message.id)
        if text is None:
            super().replied(reply)
        else:
            session.in_flight -= 1
            session.push(limited(text, self.bucket).encode())

    def flush(self) -> None:
        """Have what the session has queued leave at once."""
        self.session.flush()


async def reply_elsewhere(
    session: Session,
    request_id: RequestId,
    op: str,
    reply: Reply,
    account_idx: int,
    known: orders.KnownElsewhere,
) -> None:
    """Answer with an order that only the views know."""
    services = session.services
    order = await find_order(
        services.views, services.gateway.mirror, account_idx, known.order_id, ""
    )
    result = {"order": order, "trades": [], "duplicate": known.duplicate}
    session.reply(request_id, op, reply.seq, reply.ts_ns, result)
