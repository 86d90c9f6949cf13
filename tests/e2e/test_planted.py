"""The same storm over an exchange with a bug planted in it: it must be found."""

import sys

import pytest

from tests.support.postgres import data_folder
from tests.torture import floor
from tests.torture.exchange import Exchange, Victim
from tests.torture.planted import BUGS
from tests.torture.storm import Report, Storm

KILLS = 8  # at most: the first that finds something is the last

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


async def storm_over(bug: str, weights: dict[Victim, int], kills: int) -> Report:
    command = (sys.executable, "-m", "tests.torture.planted", bug, "serve")
    with data_folder() as folder:
        exchange = Exchange(folder, command)
        try:
            return await Storm(exchange, 3, weights).run(kills, until_found=True)
        finally:
            exchange.bury()


@pytest.mark.parametrize("bug", [name for name, bug in BUGS.items() if bug.shown_by])
async def test_a_planted_bug_is_found(bug, monkeypatch):
    # Some show by clearing that never gets there: what is right is waited for longer elsewhere.
    monkeypatch.setattr(floor, "CATCH_UP_S", 15.0)
    report = await storm_over(bug, {BUGS[bug].shown_by: 1}, KILLS)
    assert report.found, report.line()


async def test_slowness_alone_is_not_found():
    report = await storm_over("slow_but_right", {Victim.NODE: 1, Victim.CLEARING: 1}, 3)
    assert report.found == [], report.line()
