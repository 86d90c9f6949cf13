"""The add-ons of every contract, made each night beside a set of scenarios, from the market itself.

A published table holds what each contract's market was (`MarketRow`); the add-ons follow from it,
from the set's rows and from the table of fees, so anybody computes them again. Rules:

* SCN_016 volume: the mean of the 30 whole days (UTC) before the set's day, never below the floor;
* SCN_017 half spread: half of what stands between both sides at the depth of a settlement, within
  a tick and half of what a market maker may keep; where a side is missing, the latter;
* SCN_018 a day's move: the root mean square of the set's rows of history, spread over their two
  days; they are the worst of what happened, so this is not below what a usual day shows;
* SCN_019 fees: the dearest that any tier asks on the set's day or the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import isqrt
from typing import Any, Final, NamedTuple

from exchange.rules.addons import NO_ADDON, Addon, Liquidity, addon_of
from exchange.rules.agenda_prices import depth_quoted
from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.fees import FEE_ROWS, OBLIGATION, fee_row, reserve_usd_micros_per_gpu_hour
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS, div_ceil
from exchange.rules.records import Contract as ListedContract
from exchange.rules.scenario_factors import HORIZON_DAYS
from exchange.rules.scenario_prices import settled_prices
from exchange.rules.scenario_rows import PPM_A_BPS, STRESS
from exchange.rules.scenario_set import ScenarioSet, SetCorrupt, digest_of
from exchange.rules.tenors import DAY
from matching.codes import TradingState
from matching.limits import ADDON_LOTS_MAX

METHOD: Final = 1  # raised with every change of how add-ons are made
VOLUME_DAYS: Final = 30
VOLUME_FLOOR_LOTS: Final = 400  # a day: what a contract counts for that hardly trades yet
HALF_SPREAD_MAX_BPS: Final = OBLIGATION.spread_bps // 2

Traded = Mapping[int, int]  # lots of the days before, by contract_idx


class MarketRow(NamedTuple):
    """What was known of a contract's market."""

    symbol: str
    price_ticks: int  # the settlement price
    spread_ticks: int  # between both sides, 0 where one was missing
    traded_lots: int  # in all VOLUME_DAYS
    open_interest_lots: int


def volume_days(day: date) -> tuple[date, date]:
    """Return the first day whose trades count for a set, and the first that no longer does."""
    return day - VOLUME_DAYS * DAY, day


@cache
def fee_usd_micros_per_gpu_hour(day: date) -> int:
    """Return the most that a side of a trade pays on a day or the next."""
    tiers = {row.tier for row in FEE_ROWS}
    return max(
        reserve_usd_micros_per_gpu_hour(fee_row(tier, on))
        for on in (day, day + DAY)
        for tier in tiers
        if any(row.tier == tier and row.effective_from <= on for row in FEE_ROWS)
    )


def half_spread_ticks(price_ticks: int, spread_ticks: int) -> int:
    """Return half a spread within its bounds, rounded up."""
    most = max(1, div_ceil(price_ticks * HALF_SPREAD_MAX_BPS, BPS))
    return min(most, div_ceil(spread_ticks, 2)) if spread_ticks > 0 else most


def sigma_day_bps(found: ScenarioSet, contract: Contract) -> int:
    """Return how much a contract's price moves on a day, by the set's rows of history."""
    moves = found.moves_ppm(contract).tolist()
    pairs = list(zip(found.rows, moves, strict=True))
    own = [move for row, move in pairs if row.kind != STRESS] or moves
    square = div_ceil(sum(move * move for move in own), len(own) * HORIZON_DAYS)
    return div_ceil(isqrt(max(0, square - 1)) + 1, PPM_A_BPS) if square else 0


