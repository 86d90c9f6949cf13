"""What the calendar does when the trading of a contract is over (LIFE_001 to LIFE_006).

It was settled at its last moment. Then either contracts follow it: they are listed and margined
first, it expires, which ends its orders, and its positions go over in as many parts as it takes.
Or it delivers: its combinations end, each day is fixed by its print, the last settlement waits a
day, and only then it expires and is closed.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import Enum

import numpy as np

from exchange.rules.cascades import following, preceding
from exchange.rules.contracts import Contract
from exchange.rules.final_settlement import (
    NOTHING_FIXED,
    FixedDays,
    accrues_ns,
    final_ns,
    lot_worth_usd_micros,
    prints_digest,
)
from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import state_command
from exchange.rules.operations_life import (
    accrue_command,
    cascade_command,
    settle_again_command,
)
from exchange.rules.records import Contract as ListedContract
from exchange.rules.tenors import date_of
from matching.codes import TradingState

Pair = tuple[ListedContract, Contract]
FINALLY = 2  # Delivery.phase


class Way(Enum):
    """What becomes of a contract whose trading is over."""

    CASCADE = "cascade"
    WAIT = "wait"  # until those that follow are listed and margined
    DELIVER = "deliver"


def is_over(listed: ListedContract, now_ns: int) -> bool:
    """Return whether the last moment of trading has passed."""
    return 0 < listed.last_trade_ns <= now_ns


def way_of(mirror: MirrorState, contract: Contract, contracts_max: int) -> Way:
    """Return what becomes of a contract now (LIFE_001).

    One that cannot be followed any more, for lack of room or since a part of it delivers already,
    delivers itself: that pays the same.
    """
    children = following(contract)
    found = [mirror.contract(child.symbol) for child in children]
    listed = [one for one in found if one is not None]
    missing = len(children) - len(listed)
    if not children or any(_is_gone(one) for one in listed):
        return Way.DELIVER
    if missing and len(mirror.contracts) + missing > contracts_max:
        return Way.DELIVER
    return Way.CASCADE if not missing and _margined(mirror, listed) else Way.WAIT


def _is_gone(child: ListedContract) -> bool:
    return child.state == TradingState.EXPIRED or child.delivery.phase > 0


def _margined(mirror: MirrorState, listed: Iterable[ListedContract]) -> bool:
    """Return whether a position in each contract that trades would need margin."""
    return mirror.scenario_count > 0 and all(
        any(mirror.shocks[one.contract_idx]) or is_over(one, mirror.ts_ns) for one in listed
    )


def heirs(living: Iterable[Pair], on: date) -> Iterator[tuple[Contract, int]]:
    """Return what follows the contracts that trade for the last time by a day, with prices.

    The price is what the parent is settled at, for a contract that has none of its own.
    """
    for listed, contract in living:
        is_last = listed.last_trade_ns > 0 and date_of(listed.last_trade_ns) <= on
        if is_last and listed.delivery.phase == 0:
            yield from ((child, listed.settle_ticks) for child in following(contract))


def owes(listed: ListedContract) -> bool:
    """Return whether a contract owes variation margin."""
    return any(held.unsettled_usd_micros for held in listed.positions)


def settlements_again(over: Iterable[Pair]) -> Iterator[np.ndarray]:
    """Settle at its last settlement price what others came into after it, or was marked (LIFE_002).

    That is so after a pause in which a contract and one that follows it traded for the last time.
    """
    for listed, _ in over:
        if listed.delivery.phase == 0 and owes(listed):
            yield settle_again_command(listed.contract_idx, listed.settle_ticks)


def expiries(
    mirror: MirrorState, settled: Iterable[Pair], contracts_max: int
) -> Iterator[np.ndarray]:
    """End contracts that are followed now, and those settled for the last time (LIFE_002)."""
    for listed, contract in settled:
        phase = listed.delivery.phase
        if owes(listed):
            continue
        followed = phase == 0 and not is_awaited(mirror, contract)
        if phase == FINALLY or (
            followed and way_of(mirror, contract, contracts_max) is Way.CASCADE
        ):
            yield state_command(listed.contract_idx, TradingState.EXPIRED)


def is_cascading(mirror: MirrorState, listed: ListedContract, contract: Contract) -> bool:
    """Return whether an expired contract's positions go over to others."""
    if listed.open_interest_lots == 0 or not is_over(listed, mirror.ts_ns):
        return False
    if listed.delivery.phase or owes(listed):
        return False
    children = [mirror.contract(child.symbol) for child in following(contract)]
    return bool(children) and all(one is not None and not _is_gone(one) for one in children)


def cascades(mirror: MirrorState, expired: Iterable[Pair]) -> Iterator[np.ndarray]:
    """Move the positions of expired contracts into those that follow (LIFE_003)."""
    for listed, contract in expired:
        if is_cascading(mirror, listed, contract):
            children = [mirror.symbols[child.symbol] for child in following(contract)]
            yield cascade_command(listed.contract_idx, children, listed.open_interest_lots)


def is_awaited(mirror: MirrorState, contract: Contract) -> bool:
    """Return whether positions of another contract are still to come into this one."""
    parents = (mirror.contract(parent.symbol) for parent in preceding(contract))
    return any(
        parent is not None
        and parent.delivery.phase == 0
        and (parent.state != TradingState.EXPIRED or parent.open_interest_lots > 0)
        for parent in parents
    )


def deliveries(
    mirror: MirrorState, settled: Iterable[Pair], days: FixedDays, contracts_max: int, now_ns: int
) -> Iterator[np.ndarray]:
    """Begin deliveries, fix their days, settle for the last time (LIFE_004 to LIFE_006)."""
    for listed, contract in settled:
        if not listed.ended or listed.delivery.phase == FINALLY:
            continue
        if listed.delivery.phase == 0 and owes(listed):
            continue
        if listed.delivery.phase:
            yield from accruals(listed, contract, days, now_ns)
            continue
        delivers = way_of(mirror, contract, contracts_max) is Way.DELIVER
        if delivers and not is_awaited(mirror, contract):
            yield from beginnings(listed, contract)


def beginnings(listed: ListedContract, contract: Contract) -> Iterator[np.ndarray]:
    """End what a contract is a leg of, then begin its delivery at its last settlement price."""
    combined = [one for one in listed.combinations if one.state != TradingState.EXPIRED]
    for one in combined:
        yield state_command(one.contract_idx, TradingState.EXPIRED)
    if not combined:
        days = (0, contract.period.days)
        yield accrue_command(listed.contract_idx, 1, listed.worth_usd_micros, days, NOTHING_FIXED)


def accruals(
    listed: ListedContract, contract: Contract, days: FixedDays, now_ns: int
) -> Iterator[np.ndarray]:
    """Settle a contract in delivery at the days that are fixed by now."""
    period, delivery = contract.period, listed.delivery
    known = days.of(contract.series.symbol, period)
    prints = [one for one in known if accrues_ns(one.day) <= now_ns]
    fixed = len(prints)
    is_final = fixed == delivery.days_fixed == period.days
    is_final = is_final and now_ns >= final_ns(period, delivery.accrued_ns)
    if fixed > delivery.days_fixed or is_final:
        worth = lot_worth_usd_micros(period.days, [one.price_usd_micros for one in prints])
        yield accrue_command(
            listed.contract_idx, delivery.accruals + 1, worth, (fixed, period.days),
            prints_digest(contract.symbol, prints), is_final=is_final,
        )  # fmt: skip
