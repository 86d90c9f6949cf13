"""Observes prices: imports the shipped ones once, and asks the nightly sources before the index.

Safe to repeat and to be killed in: what is recorded already is recognised.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from exchange.io.clock import Clock
from exchange.io.errors import ExchangeError
from exchange.io.observation_fetch import fetch_and_record
from exchange.io.observation_files import import_shipped
from exchange.io.observations import Observations, Outcome
from exchange.rules.observation_sources import SourceSpec
from exchange.rules.observations import NS_PER_DAY

FETCH_AT_NS: Final = 10 * 60 * 1_000_000_000  # 00:10 UTC; the index is computed at 00:30
FETCH_UNTIL_NS: Final = 30 * 60 * 1_000_000_000
RETRY_S: Final = 30.0
LOOK_S: Final = 60.0

Sources = Callable[[], Mapping[str, SourceSpec]]
Fetch = Callable[[Observations, SourceSpec, int], Awaitable[Outcome]]

_log = logging.getLogger("wellhead.observations")


class Observer:
    """`run` until cancelled."""

    def __init__(
        self,
        store: Observations,
        clock: Clock,
        sources: Sources,
        *,
        imports: bool = True,
        fetch: Fetch = fetch_and_record,
    ) -> None:
        """Observe into a store; without `imports` the shipped prices stay where they are."""
        self._store = store
        self._clock = clock
        self._sources = sources
        self._imports = imports
        self._done: dict[str, int] = {}  # source -> day it was fetched on
        self._fetch = fetch

    async def run(self) -> None:
        """Import what ships, then look every minute which source is due."""
        while self._imports:
            try:
                found = await import_shipped(self._store, self._clock.now_ns())
            except ExchangeError as error:
                _log.error("the shipped prices are not recorded yet: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            if found.accepted:
                _log.info("%d shipped prices recorded", found.accepted)
            break
        while True:
            await self.fetch_due()
            await asyncio.sleep(LOOK_S)

    async def fetch_due(self) -> None:
        """Fetch the nightly sources of this day, if it is time and they are not fetched yet."""
        now_ns = self._clock.now_ns()
        day, into_day_ns = divmod(now_ns, NS_PER_DAY)
        if not FETCH_AT_NS <= into_day_ns < FETCH_UNTIL_NS:
            return
        try:
            due = [s for s in self._sources().values() if s.is_nightly]
        except ValueError as error:
            _log.error("no source is fetched: %s", error)
            return
        for spec in due:
            if self._done.get(spec.name) == day:
                continue
            try:
                found = await self._fetch(self._store, spec, now_ns)
            except ExchangeError as error:  # tried again in a minute, until the index is due
                _log.error("source %s is not fetched: %s", spec.name, error)
                continue
            self._done[spec.name] = day
            _log.info("source %s: %d recorded, %d quarantined", spec.name, found.accepted,
                      found.quarantined)  # fmt: skip
