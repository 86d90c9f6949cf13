"""Clearing members and their clients: who may be which, and when a client may be ported.

Membership says who answers for an account and may stop it. It is no part of the core, because the
core has nothing to add up: an account's cash, collateral, positions and requirement are its own,
whoever its member is. So a port changes one row, and moves neither lots nor money (PORT_003).
"""

from collections.abc import Container
from typing import Final

from exchange.rules.layers import FUND_KIND, HOUSE_KIND

MEMBER_KIND: Final = "member"
NEVER_CLIENTS: Final = frozenset((MEMBER_KIND, HOUSE_KIND, FUND_KIND))

OPERATOR_KIND: Final = "operator"
NEVER_DEAL: Final = frozenset((HOUSE_KIND, FUND_KIND, OPERATOR_KIND))


def may_deal(kind: str) -> bool:
    """Say whether an account of this kind can be asked for a block: the exchange's own cannot."""
    return kind not in NEVER_DEAL


def may_be_client(kind: str) -> bool:
    """Say whether an account of this kind can have a member (PORT_001)."""
    return kind not in NEVER_CLIENTS


def is_member(kind: str) -> bool:
    """Say whether an account of this kind can have clients (PORT_001)."""
    return kind == MEMBER_KIND


def hindrance(
    client_idx: int, to_idx: int, liquidations: Container[int], frozen: Container[int]
) -> str | None:
    """Return why a client cannot go to a member now, None if it can (PORT_004).

    Args:
        client_idx: who goes.
        to_idx: the member that is to receive it.
        liquidations: accounts that are being closed out.
        frozen: accounts that may not trade at all.
    """
    if client_idx in liquidations:
        return "the client itself is being closed out: that goes on, whoever its member is"
    if to_idx in liquidations:
        return "the receiving member is being closed out itself"
    if to_idx in frozen:
        return "the receiving member is frozen"
    return None
