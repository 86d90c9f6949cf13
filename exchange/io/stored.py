"""Everything as it is stored, read in one snapshot: for who checks it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeVar, cast

import asyncpg

from exchange.io.db import Database, queries
from exchange.io.delivery_check import delivery_findings
from exchange.io.efd_check import efd_findings
from exchange.io.errors import Corrupt, JournalDamaged, SnapshotDamaged
from exchange.io.index_check import index_findings
from exchange.io.journal import RULES_VERSION
from exchange.io.observation_check import observation_findings
from exchange.io.settlement_roots import root_findings
from exchange.io.settlements import PriceKept, run_of_rows
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.io.statements import Statements
from exchange.io.webhook_check import webhook_findings
from exchange.rules.findings import Finding
from exchange.rules.settlement_run import SettlementRun

BATCHES_BYTES: Final = 8 << 20  # about so much of the journal at once
TIMEOUT_S: Final = 3600.0  # some of these queries read everything that ever happened

_SQL: Final = queries("verify")
_LEDGER: Final = queries("ledger")
_SETTLEMENTS: Final = queries("settlements")

R = TypeVar("R")


class RowsUnreadable(Corrupt):
    """Postgres itself cannot read rows of a table."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"{table}: {reason}")
        self.table = table
        self.reason = reason


class StoredBatch(NamedTuple):
    """A row of the journal, nothing of it believed."""

    first_seq: int
    commands_count: int
    ts_ns: int
    epoch: int
    checksum: bytes
    commands: bytes
    events: bytes


class StoredSnapshot(NamedTuple):
    """What is written beside a saved state."""

    seq: int
    state_hash: bytes
    journal_checksum: bytes


