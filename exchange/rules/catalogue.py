"""What is listed: rows of series and tenors, and the catalogue they make on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from exchange.rules.calendar import listed_periods
from exchange.rules.contracts import QTY_MAX_LOTS, Contract, band_bps, parse_series
from exchange.rules.curves import CurveRule
from exchange.rules.levels import LevelRule
from exchange.rules.money import PRICE_DIGITS, price_text, scaled_text, usd_text
from exchange.rules.reference import Reference, References
from exchange.rules.tenors import Tenor
from matching.codes import TradingState

CURVE_TENORS: Final = (Tenor.MONTH, Tenor.QUARTER, Tenor.CALENDAR)
ALL_TENORS: Final = (Tenor.DAY, Tenor.BOM, Tenor.WEEK, *CURVE_TENORS)

# Only pairs with honest data: five providers for the model, and a hub basis from a
# provider in at least three hubs. GB200 has one provider, TPU-v6e and TRAINIUM3 none,
# spot offers come from at most four providers of one model: none of them is listed.
#
# Every contract ever listed takes a slot of the core for good (16,384 slots). Days and
# weeks roll fastest, so only two series have them: 392 contracts at first, about 1,180
# new ones a year, and 280 of combinations where all are listed: ten years fit.
LISTING: Final = (
    ("H100-GLB", ALL_TENORS),
    ("H100-USE", ALL_TENORS),
    ("H100-USC", CURVE_TENORS),
    ("H100-USW", CURVE_TENORS),
    ("H100-EUN", CURVE_TENORS),
    ("H100-EUW", CURVE_TENORS),
    ("H100-APN", CURVE_TENORS),
    ("H100-APS", CURVE_TENORS),
    ("A100-GLB", CURVE_TENORS),
    ("A100-USE", CURVE_TENORS),
    ("A100-EUW", CURVE_TENORS),
    ("H200-GLB", CURVE_TENORS),
    ("B200-GLB", CURVE_TENORS),
    ("L40S-GLB", CURVE_TENORS),
    ("MI300X-GLB", CURVE_TENORS),
    ("RTXPRO6000-GLB", CURVE_TENORS),
)

LISTED_SERIES: Final = tuple(parse_series(symbol) for symbol, _ in LISTING)


def listed_contracts(on: date) -> list[Contract]:
    """Return the contracts that are listed on a UTC day, series by series, nearest first."""
    return [
        Contract(series, period)
        for series, (_, tenors) in zip(LISTED_SERIES, LISTING, strict=True)
        for tenor in tenors
        for period in listed_periods(tenor, on)
    ]


LEVEL_RULE_TEXT: Final[Mapping[LevelRule, str]] = MappingProxyType(
    {
        LevelRule.HUB_MEDIAN: "median of the hub's providers",
        LevelRule.GLB_MEDIAN: "median of providers worldwide",
        LevelRule.GLB_BASIS: "worldwide median times the hub's basis",
    }
)
CURVE_RULE_TEXT: Final[Mapping[CurveRule, str]] = MappingProxyType(
    {
        CurveRule.OWN: "curve of the model's own commitment prices",
        CurveRule.POOLED: "curve of other models' commitment prices",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One contract as people and programs see it: decimals as strings, days as ISO dates.

    `contract_idx`, `state` and the prices of the market are None for a contract that
    is in the catalogue and not listed yet.
    """

    symbol: str
    contract_idx: int | None
    state: str | None
    sku: str
    sku_name: str
    hub: str
    hub_name: str
    grade: str
    tenor: str
    delivery_start_ns: int
    delivery_end_ns: int  # first moment after delivery
    last_trade_ns: int
    lot_gpu_hours: int
    tick_size: str
    tick_value: str
    qty_max_lots: int
    band_bps: int
    mark_price: str | None
    reference_price: str | None
    reference_rule: str
    reference_providers: int
    reference_offers: int
    reference_as_of: str | None
    curve_rule: str


def catalogue_row(
    contract: Contract,
    reference: Reference | None,
    on: date,
    *,
    contract_idx: int | None = None,
    state: int | None = None,
    mark_ticks: int = 0,
) -> CatalogueRow:
    """Return one contract's row.

    Args:
        reference: None for a contract whose series has no data.
        state: TradingState, None when not listed.
        mark_ticks: 0 for none.
    """
    level = reference.level if reference else None
    return CatalogueRow(
        symbol=contract.symbol,
        contract_idx=contract_idx,
        state=None if state is None else TradingState(state).name.lower(),
        sku=contract.series.sku.symbol,
        sku_name=contract.series.sku.name,
        hub=contract.series.hub.symbol,
        hub_name=contract.series.hub.name,
        grade=contract.series.grade.symbol,
        tenor=contract.period.tenor.value,
        delivery_start_ns=contract.delivery_start_ns,
        delivery_end_ns=contract.delivery_end_ns,
        last_trade_ns=contract.last_trade_ns,
        lot_gpu_hours=contract.lot_gpu_hours,
        tick_size=scaled_text(1, PRICE_DIGITS),
        tick_value=usd_text(contract.tick_value_usd_micros),
        qty_max_lots=QTY_MAX_LOTS,
        band_bps=band_bps(contract.period, on),
        mark_price=price_text(mark_ticks) if mark_ticks else None,
        reference_price=price_text(reference.price_ticks) if reference else None,
        reference_rule=LEVEL_RULE_TEXT[level.rule] if level else "no data",
        reference_providers=level.providers if level else 0,
        reference_offers=level.offers if level else 0,
        reference_as_of=level.as_of.isoformat() if level else None,
        curve_rule=CURVE_RULE_TEXT[reference.curve.rule] if reference else "no data",
    )


def catalogue(references: References) -> list[CatalogueRow]:
    """Return the whole catalogue of `references.on`, whether or not an exchange runs."""
    return [
        catalogue_row(contract, references.of(contract), references.on)
        for contract in listed_contracts(references.on)
    ]
