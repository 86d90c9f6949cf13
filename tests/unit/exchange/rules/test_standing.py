"""Who is below maintenance, by requirements that are kept until what they are made of changes."""

from exchange.rules.addons import Addon
from exchange.rules.operations import addons_command, swap_command
from exchange.rules.requirement import KEPT_BPS
from exchange.rules.standing import Maintenances, required_of
from matching.codes import Side
from tests.support.scenario_sets import built
from tests.unit.exchange.rules.test_scenario_dry_run import POOR, RICH, House

USD = 1_000_000


def test_a_change_of_add_ons_alone_is_seen_by_whoever_keeps_requirements() -> None:
    house, kept = House(), Maintenances()
    house.order(RICH, 1, Side.SELL, 2)
    house.order(POOR, 1, Side.BUY, 1)
    swap = swap_command(built().count, built().worst_count, KEPT_BPS)
    house.do(swap)  # no scenario says anything: nothing is required
    assert kept.due(house.mirror) == []
    addon = Addon(spread_usd_micros=1_001 * USD)
    house.do(addons_command(1, addon, by_hand=True))
    assert kept.due(house.mirror) == []  # what is staged margins nobody
    house.do(swap)
    assert kept.due(house.mirror) == [POOR]
    required = required_of(house.mirror, POOR).maintenance_usd_micros
    assert required == house.engine.requirement(POOR) == 1_001 * USD
