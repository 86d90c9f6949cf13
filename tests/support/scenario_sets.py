"""One built set of scenarios, shared by the tests of a process: a build takes seconds."""

from datetime import date
from functools import cache

from exchange.io.price_data import load_price_data
from exchange.rules.scenario_build import build, reference_prices
from exchange.rules.scenario_full import FullSet, full_set
from exchange.rules.scenario_set import ScenarioSet

DAY = date(2026, 11, 22)
FEW = 60  # contracts: as good as all for most tests


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
