"""The whole exchange under load, killed again and again: nothing acknowledged is lost."""

import os
import sys
from collections.abc import Iterator

import pytest

from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange, Victim
from tests.torture.storm import Storm

KILLS = int(os.environ.get("WELLHEAD_KILLS", "12"))
SEED = int(os.environ.get("WELLHEAD_SEED", "1"))

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


@pytest.fixture
def folder() -> Iterator[object]:
    with data_folder() as path:
        yield path


async def test_killed_at_any_instant_nothing_acknowledged_is_lost_or_doubled(folder):
    exchange = Exchange(folder)
    try:
        report = await Storm(exchange, SEED).run(KILLS)
    finally:
        exchange.bury()
    print(report.line())
    assert report.found == [], "\n".join([report.line(), *report.found])
    assert sum(report.kills.values()) >= KILLS
    assert all(report.kills[victim] for victim in Victim) or len(Victim) > KILLS
