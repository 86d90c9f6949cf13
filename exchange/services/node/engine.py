"""The role of the engine: lead, sequence, keep the calendar, empty the outbox."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from exchange.io.awake import Awake, linger_ns_of
from exchange.io.batch import Batch
from exchange.io.billing import Billing
from exchange.io.bus import Bus
from exchange.io.clock import Clock, SystemClock
from exchange.io.covers import Covers
from exchange.io.custody_postgres import PostgresCustody
from exchange.io.defaults import Defaults
from exchange.io.efd import Exchanges
from exchange.io.errors import Corrupt, Unavailable
from exchange.io.final_prints import FinalPrints
from exchange.io.giveups import GiveUps
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.members import Members
from exchange.io.outbox_rows import OutboxRows
from exchange.io.registry_requests import PostgresSignatures
from exchange.io.scenario_child import build_in_child
from exchange.io.scenario_store import PostgresScenarios
from exchange.io.snapshots import Snapshots
from exchange.io.status import Status
from exchange.rules.final_settlement import FixedDays
from exchange.rules.mirror import Mirror
from exchange.services.billing import BillingDesk
from exchange.services.calendar import Calendar
from exchange.services.corrections import CorrectionDesk
from exchange.services.covers import CoverDesk
from exchange.services.custody import CustodyDesk
from exchange.services.day_keeper import DayKeeper
from exchange.services.delivery import DeliveryDesk
from exchange.services.efd import EfdDesk
from exchange.services.fund import FundKeeper
from exchange.services.fund_calls import FundCollector
from exchange.services.giveups import GiveUpDesk
from exchange.services.index_keeper import IndexKeeper
from exchange.services.limit_keeper import LimitKeeper
from exchange.services.liquidation import Liquidation
from exchange.services.night import Night
from exchange.services.node.crew import Crew
from exchange.services.node.garbage import purge_forever
from exchange.services.node.ground import Ground
from exchange.services.node.making import (
    cadence_of,
    core_of,
    make_calendar,
    make_corrections,
    make_delivery,
    make_index,
    make_keepers,
    make_liquidation,
    make_night,
    make_observer,
)
from exchange.services.node.progress import Progress
from exchange.services.node.reading import Noter
from exchange.services.observer import Observer
from exchange.services.outbox import Outbox
from exchange.services.porting import Porter
from exchange.services.recovery import Recovery
from exchange.services.restraints import Restrainer
from exchange.services.scenario_keeper import ScenarioKeeper
from exchange.services.sequencer import Sequencer
from matching.codes import Kind
from matching.engine import Engine, warm_up

STANDBY_LOOK_S: Final = 0.25
STOP_TIMEOUT_S: Final = 10.0
SAVE_TIMEOUT_S: Final = 60.0
# Kinds of commands, as the bytes of their column, that are no answer to what services send.
_EVERYDAY: Final = frozenset(
    map(int, (Kind.TICK, Kind.PLACE, Kind.AMEND, Kind.CANCEL, Kind.MASS_CANCEL))
)

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Parts:
    """What the engine's role is made of, once it leads."""

    leadership: Leadership
    journal: PostgresJournal
    sequencer: Sequencer
    calendar: Calendar
    scenarios: ScenarioKeeper
    outbox: Outbox
    custody: CustodyDesk
    delivery: DeliveryDesk
    billing: BillingDesk
    giveups: GiveUpDesk
    efd: EfdDesk
    covers: CoverDesk
    corrections: CorrectionDesk
    noter: Noter
    liquidation: Liquidation
    fund: FundKeeper
    collector: FundCollector
    porter: Porter
    restrainer: Restrainer
    night: Night
    days: DayKeeper
    observer: Observer
    index: IndexKeeper
    limits: LimitKeeper

    def observe(self, batch: Batch) -> None:
        """Take in a committed batch; the mirror has it already."""
        self.noter.observe(batch)
        self.calendar.observe(batch.commands, batch.events)
        self.liquidation.observe(batch.commands)
        if _EVERYDAY.issuperset(batch.commands["kind"].tobytes()):
            return  # most batches: nobody below has anything to learn from orders
        desks = (self.outbox, self.custody, self.billing, self.giveups, self.efd, self.covers)
        for desk in desks:
            desk.observe(batch.commands, batch.events)
        self.restrainer.observe(batch.commands)


