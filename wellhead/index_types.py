"""Answers about the index; `types.py` has the rest."""

from decimal import Decimal
from typing import Any

from wellhead.types import Answer


class IndexMove(Answer, frozen=True, kw_only=True):
    """Why a print moved; the parts add up to the move exactly."""

    matched: Decimal
    entry: Decimal
    exit: Decimal
    held: Decimal
    fallback: Decimal


class IndexPrint(Answer, frozen=True, kw_only=True):
    """One print; `step` 1 own panel, 2 hub spread, 3 mean of the last three, 4 committee."""

    name: str
    day: str
    revision: int
    state: str
    price: Decimal
    step: int
    quorum: bool
    days_without_quorum: int
    stale_since: str | None = None  # the first day without a quorum
    providers: int
    offers: int
    raw_price: Decimal
    previous_price: Decimal | None = None
    move: IndexMove
    limits: list[str]
    method: str
    inputs: str
    observed_to: str
    position: str
    digest: str
    published_ts: int = 0


class IndexExplained(Answer, frozen=True, kw_only=True):
    """All revisions of a day, and what the newest follows from."""

    revisions: list[IndexPrint]
    document: dict[str, Any]


class IndexErratum(Answer, frozen=True, kw_only=True):
    """What a final print would have been, had all been known."""

    erratum_id: str
    name: str
    day: str
    published_price: Decimal
    corrected_price: Decimal
    observed_to: str
    found_ts: int = 0


class IndexSaid(Answer, frozen=True, kw_only=True):
    """How many operators say the same of a day without a quorum."""

    name: str
    day: str
    price: Decimal
    said_by_count: int
    stands: bool
