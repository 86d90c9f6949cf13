"""One websocket connection: messages in, replies and channels out.

Nothing here waits for the peer. What it does not read piles up to a limit: then
public channels are left out, later replaced by fresh snapshots; a peer that goes
on not reading is closed with 4008.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson

from api.auth import Principal
from api.deps import Services
from api.edge import new_request_id, our_mistake, problem_of
from api.errors import Problem
from api.limits import Bucket
from api.replies import Reply
from api.schemas_deals import WsAnyMessage
from api.strict import ORDER_BYTES_MAX, Decoder, check_text
from api.ws.hub import Hub
from api.ws.outlet import CLOSE_TOO_SLOW, Outlet
from exchange.io.errors import ExchangeError
from exchange.io.registry import Scope

log = logging.getLogger("wellhead.ws")

_DECODER: Final[Decoder[WsAnyMessage]] = Decoder(WsAnyMessage)

RequestId = int | str | None
Op = Callable[["Session", Any], None]


class Session:
    """Everything about one connection but its bytes."""

    def __init__(self, hub: Hub, outlet: Outlet, address: str, ops: dict[type, Op]) -> None:
        self.hub = hub
        self.services: Services = hub.services
        self.address = address
        self.who: Principal | None = None
        self.in_flight = 0
        self.bucket: Bucket | None = None  # of the account's orders
        self.channels: dict[str, None] = {}  # public
        self.private: dict[str, None] = {}
        self.cancel_on_disconnect = False
        self.closed = False
        self._outlet = outlet
        self._ops = ops
        self._queue: list[bytes] = []
        self._lagging_since_s = 0.0  # 0: not lagging
        self._left_out: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        hub.sessions[self] = None

    # In

    def on_message(self, raw: bytes, *, text: bool = True) -> None:
        """Take one message, whatever it is: the answer is a reply, never a dropped connection."""
        if self.closed:
            return
        try:
            if not text:
                raise Problem("frame_not_text", "messages are text frames")
            if len(raw) > ORDER_BYTES_MAX:
                raise Problem("body_too_large", f"at most {ORDER_BYTES_MAX} bytes")
            message = _DECODER.decode(raw)
        except Problem as problem:
            self.refuse(id_in(raw), None, problem)
            return
        op = self._ops[type(message)]
        try:
            op(self, message)
        except Problem as problem:
            self.refuse(id_of(message), op_of(message), problem)
        except Exception:  # our mistake, not the peer's: it hears of it and goes on
            log.exception("a message met our own mistake")
            self.refuse(id_of(message), op_of(message), our_mistake())

    def start(self, request_id: RequestId, op: str, work: Coroutine[Any, Any, None]) -> None:
        """Run what must wait for something beside the messages that follow."""

        async def guarded() -> None:
            try:
                await work
            except (Problem, ExchangeError) as error:
                self.refuse(request_id, op, problem_of(error))
            except Exception:  # as above
                log.exception("a message met our own mistake")
                self.refuse(request_id, op, our_mistake())

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def need(self, scope: Scope) -> Principal:
        """Return who is logged in, with a scope.

        Errors:
            Problem: `auth_missing`, `scope_missing`.
        """
        if self.who is None:
            raise Problem("auth_missing", "send op auth first")
        if scope not in self.who.scopes:
            self.who.need(scope)
        return self.who

    def take_token(self, who: Principal, count: int = 1) -> Bucket:
        """Count new and amended orders against the account's rate and the connection's room.

        Errors:
            Problem: `rate_limited`, `too_many_in_flight`.
        """
        limits = self.services.limits
        if self.bucket is None:
            self.bucket = limits.orders.of(who.account_idx)
        if self.in_flight + count > limits.settings.in_flight_max:
            raise Problem("too_many_in_flight", "wait for replies before sending more")
        if not self.bucket.take(limits.clock_s(), count):
            raise limits.orders.problem(self.bucket)
        return self.bucket

    def take_place(self, count: int = 1) -> None:
        """Count what lowers risk against the connection's room: twice that of orders.

        Orders alone never fill it, so there is always room for cancellations. Without anything
        in flight one message fits, however many requests are in it: no reply would make room.

        Errors:
            Problem: `too_many_in_flight`.
        """
        places = 2 * self.services.limits.settings.in_flight_max
        if self.in_flight and self.in_flight + count > places:
            raise Problem("too_many_in_flight", "wait for replies before sending more")

    # Out

    def reply(
        self,
        request_id: RequestId,
        op: str,
        seq: int,
        ts_ns: int,
        result: Any,
        bucket: Bucket | None = None,
    ) -> None:
        """Answer a message."""
        answer = {
            "id": request_id,
            "op": op,
            "ok": True,
            "seq": seq,
            "ts_ns": str(ts_ns),
            "result": result,
        }
        if bucket is not None:
            answer["limit"] = {"remaining": bucket.remaining, "reset": bucket.reset_ms}
        self.push(orjson.dumps(answer))

    def reply_now(self, message: Any, result: Any) -> None:
        """Answer a message that the core was not asked about."""
        seq = self.services.gateway.mirror.seq
        self.reply(id_of(message), op_of(message), seq, self.services.now_ns(), result)

    def refuse(
        self, request_id: RequestId, op: str | None, problem: Problem, reply: Reply | None = None
    ) -> None:
        """Answer a message with the problem it met; `reply` if it was the core that refused."""
        answer: dict[str, Any] = {
            "id": request_id,
            "op": op,
            "ok": False,
            "seq": reply.seq if reply else self.services.gateway.mirror.seq,
            "ts_ns": str(reply.ts_ns if reply else self.services.now_ns()),
            "error": problem.to_dict(new_request_id()),
        }
        if limit := problem.extra.get("limit"):
            answer["limit"] = limit
        self.push(orjson.dumps(answer))

    def push(self, payload: bytes) -> None:
        """Queue a message that must not be left out."""
        if self.closed:
            return
        if not self._queue:
            self.hub.queue(self)
        self._queue.append(payload)

    def deliver(self, channel: str, payload: bytes) -> None:
        """Queue a message of a public channel, unless the peer is too far behind."""
        if self._lagging_since_s:
            self._left_out[channel] = None
        else:
            self.push(payload)

    def deliver_private(self, payload: bytes) -> None:
        """Queue a message of a private channel."""
        self.push(payload)

    def flush(self) -> None:
        """Write what is queued, and see whether the peer reads."""
        queue, self._queue = self._queue, []
        if self.closed or not queue:
            return
        self._outlet.write(queue)
        unread = self._outlet.unread_bytes()
        limits = self.services.limits.settings
        if unread > limits.lag_bytes_max:
            self.close(CLOSE_TOO_SLOW, "too slow")
        elif unread > limits.lag_bytes and not self._lagging_since_s:
            self._lagging_since_s = time.monotonic()

    # Looking after

    def look_after(self, now_s: float) -> None:
        """Bring a peer that caught up back to the present; close one that does not."""
        if not self._lagging_since_s or self.closed:
            return
        limits = self.services.limits.settings
        if self._outlet.unread_bytes() <= limits.lag_bytes // 4:
            self._lagging_since_s = 0.0
            left_out, self._left_out = self._left_out, {}
            for channel in left_out:
                snapshot = self.hub.snapshot(channel)
                if snapshot is not None and channel in self.channels:
                    self.push(snapshot)
        elif now_s - self._lagging_since_s > limits.lag_s:
            self.close(CLOSE_TOO_SLOW, "too slow")

    def close(self, code: int, reason: str) -> None:
        """Close the connection from our side."""
        if not self.closed:
            if self._queue:
                self._outlet.write(self._queue)
            self.on_lost()
            self._outlet.close(code, reason)

    def on_lost(self) -> None:
        """Forget everything: the connection is gone, or about to be."""
        if self.closed:
            return
        self.closed = True
        self._queue = []
        self.hub.sessions.pop(self, None)
        for channel in self.channels:
            self.hub.unsubscribe(channel, self)
        if self.who is not None:
            for name in self.private:
                self.hub.private.unsubscribe(name, self.who.account_idx, self)
        for task in self._tasks:
            task.cancel()
        if self.cancel_on_disconnect and self.who is not None:
            self.hub.cancel_all(self.who.account_idx)


def op_of(message: Any) -> str:
    """Return the op of a decoded message."""
    return str(message.__struct_config__.tag)


def id_of(message: Any) -> RequestId:
    """Return the id of a decoded message, None when it has none."""
    return message.id if isinstance(message.id, int | str) else None


def id_in(raw: bytes) -> RequestId:
    """Return the id in a message that could not be decoded, if it can be found."""
    if len(raw) > ORDER_BYTES_MAX:
        return None
    try:
        found = check_text(raw)
    except Problem as problem:
        if problem.code == "json_duplicate_key":  # which of them would it be?
            return None
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return None
    request_id = found.get("id") if isinstance(found, dict) else None
    if isinstance(request_id, str) and len(request_id) <= 64:
        return request_id
    if type(request_id) is int and 0 <= request_id <= 1 << 53:
        return request_id
    return None
