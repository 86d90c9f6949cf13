"""Implied prices as a reader sees them: what the best levels of other books offer in this one.

They are no orders: each is there as long as what it is made of. A guard may still be in the way,
and so may self-trade prevention; bands are looked at here as in the core.
"""

from typing import Final

from exchange.rules.book_side import BookSide
from exchange.rules.records import Contract
from matching.codes import Side, TradingState

LEVELS_SHOWN: Final = 10  # of one side
Level = tuple[int, int]  # price_ticks, lots


def implied_levels(contract: Contract, side: int) -> list[Level]:
    """Return the implied prices of a side of a contract, best first: at most LEVELS_SHOWN.

    Of a combination the one that its legs make, of a leg one for each combination with an order.
    """
    takes = Side.SELL if side == Side.BUY else Side.BUY
    if contract.legs:
        found = [_of_legs(contract, takes)]
    else:
        found = [_of_order(one, contract, takes) for one in contract.combinations]
    levels: dict[int, int] = {}
    for level in found:
        if level is not None:
            levels[level[0]] = levels.get(level[0], 0) + level[1]
    best_first = sorted(levels.items(), reverse=side == Side.BUY)
    return best_first[:LEVELS_SHOWN]


def _trades(combination: Contract) -> bool:
    parts = [combination, *(leg for leg, _ in combination.legs)]
    return combination.implied and all(one.state == TradingState.CONTINUOUS for one in parts)


def _best(side: BookSide) -> Level | None:
    ticks = side.best_ticks()
    return (ticks, side.levels[ticks][0]) if ticks else None


def _makers(combination: Contract, side: int, but: Contract | None) -> tuple[int, int] | None:
    """Return what an order of a side of a combination pays for its legs, and the least lots."""
    total_ticks, least_lots = 0, 0
    for leg, ratio in combination.legs:
        if leg is but:
            continue
        bought = (side == Side.BUY) == (ratio > 0)
        best = _best(leg.books[Side.SELL if bought else Side.BUY])
        if best is None or not leg.band_low_ticks <= best[0] <= leg.band_high_ticks:
            return None
        total_ticks += ratio * best[0]
        least_lots = min(least_lots or best[1], best[1])
    return total_ticks, least_lots


def _of_legs(combination: Contract, side: int) -> Level | None:
    """Return what the legs offer to an order of a side of their combination."""
    makers = _makers(combination, side, None) if _trades(combination) else None
    if makers is None:
        return None
    ticks, lots = makers
    if combination.base_ticks:
        ticks += combination.base_ticks
    else:  # the mean, rounded against who takes
        count = len(combination.legs)
        ticks = -(-ticks // count) if side == Side.BUY else ticks // count
    return (ticks, lots) if ticks > 0 else None


def _of_order(combination: Contract, contract: Contract, side: int) -> Level | None:
    """Return what a combination's best order offers, with its other legs, to one of this leg."""
    ratio = {leg.contract_idx: sign for leg, sign in combination.legs}[contract.contract_idx]
    # Whoever buys the leg meets the order that sells it.
    rests = (Side.SELL if side == Side.BUY else Side.BUY) if ratio > 0 else side
    best = _best(combination.books[rests])
    makers = _makers(combination, rests, contract) if best and _trades(combination) else None
    if best is None or makers is None:
        return None
    worth_ticks = best[0] * len(combination.legs)
    if combination.base_ticks:
        worth_ticks = best[0] - combination.base_ticks
    ticks = ratio * (worth_ticks - makers[0])
    if not contract.band_low_ticks <= ticks <= contract.band_high_ticks:
        return None
    return ticks, min(best[1], makers[1])
