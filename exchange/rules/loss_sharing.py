"""A settlement whose losers cannot pay in full: insurance first, then a haircut of the gains.

What losers have is taken. What is missing comes from the insurance fund, and what
that lacks from the day's gains, in proportion to them: nobody loses what they had
before, and who gained nothing gives nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.rules.shares import pro_rata_capped


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLoss:
    """How variation margin was paid where some could not; usd micros by account."""

    taken: dict[str, int]  # from who lost
    shortfall_usd_micros: int
    insurance_used_usd_micros: int
    haircut: dict[str, int]  # of who gained
    equity: dict[str, int]  # after it
    insurance_usd_micros: int


def most_cut_usd_micros(gain: int, cut_before: int, cash: int) -> int:
    """Return how much of a gain may be cut: no more than the gain, and no cash that is not there.

    Args:
        cut_before: of the same gain, for other losses.
    """
    return max(0, min(gain - cut_before, cash))


def settle_shared(
    variations: Mapping[str, int], equity: Mapping[str, int], insurance_usd_micros: int
) -> SharedLoss:
    """Pay variation margin that sums to zero, as far as the losers' equity goes.

    Args:
        variations: of each account; a loss is negative.
        equity: of each account before; one that is short gives nothing.
    """
    assert sum(variations.values()) == 0 and insurance_usd_micros >= 0
    losers = {name: -amount for name, amount in variations.items() if amount < 0}
    winners = sorted(name for name, amount in variations.items() if amount > 0)
    taken = {name: min(owed, max(0, equity.get(name, 0))) for name, owed in losers.items()}
    shortfall = sum(losers.values()) - sum(taken.values())
    insured = min(shortfall, insurance_usd_micros)
    gains = [variations[name] for name in winners]
    most = [most_cut_usd_micros(gain, 0, gain) for gain in gains]
    cuts = pro_rata_capped(shortfall - insured, most)
    haircut = {name: cut for name, cut in zip(winners, cuts, strict=True) if cut}
    after = dict(equity)
    for name, amount in taken.items():
        after[name] = after.get(name, 0) - amount
    for name, gain in zip(winners, gains, strict=True):
        after[name] = after.get(name, 0) + gain - haircut.get(name, 0)
    return SharedLoss(
        taken=taken,
        shortfall_usd_micros=shortfall,
        insurance_used_usd_micros=insured,
        haircut=haircut,
        equity=after,
        insurance_usd_micros=insurance_usd_micros - insured,
    )