@dataclass(frozen=True, slots=True)
class AddonSet:
    """The add-ons that belong to a set of scenarios."""

    scenarios: ScenarioSet
    markets: tuple[MarketRow, ...]
    _addons: dict[tuple[str, int], Addon] = field(default_factory=dict, compare=False, repr=False)
    _rows: dict[str, MarketRow] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._rows.update((row.symbol, row) for row in self.markets)

    def liquidity(self, row: MarketRow) -> Liquidity:
        """Return what a contract's add-on is made of."""
        contract = parse_symbol(row.symbol)
        volume_lots = max(VOLUME_FLOOR_LOTS, row.traded_lots // VOLUME_DAYS)
        rate = fee_usd_micros_per_gpu_hour(self.scenarios.day)
        return Liquidity(
            tick_value_usd_micros=contract.tick_value_usd_micros,
            price_ticks=row.price_ticks,
            half_spread_ticks=half_spread_ticks(row.price_ticks, row.spread_ticks),
            sigma_day_bps=sigma_day_bps(self.scenarios, contract),
            adv_lots=min(volume_lots, ADDON_LOTS_MAX),
            open_interest_lots=min(row.open_interest_lots, ADDON_LOTS_MAX),
            fee_usd_micros=rate * contract.lot_gpu_hours,
        )

    def addon(self, symbol: str, price_ticks: int) -> Addon:
        """Return a contract's add-on; one that was listed since has it without a market."""
        row = self._rows.get(symbol) or MarketRow(symbol, price_ticks, 0, 0, 0)
        key = (symbol, row.price_ticks)
        if key not in self._addons:
            self._addons[key] = addon_of(self.liquidity(row))
        return self._addons[key]

    def document(self) -> dict[str, Any]:
        """Return the table and what follows from it as JSON."""
        content = {
            "method": METHOD,
            "day": self.scenarios.day.isoformat(),
            "rows_hash": self.scenarios.rows_hash,
            "markets": [list(row) for row in self.markets],
            "addons": [
                [row.symbol, sigma_day_bps(self.scenarios, parse_symbol(row.symbol)),
                 *self.addon(row.symbol, row.price_ticks)]
                for row in self.markets
            ],
        }  # fmt: skip
        return content | {"addons_hash": digest_of(content)}


def addon_set_of(document: Mapping[str, Any], found: ScenarioSet) -> AddonSet:
    """Return the add-ons of a document; the inverse of `AddonSet.document`.

    Errors:
        SetCorrupt: they are not what follows from their table and the set, or of another method.
    """
    if document.get("method") != METHOD:
        raise SetCorrupt(f"add-ons by method {document.get('method')}, this program knows {METHOD}")
    made = AddonSet(found, tuple(MarketRow(*row) for row in document["markets"]))
    if made.document() != document:
        raise SetCorrupt("the add-ons do not follow from their table and their scenarios")
    return made


def markets_of(state: MirrorState, traded: Traded) -> tuple[MarketRow, ...]:
    """Return what is known now of every living contract that has a settlement price."""
    return tuple(
        _market(state.contracts[state.symbols[symbol]], ticks, traded)
        for symbol, ticks in settled_prices(state).items()
    )


def _market(listed: ListedContract, price_ticks: int, traded: Traded) -> MarketRow:
    quoted = depth_quoted(listed, parse_symbol(listed.symbol))
    both = 0 < quoted.bid_ticks < quoted.ask_ticks
    return MarketRow(
        symbol=listed.symbol,
        price_ticks=price_ticks,
        spread_ticks=quoted.ask_ticks - quoted.bid_ticks if both else 0,
        traded_lots=traded.get(listed.contract_idx, 0),
        open_interest_lots=listed.open_interest_lots,
    )


def planned_addon(state: MirrorState, listed: ListedContract, addons: AddonSet | None) -> Addon:
    """Return what should be staged for a contract of the catalogue's grammar.

    What an operator staged by hand stays until it is given back; so does everything while there
    are no add-ons yet.
    """
    contract_idx = listed.contract_idx
    if contract_idx in state.addons_by_hand or addons is None or listed.legs:
        return state.addons_staged[contract_idx]
    if listed.state == TradingState.EXPIRED:
        return NO_ADDON
    return addons.addon(listed.symbol, listed.settle_ticks)
