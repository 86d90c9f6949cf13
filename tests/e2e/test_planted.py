"""The same storm over an exchange with a bug planted in it: it must be found."""

import sys

import pytest

from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange
from tests.torture.planted import BUGS
from tests.torture.storm import Storm

KILLS = 8  # at most: the first that finds something is the last

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


@pytest.mark.parametrize("bug", [name for name, bug in BUGS.items() if bug.shown_by])
async def test_a_planted_bug_is_found(bug):
    command = (sys.executable, "-m", "tests.torture.planted", bug, "serve")
    with data_folder() as folder:
        exchange = Exchange(folder, command)
        storm = Storm(exchange, seed=3, weights={BUGS[bug].shown_by: 1})
        try:
            report = await storm.run(KILLS, until_found=True)
        finally:
            exchange.bury()
    assert report.found, report.line()
