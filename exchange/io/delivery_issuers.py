"""Issuers of receipts, what their nodes report, and orders of the grid, in Postgres."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict, Invalid, NotFound
from exchange.io.store import Store, storable, to_ns, to_ns_or_none
from exchange.rules.delivery.metering import Reading, fault
from exchange.rules.delivery.receipts import Receipt, receipt_of

LONG_MAX: Final = 2_000
REFERENCE_MAX: Final = 128
SHOWN_MAX: Final = 1_000
ID_MAX: Final = (1 << 62) - 1
ACCEPTANCE_HOURS_MIN: Final = 48  # CDR_001

_SQL: Final = queries("delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who may issue receipts, on what grounds, and with which key its nodes report."""

    issuer_idx: int
    account_id: str
    public_key: bytes
    audit: str
    acceptance: str
    acceptance_hours: int
    admitted_by: str
    admitted_at_ns: int
    end_reason: str | None
    ended_at_ns: int | None


class Curtailment(NamedTuple):
    """An order of the grid: a hub's nodes give way for a span of hours."""

    hub: str
    start_hour: int
    end_hour: int
    reference: str
    said_by: str


class ReadingAnswer(NamedTuple):
    """What became of a reading: accepted, duplicate, quarantined with a reason."""

    status: str
    reason: str | None = None


class Quarantined(NamedTuple):
    """A reading that was not taken."""

    quarantine_id: int
    account_id: str
    reason: str
    raw: str
    recorded_at_ns: int


