"""Services of the leader that are made of many parts."""

from functools import partial

import asyncpg

from exchange.io.clock import Clock
from exchange.io.delivery import PostgresReceipts
from exchange.io.delivery_prices import hour_usd_micros
from exchange.io.delivery_proofs import Proofs
from exchange.io.index_store import PostgresIndex
from exchange.io.price_data import load_price_data
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.stress_results import StressResults
from exchange.rules.agenda import Agenda
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.stress_play import Machine
from exchange.services.delivery import DeliveryDesk
from exchange.services.night import Night, NightlyRoots, NightlySeal, NightlyStress
from exchange.services.node.ground import Ground


def make_night(ground: Ground, mirror: Mirror, agenda: Agenda, clock: Clock) -> Night:
    """Return what is done once a day."""
    pool, folder = ground.pool, ground.folder.path
    stress = NightlyStress(
        StressResults(pool), PostgresAccounts(pool), mirror, agenda, clock,
        Machine(load_price_data().steps),
    )  # fmt: skip
    seal = NightlySeal(ground.database, folder)
    roots = NightlyRoots(Proofs(pool), folder, clock)
    return Night((stress.run_if_due, seal.run_if_due, roots.run_if_due))


def make_delivery(pool: asyncpg.Pool, mirror: Mirror, clock: Clock) -> DeliveryDesk:
    """Return who keeps the registry of receipts; hours are priced by the index."""
    return DeliveryDesk(
        PostgresReceipts(pool),
        partial(hour_usd_micros, PostgresIndex(pool)),
        lambda idx: margin_of(mirror, idx).free_cash_usd_micros,
        clock,
    )
