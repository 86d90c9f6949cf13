"""How well contracts hedge places, computed in a process of its own and kept.

`python -m exchange.io.hedge_child` reads {"sites": [[series, provider, region], ...]} and writes
{"bases": [...]}, one for each in the same order.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec

from exchange.io.child import Document, answer, ask_child
from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_series
from exchange.rules.hedge import Site
from exchange.rules.hedge_basis import Basis, BasisPoint, Fit, basis_of

KEPT_MAX: Final = 512


class Bases:
    """What is known of sites; asked once, kept for the life of the process."""

    def __init__(self) -> None:
        self._kept: dict[Site, Basis] = {}
        self._lock = asyncio.Lock()

    async def of(self, sites: Sequence[Site]) -> dict[Site, Basis]:
        """Return what is known of each site.

        Errors:
            Unavailable: the child ended without an answer.
        """
        if all(site in self._kept for site in sites):
            return {site: self._kept[site] for site in sites}  # whoever else waits for a child
        async with self._lock:
            found = {site: self._kept[site] for site in sites if site in self._kept}
            missing = [site for site in sites if site not in found]
            if missing:
                asked = [[site.series.symbol, site.provider, site.region] for site in missing]
                said = await ask_child(
                    "exchange.io.hedge_child", {"sites": asked}, "the regression of prices"
                )
                found |= zip(missing, map(_basis, missing, said["bases"]), strict=True)
                if len(self._kept) + len(missing) > KEPT_MAX:
                    self._kept.clear()
                self._kept |= found
            return {site: found[site] for site in sites}


def _basis(site: Site, row: dict[str, Any]) -> Basis:
    return Basis(
        series=site.series,
        own=msgspec.convert(row["own"], Fit),
        world=msgspec.convert(row["world"], Fit),
        points=msgspec.convert(row["points"], tuple[BasisPoint, ...]),
        as_of=date.fromisoformat(row["as_of"]),
    )


def _compute(asked: Document) -> Document:
    data = load_price_data()
    found = (
        basis_of(data, parse_series(series), provider, region)
        for series, provider, region in asked["sites"]
    )
    rows = [
        {"own": one.own, "world": one.world, "points": one.points, "as_of": one.as_of}
        for one in found
    ]
    return {"bases": msgspec.to_builtins(rows)}


if __name__ == "__main__":
    sys.exit(answer(_compute))
