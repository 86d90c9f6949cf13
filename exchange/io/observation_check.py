"""Is the chain of observations what was written? Of the database, and of a bundle without one."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.io.db import queries
from exchange.io.errors import Invalid
from exchange.rules.findings import Finding
from exchange.rules.observations import EMPTY, FORMAT, Break, Draft, Head, Links, Offer, fault

TABLE: Final = "observation"
TOGETHER: Final = 5_000
SIGNED_TOGETHER: Final = 200
FINDINGS_MAX: Final = 100
ID_MAX: Final = (1 << 62) - 1
TIMEOUT_S: Final = 3600.0
BUNDLE: Final = "wellhead observations bundle 1"
FAR_NS: Final = (1 << 63) - 1 - 10**12

_SQL: Final = queries("observations")


async def observation_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return what is wrong with the stored observations; reads all of them."""
    found = await _chain_findings(connection)
    for row in await connection.fetch(_SQL["batches_wrong"], timeout=TIMEOUT_S):
        place = f"batch {row['batch_id']}" if row["batch_id"] else "all"
        found.append(Finding("observation_batch", place, *tuple(row)[1:]))
    found += await _signature_findings(connection)
    return found[:FINDINGS_MAX]


async def check_store(connection: asyncpg.Connection, known: Head | None) -> "Report":
    """Return the stored chain's end and what is wrong, at one moment.

    Args:
        known: a head that somebody kept; the chain must go through it.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_SQL["head"])
        report = Report(Head(*row) if row else EMPTY)
        report.findings += await observation_findings(connection)
        if known is not None:
            rows = await connection.fetch(_SQL["rows"], known.number - 1, known.number, 1)
            kept = Offer(*rows[0]) if rows else None
            report.findings += kept_differs(
                known, Head(kept.number, kept.digest) if kept else EMPTY
            )
    return report


def kept_differs(known: Head, found: Head) -> list[Finding]:
    """Return that a head somebody kept is not in the chain."""
    if known == found:
        return []
    wanted, was = (f"{one.number} {one.digest.hex()}" for one in (known, found))
    return [Finding(TABLE, f"number {known.number}", "kept head", wanted, was)]


async def _chain_findings(connection: asyncpg.Connection) -> list[Finding]:
    links = Links()
    found: list[Finding] = []
    while rows := await connection.fetch(
        _SQL["rows"], links.head.number, ID_MAX, TOGETHER, timeout=TIMEOUT_S
    ):
        for row in rows:
            found += map(finding_of, links.take(Offer(*row)))
        if len(found) >= FINDINGS_MAX:
            return found
    return found + [finding_of(one) for one in links.finish()]


async def _signature_findings(connection: asyncpg.Connection) -> list[Finding]:
    found: list[Finding] = []
    after = 0
    while rows := await connection.fetch(_SQL["signed"], after, SIGNED_TOGETHER, timeout=TIMEOUT_S):
        for row in rows:
            if not is_signed(row["public_key"], row["signature"], row["message"]):
                place = f"batch {row['batch_id']}"
                found.append(
                    Finding("observation_batch", place, "signature", "of its key", "of nobody")
                )
        after = rows[-1]["batch_id"]
    return found


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether an Ed25519 key made a signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def finding_of(one: Break) -> Finding:
    """Return a break of the chain as damage with its place."""
    wanted, was = (
        (one.expected, one.found)
        if one.what == "row"
        else (f"digest {one.expected}", f"digest {one.found}")
    )
    return Finding(TABLE, f"number {one.number}", one.what, wanted, was)


# Bundles: a line that says what it is, then one line a row; readable without this program.


def bundle_lines(head: Head, offers: Iterable[Offer]) -> Iterator[str]:
    """Yield the lines of a bundle of the whole chain until a head."""
    yield _line({"bundle": BUNDLE, "format": FORMAT, "head": head.number,
                 "digest": head.digest.hex(), "fields": list(Offer._fields)})  # fmt: skip
    for one in offers:
        yield _line([v.hex() if isinstance(v, bytes) else v for v in one])


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


@dataclass(slots=True)
class Report:
    """The end of a chain, and what is wrong with it."""

    head: Head = EMPTY
    findings: list[Finding] = field(default_factory=list)


def check_bundle(lines: Iterable[str], known: Head | None = None) -> Report:
    """Recompute every digest of a bundle; nothing but its lines is needed.

    Args:
        known: a head that somebody kept; the bundle must go through it.

    Errors:
        Invalid: it is no bundle.
    """
    rows = iter(lines)
    claimed = _head_of(next(rows, ""))
    report, links = Report(claimed), Links()
    seen = EMPTY
    for at, line in enumerate(rows, 2):
        offer = _offer_of(line, at)
        report.findings += map(finding_of, links.take(offer))
        wrong = fault(offer.draft, FAR_NS)
        if wrong is not None:
            place = f"number {offer.number}"
            report.findings.append(Finding(TABLE, place, wrong.reason, wrong.detail, "recorded"))
        if known is not None and offer.number == known.number:
            seen = links.head
        if len(report.findings) >= FINDINGS_MAX:
            return report
    report.findings += map(finding_of, links.finish())
    if claimed != links.head:
        wanted, found = (f"{one.number} {one.digest.hex()}" for one in (claimed, links.head))
        report.findings.append(Finding("bundle", "all", "head", wanted, found))
    return report if known is None else _with_kept(report, known, seen)


def _with_kept(report: Report, known: Head, seen: Head) -> Report:
    report.findings += kept_differs(known, seen)
    return report


def _head_of(line: str) -> Head:
    try:
        found = json.loads(line)
        if (found["bundle"], found["format"]) != (BUNDLE, FORMAT):
            raise Invalid("a bundle of another form")
        if found["fields"] != list(Offer._fields):
            raise Invalid("a bundle with other fields")
        return Head(int(found["head"]), bytes.fromhex(found["digest"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("no bundle of observations") from error


def _offer_of(line: str, at: int) -> Offer:
    try:
        offer = Offer(*json.loads(line))
        offer = offer._replace(digest=bytes.fromhex(offer.digest))  # type: ignore[arg-type]
        kinds = Draft.__annotations__ | {"number": int}
        if all(type(getattr(offer, name)) is kind for name, kind in kinds.items()):
            return offer
    except (ValueError, TypeError) as error:
        raise Invalid(f"line {at} is no observation") from error
    raise Invalid(f"line {at} is no observation")
