"""Is the published index what follows from the observations? From a database, or from no more
than the price data that ship with the package."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import asyncpg

from exchange.io.index_publish import read_offers
from exchange.io.index_store import IndexWriter
from exchange.io.observation_files import SHIPPED, read_lines
from exchange.io.price_data import FOLDER
from exchange.rules.findings import Finding
from exchange.rules.index.method import METHOD
from exchange.rules.index.prints import EMPTY, Head, Print, State
from exchange.rules.index.replay import (
    Group,
    Published,
    Replay,
    chain_findings,
    difference,
    document_findings,
    place_of,
)
from exchange.rules.observation_rows import Given
from exchange.rules.observations import Draft, Offer, chained
from exchange.rules.tenors import DAY, date_of, ns_of

FINDINGS_MAX: Final = 20
SHIPPED_UNTIL: Final = date(2026, 8, 22)  # the last day of the shipped price data


@dataclass(slots=True)
class Rebuilt:
    """A history that was computed again, and where it is not the published one."""

    method: str = METHOD.name
    observations: int = 0
    prints: list[Print] = field(default_factory=list)  # as they are computed now
    compared: int = 0
    head: Head = EMPTY
    findings: list[Finding] = field(default_factory=list)


async def index_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return where the chain of prints is broken, and documents that are not what they say."""
    writer = IndexWriter(connection)
    found = list(chain_findings(await writer.prints()))[:FINDINGS_MAX]
    for inputs, document in (await writer.documents()).items():
        found += document_findings(inputs, document)
    return found[:FINDINGS_MAX]


async def rebuild(connection: asyncpg.Connection, first: date | None) -> Rebuilt:
    """Compute the whole published history again, and compare it with what is stored.

    Args:
        first: days before it are computed, and not compared; None: all are.
    """
    writer = IndexWriter(connection)
    offers, groups = await read_offers(connection), await writer.groups()
    values, documents = await writer.values(), await writer.documents()
    stored = iter(await writer.prints())
    replay, result = Replay(offers), Rebuilt(observations=len(offers))
    for group in groups:
        try:
            computed = replay.go(group, values)
        except ValueError as error:
            place = f"prints of {group.day} {group.state}"
            result.findings.append(Finding("index_print", place, "day", "due", str(error)))
            break
        result.prints += [one.row for one in computed]
        if first is None or group.day >= first:
            _compare(result, computed, stored, documents)
        else:
            for _ in computed:
                next(stored, None)
    result.head = replay.head
    return result


def _compare(
    result: Rebuilt,
    computed: Sequence[Published],
    stored: Iterator[Print],
    documents: dict[str, dict[str, Any]],
) -> None:
    for one in computed:
        was = next(stored, None)
        if was is None:
            _find(result, Finding("index_print", place_of(one.row), "row", "a print", "none"))
            continue
        result.compared += 1
        old = Published(was, documents.get(was.inputs, {}))
        for finding in difference(old, one):
            # Each print covers all before it: after the first, other digests say nothing new.
            if finding.field != "digest" or not result.findings:
                _find(result, finding)


def _find(result: Rebuilt, finding: Finding) -> None:
    if len(result.findings) < FINDINGS_MAX:
        result.findings.append(finding)


def shipped_offers() -> list[Offer]:
    """Return the shipped price data as the observations that a new exchange begins with."""
    drafts: dict[tuple[str | int, ...], Draft] = {}
    given = Given(now_ns=ns_of(SHIPPED_UNTIL + DAY))
    for name in SHIPPED:
        with gzip.open(FOLDER / name, "rt", encoding="utf-8", newline="") as lines:  # type: ignore[call-overload]
            for row in read_lines(lines, given):
                if isinstance(row, Draft):
                    drafts.setdefault(row.key, row)
    return list(chained(drafts.values()))


def rebuild_shipped(until: date = SHIPPED_UNTIL) -> Rebuilt:
    """Compute the history of the shipped price data, each day final at once."""
    offers = shipped_offers()
    replay, result = Replay(offers), Rebuilt(observations=len(offers))
    day = date_of(min(offer.ts_ns for offer in offers))
    while day <= until:
        result.prints += [one.row for one in replay.go(Group(day, State.FINAL, 1, len(offers)))]
        day += DAY
    result.head = replay.head
    return result
