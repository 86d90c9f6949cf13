"""Roots over receipt events, one a closed day, signed with the ledger's key; and proofs by them."""

from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.delivery.merkle import Root, leaf, path_of, root_of
from exchange.rules.delivery.receipts import Event

NS_PER_DAY: Final = 24 * 3_600_000_000_000
DAY_MAX: Final = 1 << 40
AFTER_NS: Final = 3_600_000_000_000

_SQL: Final = queries("delivery")


class SignedRoot(NamedTuple):
    """A root with who signed it."""

    root: Root
    public_key: bytes
    signature: bytes


class Proof(NamedTuple):
    """An event, and the way from it to the root of its day; None while its day is open."""

    event: Event
    before: bytes  # the digest of the event before it
    path: list[bytes]
    root: SignedRoot | None


class Proofs(Store):
    """Roots, and the ways to them."""

    async def seal(self, key: Ed25519PrivateKey, now_ns: int) -> list[Root]:
        """Sign a root for each day that is closed and has none; safe to repeat, and by several."""
        last = await self._row(_SQL["last_root"])
        after, before = (last["last_number"], last["root"]) if last else (0, bytes(32))
        # A step that began before midnight has committed an hour later.
        until_ns = (now_ns - AFTER_NS) // NS_PER_DAY * NS_PER_DAY
        days: dict[int, list[Event]] = {}
        for row in await self._rows(_SQL["unsealed"], after, until_ns):
            event = Event(*row)
            days.setdefault(event.ts_ns // NS_PER_DAY, []).append(event)
        made = []
        for day, events in days.items():
            tree = root_of([leaf(one.digest) for one in events])
            root = Root(day, events[0].number, events[-1].number, tree, before)
            public_key = key.public_key().public_bytes_raw()
            await self._rows(_SQL["add_root"], *root, public_key, key.sign(root.signed_text))
            before = tree
            made.append(root)
        return made

    async def roots(self, before_day: int = DAY_MAX, limit: int = 100) -> list[SignedRoot]:
        """Return roots, newest first."""
        rows = await self._rows(_SQL["roots"], min(before_day, DAY_MAX), limit)
        return [SignedRoot(Root(*row[:5]), row[5], row[6]) for row in map(tuple, rows)]

    async def proofs(self, events: list[Event]) -> list[Proof]:
        """Return the proof of each of some events."""
        found, days = [], dict[int, tuple[SignedRoot, list[bytes]]]()
        for event in events:
            previous = await self._rows(_SQL["events"], event.number - 2, event.number - 1, 1)
            before = previous[0]["digest"] if previous else bytes(32)
            day = event.ts_ns // NS_PER_DAY
            if day not in days:
                row = await self._row(_SQL["root_of"], event.number)
                if row is None:
                    found.append(Proof(event, before, [], None))
                    continue
                signed = SignedRoot(Root(*tuple(row)[:5]), row["public_key"], row["signature"])
                days[day] = (signed, await self._leaves(signed.root))
            signed, leaves = days[day]
            path = path_of(leaves, event.number - signed.root.first_number)
            found.append(Proof(event, before, path, signed))
        return found

    async def _leaves(self, root: Root) -> list[bytes]:
        count = root.last_number - root.first_number + 1
        rows = await self._rows(_SQL["events"], root.first_number - 1, root.last_number, count)
        return [leaf(row["digest"]) for row in rows]
