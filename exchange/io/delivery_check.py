"""Is the registry of receipts what was written: chain, places, payments, signatures, roots?"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.io.db import queries
from exchange.io.delivery_issuers import is_signed
from exchange.rules.delivery.merkle import Root, leaf, root_of
from exchange.rules.delivery.metering import Reading
from exchange.rules.delivery.receipts import EMPTY, Event, Head, first_broken
from exchange.rules.findings import Finding

TOGETHER: Final = 2_000
FINDINGS_MAX: Final = 20
ID_MAX: Final = (1 << 62) - 1

_SQL: Final = queries("delivery")


async def delivery_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return what of the registry is not as it was written."""
    roots = [(Root(*tuple(row)[:5]), row[5], row[6]) for row in await _all(connection, "all_roots")]
    found = [
        one async for one in _chain(connection, {root.first_number: root for root, *_ in roots})
    ]
    found += _wrong_roots(roots)
    for name, table, field in (
        ("receipts_wrong", "cdr_receipt", "number"),
        ("payments_wrong", "cdr_payment", "from_idx, to_idx, amount_usd_micros"),
    ):
        for row in await _all(connection, name):
            found.append(Finding(table, row["place"], field, row["expected"], row["found"]))
    found += [one async for one in _unsigned(connection)]
    return found[:FINDINGS_MAX]


async def _all(connection: asyncpg.Connection, name: str, *args: object) -> list[Any]:
    rows: list[Any] = await connection.fetch(_SQL[name], *args)
    return rows


async def _chain(connection: asyncpg.Connection, roots: dict[int, Root]) -> AsyncIterator[Finding]:
    """Yield the first event that does not continue the chain, and roots of other events."""
    head, root, leaves = EMPTY, None, list[bytes]()
    while rows := await _all(connection, "events", head.number, ID_MAX, TOGETHER):
        events = [Event(*row) for row in rows]
        broken = first_broken(events, head)
        if broken is not None:
            yield Finding("cdr_event", f"number {broken}", "digest", "continues the chain", "other")
            return
        head = Head(events[-1].number, events[-1].digest)
        for event in events:
            if event.number in roots:
                root, leaves = roots.pop(event.number), []
            leaves.append(leaf(event.digest))
            if root is not None and event.number == root.last_number:
                if root_of(leaves) != root.root:
                    place = f"day {root.day}"
                    yield Finding("cdr_root", place, "root", root_of(leaves).hex(), root.root.hex())
                root = None
    for lost in (*roots.values(), *([root] if root else [])):
        yield Finding("cdr_root", f"day {lost.day}", "events", "there", "not there")


def _wrong_roots(roots: list[tuple[Root, bytes, bytes]]) -> Iterator[Finding]:
    before, last = bytes(32), 0
    for root, public_key, signature in roots:
        place = f"day {root.day}"
        if root.before != before:
            yield Finding("cdr_root", place, "before", before.hex(), root.before.hex())
        if root.first_number != last + 1:
            yield Finding("cdr_root", place, "first_number", str(last + 1), str(root.first_number))
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, root.signed_text)
        except (InvalidSignature, ValueError):
            yield Finding("cdr_root", place, "signature", "of its key", "of nobody")
        before, last = root.root, root.last_number


async def _unsigned(connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    """Yield telemetry that its issuer did not sign."""
    place: tuple[int, str, int] = (-1, "", 0)
    while rows := await _all(connection, "signed_readings", *place, TOGETHER):
        for row in rows:
            reading = Reading(*tuple(row)[:7])
            if not is_signed(row["public_key"], row["account_id"], reading, row["signature"]):
                where = f"{row['account_id']} {reading.node} hour {reading.hour}"
                yield Finding("cdr_telemetry", where, "signature", "of the issuer", "of nobody")
        place = (rows[-1]["issuer_idx"], rows[-1]["node"], rows[-1]["hour"])
