"""Receipts, issuers and proofs in memory, true to the rules."""

import json

from api.delivering import Delivering
from exchange.io.covers import Seen
from exchange.io.delivery import Row
from exchange.io.delivery_issuers import Issuer, Quarantined, ReadingAnswer
from exchange.io.delivery_proofs import Proof, SignedRoot
from exchange.io.efd import Listed, Outcome, OwnEntry
from exchange.io.errors import NotFound
from exchange.rules.delivery import deeds
from exchange.rules.delivery.cover import Pledge
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.merkle import Root
from exchange.rules.delivery.receipts import EMPTY, Change, Head, chained
from matching.codes import Code

ROOT = SignedRoot(Root(20_000, 1, 1, bytes(32), bytes(32)), bytes(32), bytes(64))


class MemoryReceipts:
    """A registry whose payments are made at once."""

    def __init__(self):
        self.all_events = []
        self.now = {}

    def _write(self, deed):
        last = self.all_events[-1] if self.all_events else None
        head = Head(last.number, last.digest) if last else EMPTY
        for event in chained(deed.changes, 10**18, head):
            self.all_events.append(event)
            self.now[event.receipt_id] = Row(event.receipt, event.number)
        one = deed.changes[0].receipt
        for payment in deed.payments:
            if payment.purpose in (deeds.Purpose.BOND, deeds.Purpose.PRICE):
                self._write(deeds.answered(self.now[one.receipt_id].receipt, payment, True))

    def keep(self, receipt):
        """Have a receipt as if all of this had happened to it."""
        self._write(deeds.Deed((Change("kept", receipt),)))

    async def issue(self, receipt, now_ns):
        if receipt.receipt_id not in self.now:
            self._write(deeds.issue(receipt, [row.receipt for row in self.now.values()]))
        return self.now[receipt.receipt_id].receipt

    async def act(self, receipt_id, act, now_ns):
        if receipt_id not in self.now:
            raise NotFound("no such receipt")
        self._write(act(self.now[receipt_id].receipt))
        return self.now[receipt_id].receipt

    async def get(self, receipt_id):
        row = self.now.get(receipt_id)
        return row.receipt if row else None

    async def own(self, account_idx, *, before, status, limit):
        return self._page(before, limit)

    async def offers(self, *, before, sku, hub, limit):
        return [row for row in self._page(before, limit) if row.receipt.is_open_offer]

    def _page(self, before, limit):
        rows = sorted(self.now.values(), key=lambda row: -row.number)
        return [row for row in rows if row.number < before][:limit]

    async def escrow_idx(self):
        return 3

    async def history(self, receipt_id):
        return [one for one in self.all_events if one.receipt_id == receipt_id]

    async def claims(self, before, limit):
        return [one for one in self.all_events if one.number < before][:limit]


class MemoryIssuers:
    """Issuers in memory; a reading is quarantined when its uptime is too long."""

    def __init__(self):
        self.rows = {}
        self.bad = []

    async def admit(self, issuer_idx, public_key, audit, acceptance, hours, by):
        self.rows[issuer_idx] = Issuer(
            issuer_idx=issuer_idx, account_id="operator", public_key=public_key, audit=audit,
            acceptance=acceptance, acceptance_hours=hours, admitted_by=by, admitted_at_ns=10**18,
            end_reason=None, ended_at_ns=None,
        )  # fmt: skip
        return self.rows[issuer_idx]

    async def end(self, issuer_idx, reason, by):
        if issuer_idx not in self.rows:
            raise NotFound("it is no issuer")
        return self.rows[issuer_idx]

    async def issuer(self, issuer_idx):
        return self.rows.get(issuer_idx)

    async def issuers(self):
        return list(self.rows.values())

    async def curtail(self, order):
        return order

    async def record(self, issuer, reading, signature, now_ns):
        if reading.uptime_s > 3600:
            self.bad.append(Quarantined(len(self.bad) + 1, "x", "uptime_invalid", "{}", 10**18))
            return ReadingAnswer("quarantined", "uptime_invalid")
        return ReadingAnswer("accepted")

    async def readings(self, receipt):
        return []

    async def quarantine(self, *, before, reason, limit):
        return [row for row in self.bad if row.quarantine_id < before][:limit]


class MemoryCovers:
    """What is pledged as cover, every node of it good."""

    def __init__(self, receipts):
        self.receipts = receipts

    async def seen(self, now_hour):
        held = [row.receipt for row in self.receipts.now.values() if row.receipt.covers]
        return Seen([Pledge(one, len(one.nodes)) for one in held], [], frozenset())


class MemoryProofs:
    """One root for everything."""

    async def proofs(self, events):
        return [Proof(one, bytes(32), [bytes(32)], ROOT) for one in events]

    async def roots(self, before_day, limit):
        return [ROOT] if before_day > ROOT.root.day else []


class MemoryExchanges:
    """Sessions, entries and results in memory; `body` is what every session came to."""

    def __init__(self):
        self.rows = {}
        self.entries = []
        self.body = None
        self.ends = [
            Outcome(0, "cdr_a", "refused", int(Code.MOVE_EXCEEDS_POSITION), None),
            Outcome(1, "cdr_b", None, None, None),
        ]

    async def add(self, session):
        return self.rows.setdefault(session.session_id, session)

    async def session(self, session_id):
        return self.rows.get(session_id)

    async def sessions(self, *, symbol, since_ns, after, limit):
        rows = [one for one in self.rows.values() if symbol in (None, one.symbol)]
        return [Listed(one, None) for one in rows][after : after + limit]

    async def current(self, now_ns, since_ns, known):
        body = None if self.body is None else json.loads(self.body)
        return [
            Listed(one, None if one.session_id in known else body)
            for one in self.rows.values()
            if one.opens_ns <= now_ns and one.call_ns >= since_ns
        ]

    async def result(self, session_id):
        return None if self.body is None else (self.body, bytes(32))

    async def legs(self, session_id):
        return self.ends

    async def own(self, account_idx, since_ns):
        return [one for one in self.entries if one.entry.account_idx == account_idx]

    async def enter(self, session, wish):
        if wish.ts_ns >= session.call_ns:
            raise Refused("efd_not_open", "called")
        made = OwnEntry(session.session_id, wish._replace(number=len(self.entries) + 1), bytes(32))
        self.entries.append(made)
        return made


def memory_delivering():
    """Return a registry in memory."""
    receipts = MemoryReceipts()
    return Delivering(
        receipts=receipts, issuers=MemoryIssuers(), proofs=MemoryProofs(),
        exchanges=MemoryExchanges(), covers=MemoryCovers(receipts),
    )  # fmt: skip
