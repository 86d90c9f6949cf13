"""Services of the leader that are made of many parts."""

from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg
import numpy as np

from exchange.config import Settings
from exchange.io.clock import Clock
from exchange.io.default_auctions import DefaultAuctions
from exchange.io.defaults import Defaults
from exchange.io.delivery import PostgresReceipts
from exchange.io.delivery_prices import hour_usd_micros
from exchange.io.delivery_proofs import Proofs
from exchange.io.index_child import publish_in_child
from exchange.io.index_store import PostgresIndex
from exchange.io.members import Members
from exchange.io.observation_fetch import load_sources
from exchange.io.observations import PostgresObservations
from exchange.io.price_data import load_price_data
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_transfers import PostgresTransfers
from exchange.io.restraints import Restraints
from exchange.io.settlement_corrections import Corrections
from exchange.io.settlement_roots import SettlementRoots
from exchange.io.settlements import SettlementInputs
from exchange.io.stress_results import StressResults
from exchange.rules.agenda import Agenda
from exchange.rules.final_settlement import FixedDays
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.sessions import CallTimes
from exchange.rules.stress_play import Machine
from exchange.services.auctioneer import Auctioneer
from exchange.services.calendar import Calendar
from exchange.services.corrections import CorrectionDesk
from exchange.services.delivery import DeliveryDesk
from exchange.services.fund_calls import FundCollector
from exchange.services.index_keeper import IndexKeeper
from exchange.services.liquidation import Liquidation
from exchange.services.night import Night, NightlyRoots, NightlySeal, NightlyStress
from exchange.services.node.ground import Ground
from exchange.services.observer import Observer
from exchange.services.porting import Porter
from exchange.services.restraints import Restrainer
from exchange.services.sequencer import Cadence
from matching.engine import Engine

Send = Callable[[np.ndarray], Awaitable[None]]


def cadence_of(settings: Settings) -> Cadence:
    """Return how often the sequencer saves the state, and writes its hash."""
    return Cadence(
        snapshot_commands=settings.snapshot_every_commands,
        hash_commands=settings.hash_every_commands,
    )


def core_of(blob: bytes | None) -> Engine:
    """Return the core that was saved, or an empty one."""
    return Engine.restore(blob) if blob is not None else Engine()


def make_night(ground: Ground, mirror: Mirror, agenda: Agenda, clock: Clock) -> Night:
    """Return what is done once a day."""
    pool, folder = ground.pool, ground.folder.path
    stress = NightlyStress(
        StressResults(pool), PostgresAccounts(pool), mirror, agenda, clock,
        Machine(load_price_data().steps), Defaults(pool).guarantors,
    )  # fmt: skip
    seal = NightlySeal(ground.database, folder)
    receipts = NightlyRoots(Proofs(pool), "receipts", folder, clock)
    settlements = NightlyRoots(SettlementRoots(pool), "final settlements", folder, clock)
    jobs = (stress, seal, receipts, settlements)
    return Night([job.run_if_due for job in jobs])


def make_delivery(pool: asyncpg.Pool, mirror: Mirror, clock: Clock) -> DeliveryDesk:
    """Return who keeps the registry of receipts; hours are priced by the index."""
    return DeliveryDesk(
        PostgresReceipts(pool),
        partial(hour_usd_micros, PostgresIndex(pool)),
        lambda idx: margin_of(mirror, idx).free_cash_usd_micros,
        clock,
    )


def make_calendar(
    ground: Ground, mirror: Mirror, send: Send, clock: Clock, days: FixedDays
) -> Calendar:
    """Return who lets time pass in the market; the prices it settles at are kept with reasons."""
    settings = ground.settings
    times = CallTimes(opening_s=settings.opening_call_s, closing_s=settings.closing_call_s)
    return Calendar(
        mirror, send, clock, load_price_data(),
        combinations=settings.list_combinations, times=times,
        keep=SettlementInputs(ground.pool).keep, days=days,
    )  # fmt: skip


def make_index(ground: Ground, mirror: Mirror, send: Send, clock: Clock) -> IndexKeeper:
    """Return who tells the engine of the index, and has it published if this node is to."""
    publish = partial(publish_in_child, ground.database) if ground.settings.publish_index else None
    return IndexKeeper(PostgresIndex(ground.pool), mirror, send, clock, publish)


def make_observer(ground: Ground, clock: Clock) -> Observer:
    """Return who records prices from outside."""
    settings = ground.settings
    return Observer(
        PostgresObservations(ground.pool), clock,
        lambda: load_sources(settings.sources_path, settings.observation_hosts),
        imports=settings.import_observations,
    )  # fmt: skip


def make_corrections(
    pool: asyncpg.Pool, mirror: Mirror, send: Send, clock: Clock
) -> CorrectionDesk:
    """Return who carries out corrections of settlements."""
    return CorrectionDesk(Corrections(pool), SettlementInputs(pool), mirror, send, clock)


def make_liquidation(pool: asyncpg.Pool, mirror: Mirror, send: Send) -> Liquidation:
    """Return what liquidates accounts, with the auctions of what it cannot close."""
    auctioneer = Auctioneer(DefaultAuctions(pool))
    return Liquidation(mirror, send, Defaults(pool), PostgresAccounts(pool), auctioneer)


def make_keepers(
    pool: asyncpg.Pool, mirror: Mirror, send: Send
) -> tuple[FundCollector, Porter, Restrainer]:
    """Return who collects for the fund, who sees to clients of members that fail, who restrains.

    The last holds owners, clients and members to their limits, and asks the others who else.
    """
    rows, notices = Defaults(pool), Restraints(pool)
    collector = FundCollector(
        mirror, rows, PostgresAccounts(pool), PostgresTransfers(pool), notices
    )
    porter = Porter(mirror, send, Members(pool), rows, notices)
    restrainer = Restrainer(mirror, send, notices, rows.kinds, collector.overdue, porter.orphans)
    return collector, porter, restrainer