class Issuers(Store):
    """Issuers, their telemetry and orders of the grid: added, never changed."""

    async def admit(
        self, issuer_idx: int, public_key: bytes, audit: str, acceptance: str, hours: int, by: str
    ) -> Issuer:
        """Admit an account; the same again changes nothing.

        Errors:
            Invalid: no key, no text, or a test of fewer than 48 hours.
            IdempotencyConflict: it was admitted otherwise, or the key is another's.
        """
        texts = [storable(text, LONG_MAX, "text") for text in (audit, acceptance)]
        if len(public_key) != 32 or not all(texts) or not ACCEPTANCE_HOURS_MIN <= hours <= 8784:
            raise Invalid("a key of 32 bytes, an audit, and an acceptance test of 48 hours")
        wish = (issuer_idx, public_key, audit, acceptance, hours)
        await self._rows(_SQL["admit"], *wish, by)
        one = await self.issuer(issuer_idx)
        known = one and (
            one.issuer_idx, one.public_key, one.audit, one.acceptance, one.acceptance_hours
        )  # fmt: skip
        if one is None or known != wish:
            raise IdempotencyConflict("admitted otherwise, or the key is another issuer's")
        return one

    async def end(self, issuer_idx: int, reason: str, by: str) -> Issuer:
        """Let an issuer issue no more, for ever; what it issued stays owed."""
        if not storable(reason, LONG_MAX, "reason"):
            raise Invalid("say why")
        if await self.issuer(issuer_idx) is None:
            raise NotFound("it is no issuer")
        await self._rows(_SQL["end_issuer"], issuer_idx, reason, by)
        one = await self.issuer(issuer_idx)
        assert one is not None, "issuers are never removed"
        return one

    async def issuer(self, issuer_idx: int) -> Issuer | None:
        """Return an issuer."""
        row = await self._row(_SQL["issuer"], issuer_idx)
        return None if row is None else _issuer(row)

    async def issuers(self) -> list[Issuer]:
        """Return all issuers, ended ones too, the newest first."""
        return [_issuer(row) for row in await self._rows(_SQL["issuers"], SHOWN_MAX)]

    async def curtail(self, order: Curtailment) -> Curtailment:
        """Record an order of the grid; the same reference again is the same order."""
        if not storable(order.reference, REFERENCE_MAX, "reference"):
            raise Invalid("name the order")
        await self._rows(_SQL["curtail"], *order)
        row = await self._row(_SQL["curtailment"], order.reference)
        known = Curtailment(*row) if row else None
        if known is None or known[:3] != order[:3]:
            raise IdempotencyConflict("this reference is of another order")
        return known

    async def curtailments(self) -> list[Curtailment]:
        """Return orders of the grid, newest first."""
        return [Curtailment(*row) for row in await self._rows(_SQL["curtailments"], SHOWN_MAX)]

    # Telemetry

    async def record(
        self, issuer: Issuer, reading: Reading, signature: bytes, now_ns: int
    ) -> ReadingAnswer:
        """Take a reading, recognise it, or quarantine it with the reason (CDR_011)."""
        known = await self._row(_SQL["reading"], issuer.issuer_idx, reading.node, reading.hour)
        reason = await self._reason(issuer, reading, signature, now_ns)
        if known is not None and reason != "signature_invalid":
            if Reading(*known) == reading:
                return ReadingAnswer("duplicate")
            reason = "hour_reported"
        if reason is None:
            try:
                await self._rows(_SQL["add_reading"], issuer.issuer_idx, *reading, signature)
                return ReadingAnswer("accepted")
            except asyncpg.UniqueViolationError:  # somebody said it in this moment
                reason = "hour_reported"
        raw = json.dumps({**reading._asdict(), "signature": signature.hex()})
        digest = hashlib.sha256(f"{issuer.issuer_idx}\n{reason}\n{raw}".encode()).digest()
        await self._rows(_SQL["quarantine"], issuer.issuer_idx, reason, raw, digest)
        return ReadingAnswer("quarantined", reason)

    async def _reason(
        self, issuer: Issuer, reading: Reading, signature: bytes, now_ns: int
    ) -> str | None:
        if not is_signed(issuer.public_key, issuer.account_id, reading, signature):
            return "signature_invalid"
        rows = await self._rows(_SQL["issued"], issuer.issuer_idx, reading.hour)
        receipt = _of_node([receipt_of(row["body"]) for row in rows], reading)
        if receipt is None:
            return "node_unknown"
        wrong = fault(reading, receipt.gpus_per_node, now_ns)
        if wrong is not None:
            return wrong
        last = await self._value(_SQL["counter"], issuer.issuer_idx, reading.node)
        return "counter_repeated" if reading.counter <= (last or 0) else None

    async def readings(self, receipt: Receipt) -> list[Reading]:
        """Return what was reported of a receipt's nodes in its window, oldest first."""
        rows = await self._rows(
            _SQL["readings"], receipt.issuer_idx, list(receipt.nodes), receipt.start_hour,
            receipt.end_hour, 100_000,
        )  # fmt: skip
        return [Reading(*row) for row in rows]

    async def quarantine(
        self, *, before: int = ID_MAX, reason: str | None = None, limit: int = 100
    ) -> list[Quarantined]:
        """Return readings that were not taken, newest first."""
        rows = await self._rows(_SQL["quarantined"], min(before, ID_MAX), reason, limit)
        return [Quarantined._make((*tuple(row)[:4], to_ns(row["recorded_at"]))) for row in rows]


def is_signed(public_key: bytes, account_id: str, reading: Reading, signature: bytes) -> bool:
    """Return whether a signature is of this key and this reading."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature, reading.message(account_id))
    except (InvalidSignature, ValueError):
        return False
    return True


def _of_node(receipts: list[Receipt], reading: Reading) -> Receipt | None:
    for one in receipts:
        if reading.node in one.nodes and one.start_hour <= reading.hour < one.end_hour:
            return one
    return None


def _issuer(row: Any) -> Issuer:
    return Issuer(
        issuer_idx=row["issuer_idx"],
        account_id=row["account_id"],
        public_key=row["public_key"],
        audit=row["audit"],
        acceptance=row["acceptance"],
        acceptance_hours=row["acceptance_hours"],
        admitted_by=row["admitted_by"],
        admitted_at_ns=to_ns(row["admitted_at"]),
        end_reason=row["reason"],
        ended_at_ns=to_ns_or_none(row["ended_at"]),
    )
