"""Variation cycles between two daily settlements: when which contracts are paid at their mark.

At 12:00 UTC every contract; at any time one whose mark has moved by more than half of its scan
range since it was paid last, and those of a member that has lost more than half of its initial
margin since then.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import collect_command
from exchange.rules.records import Contract
from exchange.rules.tape import Tape
from exchange.rules.tenors import DAY, date_of, ns_of
from matching.codes import Cycle

MIDDAY_HOUR: Final = 12


def last_midday_ns(now_ns: int) -> int:
    """Return the newest 12:00 UTC that is over."""
    today_ns = ns_of(date_of(now_ns), MIDDAY_HOUR)
    return today_ns if today_ns <= now_ns else ns_of(date_of(now_ns) - DAY, MIDDAY_HOUR)


def cycles(
    living: Iterable[Contract], state: MirrorState, tape: Tape, now_ns: int
) -> Iterator[np.ndarray]:
    """Yield what is to be collected now; what was paid since it was due is not (VMAR_001, 002)."""
    midday_ns = last_midday_ns(now_ns)
    for contract in living:
        paid = tape.paid(contract.contract_idx)
        if paid is None or paid.ts_ns < midday_ns:
            yield collect_command(contract.contract_idx, Cycle.MIDDAY, midday_ns)
        elif contract.open_interest_lots and has_moved_far(
            contract, state.shocks[contract.contract_idx], paid.price_ticks
        ):
            yield collect_command(contract.contract_idx, Cycle.MARK_MOVED)


def has_moved_far(contract: Contract, shocks_usd_micros: Iterable[int], paid_ticks: int) -> bool:
    """Return whether a mark is more than half of the widest shock from the price paid last."""
    widest = max((abs(shock) for shock in shocks_usd_micros), default=0)
    moved = abs(contract.mark_ticks - paid_ticks) * contract.tick_value_usd_micros
    return widest > 0 and 2 * moved > widest


def has_lost_much(unsettled_usd_micros: int, initial_usd_micros: int) -> bool:
    """Return whether a member has lost more than half of its initial margin (VMAR_003)."""
    return -2 * unsettled_usd_micros > initial_usd_micros
