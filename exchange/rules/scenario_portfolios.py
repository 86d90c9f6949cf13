"""Portfolios like those of members, drawn: what a compressed set of scenarios is judged by.

Each style is a row: how many series, how many contracts of each, and the signs of the legs. Legs
have about the same notional, so that spreads are spreads. Every portfolio is drawn both ways round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.rules.contracts import Contract
from exchange.rules.demo import Rng

LEG_USD_MICROS: Final = 100_000_000_000  # about a hundred thousand dollars a leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One kind of member.

    Attributes:
        series: over how many series the legs lie.
        legs: contracts of each series, neighbours along the curve unless `apart`.
        signs: of the legs, series by series, repeated as needed; empty: drawn for each.
        apart: contracts are drawn anywhere on the curve.
    """

    name: str
    series: int
    legs: int
    signs: tuple[int, ...]
    apart: bool = False
    share: int = 1


STYLES: Final = (
    Style(name="one contract", series=1, legs=1, signs=(1,), share=3),
    Style(name="hedger of a strip at a hub", series=1, legs=6, signs=(1,), share=3),
    Style(name="cloud with several sites", series=3, legs=4, signs=(1,), share=2),
    Style(name="lab that buys everywhere", series=8, legs=2, signs=(1,), share=1),
    Style(name="calendar spread", series=1, legs=2, signs=(1, -1), apart=True, share=3),
    Style(name="spread of two series", series=2, legs=1, signs=(1, -1), apart=True, share=3),
    Style(name="strip against strip", series=2, legs=4, signs=(1,) * 4 + (-1,) * 4, share=2),
    Style(name="market maker", series=5, legs=4, signs=(), apart=True, share=3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portfolios:
    """Lots by portfolio, sparse: legs beyond a portfolio's own have no lots."""

    places: np.ndarray  # (portfolios, legs) place of the contract
    lots: np.ndarray  # (portfolios, legs) signed

    def losses(self, shocks_usd_micros: np.ndarray) -> np.ndarray:
        """Return the loss of every portfolio in every scenario.

        Args:
            shocks_usd_micros: (contracts, scenarios), the profit of one long lot.
        """
        found = np.zeros((len(self.places), shocks_usd_micros.shape[1]), np.int64)
        for leg in range(self.places.shape[1]):
            found -= shocks_usd_micros[self.places[:, leg]] * self.lots[:, leg, None]
        return found


def portfolios(
    contracts: Sequence[Contract], values_usd_micros: Sequence[int], count: int, seed: int
) -> Portfolios:
    """Return `count` portfolios, each second one the one before turned round.

    Args:
        contracts: what there is, series by series, nearest first.
        values_usd_micros: what one lot of each is worth.
    """
    curves: dict[str, list[int]] = {}
    for place, contract in enumerate(contracts):
        curves.setdefault(contract.series.symbol, []).append(place)
    styles = [style for style in STYLES for _ in range(style.share)]
    legs_max = max(style.series * style.legs for style in STYLES)
    places = np.zeros((count, legs_max), np.int64)
    lots = np.zeros((count, legs_max), np.int64)
    rng = Rng(seed)
    for at in range(0, count, 2):
        style = styles[at // 2 % len(styles)]
        legs, rng = _drawn(style, list(curves.values()), rng)
        for leg, (place, sign) in enumerate(legs):
            size, rng = rng.draw(5, 15)
            most = max(1, LEG_USD_MICROS * size // (10 * max(1, values_usd_micros[place])))
            places[at : at + 2, leg] = place
            lots[at, leg], lots[at + 1 : at + 2, leg] = sign * most, -sign * most
    return Portfolios(places, lots)


def _drawn(style: Style, curves: list[list[int]], rng: Rng) -> tuple[list[tuple[int, int]], Rng]:
    """Return the legs of one portfolio: place of the contract and sign."""
    legs: list[tuple[int, int]] = []
    for _ in range(style.series):
        which, rng = rng.draw(0, len(curves) - 1)
        curve = curves[which]
        first, rng = rng.draw(0, max(0, len(curve) - style.legs))
        for leg in range(style.legs):
            place = min(first + leg, len(curve) - 1)
            if style.apart:
                place, rng = rng.draw(0, len(curve) - 1)
            sign, rng = _sign(style, len(legs), rng)
            legs.append((curve[place], sign))
    return legs, rng


def _sign(style: Style, leg: int, rng: Rng) -> tuple[int, Rng]:
    if style.signs:
        return style.signs[leg % len(style.signs)], rng
    coin, rng = rng.draw(0, 1)
    return 2 * coin - 1, rng
