"""What members owe the default fund, and from when it is collected."""

from exchange.rules.fund_calls import (
    CALL_NS,
    LEAST_USD_MICROS,
    Asked,
    due_by_ns,
    overdue_usd_micros,
)

USD = 1_000_000


def sizes(*asked: tuple[int, int]) -> list[Asked]:
    """Return what sizes at hours ask of a member, in dollars; the newest first."""
    return [Asked(hours * CALL_NS // 24, {"a": usd * USD}) for hours, usd in reversed(asked)]


def test_DEF_15_a_contribution_is_due_a_day_after_the_first_size_that_asks_for_it():
    assert due_by_ns([], "a", 0) is None
    assert due_by_ns(sizes((0, 5), (10, 5)), "a", 5 * USD) is None
    assert due_by_ns(sizes((0, 5), (10, 9), (20, 8)), "a", 5 * USD) == 34 * CALL_NS // 24
    assert due_by_ns(sizes((0, 9), (10, 5), (20, 8)), "a", 5 * USD) == 44 * CALL_NS // 24
    assert due_by_ns(sizes((0, 9)), "b", 0) is None


def test_DEF_15_what_every_size_of_the_last_day_asks_for_is_collected():
    hour = CALL_NS // 24
    asked = sizes((0, 20), (10, 12), (30, 15))
    assert overdue_usd_micros(asked, "a", 5 * USD, 33 * hour) == 0 + 7 * USD  # 20, 12, 15
    assert overdue_usd_micros(asked, "a", 5 * USD, 53 * hour) == 7 * USD
    assert overdue_usd_micros(asked, "a", 5 * USD, 54 * hour) == 10 * USD  # 15 alone
    assert overdue_usd_micros(asked, "a", 12 * USD, 33 * hour) == 0
    assert overdue_usd_micros(asked, "b", 0, 60 * hour) == 0


def test_DEF_15_nobody_is_asked_within_the_first_day_nor_for_less_than_a_dollar():
    assert overdue_usd_micros(sizes((0, 20)), "a", 0, CALL_NS - 1) == 0
    assert overdue_usd_micros(sizes((0, 20)), "a", 0, CALL_NS) == 20 * USD
    held = 20 * USD - LEAST_USD_MICROS + 1
    assert overdue_usd_micros(sizes((0, 20)), "a", held, CALL_NS) == 0
    assert overdue_usd_micros([], "a", 0, CALL_NS) == 0


def test_DEF_15_what_is_collected_is_due_by_then_and_was_due_before():
    hour = CALL_NS // 24
    asked = sizes((0, 20), (10, 12), (30, 15))
    for at in range(80):
        if overdue_usd_micros(asked[: len([one for one in asked if one.ts_ns <= at * hour])], "a",
                              5 * USD, at * hour):  # fmt: skip
            due = due_by_ns(asked, "a", 5 * USD)
            assert due is not None and due <= at * hour
