"""The whole exchange under load, killed again and again: nothing acknowledged is lost."""

import os
import sys
from collections.abc import Iterator

import pytest

from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange, Victim
from tests.torture.storm import Storm

KILLS = int(os.environ.get("WELLHEAD_KILLS", "60"))  # in all storms together
SEED = int(os.environ.get("WELLHEAD_SEED", "1"))  # of the first
STORMS = 2

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(900 + 10 * KILLS),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


@pytest.fixture
def folder() -> Iterator[object]:
    with data_folder() as path:
        yield path


@pytest.mark.parametrize("number", range(STORMS))
async def test_killed_at_any_instant_nothing_acknowledged_is_lost_or_doubled(folder, number):
    kills = KILLS // STORMS + (number < KILLS % STORMS)
    exchange = Exchange(folder)
    try:
        report = await Storm(exchange, SEED + number).run(kills)
    finally:
        exchange.bury()
    print(report.line())
    assert report.found == [], "\n".join([report.line(), *report.found])
    assert sum(report.kills.values()) >= kills
    assert all(report.kills[victim] for victim in Victim) or len(Victim) > kills
