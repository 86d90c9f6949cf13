"""What the exchange answers about the exchange for delivery, as shapes; see `shapes.py`."""

from typing import Final

from api.shapes import Answer, Part


class EfdSession(Part):
    """When interest in a month is taken and called, and what came of it."""

    session_id: str
    symbol: str
    status: str
    opens_ts: int
    call_ts: int
    said_by: str
    differential: str | None
    settlement_price: str | None
    quantity: str | None


class EfdSessionAnswer(Answer):
    """One session."""

    session: EfdSession


class EfdSessionsAnswer(Answer):
    """Sessions in the order of their calls."""

    sessions: list[EfdSession]
    next_cursor: str | None


class EfdLeg(Part):
    """Nodes of a receipt that change hands; without an outcome they are on their way."""

    place: int
    receipt_id: str
    outcome: str | None
    code: str | None
    move_seq: int | None


class EfdResultAnswer(Answer):
    """All inputs of a call and what follows from them: `body` as it is hashed, JSON."""

    session: EfdSession
    body: str
    digest: str
    legs: list[EfdLeg]


class EfdEntry(Part):
    """What the account said; `digest` is its place in the session's chain."""

    session_id: str
    entry_id: str
    side: str
    quantity: str
    differential: str
    said_ts: int
    digest: str
    stands: bool


class EfdEntryAnswer(Answer):
    """One entry."""

    entry: EfdEntry


class EfdEntriesAnswer(Answer):
    """Own entries, each version of each."""

    entries: list[EfdEntry]


ANSWERS: Final[dict[str, type]] = {  # by operation
    "list_efd_sessions": EfdSessionsAnswer,
    "get_efd_result": EfdResultAnswer,
    "list_efd_entries": EfdEntriesAnswer,
    "enter_efd": EfdEntryAnswer,
    "add_efd_session": EfdSessionAnswer,
}
