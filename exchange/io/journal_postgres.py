"""The journal in Postgres."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import asyncpg
import numpy as np

from exchange.io.batch import Batch
from exchange.io.db import LOST, Database, queries
from exchange.io.errors import (
    Corrupt,
    DatabaseUnavailable,
    EpochLost,
    JournalDamaged,
    JournalGap,
    JournalUnavailable,
    NotDurable,
)
from exchange.io.journal import GENESIS, RULES_VERSION, as_bytes, chain, check_link
from matching.wire import COMMAND, EVENT

APPEND_TIMEOUT_S: Final = 10.0
READ_BYTES: Final = 4 << 20  # about so much is read at once
READ_ROWS_MAX: Final = 4096

_SQL: Final = queries("journal")


class PostgresJournalReader:
    """Reads the journal, checking every link of the chain."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def head(self) -> int:
        """Return the number of the last committed command, 0 when there is none."""
        row = await self._row(_SQL["head"])
        return row["last_seq"] if row else 0

    async def read(self, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Batch]:
        """Return the batches with commands after `after_seq`, in order, each checked."""
        last_seq, previous = await self._link_before(after_seq)
        limit = 16
        while until_seq is None or last_seq < until_seq:
            rows = await self._rows(_SQL["read"], last_seq + 1, limit, RULES_VERSION)
            for row in rows:
                batch = _batch_of(row)
                check_link(previous, last_seq, batch, row["epoch"], row["checksum"])
                last_seq, previous = batch.last_seq, row["checksum"]
                yield batch
                if until_seq is not None and last_seq >= until_seq:
                    return
            if len(rows) < limit:
                return
            size = sum(len(r["commands"]) + len(r["events"]) for r in rows[-16:]) // len(rows[-16:])
            limit = max(1, min(READ_ROWS_MAX, READ_BYTES // size))

    async def checksum_at(self, seq: int) -> bytes:
        """Return the checksum of the batch that ends with command `seq`.

        Errors:
            JournalUnavailable: the database does not answer.
            JournalGap: no batch ends there.
        """
        if seq == 0:
            return GENESIS
        row = await self._row(_SQL["batch_at"], seq)
        if row is None or row["first_seq"] + row["count"] - 1 != seq:
            raise JournalGap(f"no batch of the journal ends with command {seq}")
        return bytes(row["checksum"])

    async def _link_before(self, after_seq: int) -> tuple[int, bytes]:
        """Return the last command, and the checksum, of the batch before the first to read."""
        row = await self._row(_SQL["batch_at"], after_seq)
        if row is None:
            return 0, GENESIS
        last_seq = row["first_seq"] + row["count"] - 1
        if last_seq < after_seq:
            raise JournalGap(f"the journal ends at command {last_seq}, before {after_seq}")
        if last_seq == after_seq:
            return last_seq, bytes(row["checksum"])
        before = row["first_seq"] - 1
        return before, await self.checksum_at(before)

    async def _row(self, query: str, *args: object) -> asyncpg.Record | None:
        rows = await self._rows(query, *args)
        return rows[0] if rows else None

    async def _rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        try:
            rows: list[asyncpg.Record] = await self._pool.fetch(query, *args)
        except LOST as error:
            raise JournalUnavailable(f"cannot read the journal: {error!r}") from error
        except asyncpg.InternalServerError as error:  # class XX: a damaged page, a missing piece
            raise JournalDamaged(f"Postgres cannot read the journal: {error}") from error
        return rows


class PostgresJournal(PostgresJournalReader):
    """Writes the journal as the leader of one epoch."""

    def __init__(self, pool: asyncpg.Pool, database: Database, epoch: int) -> None:
        super().__init__(pool)
        self._database = database
        self._epoch = epoch
        self._connection: asyncpg.Connection | None = None
        self._insert: Any = None  # the prepared statement of that connection
        self._last_seq = -1  # unknown until `open`
        self._checksum = GENESIS
        self._in_doubt = False  # the last append had no answer

    @property
    def last_seq(self) -> int:
        """Return the last command this writer knows to be committed."""
        return self._last_seq

    @property
    def checksum(self) -> bytes:
        """Return the checksum of the batch that ends with `last_seq`."""
        return self._checksum

    async def open(self) -> int:
        """Connect, find where the journal ends, and return that.

        Errors:
            JournalUnavailable: the database does not answer.
            NotDurable: it confirms commits that a crash would take.
        """
        await self._connected()
        row = await self._row(_SQL["head"])
        self._last_seq, self._checksum = (
            (row["last_seq"], bytes(row["checksum"])) if row else (0, GENESIS)
        )
        return self._last_seq

    async def append(self, batch: Batch) -> None:
        """Write the batch durably; afterwards, and only then, it may be shown to anyone."""
        if batch.first_seq != self._last_seq + 1:
            raise JournalGap(f"expected command {self._last_seq + 1}, was {batch.first_seq}")
        checksum = chain(self._checksum, batch, self._epoch)
        try:
            await self._connected()
            if not (self._in_doubt and await self._is_written(batch, checksum)):
                await self._write(batch, checksum)
        except (*LOST, DatabaseUnavailable) as error:
            self._in_doubt = True
            self._drop_connection()
            raise JournalUnavailable(f"a commit was not confirmed: {error!r}") from error
        self._in_doubt = False
        self._last_seq, self._checksum = batch.last_seq, checksum

    async def record_hash(self, seq: int, state_hash: bytes) -> None:
        """Write the engine's hash after command `seq`, for replays to compare."""
        await self._rows(_SQL["record_hash"], seq, state_hash, RULES_VERSION, self._epoch)

    async def close(self) -> None:
        """Close the connection; without one it does nothing."""
        if self._connection is not None:
            with suppress(*LOST):
                await self._connection.close(timeout=5)
        self._connection = None

    async def _write(self, batch: Batch, checksum: bytes) -> None:
        try:
            written = await self._insert.fetchval(
                batch.first_seq,
                batch.count,
                batch.ts_ns,
                self._epoch,
                RULES_VERSION,
                checksum,
                as_bytes(batch.commands),
                as_bytes(batch.events),
                timeout=APPEND_TIMEOUT_S,
            )
        except asyncpg.UniqueViolationError:
            # A statement of ours without an answer was still running, or another leads.
            if not await self._is_written(batch, checksum):
                raise
            return
        if written is None:
            raise EpochLost(f"epoch {self._epoch} has ended: another process leads")

    async def _is_written(self, batch: Batch, checksum: bytes) -> bool:
        """Say whether exactly this batch is committed already.

        Errors:
            EpochLost: another leader wrote there.
            Corrupt: we wrote something else there.
        """
        assert self._connection is not None
        row = await self._connection.fetchrow(_SQL["find"], batch.first_seq)
        if row is None:
            return False
        if row["epoch"] != self._epoch:
            raise EpochLost(f"epoch {row['epoch']} wrote command {batch.first_seq}")
        if row["checksum"] != checksum:
            raise Corrupt(f"epoch {self._epoch} wrote two batches at command {batch.first_seq}")
        return True

    async def _connected(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        try:
            self._connection = await self._database.connect()
            self._database.hasten(self._connection)
            await _see_durable(self._connection)
            await self._see_nothing_lost(self._connection)
            self._insert = await self._connection.prepare(_SQL["append"])
        except (*LOST, DatabaseUnavailable) as error:
            self._drop_connection()
            raise JournalUnavailable(f"cannot connect to write the journal: {error}") from error

    async def _see_nothing_lost(self, connection: asyncpg.Connection) -> None:
        """See that the database still holds what it confirmed before the connection was lost.

        Errors:
            JournalGap: it does not, so nothing may be written after it.
        """
        if self._last_seq <= 0:
            return
        row = await connection.fetchrow(_SQL["head"])
        head = row["last_seq"] if row else 0
        if head < self._last_seq:
            raise JournalGap(
                f"the database has lost what it had confirmed: commands {head + 1} to"
                f" {self._last_seq}"
            )

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


async def _see_durable(connection: asyncpg.Connection) -> None:
    """See that a commit of this session is on the disk when it is confirmed.

    Errors:
        NotDurable: what is acknowledged could be lost.
    """
    careless = await connection.fetchval(_SQL["careless"])
    if careless is not None:
        raise NotDurable(
            f"the database would lose acknowledged orders in a crash ({careless}); turn it on"
        )


def _batch_of(row: asyncpg.Record) -> Batch:
    """Return a row as a batch.

    Errors:
        JournalDamaged: its bytes are not whole rows.
    """
    try:
        commands = np.frombuffer(row["commands"], COMMAND)
        events = np.frombuffer(row["events"], EVENT)
    except ValueError as error:
        raise JournalDamaged(
            f"the batch at command {row['first_seq']} does not hold whole rows"
        ) from error
    if not 0 < row["count"] == len(commands):
        raise JournalDamaged(f"the batch at command {row['first_seq']} miscounts its commands")
    if int(commands["ts_ns"][-1]) != row["ts_ns"]:
        raise JournalDamaged(f"the batch at command {row['first_seq']} misstates its time")
    return Batch(row["first_seq"], commands, events, row["state_hash"])
