"""A print as it is published, and the chain over all of them (INDX_012, INDX_014)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from exchange.rules.contracts import Series
from exchange.rules.grades import GRADE_BY_SYMBOL
from exchange.rules.index.method import canonical
from exchange.rules.regions import HUB_BY_SYMBOL
from exchange.rules.skus import SKU_BY_SYMBOL
from exchange.rules.tenors import DAY, NS_PER_SECOND, ns_of

FIRST: Final = "0" * 64  # what print 1 follows
DIGEST_BYTES: Final = 32
PUBLISHED_AFTER_NS: Final = 30 * 60 * NS_PER_SECOND  # 00:30 UTC of the next day
FINAL_AFTER_NS: Final = 12 * 3600 * NS_PER_SECOND  # 12:00 UTC of the next day
FRESH_DAYS: Final = 2  # an older print is no price of today


class Step(IntEnum):
    """How a print was found; a lower one goes first."""

    PANEL = 1
    SPREAD = 2
    MEAN = 3
    COMMITTEE = 4


class State(StrEnum):
    """Whether a print may still change: once, when it becomes final."""

    PROVISIONAL = "provisional"
    FINAL = "final"


QUORUM_STEPS: Final = (Step.PANEL, Step.SPREAD)


class Found(NamedTuple):
    """What the method says of one name and day."""

    name: str
    day: date
    price_usd_micros: int
    step: int
    method: str
    inputs: str  # SHA-256 of `document`
    document: Mapping[str, Any]
    explanation: dict[str, Any]


class Print(NamedTuple):
    """One row of the published history."""

    position: int  # 1, 2, 3, ...
    name: str
    day: date
    revision: int
    state: str
    price_usd_micros: int
    step: int
    method: str
    inputs: str
    observed_to: int  # the newest observation that was known
    explanation: Mapping[str, Any]
    digest: str

    @property
    def has_quorum(self) -> bool:
        """Whether enough providers spoke: below it nothing may act on the price by itself."""
        return self.step in QUORUM_STEPS


class Head(NamedTuple):
    """The end of the chain of prints."""

    position: int
    digest: str


EMPTY: Final = Head(0, FIRST)


def stale_since(one: Print, on: date | None = None) -> date | None:
    """Return the first day that nobody stands for the price of a name, None while it has a quorum.

    Args:
        one: its newest print, or any older one by itself.
        on: today: a name whose prints have ended is stale from the day after its newest one.
    """
    if not one.has_quorum:
        return one.day - (int(one.explanation["days_without_quorum"]) - 1) * DAY
    if on is not None and one.day < on - FRESH_DAYS * DAY:
        return one.day + DAY
    return None


def name_of(sku: str, hub: str, grade: str) -> str:
    """Return the name of an index: that of the series whose contracts settle to it."""
    return Series(SKU_BY_SYMBOL[sku], HUB_BY_SYMBOL[hub], GRADE_BY_SYMBOL[grade]).symbol


def cutoff_ns(day: date) -> int:
    """Return the end of a day: what was observed later does not count for it."""
    return ns_of(day + DAY)


def published_ns(day: date) -> int:
    """Return when the print of a day is published: 00:30 UTC of the next one."""
    return cutoff_ns(day) + PUBLISHED_AFTER_NS


def final_ns(day: date) -> int:
    """Return when the print of a day becomes final: T+1 12:00 UTC."""
    return cutoff_ns(day) + FINAL_AFTER_NS


def digest_of(previous: str, one: Print) -> str:
    """Return the digest of a print: SHA-256 of the one before it and its own content."""
    content = canonical(
        [
            one.position, one.name, one.day.isoformat(), one.revision, one.state,
            one.price_usd_micros, one.step, one.method, one.inputs, one.observed_to,
            dict(one.explanation),
        ]
    )  # fmt: skip
    return hashlib.sha256(bytes.fromhex(previous) + content).hexdigest()


def print_document(one: Print) -> dict[str, Any]:
    """Return a print as JSON: all that its digest covers, and the digest."""
    return {**one._asdict(), "day": one.day.isoformat(), "explanation": dict(one.explanation)}


def print_of_document(document: Mapping[str, Any]) -> Print:
    """Return the print that a document says.

    Errors:
        ValueError: it says none.
    """
    kinds = {"position": int, "revision": int, "price_usd_micros": int, "step": int,
             "observed_to": int, "explanation": dict}  # fmt: skip
    for name in Print._fields:
        if type(document.get(name)) is not kinds.get(name, str):
            raise ValueError(f"no print: {name}")
    fields = {name: document[name] for name in Print._fields}
    fields["day"] = date.fromisoformat(fields["day"])
    if len(bytes.fromhex(fields["digest"])) != DIGEST_BYTES:
        raise ValueError("no print: digest")
    return Print(**fields)


class Stamp(NamedTuple):
    """What is the same for all prints that are published together."""

    state: State
    revision: int
    observed_to: int


def chained(found: Iterable[Found], stamp: Stamp, head: Head) -> Iterator[Print]:
    """Yield the rows that follow a head."""
    for one in found:
        row = Print(
            position=head.position + 1,
            name=one.name,
            day=one.day,
            revision=stamp.revision,
            state=stamp.state.value,
            price_usd_micros=one.price_usd_micros,
            step=one.step,
            method=one.method,
            inputs=one.inputs,
            observed_to=stamp.observed_to,
            explanation=one.explanation,
            digest="",
        )
        row = row._replace(digest=digest_of(head.digest, row))
        head = Head(row.position, row.digest)
        yield row
