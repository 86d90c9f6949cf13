"""Calls and guards as the calendar keeps them: how long, how far, and when; rows of data.

A contract opens with a call. Before a daily settlement there is a closing call of the contracts
that have traded too little in the last half hour to be settled at its average, and of those that
trade for the last time. It ends some seconds before the settlement, which takes its price.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from exchange.rules.contracts import Contract
from exchange.rules.operations import (
    close_out_command,
    guard_command,
    last_trade_command,
    start_call_command,
    state_command,
)
from exchange.rules.records import Contract as ListedContract
from exchange.rules.settlement import TRADED_LOTS_MIN
from exchange.rules.tape import Tape
from exchange.rules.tenors import NS_PER_SECOND, Tenor
from matching.codes import CallPhase, TradingState

Pair = tuple[ListedContract, Contract]

SPARE_NS: Final = 5 * NS_PER_SECOND  # between the latest end of a closing call and the settlement
LATE_NS: Final = 2 * NS_PER_SECOND  # a tick is due each second; by then a call that can end has
CALL_S_MAX: Final = 600
_CLOSES: Final = (TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes:
    """How long the calls of the calendar last at least, and how much longer at most; 0: no call."""

    opening_s: int
    closing_s: int

    @property
    def opening_ns(self) -> int:
        """How long an opening call lasts at least."""
        return self.opening_s * NS_PER_SECOND

    @property
    def opening_window_ns(self) -> int:
        """How much longer an opening call lasts at most."""
        return self.opening_ns // 2

    @property
    def closing_ns(self) -> int:
        """How long a closing call lasts at least."""
        return self.closing_s * NS_PER_SECOND

    @property
    def closing_window_ns(self) -> int:
        """How much longer a closing call lasts at most."""
        return self.closing_ns // 3

    def closing_begins_ns(self, due_ns: int) -> int:
        """Return when the closing call before a settlement begins."""
        return self.closing_ends_after_ns(due_ns) - self.closing_ns

    def closing_ends_after_ns(self, due_ns: int) -> int:
        """Return the earliest end of the closing call before a settlement."""
        return due_ns - SPARE_NS - self.closing_window_ns


NO_CALLS: Final = CallTimes(opening_s=0, closing_s=0)
CALLS: Final = CallTimes(opening_s=10, closing_s=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """How far the prices of a tenor may move before a volatility call, and how long that lasts.

    Attributes:
        velocity_bps: within `velocity_s` seconds.
        daily_bps: from the last settlement; `daily_next_bps` once that was reached.
        window_s: how much longer than `call_s` a call lasts at most.
    """

    tenor: Tenor
    velocity_bps: int
    velocity_s: int
    daily_bps: int
    daily_next_bps: int
    call_s: int
    window_s: int


GUARD_ROWS: Final = tuple(
    GuardRow(tenor=tenor, velocity_bps=500, velocity_s=10, daily_bps=2_000, daily_next_bps=4_000,
             call_s=120, window_s=30)
    for tenor in Tenor
)  # fmt: skip
GUARD_ROW: Final[Mapping[Tenor, GuardRow]] = MappingProxyType(
    {row.tenor: row for row in GUARD_ROWS}
)


def guard_of(contract_idx: int, row: GuardRow) -> np.ndarray:
    """Return the SET_GUARD of a row."""
    return guard_command(
        contract_idx,
        velocity_bps=row.velocity_bps,
        velocity_ns=row.velocity_s * NS_PER_SECOND,
        daily_bps=(row.daily_bps, row.daily_next_bps),
        call_ns=row.call_s * NS_PER_SECOND,
        window_ns=row.window_s * NS_PER_SECOND,
    )


def terms(living: Iterable[Pair]) -> Iterator[np.ndarray]:
    """Guard every contract that nobody has said anything of, and have the core end its trading.

    A guard that somebody set, or took away, is left alone.
    """
    for listed, contract in living:
        if not listed.call.guard_set:
            yield guard_of(listed.contract_idx, GUARD_ROW[contract.period.tenor])
        if not listed.timed and listed.last_trade_ns:
            yield last_trade_command(listed.contract_idx, listed.last_trade_ns)


def openings(living: Iterable[Pair], times: CallTimes, now_ns: int) -> Iterator[np.ndarray]:
    """Open the contracts that are listed and margined, with a call where there is time for one."""
    ends_after_ns = now_ns + times.opening_ns
    for listed, _ in living:
        if listed.state != TradingState.PRE_OPEN or listed.last_trade_ns <= now_ns:
            continue
        idx, latest_ns = listed.contract_idx, ends_after_ns + times.opening_window_ns
        if times.opening_ns and latest_ns < listed.last_trade_ns:
            window_ns = times.opening_window_ns
            yield start_call_command(idx, CallPhase.OPENING, ends_after_ns, window_ns, if_due=True)
        else:
            yield state_command(idx, TradingState.CONTINUOUS)


def closings(
    living: Iterable[Pair], tape: Tape, times: CallTimes, due_ns: int, now_ns: int
) -> Iterator[np.ndarray]:
    """Begin the closing calls before a settlement, as long as half of their time is left.

    Args:
        due_ns: the next daily settlement.
    """
    begins_ns, ends_ns = times.closing_begins_ns(due_ns), times.closing_ends_after_ns(due_ns)
    if not times.closing_ns or not begins_ns <= now_ns < ends_ns - times.closing_ns // 2:
        return
    for listed, _ in living:
        idx = listed.contract_idx
        held = tape.closing(idx)
        if listed.state not in _CLOSES or (held is not None and held.ts_ns >= begins_ns):
            continue
        is_last = listed.last_trade_ns == due_ns
        if is_last or tape.window(idx, due_ns).lots < TRADED_LOTS_MIN:
            yield start_call_command(
                idx, CallPhase.CLOSING, ends_ns, times.closing_window_ns, if_due=True
            )


def is_closing(listed: ListedContract, times: CallTimes, seen_ns: int) -> bool:
    """Return whether a contract's closing call will end with one of the next ticks.

    Args:
        seen_ns: the time of the last command there was.
    """
    call = listed.call
    if call.phase != CallPhase.CLOSING or not call.ends_after_ns:
        return False
    return seen_ns < call.ends_after_ns + times.closing_window_ns + LATE_NS


def close_outs(expired: Iterable[Pair], done: set[int]) -> Iterator[np.ndarray]:
    """Close the positions of expired contracts; those without any are added to `done`."""
    for listed, _ in expired:
        if listed.contract_idx in done:
            continue
        if any(held.qty_lots or held.unsettled_usd_micros for held in listed.positions):
            yield close_out_command(listed.contract_idx)
        else:
            done.add(listed.contract_idx)
