"""The ledger to read: chain, trial balance, statements; and to seal with a signed head a day."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.io.db import queries
from exchange.io.errors import DatabaseUnavailable, Invalid, Unavailable
from exchange.rules.chain import FIRST, ChainRow, Head, heads, signed_text

KEY_NAME: Final = "ledger.key"
TOGETHER: Final = 20_000  # transfers read at a time
TIMEOUT_S: Final = 600.0

_SQL: Final = queries("statements")


class StoredHead(NamedTuple):
    """A head as it was written, with who signed it."""

    head: Head
    public_key: bytes
    signature: bytes

    @property
    def is_signed(self) -> bool:
        """Say whether the signature is of this key and this head."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(self.signature, signed_text(self.head))
        except (InvalidSignature, ValueError):
            return False
        return True


def ledger_key(folder: Path) -> Ed25519PrivateKey:
    """Return the key of a data folder that heads are signed with, made when it is not there.

    Errors:
        Unavailable: it can be neither read nor made now, as on a full disk.
    """
    path = folder / KEY_NAME
    try:
        try:
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        except FileNotFoundError:
            return _new_key(path)
    except OSError as error:
        raise Unavailable(f"the key of the ledger cannot be had: {error}") from error


def _new_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    return key


class Statements:
    """Reads over one connection; writes nothing but heads."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def heads(self) -> list[StoredHead]:
        """Return the heads that were written, oldest first."""
        return [StoredHead(Head(*row[:3]), row[3], row[4]) for row in await self._rows("heads")]

    async def computed(self, after: Head | None = None) -> list[Head]:
        """Return the heads of all closed days after one, from the postings that are there."""
        rows = [row async for row in self._chain(after.last_transfer_id if after else 0)]
        # In a thread: a busy day is many rows to hash, and who calls may have others waiting.
        return await asyncio.to_thread(list, heads(rows, after.digest if after else FIRST))

    async def is_seal_due(self) -> bool:
        """Return whether a day is closed that no head covers."""
        due: bool = (await self._rows("seal_due"))[0][0]
        return due

    async def seal(self, key: Ed25519PrivateKey) -> list[Head]:
        """Sign and write the heads of the days closed since the last one; return them."""
        written = await self.heads()
        fresh = await self.computed(written[-1].head if written else None)
        public_key = key.public_key().public_bytes_raw()
        async with self._connection.transaction():
            for head in fresh:
                signature = key.sign(signed_text(head))
                await self._connection.execute(_SQL["add_head"], *head, public_key, signature)
        return fresh

    async def wrong_heads(self) -> list[tuple[int, str, str, str]]:
        """Return day, field, expected and found of each head that the postings contradict.

        Of months that are archived only the signatures are looked at: the chain goes on from them.
        """
        written = await self.heads()
        if not written:
            return []
        archived_id: int = (await self._rows("archived_transfer_id"))[0][0]
        kept = [one.head for one in written if one.head.last_transfer_id <= archived_id]
        computed = {head.day: head for head in await self.computed(kept[-1] if kept else None)}
        found = []
        for one in written:
            due = computed.get(one.head.day)
            if one.head not in kept and due != one.head:
                was = f"{one.head.last_transfer_id} {one.head.digest.hex()}"
                want = f"{due.last_transfer_id} {due.digest.hex()}" if due else "no closed day"
                found.append((one.head.day, "last_transfer_id, digest", want, was))
            if not one.is_signed:
                found.append((one.head.day, "signature", "of its key", "of nobody"))
        return found

    async def months(self) -> list[Sequence[Any]]:
        """Return name, when archived, last transfer and bytes of each month, oldest first."""
        return await self._rows("months")

    async def archive(self, month: str) -> str:
        """Take a month out of the ledger; return what it is in now. Needs the owner's connection.

        Errors:
            Invalid: it is not the oldest one, not sealed, or not there.
            DatabaseUnavailable: somebody reads the ledger for so long that it cannot be now.
        """
        try:
            return str((await self._rows("archive_month", month))[0][0])
        except asyncpg.InvalidParameterValueError as error:
            # months are named as their tables there, 2026_01
            raise Invalid(re.sub(r"\b(\d{4})_(\d{2})\b", r"\1-\2", str(error))) from error
        except asyncpg.LockNotAvailableError as error:
            raise DatabaseUnavailable("the ledger is being read: try again") from error

    async def trial_balance(self) -> list[Sequence[Any]]:
        """Return code, count of postings, balance and the last command of each ledger account."""
        return await self._rows("trial_balance")

    async def has_account(self, account_id: str) -> bool:
        """Return whether there is an account of this name."""
        known: bool = (await self._rows("has_account", account_id))[0][0]
        return known

    async def statement(self, account_id: str, from_ns: int, until_ns: int) -> list[Sequence[Any]]:
        """Return what was posted to all ledger accounts of an account in a span of time."""
        return await self._rows("statement", account_id, from_ns, until_ns)

    async def postings(self, after_seq: int, limit: int) -> list[Sequence[Any]]:
        """Return postings after a command, oldest first."""
        return await self._rows("postings", after_seq, limit)

    async def _chain(self, after_id: int) -> AsyncIterator[ChainRow]:
        last_id: int = (await self._rows("last_transfer_id"))[0][0]
        for first in range(after_id, last_id, TOGETHER):
            for row in await self._rows("chain_rows", first, min(first + TOGETHER, last_id)):
                yield ChainRow(*row)

    async def _rows(self, query: str, *args: object) -> list[Any]:
        rows: list[Any] = await self._connection.fetch(_SQL[query], *args, timeout=TIMEOUT_S)
        return rows
