"""A settlement whose losers cannot pay in full, in one step: insurance first, then a cut of gains.

The product pays winners at once and has the layers of the waterfall bear what losers lack. So does
this, with the two layers that its cases know: the house's first, and gains that are not settled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.rules.layers import most_cut_usd_micros
from exchange.rules.waterfall import LayerName, bear


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLoss:
    """How variation margin was paid where some could not; usd micros by account."""

    taken: dict[str, int]  # from who lost
    shortfall_usd_micros: int
    insurance_used_usd_micros: int
    haircut: dict[str, int]  # of who gained
    equity: dict[str, int]  # after it
    insurance_usd_micros: int


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
    gains = [variations[name] for name in winners]
    most = {
        name: most_cut_usd_micros(gain, 0, gain) for name, gain in zip(winners, gains, strict=True)
    }
    borne = bear(shortfall, {
        LayerName.HOUSE_FIRST: {"insurance": insurance_usd_micros},
        LayerName.GAINS_HAIRCUT: most,
    })  # fmt: skip
    insured = borne.used_of(LayerName.HOUSE_FIRST)
    cut = LayerName.GAINS_HAIRCUT
    haircut = {one.party: one.used_usd_micros for one in borne.uses if one.layer == cut}
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
