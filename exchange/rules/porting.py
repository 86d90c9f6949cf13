"""Clients of a member that fails: which are offered to whom, until when, and what follows.

A member fails from when its liquidation begins until that is over and it can answer again
(PORT_008). Its clients only reduce meanwhile (PORT_009); each that is sound is offered to one
member after the other (PORT_010), and closed out when the window ends without one (PORT_012).
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from exchange.rules.fund_sizing import LEAST_USD_MICROS
from exchange.rules.mirror_moves import Liquidation

HOUR_NS: Final = 3600 * 1_000_000_000
WINDOW_NS: Final = 4 * HOUR_NS  # of core time from the begin of the liquidation
TURN_NS: Final = HOUR_NS  # that one member has for its answer
KEY: Final = "default-{}-"  # of the liquidation; client and the member that is asked follow


class Failing(NamedTuple):
    """A member that fails, by the liquidation it was last seen in."""

    member_idx: int
    liquidation_id: int
    begun_ns: int

    @property
    def until_ns(self) -> int:
        """Return when the window of its clients ends."""
        return self.begun_ns + WINDOW_NS


class Receiver(NamedTuple):
    """A member that could take clients."""

    member_idx: int
    free_usd_micros: int  # less what clients need that are offered to it already
    room_usd_micros: int | None = None  # up to what its clients may use (CRED_007), None: no limit


def can_answer(equity_usd_micros: int) -> bool:
    """Say whether a member can answer for clients again: with the least share of the fund."""
    return equity_usd_micros >= LEAST_USD_MICROS


def failing_of(member_idx: int, last: Liquidation, equity: int, *, goes_on: bool) -> Failing | None:
    """Return a member as it fails (PORT_008), None when it does not.

    Args:
        last: its last liquidation.
        equity: of the member now, usd micros.
    """
    if not goes_on and can_answer(equity):
        return None
    return Failing(member_idx, last.liquidation_id, last.begun_ns)


def is_sound(equity_usd_micros: int, maintenance_usd_micros: int) -> bool:
    """Say whether a client may be offered: it is not about to be closed out itself."""
    return equity_usd_micros >= maintenance_usd_micros


def receiver_of(
    receivers: Iterable[Receiver], asked: Collection[int], needs_usd_micros: int
) -> int | None:
    """Return the member that is asked next: who has most, and was not asked yet (PORT_010).

    Args:
        needs_usd_micros: initial margin of the client.
    """
    found = [
        one
        for one in receivers
        if one.member_idx not in asked
        and one.free_usd_micros > 0
        and (one.room_usd_micros is None or one.room_usd_micros >= needs_usd_micros)
    ]
    best = max(found, key=lambda one: (one.free_usd_micros, -one.member_idx), default=None)
    return None if best is None else best.member_idx


def prefix_of(one: Failing) -> str:
    """Return how the names of all offers of a default begin."""
    return KEY.format(one.liquidation_id)


def key_of(one: Failing, client_idx: int, to_idx: int) -> str:
    """Return the name of an offer: the same member is asked for a client once in a default."""
    return f"{prefix_of(one)}{client_idx}-{to_idx}"


def offer_ends_ns(one: Failing, now_ns: int) -> int:
    """Return until when a member that is asked now may answer."""
    return min(now_ns + TURN_NS, one.until_ns)
