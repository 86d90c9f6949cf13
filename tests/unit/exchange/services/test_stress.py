"""October 2025 in small: what must hold at the end, and the same seed the same bytes."""

import pytest

from exchange.rules.liquidation import is_due
from exchange.rules.operations import mark_command
from exchange.rules.standing import Maintenances, standing_of
from exchange.services.stress import Profile, play, write
from exchange.services.stress.october import October, prices_at
from exchange.services.stress.plots import Line, chart

SMALL = Profile(
    seed=7, traders=36, makers=6, flat=3, fund_usd=300, members=3, share_usd=200, second_usd=100
)


@pytest.fixture(scope="module")
def outcome():
    return play(SMALL)


def test_everything_that_must_hold_holds(outcome):
    assert [what for what, held in outcome.checks if not held] == []
    assert len(outcome.checks) == 12
    assert outcome.auctions > 0


def test_the_last_layers_are_used(outcome):
    assert outcome.liquidations > 3
    assert outcome.deleveraged_lots > 0 and outcome.proofs > 0
    assert outcome.in_liquidation[-1] == 0
    assert set(outcome.layers_usd_micros) >= {3, 4, 5, 6} and outcome.loss_proofs > 0


def test_the_page_says_what_happened(outcome, tmp_path):
    files = write(outcome, tmp_path)
    page = (tmp_path / "october-2025.md").read_text()
    assert len(files) == 4 and "**NO**" not in page
    assert f"| accounts deleveraged | {outcome.deleveraged_accounts} |" in page
    assert (tmp_path / "october-2025-fund.svg").read_text().startswith("<svg")


def test_what_is_kept_of_requirements_finds_whom_a_fresh_look_finds():
    run = October(Profile(seed=3, traders=12, makers=3, flat=1))
    run.open()
    run.world.send(*(run_mark(run, idx) for idx in range(len(run.fair))))
    mirror = run.world.mirror
    one_by_one = [
        idx
        for idx in range(len(mirror.accounts))
        if is_due(
            (own := standing_of(mirror, idx)).equity_usd_micros,
            own.maintenance_usd_micros,
        )
    ]
    assert one_by_one and one_by_one == Maintenances().due(mirror)


def run_mark(run: October, idx: int):
    return mark_command(idx, run.fair[idx] * 80 // 100)


def test_the_path_is_that_of_the_story():
    assert prices_at(0) == (10_000, 10_000)
    assert prices_at(40)[0] == 8_500  # bitcoin -15 %
    assert prices_at(42)[1] == 5_600  # compute -44 %


def test_a_chart_of_nothing_but_zeros_is_a_chart():
    assert "<polyline" in chart("none & nothing", "USD", [0, 1], [Line("flat", [0, 0])])
