"""What the exchange answers about the index, as shapes; see `shapes.py`."""

from typing import Any

from api.shapes import Answer, Part


class IndexMove(Part):
    """The parts of a print's move in USD; they add up to it exactly."""

    matched: str
    entry: str
    exit: str
    held: str
    fallback: str


class IndexPrint(Part):
    """One print; `step` 1 own panel, 2 hub spread, 3 mean of the last three, 4 committee."""

    name: str
    day: str
    revision: int
    state: str
    price: str
    step: int
    quorum: bool
    days_without_quorum: int
    stale_since: str | None
    providers: int
    offers: int
    tier: int
    raw_price: str
    previous_day: str | None
    previous_price: str | None
    move: IndexMove
    limits: list[str]
    method: str
    inputs: str
    observed_to: str
    position: str
    digest: str
    published_ts: int


class IndicesAnswer(Answer):
    """The newest print of every index."""

    indices: list[IndexPrint]


class IndexPrintsAnswer(Answer):
    """The newest revision of each day, newest first."""

    prints: list[IndexPrint]
    next_cursor: str | None


class ChainedPrint(Part):
    """A print as it is hashed: `digest` is SHA-256 of the one before it and all else."""

    position: int
    name: str
    day: str
    revision: int
    state: str
    price_usd_micros: int
    step: int
    method: str
    inputs: str
    observed_to: int
    explanation: dict[str, Any]
    digest: str


class IndexChainAnswer(Answer):
    """Prints of all names in the order of their chain."""

    chain: list[ChainedPrint]
    next_cursor: str | None


class IndexExplained(Part):
    """A day's revisions; the newest `inputs` is the SHA-256 of the document as canonical JSON."""

    revisions: list[IndexPrint]
    document: dict[str, Any]


class IndexExplainedAnswer(Answer):
    """How a print came about."""

    explained: IndexExplained


class IndexErratum(Part):
    """What a final print would have been, had all been known; it stays as it is."""

    erratum_id: str
    name: str
    day: str
    published_price: str
    corrected_price: str
    observed_to: str
    found_ts: int


class IndexErrataAnswer(Answer):
    """Errata, newest first."""

    errata: list[IndexErratum]
    next_cursor: str | None


class IndexSaidAnswer(Answer):
    """How many operators say the same; with two it is the print, if there is no quorum."""

    name: str
    day: str
    price: str
    said_by_count: int
    stands: bool
