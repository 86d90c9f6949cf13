"""Requests about the exchange for delivery: sessions, own sealed entries, results."""

from urllib.parse import quote

from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number

_PATH = "/efd/sessions"


class EfdSession(wt.Answer, frozen=True, kw_only=True):
    """When interest in a month is taken and called, and what came of it."""

    session_id: str
    symbol: str
    status: str
    opens_ts: int
    call_ts: int
    said_by: str
    differential: str | None = None
    settlement_price: str | None = None
    quantity: str | None = None


class EfdEntry(wt.Answer, frozen=True, kw_only=True):
    """What the account said; `digest` is its place in the session's chain."""

    session_id: str
    entry_id: str
    side: str
    quantity: str
    differential: str
    said_ts: int
    digest: str
    stands: bool


class EfdLeg(wt.Answer, frozen=True, kw_only=True):
    """Nodes of a receipt that change hands; without an outcome they are on their way."""

    place: int
    receipt_id: str
    outcome: str | None = None
    code: str | None = None
    move_seq: int | None = None


class EfdResult(wt.Answer, frozen=True, kw_only=True):
    """All inputs of a call and what follows from them: `body` as it is hashed, JSON."""

    session: EfdSession
    body: str
    digest: str
    legs: list[EfdLeg]


def sessions(
    symbol: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[EfdSession]]:
    """Sessions of the last 40 days and to come, in the order of their calls."""
    parse = page("sessions", EfdSession)
    return get_call(_PATH, parse, private=False, symbol=symbol, limit=limit, cursor=cursor)


def result(session_id: str) -> Call[EfdResult]:
    """What a call came to, with all inputs."""
    path = f"{_PATH}/{quote(session_id, safe='')}/result"
    return get_call(path, whole(EfdResult), private=False)


def entries() -> Call[wt.Page[EfdEntry]]:
    """Own entries, each version of each."""
    return get_call("/efd/entries", page("entries", EfdEntry))


def enter(
    session_id: str, side: str, quantity: Number, differential: Number, entry_id: str | None = None
) -> Call[EfdEntry]:
    """Say an interest, unseen by others; the same again is not written again."""
    body: Json = {"side": side, "quantity": str(quantity), "differential": str(differential)}
    if entry_id is not None:
        body["entry_id"] = entry_id
    path = target(f"{_PATH}/{quote(session_id, safe='')}/entries")
    return Call("POST", path, member("entry", EfdEntry), body=body, repeatable=True)


def add_session(symbol: str, opens_ts: int, call_ts: int) -> Call[EfdSession]:
    """Announce, as an operator, a session beside those of the calendar; again is the same."""
    body = {"symbol": symbol, "opens_ts": opens_ts, "call_ts": call_ts}
    parse = member("session", EfdSession)
    return Call("POST", target("/admin/efd/sessions"), parse, body=body, repeatable=True)
