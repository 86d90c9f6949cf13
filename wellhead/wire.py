"""What travels on the websocket, both ways, as values."""

from typing import Any

import msgspec

from wellhead.errors import ApiError, ProtocolError, from_problem
from wellhead.orderbook import BookMessage

PATH = "/api/v1/ws"


class Push(msgspec.Struct, frozen=True):
    """One message of a channel; `data` depends on the channel."""

    channel: str
    type: str  # snapshot or update
    seq: int
    data: Any
    prev_seq: int | None = None
    ts_ns: int = 0

    @property
    def is_snapshot(self) -> bool:
        """Say whether it stands alone, whatever came before."""
        return self.type == "snapshot"


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request."""

    ok: bool
    id: int | None = None
    seq: int = 0
    ts_ns: int = 0
    result: Any = None
    error: dict[str, Any] | None = None

    def value(self) -> Any:
        """Return the result.

        Errors:
            ApiError: the request was refused.
        """
        if self.ok:
            return self.result
        raise problem_error(self.error or {})


class _Frame(msgspec.Struct):
    """Either kind of message: a push has a channel, a reply has none."""

    channel: str | None = None
    type: str = ""
    ok: bool | None = None
    id: int | str | None = None
    seq: int | str = 0
    prev_seq: int | str | None = None
    ts_ns: int | str = 0
    data: Any = None
    result: Any = None
    error: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Frame)


def decode(raw: str | bytes) -> Push | Reply:
    """Return what one frame says.

    Errors:
        ProtocolError: it is neither a push nor a reply.
    """
    try:
        frame = _DECODER.decode(raw)
        if frame.channel is not None and frame.ok is None:
            prev_seq = None if frame.prev_seq is None else int(frame.prev_seq)
            return Push(
                frame.channel, frame.type, int(frame.seq), frame.data, prev_seq, int(frame.ts_ns)
            )
        if frame.ok is not None:
            request_id = frame.id if isinstance(frame.id, int) else None
            return Reply(
                frame.ok, request_id, int(frame.seq), int(frame.ts_ns), frame.result, frame.error
            )
    except (msgspec.MsgspecError, ValueError) as error:
        raise ProtocolError(f"not a message of this protocol: {raw[:200]!r}") from error
    raise ProtocolError(f"neither a push nor a reply: {raw[:200]!r}")


def problem_error(problem: dict[str, Any]) -> ApiError:
    """Return the exception for the `error` object of a reply."""
    retry_after = problem.get("retry_after")
    return from_problem(
        problem, float(retry_after) if isinstance(retry_after, int | float) else None
    )


def book_message(push: Push) -> BookMessage:
    """Return a push of a book channel as the order book takes it.

    Errors:
        ProtocolError: it holds no levels.
    """
    data = push.data
    if not isinstance(data, dict):
        raise ProtocolError(f"{push.channel} sent no levels")
    prev_seq = None if push.is_snapshot else push.prev_seq or 0
    return BookMessage(
        push.seq,
        prev_seq,
        data.get("bids", ()),
        data.get("asks", ()),
        data.get("checksum"),
        data.get("state", ""),
        data.get("phase"),
    )
