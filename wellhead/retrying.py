"""What an HTTP answer means, and whether to ask again."""

import random

import msgspec

from wellhead.calls import Json
from wellhead.errors import ApiError, ConnectionFailed, ProtocolError, from_problem

PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 5.0


def answer_json(content: bytes) -> Json:
    """Return the object an answer holds.

    Errors:
        ProtocolError: it is not a JSON object.
    """
    try:
        return msgspec.json.decode(content or b"{}", type=Json)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"not a JSON object: {content[:200]!r}") from error


def failure(status: int, content: bytes, retry_after: str | None) -> ApiError:
    """Return the exception for an answer that is no success."""
    try:
        problem = msgspec.json.decode(content, type=Json)
    except msgspec.MsgspecError:  # not the exchange: a proxy, or something else on this port
        problem = {"detail": content[:200].decode("utf-8", "replace")}
    problem.setdefault("status", status)
    after = retry_after if retry_after is not None else problem.get("retry_after")
    try:
        retry_after_s = None if after is None else float(after)
    except (TypeError, ValueError):
        retry_after_s = None
    return from_problem(problem, retry_after_s)


def pause_s(error: ApiError | ConnectionFailed, attempt: int) -> float | None:
    """Return how long to wait before asking again, None if that is too long to wait."""
    asked_s = error.retry_after_s if isinstance(error, ApiError) else None
    if asked_s is not None:
        return asked_s if asked_s <= PAUSE_MAX_S else None
    return float(min(PAUSE_FIRST_S * 2**attempt, PAUSE_MAX_S) * random.uniform(0.5, 1.0))
