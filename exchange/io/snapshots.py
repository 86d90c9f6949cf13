"""Saved states of the engine in Postgres, compressed and in parts."""

import asyncio
import hashlib
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable, SnapshotDamaged
from exchange.io.journal import RULES_VERSION
from matching.limits import SEQ_MAX

PART_BYTES: Final = 1 << 20  # one message: longer ones would hold up the event loop
KEPT: Final = 3
_LEVEL: Final = 1  # of compression: a state is mostly zeros, speed matters more

_SIZE: Final = struct.Struct("<q")

_SQL: Final = queries("snapshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state after command `seq`, as `Core.save` gave it."""

    seq: int
    blob: bytes
    state_hash: bytes
    journal_checksum: bytes  # of the batch that ends with `seq`
    notes: bytes = b""  # what readers keep beside the state, at the same `seq`


class Snapshots:
    """Writes and reads snapshots."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, whole or not at all, and forget old ones.

        Errors:
            DatabaseUnavailable: it is not known whether it is kept.
        """
        parts, checksum = await asyncio.to_thread(_pack, snapshot.blob, snapshot.notes)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                is_new = await connection.fetchval(
                    _SQL["insert"],
                    snapshot.seq,
                    snapshot.state_hash,
                    snapshot.journal_checksum,
                    len(parts),
                    checksum,
                    RULES_VERSION,
                )
                if is_new is not None:
                    for part_no, part in enumerate(parts):
                        await connection.execute(_SQL["insert_part"], snapshot.seq, part_no, part)
                    await connection.execute(_SQL["forget_old"], KEPT)
        except LOST as error:
            raise DatabaseUnavailable(f"cannot write a snapshot: {error!r}") from error

    async def newest(self, until_seq: int = SEQ_MAX) -> AsyncIterator[Snapshot | SnapshotDamaged]:
        """Return the snapshots at or before `until_seq`, newest first; a damaged one as error.

        Errors:
            DatabaseUnavailable: the database does not answer.
        """
        try:
            rows = await self._pool.fetch(_SQL["newest"], RULES_VERSION, until_seq)
            for row in rows:
                yield await self._read(row)
        except LOST as error:
            raise DatabaseUnavailable(f"cannot read a snapshot: {error!r}") from error

    async def _read(self, row: asyncpg.Record) -> Snapshot | SnapshotDamaged:
        try:
            parts = [
                await self._pool.fetchval(_SQL["part"], row["seq"], part_no)
                for part_no in range(row["parts"])
            ]
            packed = b"".join(part or b"" for part in parts)
            found = await asyncio.to_thread(_unpack, packed, row["blob_checksum"])
        except (asyncpg.InternalServerError, zlib.error) as error:
            return SnapshotDamaged(f"the snapshot at {row['seq']} cannot be read: {error}")
        if found is None:
            return SnapshotDamaged(f"the snapshot at {row['seq']} does not match its checksum")
        return Snapshot(
            seq=row["seq"],
            blob=found[0],
            state_hash=row["state_hash"],
            journal_checksum=row["journal_checksum"],
            notes=found[1],
        )


def _pack(blob: bytes, notes: bytes) -> tuple[list[bytes], bytes]:
    """Return state and notes compressed, in parts, and the checksum of all of them."""
    packed = zlib.compress(b"".join((_SIZE.pack(len(blob)), blob, notes)), _LEVEL)
    parts = [packed[i : i + PART_BYTES] for i in range(0, len(packed), PART_BYTES)]
    return parts, _checksum(packed)


def _unpack(packed: bytes, checksum: bytes) -> tuple[bytes, bytes] | None:
    """Return state and notes, None if the checksum is another."""
    if _checksum(packed) != checksum:
        return None
    whole = zlib.decompress(packed)
    end = _SIZE.size + _SIZE.unpack_from(whole)[0]
    return whole[_SIZE.size : end], whole[end:]


def _checksum(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=32).digest()