class Stored:
    """Reads over one connection, inside one transaction.

    Each read may raise RowsUnreadable; the next one works all the same.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def journal_seq(self) -> int:
        """Return the last command of the journal."""
        rows = await self._fetch("journal_seq")
        return int(rows[0][0]) if rows else 0

    async def cleared_seq(self) -> int:
        """Return the last command that clearing has posted."""
        rows = await self._fetch("cleared_seq")
        return int(rows[0][0]) if rows else 0

    async def batches(self) -> AsyncIterator[StoredBatch]:
        """Yield every row of the journal in order.

        Errors:
            JournalDamaged: Postgres itself cannot read a row.
        """
        after_seq, limit = 0, 16
        while True:
            try:
                rows = await self._fetch("batches", after_seq + 1, limit)
            except RowsUnreadable as error:
                if limit > 1:
                    limit = 1  # find the first that cannot be read
                    continue
                raise JournalDamaged(f"after command {after_seq}: {error}") from error
            for row in rows:
                yield StoredBatch(*row)
            if len(rows) < limit:
                return
            after_seq = rows[-1]["first_seq"]
            size = sum(len(row["commands"]) + len(row["events"]) for row in rows) // len(rows)
            limit = max(2, min(4096, BATCHES_BYTES // max(1, size)))

    async def state_hashes(self) -> dict[int, bytes]:
        """Return the recorded hashes of the core's state by command."""
        return {row[0]: row[1] for row in await self._fetch("state_hashes", RULES_VERSION)}

    async def snapshots(self) -> list[StoredSnapshot]:
        """Return what is written beside each saved state, oldest first."""
        rows = await self._fetch("snapshots", RULES_VERSION)
        return [StoredSnapshot(*row) for row in rows]

    async def saved_state(self, seq: int) -> Snapshot:
        """Return the saved state after a command, which must be there.

        Errors:
            SnapshotDamaged: its bytes are not those that were written.
        """
        pool = cast(asyncpg.Pool, self._connection)  # of which it needs what a connection has too
        async for found in Snapshots(pool).newest(seq):
            if isinstance(found, SnapshotDamaged):
                raise found
            return found
        raise SnapshotDamaged(f"the snapshot at {seq} is not there")

    async def rows(self, table: str, make: type[R], *args: object) -> list[R]:
        """Return the rows of a table as its NamedTuple; see verify.sql for the arguments."""
        return [make(*row) for row in await self._fetch(table, *args)]

    async def archived(self) -> tuple[int, int]:
        """Return the last transfer and the last command of the months that were taken out."""
        transfer_id, seq = (await self._fetch("archived"))[0]
        return transfer_id, seq

    async def partitions(self) -> list[tuple[str, list[str]]]:
        """Return each partition of the ledger, and what the application may do to it by itself."""
        return [(row[0], row[1]) for row in await self._fetch("partitions")]

    async def triggers(self) -> dict[tuple[str, str], str]:
        """Return how each trigger is switched, by table and name: "A" is always on."""
        return {(row[0], row[1]): row[2] for row in await self._fetch("triggers")}

    async def privileges(self, tables: Sequence[str]) -> list[tuple[str, str]]:
        """Return which of the tables the application may change, and how."""
        return [tuple(row) for row in await self._fetch("privileges", list(tables))]

    async def wrong_requests(self, until_seq: int) -> list[tuple[int | None, ...]]:
        """Return requests for money whose ref, account and amount are not those posted."""
        return [tuple(row) for row in await self._fetch("requests", until_seq)]

    async def wrong_asset_requests(self, until_seq: int) -> list[tuple[int | None, ...]]:
        """Return requests to move assets whose ref, account and units are not those posted."""
        return [tuple(row) for row in await self._fetch("asset_requests", until_seq)]

    async def wrong_heads(self) -> list[tuple[int, str, str, str]]:
        """Return day, field, expected and found of each head that the postings contradict."""
        return await Statements(self._connection).wrong_heads()

    async def wrong_index(self) -> list[Finding]:
        """Return where the chain of the index's prints is not what was written."""
        return await index_findings(self._connection)

    async def wrong_observations(self) -> list[Finding]:
        """Return where the chain of observations is not what was written."""
        return await observation_findings(self._connection)

    async def settlement_runs(self) -> list[str]:
        """Return the names of what settlement prices come from, oldest first."""
        return [row[0] for row in await self._run("settlement", _SETTLEMENTS["runs_settled"])]

    async def settlement_run(self, run_id: str) -> tuple[SettlementRun | None, list[PriceKept]]:
        """Return what was kept under a name, and the prices that were settled in it."""
        rows = await self._run("settlement_input", _SETTLEMENTS["run"], run_id)
        notes = await self._run("settlement_note", _SETTLEMENTS["note"], run_id)
        prices = await self._run("settlement", _SETTLEMENTS["prices_of_run"], run_id)
        try:
            run = run_of_rows(rows, notes)
        except ValueError as error:
            raise RowsUnreadable("settlement_input", str(error)) from error
        return run, [PriceKept(*row) for row in prices]

    async def wrong_delivery(self) -> list[Finding]:
        """Return where the registry of receipts is not what was written."""
        found = await delivery_findings(self._connection)
        return found + await efd_findings(self._connection)

    async def wrong_webhooks(self) -> list[Finding]:
        """Return what webhooks were told otherwise than clearing wrote it."""
        return await webhook_findings(self._connection)

    async def wrong_settlement_roots(self) -> list[Finding]:
        """Return where roots over final settlements are not those of what is there."""
        return await root_findings(self._connection)

    async def counts(self) -> dict[str, int]:
        """Return how many rows each append-only table has."""
        return dict((await self._fetch("counts"))[0].items())

    async def violations(self) -> list[tuple[str, str, str, str]]:
        """Return rule, place, expected and found of what must not be."""
        rows = await self._run("violation", _LEDGER["violations"])
        return [tuple(row) for row in rows]

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await self._run(query, _SQL[query], *args)

    async def _run(self, name: str, query: str, *args: object) -> list[asyncpg.Record]:
        try:
            async with self._connection.transaction():  # a savepoint: an error ends only this
                rows: list[asyncpg.Record] = await self._connection.fetch(
                    query, *args, timeout=TIMEOUT_S
                )
        except asyncpg.InternalServerError as error:  # class XX: a damaged page, a missing piece
            raise RowsUnreadable(name, str(error)) from error
        return rows


@asynccontextmanager
async def stored(database: Database) -> AsyncIterator[Stored]:
    """Open the tables as they are at this moment, whatever is written meanwhile.

    Errors:
        DatabaseUnavailable: the server does not answer.
    """
    connection = await database.connect()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield Stored(connection)
    finally:
        connection.terminate()
