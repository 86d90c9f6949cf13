"""Compute delivery receipts (CDR): what one says, and the chain of everything that happened to any.

A receipt is a right to so many GPUs, on named nodes, for a window of hours. What happens to it is
an event, and an event holds the whole receipt as it is afterwards, so the newest event of a receipt
is the receipt. Events are numbered from 1 without a gap, and each carries the digest of itself and
of all before it. Accounts are named by their number alone: the registry is public.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exchange.rules.money import BPS, div_ceil

FORMAT: Final = "wellhead cdr event 1"
FIRST: Final = bytes(32)  # what event 1 follows
NOBODY: Final = -1
NS_PER_HOUR: Final = 3_600_000_000_000
BOND_BPS_MIN: Final = 1_500  # CDR_003: of the window's value


class Status(StrEnum):
    """How far a receipt is."""

    BONDING = "bonding"  # the bond is on its way
    ACTIVE = "active"
    PLEDGED = "pledged"
    RELEASING = "releasing"  # a pledge that covers is wanted back: margin decides
    OFFERED = "offered"
    PAYING = "paying"  # the price is on its way, and with it the receipt
    EXCHANGING = "exchanging"  # the price is in escrow, the position is on its way
    REDEEMED = "redeemed"  # the holder takes delivery
    SPLIT = "split"  # two others stand for it
    CLOSED = "closed"  # the window is over, the bond is free
    VOID = "void"  # the bond did not come


ENDED: Final = frozenset({Status.SPLIT, Status.CLOSED, Status.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt. Hours are since 1970, UTC; money is whole micro-dollars."""

    receipt_id: str
    parent_id: str  # empty: it was issued, not split off
    sku: str
    grade: str
    hub: str
    nodes: tuple[str, ...]
    gpus_per_node: int
    start_hour: int
    end_hour: int  # the first that is not in the window
    sla_bps: int  # the uptime of an hour that counts as a whole hour
    load_factor_bps: int  # what the GPUs may be loaded to, at least
    kwh_per_gpu_hour_milli: int  # the most energy that is in the price; 0: all of it
    price_usd_micros: int  # a GPU-hour, when it was issued: the settlement price
    bond_usd_micros: int
    bond_left_usd_micros: int
    issuer_idx: int
    holder_idx: int
    status: Status
    shares: tuple[tuple[int, int], ...] = ()  # account and basis points of what the issuer earns
    pledgee_idx: int = NOBODY
    covers: str = ""  # the contract that it is pledged for, to the clearing house
    buyer_idx: int = NOBODY  # of an offer: the only one who may buy, or who is paying
    is_open_offer: bool = False  # anybody may buy
    ask_usd_micros: int = 0  # for the whole receipt
    sales: int = 0  # how often somebody began to pay for it
    exchange: str = ""  # session and place of the exchange for delivery that it is in
    redeemed_hour: int = 0  # hours from here on are owed
    assessed_hour: int = 0  # the next hour to judge
    missed_hours: int = 0  # in which something was not delivered
    penalty_usd_micros: int = 0  # that was due, all of it
    claimed_usd_micros: int = 0  # of that: neither the bond nor the seller could pay
    claim_asked_usd_micros: int = 0  # of that: on its way from the default fund
    claim_paid_usd_micros: int = 0  # of that: came from there
    claim_rounds: int = 0  # how often the fund was asked

    @property
    def gpu_hours(self) -> int:
        """GPU-hours of the whole window."""
        return len(self.nodes) * self.gpus_per_node * (self.end_hour - self.start_hour)

    @property
    def value_usd_micros(self) -> int:
        """What the window is worth at the price it was issued at."""
        return self.gpu_hours * self.price_usd_micros

    @property
    def claim_open_usd_micros(self) -> int:
        """What the default fund was not asked for yet, or could not pay."""
        return self.claimed_usd_micros - self.claim_asked_usd_micros - self.claim_paid_usd_micros

    def to_json(self) -> str:
        """Return it as it is hashed: sorted, no blanks, ASCII."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def receipt_of(text: str) -> Receipt:
    """Return a receipt as an event holds it."""
    found: dict[str, Any] = json.loads(text)
    found["nodes"] = tuple(found["nodes"])
    found["shares"] = tuple((idx, bps) for idx, bps in found["shares"])
    found["status"] = Status(found["status"])
    return Receipt(**found)


def receipt_id_of(*parts: str | int) -> str:
    """Return the id that follows from who asked for a receipt, and by which name (CDR_001)."""
    digest = hashlib.sha256("\n".join(map(str, ("wellhead cdr 1", *parts))).encode()).digest()
    return "cdr_" + base64.b32encode(digest[:10]).decode().lower()


def bond_min_usd_micros(value_usd_micros: int) -> int:
    """Return the least bond of a window's value, rounded up (CDR_003)."""
    return div_ceil(value_usd_micros * BOND_BPS_MIN, BPS)


class Event(NamedTuple):
    """Something that happened to a receipt, and the receipt after it."""

    number: int
    receipt_id: str
    kind: str
    ts_ns: int
    note: str  # what it was about: a payment, an hour, another receipt
    body: str  # the receipt, as `Receipt.to_json`
    digest: bytes

    @property
    def receipt(self) -> Receipt:
        """The receipt after it."""
        return receipt_of(self.body)

    @property
    def line(self) -> bytes:
        """What is hashed of it."""
        cells = (FORMAT, self.number, self.receipt_id, self.kind, self.ts_ns, self.note, self.body)
        return ("\n".join(map(str, cells)) + "\n").encode()


class Head(NamedTuple):
    """The end of the chain."""

    number: int
    digest: bytes


EMPTY: Final = Head(0, FIRST)


class Change(NamedTuple):
    """An event before it has its place."""

    kind: str
    receipt: Receipt
    note: str = ""


def chained(changes: Sequence[Change], ts_ns: int, head: Head) -> list[Event]:
    """Return events that go on from a head."""
    events = []
    for change in changes:
        one = change.receipt
        event = Event(
            head.number + 1, one.receipt_id, change.kind, ts_ns, change.note, one.to_json(), b""
        )
        event = event._replace(digest=hashlib.sha256(head.digest + event.line).digest())
        head = Head(event.number, event.digest)
        events.append(event)
    return events


def first_broken(events: Sequence[Event], head: Head = EMPTY) -> int | None:
    """Return the number of the first event that does not continue the chain, None if all do."""
    for event in events:
        due = hashlib.sha256(head.digest + event.line).digest()
        if event.number != head.number + 1 or event.digest != due:
            return event.number
        head = Head(event.number, event.digest)
    return None
