"""The default waterfall: who bears a loss, in which order, and never more than their layer has.

The layers are rows of data, each held by cash accounts of its own. A layer is used
only when the ones before it are used up. What each gives is divided among those
who stand in it, and every use says of how much, for what, and by which share.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.rules.money import BPS
from exchange.rules.shares import pro_rata_capped

ASSESSMENT_BPS: Final = 27_500  # of one's contribution, at most, for one default


class LayerName(StrEnum):
    """Every layer there is."""

    DEFAULTER_MARGIN = "defaulter_margin"
    MEMBER_GUARANTEE = "member_guarantee"
    DEFAULTER_FUND = "defaulter_fund"
    HOUSE_FIRST = "house_first"
    FUND_OF_OTHERS = "fund_of_others"
    HOUSE_SECOND = "house_second"
    ASSESSMENTS = "assessments"
    GAINS_HAIRCUT = "gains_haircut"
    TEAR_UP = "tear_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One row of the waterfall."""

    place: int  # its number in journal and proofs; the rows themselves stand in their order
    name: LayerName
    account: str  # whose cash account of the ledger holds it; `{}` is the party
    story: str


LAYERS: Final = (
    Layer(place=1, name=LayerName.DEFAULTER_MARGIN, account="{}",
          story="cash, margin and collateral of who defaulted"),
    Layer(place=9, name=LayerName.MEMBER_GUARANTEE, account="{}",
          story="cash of the clearing member that answers for the client that defaulted"),
    Layer(place=2, name=LayerName.DEFAULTER_FUND, account="fund.{}",
          story="what the defaulter, or the member of the client, paid into the default fund"),
    Layer(place=3, name=LayerName.HOUSE_FIRST, account="insurance",
          story="the exchange's own money, before anybody else's"),
    Layer(place=4, name=LayerName.FUND_OF_OTHERS, account="fund.{}",
          story="the default fund of the others, by contribution"),
    Layer(place=5, name=LayerName.HOUSE_SECOND, account="house-second",
          story="the exchange's own money, its second part"),
    Layer(place=6, name=LayerName.ASSESSMENTS, account="{}",
          story="called from the others, at most 2.75 times their contribution"),
    Layer(place=7, name=LayerName.GAINS_HAIRCUT, account="{}",
          story="a part of the variation margin gains that are not paid yet"),
    Layer(place=8, name=LayerName.TEAR_UP, account="{}",
          story="open positions against the defaulter's end, at its bankruptcy price"),
)  # fmt: skip
assert sorted(layer.place for layer in LAYERS) == list(range(1, len(LAYERS) + 1))
assert [layer.name for layer in LAYERS] == list(LayerName)
PLACE_OF: Final = {layer.name: layer.place for layer in LAYERS}
LAYER_AT: Final = {layer.place: layer for layer in LAYERS}
TURN_OF: Final = {layer.name: turn for turn, layer in enumerate(LAYERS)}
OWN_LAYER: Final = PLACE_OF[LayerName.DEFAULTER_MARGIN]
GAINS_LAYER: Final = PLACE_OF[LayerName.GAINS_HAIRCUT]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerUse:
    """What one party of one layer gave."""

    layer: LayerName
    place: int
    party: str
    available_usd_micros: int
    used_usd_micros: int
    loss_before_usd_micros: int  # what was left to bear when the layer was reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """How a loss was borne."""

    loss_usd_micros: int
    uses: tuple[LayerUse, ...]

    @property
    def uncovered_usd_micros(self) -> int:
        """Return what no layer bore."""
        return self.loss_usd_micros - sum(use.used_usd_micros for use in self.uses)

    def used_of(self, layer: LayerName) -> int:
        """Return what a layer gave."""
        return sum(use.used_usd_micros for use in self.uses if use.layer == layer)


Parts = Mapping[LayerName, Mapping[str, int]]  # by layer and party: what there is, usd micros


def assessments_of(contributions: Mapping[str, int]) -> dict[str, int]:
    """Return the most that may be called from each."""
    return {party: given * ASSESSMENT_BPS // BPS for party, given in contributions.items()}


def bear(
    loss_usd_micros: int, parts: Parts, juniors: Collection[tuple[LayerName, str]] = ()
) -> Waterfall:
    """Return how a loss is borne: layer by layer, in proportion within a layer.

    Args:
        juniors: who of a layer gives all before the others of it give anything.
    """
    assert loss_usd_micros >= 0
    left = loss_usd_micros
    uses: list[LayerUse] = []
    for layer in LAYERS:
        held = {party: max(0, amount) for party, amount in parts.get(layer.name, {}).items()}
        names = sorted(held)
        first = [held[name] if (layer.name, name) in juniors else 0 for name in names]
        shares = pro_rata_capped(left, first)
        rest = [held[name] - part for name, part in zip(names, first, strict=True)]
        more = pro_rata_capped(left - sum(shares), rest)
        shares = [one + other for one, other in zip(shares, more, strict=True)]
        uses.extend(
            LayerUse(
                layer=layer.name, place=layer.place, party=name, available_usd_micros=held[name],
                used_usd_micros=share, loss_before_usd_micros=left,
            )
            for name, share in zip(names, shares, strict=True)
            if share
        )  # fmt: skip
        left -= sum(shares)
    return Waterfall(loss_usd_micros=loss_usd_micros, uses=tuple(uses))


def faults(waterfall: Waterfall, parts: Parts) -> list[str]:
    """Return what is wrong with a waterfall, recomputed from what the layers held."""
    found: list[str] = []
    if bear(waterfall.loss_usd_micros, parts) != waterfall:
        found.append("the shares are not those of the rule")
    for use in waterfall.uses:
        if use.used_usd_micros > use.available_usd_micros:
            found.append(f"{use.layer} of {use.party} gave more than it had")
    for turn, layer in enumerate(LAYERS):
        before = [use for use in waterfall.uses if TURN_OF[use.layer] > turn]
        held = sum(max(0, amount) for amount in parts.get(layer.name, {}).values())
        if before and waterfall.used_of(layer.name) < held:
            found.append(f"{layer.name} was not used up before {before[0].layer}")
    return found
