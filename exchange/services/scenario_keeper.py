"""Keeps the margin scenarios: builds a set after each daily settlement, and adopts what is chosen.

With each set go the add-ons of every contract, made of the market as it stands.

What is chosen stands in Postgres, so a restart goes on with it. The calendar does the rest: it
stages what is not live as it should be and swaps, however often it was interrupted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final

from exchange.io.clock import Clock
from exchange.io.errors import ExchangeError
from exchange.io.scenario_publish import addons_of, publish
from exchange.io.scenario_store import PostgresScenarios
from exchange.io.tasks import in_turns, set_within
from exchange.rules.agenda import Agenda
from exchange.rules.agenda_prices import last_settlement_ns
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.scenario_addons import AddonSet
from exchange.rules.scenario_dry_run import effects, planned, summed
from exchange.rules.scenario_prices import settled_prices
from exchange.rules.scenario_set import ScenarioSet, SetCorrupt
from exchange.rules.tenors import date_of

Adopt = Callable[[ScenarioSet, AddonSet | None], None]
Build = Callable[[date, Mapping[str, int]], Awaitable[dict[str, Any]]]

START_S: Final = 15.0  # a node that has just started has more urgent things to do
LOOK_S: Final = 5.0
RETRY_S: Final = 60.0
CALENDAR: Final = "calendar"

_log = logging.getLogger("wellhead.scenarios")


class ScenarioKeeper:
    """`load` before the calendar runs; `run` beside it."""

    def __init__(
        self,
        store: PostgresScenarios,
        mirror: MirrorState,
        agenda: Agenda,
        adopt: Adopt,
        clock: Clock,
        build: Build | None,
    ) -> None:
        """Keep the scenarios of the exchange of `mirror`; without `build` none are built."""
        self._adopt = adopt
        self._store = store
        self._mirror = mirror
        self._agenda = agenda
        self._clock = clock
        self._build = build
        self._woken = asyncio.Event()
        self._set_id: int | None = None
        self._built_day: date | None = None

    @property
    def set_id(self) -> int | None:
        """The set that is used, None while there is none: then the named stories alone are."""
        return self._set_id

    async def load(self) -> None:
        """Adopt what is chosen, if that is another set than we know.

        One that this program cannot read, as it may be after an upgrade, is no reason not to open:
        the scenarios we have stay until there is a new set.
        """
        chosen = await self._store.chosen_id()
        if chosen is None or chosen == self._set_id:
            return
        self._set_id = chosen
        try:
            found = await self._store.chosen()
            assert found is not None, "it was chosen a moment ago, and none is ever removed"
            addons = await addons_of(self._store, *found)
        except SetCorrupt as error:
            _log.error("scenarios of set %d cannot be used: %s", chosen, error)
            return
        self._set_id = found[0]
        self._adopt(found[1], addons)
        _log.info("scenarios of set %d are used", self._set_id)

    def wake(self) -> None:
        """Look at once: somebody chose a set."""
        self._woken.set()

    async def run(self) -> None:
        """Look every few seconds, or when woken, until cancelled."""
        await asyncio.sleep(START_S)
        while True:
            pause_s = LOOK_S
            self._woken.clear()
            try:
                await self.load()
                await self.build_if_due()
            except (ExchangeError, ValueError, OSError) as error:
                _log.error("no new scenarios, the old ones stay: %s", error)
                pause_s = RETRY_S
            await set_within(self._woken, pause_s)

    async def build_if_due(self) -> None:
        """Build, publish and choose the set of the newest settlement that is complete."""
        due_ns = last_settlement_ns(self._clock.now_ns())
        day = date_of(due_ns)
        if self._build is None or day == self._built_day:
            return
        if not self._agenda.is_settled_since(due_ns):
            return
        prices = settled_prices(self._mirror)
        if not prices:
            return
        # Killed between its publication and its choice, a set is built again: it is the same one.
        if await self._store.chosen_of(day, CALENDAR) is None:
            await self._publish(await self._build(day, prices))
        self._built_day = day

    async def _publish(self, document: dict[str, Any]) -> None:
        set_id, found, addons = await publish(self._store, self._mirror, document)
        seq = self._mirror.seq
        plan = await in_turns(planned(self._mirror, found, addons))
        every = await in_turns(effects(self._mirror, found, plan))
        effect = await asyncio.to_thread(summed, seq, every)
        _log.info(
            "set %d of %s: %d accounts would need %s USD instead of %s, %d fall short",
            set_id, found.day, effect.accounts_count, usd_text(effect.after_usd_micros),
            usd_text(effect.before_usd_micros), len(effect.short),
        )  # fmt: skip
        await self._store.choose(set_id, CALENDAR, effect)
        await self.load()
