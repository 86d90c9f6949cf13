"""How well contracts hedge places, computed in a process of its own and kept.

`python -m exchange.io.hedge_child` reads {"sites": [[series, provider, region], ...]} and writes
{"bases": [...]}, one for each in the same order.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from exchange.io.child import Document, answer, ask_child
from exchange.io.price_data import load_price_data
from exchange.rules.contracts import Series, parse_series
from exchange.rules.hedge import Site
from exchange.rules.hedge_basis import Basis, BasisPoint, Fit, basis_of, regression, sites_known

KEPT_MAX: Final = 512
NO_FIT: Final = regression([], [])  # of who offers nothing


class Known(NamedTuple):
    """A series: a basis, of which all but `own` is the same for each site, and who offers it."""

    any: Basis
    sites: frozenset[tuple[str, ...]]  # provider, region

    def has(self, site: Site) -> bool:
        """Return whether the data have prices of a site; an empty name is any."""
        return any(
            site.provider in (provider, "") and site.region in (region, "")
            for provider, region in self.sites
        )


class Bases:
    """What is known of sites; asked once, kept for the life of the process."""

    def __init__(self) -> None:
        self._kept: dict[Site, Basis] = {}
        self._known: dict[Series, Known] = {}  # of each series that was asked for
        self._lock = asyncio.Lock()

    async def of(self, sites: Sequence[Site]) -> dict[Site, Basis]:
        """Return what is known of each site.

        Errors:
            Unavailable: the child ended without an answer.
        """
        found = self._here(sites)
        if len(found) == len(set(sites)):
            return found  # whoever else waits for a child
        async with self._lock:
            found = self._here(sites)
            missing = [site for site in dict.fromkeys(sites) if site not in found]
            if missing:
                asked = [[site.series.symbol, site.provider, site.region] for site in missing]
                said = await ask_child(
                    "exchange.io.hedge_child", {"sites": asked}, "the regression of prices"
                )
                for site, row in zip(missing, said["bases"], strict=True):
                    found[site] = basis = _basis(site, row)
                    self._known[site.series] = Known(basis, frozenset(map(tuple, row["sites"])))
                if len(self._kept) + len(missing) > KEPT_MAX:
                    self._kept.clear()
                self._kept |= {site: found[site] for site in missing}
            return found

    def _here(self, sites: Sequence[Site]) -> dict[Site, Basis]:
        """Return what is known of sites without a child: also of those that no data speak of."""
        found = {}
        for site in sites:
            known = self._known.get(site.series)
            if site in self._kept:
                found[site] = self._kept[site]
            elif known is not None and not known.has(site):
                found[site] = replace(known.any, own=NO_FIT)
        return found


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
    found = [
        basis_of(data, parse_series(series), provider, region)
        for series, provider, region in asked["sites"]
    ]
    rows = [
        {"own": one.own, "world": one.world, "points": one.points, "as_of": one.as_of,
         "sites": sites_known(data, one.series, "", "")}
        for one in found
    ]  # fmt: skip
    return {"bases": msgspec.to_builtins(rows)}


if __name__ == "__main__":
    sys.exit(answer(_compute))
