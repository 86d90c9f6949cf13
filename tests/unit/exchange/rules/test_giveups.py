"""Up to when a fill may be given up."""

import pytest

from exchange.rules.giveups import FILL_AGE_NS_MAX, is_too_old

DAY_NS = 24 * 3600 * 1_000_000_000


@pytest.mark.parametrize(
    ("age_ns", "refused"),
    [(0, False), (3 * DAY_NS, False), (3 * DAY_NS + 1, True), (-DAY_NS, False)],
)
def test_GIVE_005_a_fill_is_offered_within_three_days(age_ns: int, *, refused: bool) -> None:
    assert FILL_AGE_NS_MAX == 3 * DAY_NS
    assert is_too_old(10**18, 10**18 + age_ns) is refused
