"""Roots over final settlements, one a closed day that had some, signed with the ledger's key."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.db import queries
from exchange.io.delivery_proofs import DAY_MAX, SignedRoot
from exchange.io.store import Store
from exchange.rules.delivery.merkle import Root, leaf, path_of, root_of
from exchange.rules.findings import Finding
from exchange.rules.settlement_tree import TITLE, FinalLeaf, is_signed
from exchange.rules.tenors import NS_PER_DAY

TABLE: Final = "settlement_root"
TOGETHER: Final = 10_000
_MAX: Final = (1 << 63) - 1

_SQL: Final = queries("settlement_roots")


class FinalProof(NamedTuple):
    """A final settlement, and the way from it to the root of its day; None while that is open."""

    final: FinalLeaf
    path: list[bytes]
    root: SignedRoot | None


class SettlementRoots(Store):
    """Roots, and the ways to them."""

    async def seal(self, key: Ed25519PrivateKey, now_ns: int) -> list[Root]:
        """Sign a root for each closed day that has none; safe to repeat, and by several.

        A day is closed when it is over and clearing has written all of it.
        """
        followed_ns = await self._value(_SQL["followed_to"])
        until_ns = min(now_ns, followed_ns or 0) // NS_PER_DAY * NS_PER_DAY
        last = await self._row(_SQL["last_root"])
        after, before = (last["last_number"], last["root"]) if last else (0, bytes(32))
        rows = await self._rows(_SQL["finals"], after, until_ns, TOGETHER)
        made = []
        for day, finals in groupby((FinalLeaf(*row) for row in rows), lambda one: one.day):
            leaves = list(finals)
            if len(rows) == TOGETHER and leaves[-1].number == rows[-1]["number"]:
                break  # it may go on: with the next look
            tree = root_of([leaf(one.line) for one in leaves])
            root = Root(day, leaves[0].number, leaves[-1].number, tree, before)
            public_key = key.public_key().public_bytes_raw()
            await self._rows(_SQL["add_root"], *root, public_key, key.sign(root.text(TITLE)))
            before = tree
            made.append(root)
        return made

    async def roots(self, before_day: int = DAY_MAX, limit: int = 100) -> list[SignedRoot]:
        """Return roots, newest first."""
        rows = await self._rows(_SQL["roots"], min(before_day, DAY_MAX), limit)
        return [_signed(row) for row in rows]

    async def proof(self, symbol: str) -> FinalProof | None:
        """Return the proof of a contract's final settlement; None when it has none."""
        row = await self._row(_SQL["final_of"], symbol)
        if row is None:
            return None
        final = FinalLeaf(*row)
        found = await self._row(_SQL["root_of"], final.number)
        if found is None:
            return FinalProof(final, [], None)
        signed = _signed(found)
        first, last = signed.root.first_number, signed.root.last_number
        rows = await self._rows(_SQL["finals"], first - 1, _MAX, last - first + 1)
        leaves = [leaf(FinalLeaf(*one).line) for one in rows]
        return FinalProof(final, path_of(leaves, final.number - first), signed)


def _signed(row: Any) -> SignedRoot:
    return SignedRoot(Root(*tuple(row)[:5]), row["public_key"], row["signature"])


async def root_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return the roots that are not over the settlements there are, or that nobody signed."""
    roots = [_signed(row) for row in await connection.fetch(_SQL["all_roots"])]
    rows = await connection.fetch(_SQL["finals"], 0, _MAX, _MAX)
    return list(wrong_roots(roots, [FinalLeaf(*row) for row in rows]))


def wrong_roots(roots: list[SignedRoot], finals: list[FinalLeaf]) -> Iterator[Finding]:
    """Yield where roots, oldest first, differ from those of all final settlements."""
    before, last = bytes(32), 0
    for signed in roots:
        root, place = signed.root, f"day {signed.root.day}"
        leaves = [one for one in finals if one.day == root.day]
        tree = root_of([leaf(one.line) for one in leaves])
        expected = (last + 1, last + len(leaves), tree.hex(), before.hex())
        found = (root.first_number, root.last_number, root.root.hex(), root.before.hex())
        names = ("first_number", "last_number", "root", "before")
        for name, ours, theirs in zip(names, expected, found, strict=True):
            if ours != theirs:
                yield Finding(TABLE, place, name, str(ours), str(theirs))
        if not is_signed(root, signed.public_key, signed.signature):
            yield Finding(TABLE, place, "signature", "of its key", "of nobody")
        before, last = root.root, root.last_number