class EngineRole:
    """Leads from `lead` to `end`."""

    def __init__(
        self, ground: Ground, bus: Bus, status: Status, crew: Crew, clock: Clock | None = None
    ) -> None:
        """Lead on `ground`; without a clock the time is the machine's."""
        self._ground = ground
        self._clock = clock
        self._bus = bus
        self._status = status
        self._crew = crew
        self._snapshots = Snapshots(ground.pool)
        self._parts: Parts | None = None
        self.is_warming = False
        self._leadership = Leadership(ground.pool, f"{socket.gethostname()}:{os.getpid()}")
        self._core: Engine | None = None
        self._journal: PostgresJournal | None = None
        self._snapshot_seq = 0  # of the newest snapshot there is

    async def lead(self, progress: Progress) -> None:
        """Warm up, recover, wait until nobody else leads, and take the lead.

        Errors:
            Corrupt: the journal contradicts itself, or the core contradicts the journal.
            Unavailable: the database does not answer.
        """
        await self._warm_up(progress)
        reader = PostgresJournal(self._ground.pool, self._ground.database, 0)
        recovery = Recovery(
            reader, self._snapshots, core_of, lambda done, total: progress("recovery", done, total)
        )
        await recovery.run()
        if self._ground.postgres is None:
            await self._wait_for_the_lead(recovery, progress)
        epoch = await self._leadership.take()
        self._journal = PostgresJournal(self._ground.pool, self._ground.database, epoch)
        head = await self._journal.open()
        core = await recovery.run()  # what the last leader wrote until it was fenced
        assert isinstance(core, Engine)
        if core.last_seq != head:
            raise Corrupt(f"the core is at command {core.last_seq}, the journal at {head}")
        core.make_resident()
        self._core, self._snapshot_seq = core, recovery.snapshot.seq if recovery.snapshot else 0
        self._status.epoch = epoch
        self._status.seq = self._status.journal_seq = head

    async def _warm_up(self, progress: Progress) -> None:
        """Compile the kernels, or load them; in a thread, so that a signal is heard meanwhile."""
        self.is_warming = True
        progress("kernels")
        await asyncio.to_thread(warm_up, lambda name, done, total: progress("kernels", done, total))
        self.is_warming = False

    async def _wait_for_the_lead(self, recovery: Recovery, progress: Progress) -> None:
        """Follow the journal as a standby until the leader is gone."""
        while not await self._leadership.is_vacant():
            progress("standby: another process leads")
            await asyncio.sleep(STANDBY_LOOK_S)
            await recovery.run()

    async def begin(self, mirror: Mirror) -> Parts:
        """Begin to sequence; `mirror` shows the journal's head and follows it from here."""
        settings, pool = self._ground.settings, self._ground.pool
        assert self._core is not None and self._journal is not None, "it does not lead"
        clock = self._clock or SystemClock(self._core.now_ns)
        noter = Noter(mirror)
        sequencer = self._sequencer(clock, noter)
        days = FixedDays()
        calendar = make_calendar(self._ground, mirror, sequencer.submit, clock, days)
        await calendar.catch_up(self._journal)
        build = build_in_child if settings.build_scenarios else None
        scenarios = ScenarioKeeper(
            PostgresScenarios(pool), mirror, calendar.agenda, calendar.adopt, clock, build
        )
        await scenarios.load()
        collector, porter, restrainer = make_keepers(pool, mirror, sequencer.submit)
        self._parts = Parts(
            leadership=self._leadership,
            journal=self._journal,
            sequencer=sequencer,
            calendar=calendar,
            scenarios=scenarios,
            outbox=Outbox(OutboxRows(pool), sequencer.submit),
            custody=CustodyDesk(PostgresCustody(pool), mirror, sequencer.submit, clock),
            delivery=make_delivery(pool, mirror, clock),
            billing=BillingDesk(Billing(pool), mirror, sequencer.submit, Defaults(pool).kinds),
            giveups=GiveUpDesk(GiveUps(pool), mirror, sequencer.submit),
            efd=EfdDesk(Exchanges(pool), mirror, sequencer.submit, calendar.tape.settled_ns, clock),
            covers=CoverDesk(Covers(pool), mirror, sequencer.submit, clock),
            corrections=make_corrections(pool, mirror, sequencer.submit, clock),
            noter=noter,
            index=make_index(self._ground, mirror, sequencer.submit, clock),
            days=DayKeeper(FinalPrints(pool), clock, days),
            liquidation=make_liquidation(pool, mirror, sequencer.submit),
            fund=FundKeeper(mirror, Defaults(pool)),
            collector=collector,
            porter=porter,
            restrainer=restrainer,
            night=make_night(self._ground, mirror, calendar.agenda, clock),
            observer=make_observer(self._ground, clock),
            limits=LimitKeeper(Members(pool), mirror, sequencer.submit),
        )
        self._crew.start("sequencer", sequencer.run())
        self._crew.start("leadership", self._leadership.keep(self._crew.fail))
        self._crew.start("outbox", self._parts.outbox.run())
        self._crew.start("custody", self._parts.custody.run())
        self._crew.start("purge", purge_forever(PostgresSignatures(pool)))
        return self._parts

    def _sequencer(self, clock: Clock, noter: Noter) -> Sequencer:
        """Return the sequencer of the core and the journal that were led to."""
        assert self._core is not None and self._journal is not None, "it does not lead"
        return Sequencer(
            core=self._core,
            journal=self._journal,
            bus=self._bus,
            clock=clock,
            status=self._status,
            snapshots=self._snapshots,
            notes_at=noter.at,
            snapshot_seq=self._snapshot_seq,
            cadence=cadence_of(self._ground.settings),
            awake=Awake(linger_ns_of(self._ground.settings.awake_us)),
        )

    def begin_calendar(self) -> None:
        """Let time pass in the market; once batches are followed."""
        assert self._parts is not None
        self._crew.start("calendar", self._parts.calendar.run())
        self._crew.start("scenarios", self._parts.scenarios.run())
        self._crew.start("night", self._parts.night.run())
        self._crew.start("index", self._parts.index.run())
        self._crew.start("days", self._parts.days.run())

    def begin_liquidation(self) -> None:
        """Watch accounts, observe prices; once the operator has an account, and all is listed."""
        assert self._parts is not None
        self._crew.start("observer", self._parts.observer.run())
        self._crew.start("liquidation", self._parts.liquidation.run())
        self._crew.start("billing", self._parts.billing.run())
        self._crew.start("giveups", self._parts.giveups.run())
        self._crew.start("corrections", self._parts.corrections.run())
        self._crew.start("fund", self._parts.fund.run())
        self._crew.start("collector", self._parts.collector.run())
        self._crew.start("porting", self._parts.porter.run())
        self._crew.start("restraints", self._parts.restrainer.run())
        self._crew.start("delivery", self._parts.delivery.run())
        self._crew.start("efd", self._parts.efd.run())
        self._crew.start("covers", self._parts.covers.run())
        self._crew.start("limits", self._parts.limits.run())

    def wake_outbox(self, _: str = "") -> None:
        """Look for new accounts and transfers now."""
        if self._parts is not None:
            self._parts.outbox.wake()
            self._parts.custody.wake()

    def wake_scenarios(self, _: str = "") -> None:
        """Adopt the scenarios that somebody chose."""
        if self._parts is not None:
            self._parts.scenarios.wake()

    def unlisted_count(self) -> int:
        """Return how many contracts should be listed by now and are not."""
        assert self._parts is not None
        return len(self._parts.calendar.agenda.unlisted(time.time_ns()))

    async def end(self) -> None:
        """Commit what was applied, save the state, let a standby lead."""
        parts = self._parts
        if parts is None:
            return
        services = (
            "observer", "night", "scenarios", "index", "days", "calendar", "liquidation", "fund",
            "collector", "outbox", "custody", "billing", "giveups", "corrections", "delivery",
            "efd", "covers", "limits", "purge", "porting", "restraints",
        )  # fmt: skip
        await self._crew.end(*services)
        parts.sequencer.stop()
        if await self._crew.wait("sequencer", STOP_TIMEOUT_S) and self._crew.error is None:
            try:
                await asyncio.wait_for(parts.sequencer.save(), SAVE_TIMEOUT_S)
            except (Unavailable, TimeoutError) as error:
                _log.warning("not_saved", error=repr(error))
        await self._crew.end("sequencer", "leadership")
        with suppress(Unavailable):
            await parts.leadership.resign()
        await parts.journal.close()
