"""Liquidation of an account that is below maintenance: how much of what goes, and at which price.

The bankruptcy price of a position is the price at which closing it takes all of its share
of the account's equity, shared by maintenance margin. Slices go to the book inside a band
that moves from the mark to the bankruptcy price as equity falls and time passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.rules.margin import requirement_usd_micros
from exchange.rules.money import BPS, div_ceil

MAINTENANCE_BPS: Final = 8_000  # of the initial requirement
DONE_BPS: Final = 11_000  # of the initial requirement: a liquidation ends there
BAND_BPS_MIN: Final = 25  # the first limit price is so far from the mark, if equity allows it
BAND_NS: Final = 20_000_000_000  # after so long the limit price is the bankruptcy price
TAKE_OVER_NS: Final = 30_000_000_000  # after so long the house takes what is left
SLICE_BPS: Final = 2_500  # of a position, the most in one slice
WHOLE_LOTS: Final = 4  # a position this small goes in one slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One position of the account, with what liquidation has to know of its contract."""

    contract_idx: int
    qty_lots: int  # signed, not 0
    mark_ticks: int
    tick_value_usd_micros: int
    maintenance_usd_micros: int  # of the position alone
    shocks_usd_micros: Sequence[int]  # profit of one long lot, by scenario

    @property
    def sign(self) -> int:
        """Return 1 for a long position, -1 for a short one."""
        return 1 if self.qty_lots > 0 else -1

    @property
    def tick_usd_micros(self) -> int:
        """Return what one tick is worth to the whole position, unsigned."""
        return abs(self.qty_lots) * self.tick_value_usd_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """An order that liquidation would send."""

    contract_idx: int
    side_sign: int  # 1 buys, -1 sells
    lots: int
    limit_ticks: int
    cost_usd_micros: int  # against the mark, at the price that is there; at least 1
    relief_usd_micros: int  # by which the requirement gets smaller


def maintenance_usd_micros(initial_usd_micros: int) -> int:
    """Return the maintenance requirement of an initial one, rounded up."""
    return div_ceil(initial_usd_micros * MAINTENANCE_BPS, BPS)


def is_due(equity_usd_micros: int, maintenance: int) -> bool:
    """Return whether an account has to be liquidated."""
    return equity_usd_micros < maintenance


def is_done(equity_usd_micros: int, initial: int) -> bool:
    """Return whether a liquidation is over."""
    return equity_usd_micros * BPS >= initial * DONE_BPS


def equity_share_usd_micros(equity: int, maintenance: int, maintenance_total: int) -> int:
    """Return a position's share of an account's equity, rounded down."""
    return equity * maintenance // maintenance_total if maintenance_total else equity


def distance_ticks(held: Held, equity_usd_micros: int, maintenance_total: int) -> int:
    """Return how far the mark is from bankruptcy, in ticks; negative when it is beyond."""
    share = equity_share_usd_micros(
        equity_usd_micros, held.maintenance_usd_micros, maintenance_total
    )
    return share // held.tick_usd_micros


def bankruptcy_price_ticks(
    held: Held, equity_usd_micros: int, maintenance_total: int, price_ticks_max: int
) -> int:
    """Return the last price at which the position does not cost more than its share of equity."""
    distance = distance_ticks(held, equity_usd_micros, maintenance_total)
    return min(max(1, held.mark_ticks - held.sign * distance), price_ticks_max - 1)


def limit_price_ticks(
    held: Held,
    equity_usd_micros: int,
    maintenance_total: int,
    elapsed_ns: int,
    price_ticks_max: int,
) -> int:
    """Return the limit of a slice: never beyond bankruptcy, nor on the better side of the mark.

    It moves there with the part of maintenance that equity has lost, or with time.
    """
    distance = max(0, distance_ticks(held, equity_usd_micros, maintenance_total))
    lost = min(max(0, maintenance_total - equity_usd_micros), maintenance_total)
    by_equity = distance * lost // max(1, maintenance_total)
    by_time = distance * min(elapsed_ns, BAND_NS) // BAND_NS
    least = held.mark_ticks * BAND_BPS_MIN // BPS
    away = min(distance, max(by_equity, by_time, least))
    return min(max(1, held.mark_ticks - held.sign * away), price_ticks_max - 1)


def slice_lots(qty_lots: int, offered_lots: int) -> int:
    """Return the most lots of a position that one slice may close."""
    held = abs(qty_lots)
    most = held if held <= WHOLE_LOTS else div_ceil(held * SLICE_BPS, BPS)
    return min(most, offered_lots)


def relief_usd_micros(losses: Sequence[int], held: Held, lots: int, worst_count: int) -> int:
    """Return by how much the requirement gets smaller when lots of a position are closed.

    Args:
        losses: W[s] of the whole account.
    """
    closed = held.sign * lots
    after = [
        loss + closed * shock for loss, shock in zip(losses, held.shocks_usd_micros, strict=True)
    ]
    before_usd_micros = requirement_usd_micros(losses, worst_count)
    return before_usd_micros - requirement_usd_micros(after, worst_count)


def least_lots(
    losses: Sequence[int], held: Held, most_lots: int, worst_count: int, room: int
) -> int:
    """Return the fewest lots, up to the most, that bring the requirement to 1.1 within equity.

    Args:
        room: equity less what the slice costs, usd micros.
    """
    initial = requirement_usd_micros(losses, worst_count)
    low, high = 1, most_lots
    while low < high:
        middle = (low + high) // 2
        relief = relief_usd_micros(losses, held, middle, worst_count)
        if is_done(room, initial - relief):
            high = middle
        else:
            low = middle + 1
    return high


def best_slice(slices: Sequence[Slice]) -> Slice | None:
    """Return the slice that lowers the requirement most for each dollar lost; None of none.

    A slice that does not lower it is none. Ties go to the larger relief, then the lower contract.
    """
    useful = [one for one in slices if one.relief_usd_micros > 0 and one.lots > 0]
    best: Slice | None = None
    for one in useful:
        if best is None or _key(one, best) > 0:
            best = one
    return best


def _key(one: Slice, best: Slice) -> int:
    """Return more than 0 when `one` is better than `best`."""
    ratio = (
        one.relief_usd_micros * best.cost_usd_micros - best.relief_usd_micros * one.cost_usd_micros
    )
    if ratio:
        return ratio
    more = one.relief_usd_micros - best.relief_usd_micros
    return more or best.contract_idx - one.contract_idx
