"""The forward curves of all series, computed from the mirror when somebody asks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from exchange.io.price_data import load_price_data
from exchange.rules.agenda_prices import depth_quoted
from exchange.rules.catalogue import LISTED_SERIES
from exchange.rules.contracts import Contract, SymbolError, parse_symbol
from exchange.rules.forward_curve import TENORS, Point, Seen, forward_curve
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract as Listed
from exchange.rules.reference import References, references
from exchange.rules.tenors import Period, date_of
from matching.codes import TradingState

if TYPE_CHECKING:
    from api.deps import Services


@dataclass(frozen=True, slots=True)
class SeriesCurve:
    """The curve of a series, true at `seq`; `references` is None where no price data reach."""

    series: str
    seq: int
    on: date
    points: list[Point]
    references: References | None


class Curves:
    """The curves of one process; each is computed anew only when anything has happened since."""

    def __init__(self, mirror: MirrorState, now_ns: Callable[[], int]) -> None:
        self._mirror = mirror
        self._now_ns = now_ns
        self._listed: dict[str, list[tuple[Listed, Contract]]] = {}
        self._looked_at = 0  # contracts of the mirror
        self._known: dict[str, SeriesCurve] = {}
        self._references: References | None = None
        self._references_of: date | None = None
        self._prices: dict[tuple[str, Period], int] = {}
        self._loading = asyncio.Lock()

    @property
    def today(self) -> date:
        """The UTC day of now."""
        return date_of(self._now_ns())

    async def ready(self) -> None:
        """Have the reference prices of today; read and computed beside the loop, once a day."""
        if self._references_of == self.today:
            return
        async with self._loading:
            on = self.today
            if self._references_of != on:
                self._references = await asyncio.to_thread(_references, on)
                self._references_of = on
                self._prices.clear()
                self._known.clear()

    def names(self) -> list[str]:
        """Return the series that have months, quarters or years, in order of their listing."""
        self._look()
        return [name for name, pairs in self._listed.items() if any(map(_lives, pairs))]

    def of(self, name: str) -> SeriesCurve | None:
        """Return the curve of a series as of now, None when nothing of it is listed."""
        self._look()
        pairs = [pair for pair in self._listed.get(name, ()) if _lives(pair)]
        if not pairs:
            return None
        known, seq, on = self._known.get(name), self._mirror.seq, self.today
        if known is None or known.seq != seq or known.on != on:
            seen = [_seen(listed, contract) for listed, contract in pairs]
            points = forward_curve(seen, lambda period: self._reference(name, period))
            known = self._known[name] = SeriesCurve(name, seq, on, points, self._references)
        return known

    def _look(self) -> None:
        """Take in what was listed since the last look."""
        contracts = self._mirror.contracts
        for listed in contracts[self._looked_at :]:
            contract = _contract_of(listed)
            if contract is not None and contract.period.tenor in TENORS:
                self._listed.setdefault(contract.series.symbol, []).append((listed, contract))
        self._looked_at = len(contracts)

    def _reference(self, name: str, period: Period) -> int:
        """Return the reference price of a period in ticks, 0 for none."""
        price = self._prices.get((name, period))
        if price is None:
            series = self._listed[name][0][1].series
            found = self._references and self._references.of_series(series, period)
            price = self._prices[name, period] = found.price_ticks if found else 0
        return price


def _references(on: date) -> References | None:
    try:
        return references(load_price_data(), LISTED_SERIES, on)
    except ValueError:  # the data begin after that day
        return None


def _contract_of(listed: Listed) -> Contract | None:
    if listed.legs:
        return None
    try:
        return parse_symbol(listed.symbol)
    except SymbolError:  # listed by hand under a name of its own
        return None


def _lives(pair: tuple[Listed, Contract]) -> bool:
    """Return whether a contract may still be traded: delivery has not begun."""
    listed = pair[0]
    return not (listed.ended or listed.delivery.phase or listed.state == TradingState.EXPIRED)


def _seen(listed: Listed, contract: Contract) -> Seen:
    quoted = depth_quoted(listed, contract)
    return Seen(
        period=contract.period, symbol=contract.symbol, bid_ticks=quoted.bid_ticks,
        ask_ticks=quoted.ask_ticks, settle_ticks=listed.settle_ticks,
    )  # fmt: skip


def curves_of(services: "Services") -> Curves:
    """Return the curves of a process, made by the first who asks."""
    if services.curves is None:
        services.curves = Curves(services.gateway.mirror, lambda: services.now_ns())
    return services.curves
