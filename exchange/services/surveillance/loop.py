"""The loop of surveillance: read the journal, raise alerts, write them with their place.

It may be killed at any instant. A new start reads again what the patterns remember, half an hour,
and writes only what is behind the place of the last transaction.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Final

import structlog

from exchange.io.alerts import JOURNAL, SUBMISSIONS, Alerts
from exchange.io.db import LOST, Database
from exchange.io.errors import Conflict, Unavailable
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.observations import PostgresObservations
from exchange.io.tasks import set_within
from exchange.rules.surveillance import Alert, Watcher
from exchange.rules.surveillance.submissions import Submissions
from exchange.rules.surveillance.watcher import MEMORY_NS

POLL_S: Final = 0.5  # an alert is due within five seconds
SAVE_S: Final = 10.0  # the place is written so often when there is nothing to say
SUBMISSIONS_S: Final = 2.0
OBSERVATIONS_KEPT: Final = 20_000  # that are read again at a start: more than a month's
BATCHES_MAX: Final = 200  # read before alerts are written
RETRY_S: Final = 1.0
# What is remembered holds no cycles, and is much: looking for some took an eighth of the time.
GC_ALLOCATIONS: Final = 2_000_000

_log = structlog.get_logger(__name__)


class Surveillance:
    """`run` until told to stop."""

    def __init__(
        self,
        database: Database,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._now_ns = now_ns
        self._on_read = on_read

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop; waits while the database does not answer.

        Errors:
            JournalGap, JournalDamaged: the journal contradicts itself.
        """
        gc.set_threshold(GC_ALLOCATIONS)
        while not stop.is_set():
            try:
                await self._session(stop)
            except (*LOST, Unavailable, Conflict) as error:
                _log.warning("surveillance_waits", error=f"{type(error).__name__}: {error}")
                await set_within(stop, RETRY_S)

    async def _session(self, stop: asyncio.Event) -> None:
        pool = await self._database.pool(size_max=1)
        try:
            store = Alerts(pool)
            places = await store.places()
            journal = _Journal(store, PostgresJournalReader(pool), places[JOURNAL])
            observed = _Observed(store, PostgresObservations(pool), places[SUBMISSIONS])
            await journal.remember()
            await observed.remember(self._now_ns())
            looked_s = 0.0
            while not stop.is_set():
                more = await journal.read(stop)
                self._on_read(journal.place)
                if time.monotonic() - looked_s > SUBMISSIONS_S:
                    looked_s = time.monotonic()
                    await observed.read(self._now_ns())
                if not more:
                    await set_within(stop, POLL_S)
            await journal.save()
        finally:
            pool.terminate()


class _Journal:
    """The journal from a place on, seen by a watcher that remembers what came before."""

    def __init__(self, store: Alerts, journal: PostgresJournalReader, place: int) -> None:
        self._store = store
        self._journal = journal
        self._owners: dict[int, str] = {}
        self._watcher = Watcher(self._owner_of)
        self.place = place
        self._read_seq = place
        self._saved_s = time.monotonic()

    def _owner_of(self, account_idx: int) -> str:
        return self._owners.get(account_idx) or f"account {account_idx}"

    async def remember(self) -> None:
        """Read again what the patterns need to know of before the place."""
        self._owners = await self._store.owners(0)
        before = await self._store.seq_before(self.place, MEMORY_NS) if self.place else 0
        async for batch in self._journal.read(before, self.place or None):
            if batch.last_seq > self.place:
                break
            for _ in self._watcher.take(batch.commands, batch.events):
                continue  # it was written when it happened
            await asyncio.sleep(0)

    async def read(self, stop: asyncio.Event) -> bool:
        """Read some batches; return whether there may be more.

        Errors:
            Conflict: another process reads as well.
        """
        alerts: list[Alert] = []
        count = 0
        async for batch in self._journal.read(self._read_seq):
            await self._know(int(batch.events["account_idx"].max(initial=-1)))
            alerts += self._watcher.take(batch.commands, batch.events)
            self._read_seq = batch.last_seq
            count += 1
            await asyncio.sleep(0)
            if stop.is_set() or count == BATCHES_MAX:
                break
        if alerts or time.monotonic() - self._saved_s > SAVE_S:
            await self.save(alerts)
        return count == BATCHES_MAX

    async def save(self, alerts: list[Alert] | None = None) -> None:
        """Write alerts and the place."""
        if self._read_seq == self.place and not alerts:
            return
        await self._store.write(JOURNAL, self.place, self._read_seq, alerts or ())
        for alert in alerts or ():
            _log.warning("alert", pattern=alert.pattern.value, subject=alert.subject)
        self.place, self._saved_s = self._read_seq, time.monotonic()

    async def _know(self, account_idx: int) -> None:
        """Learn whose the accounts are that are new."""
        if account_idx not in self._owners and account_idx >= 0:
            self._owners.update(await self._store.owners(len(self._owners)))
            self._owners.setdefault(account_idx, f"account {account_idx}")


class _Observed:
    """The observations from a place on."""

    def __init__(self, store: Alerts, rows: PostgresObservations, place: int) -> None:
        self._store = store
        self._rows = rows
        self._place = place
        self._panels = Submissions()

    async def remember(self, now_ns: int) -> None:
        """Read again what new ones are compared with."""
        async for offer in self._rows.all_rows(
            max(0, self._place - OBSERVATIONS_KEPT), self._place
        ):
            self._panels.take(offer, now_ns)

    async def read(self, now_ns: int) -> None:
        """Judge the observations that are new."""
        alerts: list[Alert] = []
        place = self._place
        async for offer in self._rows.all_rows(self._place):
            alert = self._panels.take(offer, now_ns)
            alerts += [alert] if alert else []
            place = offer.number
        if place > self._place:
            await self._store.write(SUBMISSIONS, self._place, place, alerts)
            self._place = place
