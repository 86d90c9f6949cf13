"""Which contracts a variation cycle pays between two daily settlements."""

from datetime import date

import pytest

from exchange.rules.cycles import cycles, has_lost_much, has_moved_far, last_midday_ns
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract
from exchange.rules.tape import Paid, Tape
from exchange.rules.tenors import NS_PER_HOUR, ns_of
from matching.codes import Cycle

NOON_NS = ns_of(date(2026, 11, 23), 12)


def contract(mark_ticks: int) -> Contract:
    made = Contract(0, "H100-USE-2027M03")
    made.mark_ticks, made.tick_value_usd_micros, made.open_interest_lots = mark_ticks, 10, 5
    return made


def test_VMAR_001_noon_is_the_newest_one_that_is_over() -> None:
    assert last_midday_ns(NOON_NS) == NOON_NS
    assert last_midday_ns(NOON_NS - 1) == NOON_NS - 24 * NS_PER_HOUR


@pytest.mark.parametrize(
    ("mark_ticks", "far"), [(2000, False), (2050, False), (2051, True), (1950, False), (1949, True)]
)
def test_VMAR_002_a_mark_beyond_half_its_widest_shock_is_far(mark_ticks: int, far: bool) -> None:
    assert has_moved_far(contract(mark_ticks), [-1_000, 700], 2000) is far


def test_VMAR_002_without_a_matrix_nothing_is_far() -> None:
    assert not has_moved_far(contract(1), [], 2000)


@pytest.mark.parametrize(("lost", "much"), [(-500, False), (-501, True), (900, False)])
def test_VMAR_003_more_than_half_of_the_initial_margin_is_much(lost: int, much: bool) -> None:
    assert has_lost_much(lost, 1_000) is much


def found(paid: Paid | None, mark_ticks: int, open_lots: int = 5) -> list[int]:
    state, tape, one = MirrorState(12), Tape(), contract(mark_ticks)
    one.open_interest_lots = open_lots
    state.shocks = [[-1_000, 1_000]]
    if paid is not None:
        tape._paid[0] = paid
    rows = cycles([one], state, tape, NOON_NS + 5)
    return [int(row["state"][0]) for row in rows]


def test_a_contract_is_collected_at_noon_or_when_far_and_else_never() -> None:
    assert found(None, 2000) == [Cycle.MIDDAY]
    assert found(Paid(NOON_NS - 1, 2000), 2000) == [Cycle.MIDDAY]
    assert found(Paid(NOON_NS, 2000), 2000) == []
    assert found(Paid(NOON_NS, 2000), 2051) == [Cycle.MARK_MOVED]
    assert found(Paid(NOON_NS, 2000), 2051, open_lots=0) == []
