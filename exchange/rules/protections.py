"""What protects an account, as readers see it: its limits, its timers, its quote groups."""

from typing import Any, NamedTuple

import numpy as np

from matching.codes import BY_LEGS, QUOTE_GROUP_SHIFT, Flag, Kind
from matching.limits import QUOTE_GROUPS, TIMERS_PER_ACCOUNT
from matching.wire import COMMAND, new_commands

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_KIND, _STATE, _FLAGS = _FIELD["kind"], _FIELD["state"], _FIELD["flags"]
_QUOTE, _QUOTE_FLAG = int(Kind.QUOTE), int(Flag.QUOTE)


class Limits(NamedTuple):
    """What an account may do at most; 0 is no limit of its own."""

    qty_max_lots: int = 0  # of one order
    notional_max_usd_micros: int = 0  # of one order
    position_max_lots: int = 0  # in one contract, all that rests on a side counted in
    orders_per_second_max: int = 0
    open_orders_max: int = 0


def stricter(one: Limits, other: Limits) -> Limits:
    """Return the smaller of two limits, number by number (CRED_001); 0 is none."""
    return Limits(*(min(a or b, b or a) for a, b in zip(one, other, strict=True)))


def limits_command(account_idx: int, limits: Limits) -> np.ndarray:
    """Return the SET_LIMITS that says all limits of an account."""
    rows = new_commands(1)
    row = rows[0]
    row["kind"], row["account_idx"] = Kind.SET_LIMITS, account_idx
    row["qty_lots"], row["amount_usd_micros"] = limits.qty_max_lots, limits.notional_max_usd_micros
    row["order_id"], row["price_ticks"] = limits.position_max_lots, limits.orders_per_second_max
    row["ref_id"], row["state"] = limits.open_orders_max, BY_LEGS
    return rows


class Mmp(NamedTuple):
    """Market-maker protection of one quote group; a limit of 0 is none."""

    window_ns: int = 0  # 0: no protection
    qty_max_lots: int = 0
    delta_max_lots: int = 0
    fills_max: int = 0
    frozen: bool = False


class Protections:
    """What protects one account."""

    __slots__ = ("limits", "mmps", "timers_ns")

    def __init__(self) -> None:
        self.limits = Limits()
        self.timers_ns = [0] * TIMERS_PER_ACCOUNT  # when each Timer is due, 0 for not armed
        self.mmps = [Mmp()] * QUOTE_GROUPS


def order_flags(command: Any) -> int:
    """Return the flags of an order that a COMMAND row placed."""
    if command[_KIND] != _QUOTE:
        return int(command[_FLAGS])
    return int(command[_FLAGS] | _QUOTE_FLAG | (command[_STATE] << QUOTE_GROUP_SHIFT))


def group_of(flags: int) -> int:
    """Return the quote group in the flags of a quote."""
    return (flags >> QUOTE_GROUP_SHIFT) % QUOTE_GROUPS
