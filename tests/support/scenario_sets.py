"""One built set of scenarios, shared by the tests of a process: a build takes seconds."""

from datetime import date
from functools import cache

from exchange.io.price_data import load_price_data
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.operations import stage_commands, swap_command
from exchange.rules.quotes import PriceData
from exchange.rules.reference import references
from exchange.rules.requirement import KEPT_BPS
from exchange.rules.scenario_build import build
from exchange.rules.scenario_full import FullSet, full_set
from exchange.rules.scenario_prices import settled_prices
from exchange.rules.scenario_set import ScenarioSet
from tests.support.api_world import World

DAY = date(2026, 11, 22)
FEW = 60  # contracts: as good as all for most tests


def reference_prices(data: PriceData, on: date) -> dict[str, int]:
    """Return the reference prices of the catalogue of a day, in ticks by symbol."""
    found = references(data, LISTED_SERIES, on)
    pairs = ((contract, found.of(contract)) for contract in listed_contracts(on))
    return {contract.symbol: price.price_ticks for contract, price in pairs if price is not None}


@cache
def prices() -> dict[str, int]:
    every = reference_prices(load_price_data(), DAY)
    return dict(list(every.items())[:: len(every) // FEW])


@cache
def built() -> ScenarioSet:
    return build(load_price_data(), DAY, prices())


@cache
def full() -> FullSet:
    return full_set(load_price_data(), DAY)


async def make_live(world: World) -> None:
    """Do what the calendar would."""
    wanted = built().live_shocks(settled_prices(world.mirror))
    for symbol, shocks in wanted.items():
        for row in stage_commands(world.mirror.symbols[symbol], shocks)[:, None]:
            await world.command(row)
    await world.command(swap_command(built().count, built().worst_count, KEPT_BPS))
