"""The chain over the ledger: one digest a day, each of it and all days before.

Anybody who has the postings can compute it; whoever keeps a digest notices any change of what it
covers. A day is closed once something was posted on a later one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

NS_PER_DAY: Final = 24 * 3600 * 1_000_000_000
FIRST: Final = bytes(32)  # what the first day follows


class ChainRow(NamedTuple):
    """A posting with its transfer, in the order of transfer and ledger account."""

    transfer_id: int
    seq: int
    leg: int
    reason: str
    ref_id: int
    ts_ns: int
    ledger_account_id: int
    version: int
    amount_usd_micros: int
    balance_usd_micros: int


class Head(NamedTuple):
    """What the ledger was at the end of a day."""

    day: int  # since 1970
    last_transfer_id: int
    digest: bytes


def line_of(row: ChainRow) -> bytes:
    """Return what is hashed of a posting."""
    return (" ".join(map(str, row)) + "\n").encode()


def heads(rows: Iterable[ChainRow], before: bytes = FIRST) -> Iterator[Head]:
    """Yield a head for each day that is closed, after `before`; the last day is left open."""
    running, day, last_id = hashlib.sha256(before), None, 0
    for row in rows:
        of_row = row.ts_ns // NS_PER_DAY
        if day is not None and of_row != day:
            head = Head(day, last_id, running.digest())
            yield head
            running = hashlib.sha256(head.digest)
        day, last_id = of_row, row.transfer_id
        running.update(line_of(row))


def signed_text(head: Head) -> bytes:
    """Return what is signed of a head."""
    text = f"wellhead ledger head 1\n{head.day}\n{head.last_transfer_id}\n{head.digest.hex()}\n"
    return text.encode()
