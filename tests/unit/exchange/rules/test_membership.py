"""Who may be a member and who a client, and when a client may be ported."""

import pytest

from exchange.rules.account_levels import LEVEL_BPS_BY_KIND
from exchange.rules.membership import hindrance, is_member, may_be_client


@pytest.mark.parametrize("kind", ["member", "house", "fund"])
def test_port_001_who_clears_for_itself_is_nobodys_client(kind):
    assert not may_be_client(kind)
    assert is_member(kind) == (kind == "member")


@pytest.mark.parametrize("kind", ["customer", "neocloud", "miner", "market_maker"])
def test_port_001_all_others_may_have_a_member_and_no_clients(kind):
    assert may_be_client(kind) and not is_member(kind)
    assert LEVEL_BPS_BY_KIND.get("member") == 10_000


def test_port_004_nobody_goes_while_it_is_closed_out_or_to_who_is_or_is_frozen():
    assert hindrance(1, 2, {}, set()) is None
    assert hindrance(1, 2, {7}, {1, 7}) is None  # a frozen client goes: its member may be why
    for liquidations, frozen, says in (
        ({1}, set(), "client"), ({2}, set(), "receiving"), (set(), {2}, "frozen"),
    ):  # fmt: skip
        assert says in (hindrance(1, 2, liquidations, frozen) or "")
