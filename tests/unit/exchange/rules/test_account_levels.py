"""Which level a new account has."""

import pytest

from exchange.rules.account_levels import opening_level_bps, opening_profile
from matching.codes import Profile


@pytest.mark.parametrize(
    ("kind", "level_bps"),
    [("customer", 11_000), ("client", 11_000), ("", 11_000), ("member", 10_000),
     ("neocloud", 10_000), ("miner", 10_000), ("house", 10_000), ("simulated", 10_000)],
)  # fmt: skip
def test_MRGN_107_who_is_no_member_is_a_client(kind: str, level_bps: int) -> None:
    assert opening_level_bps(kind) == level_bps


@pytest.mark.parametrize(
    ("kind", "profile"),
    [("neocloud", Profile.NEOCLOUD), ("miner", Profile.MINER), ("member", Profile.NONE),
     ("customer", Profile.NONE)],
)  # fmt: skip
def test_COLL_119_a_row_a_kind_says_which_wrong_way_rule_it_has(
    kind: str, profile: Profile
) -> None:
    assert opening_profile(kind) == profile
