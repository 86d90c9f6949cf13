"""What answers and channel messages say of forward curves."""

from typing import Any, Final

from api.answers import NS_PER_MS
from api.curves import SeriesCurve
from exchange.rules.contracts import parse_series
from exchange.rules.curves import Curve
from exchange.rules.forward_curve import Point, Source
from exchange.rules.levels import Level
from exchange.rules.money import scaled_text
from exchange.rules.public_data import price, price_or_none
from exchange.rules.tenors import Tenor, ns_of

_BPS_DIGITS: Final = 4


def curve_out(curve: SeriesCurve) -> dict[str, Any]:
    """Return a whole curve."""
    return {
        "series": curve.series,
        "date": curve.on.isoformat(),
        "shape": _shape(curve),
        "points": [point_out(point) for point in curve.points],
    }


def summary_out(curve: SeriesCurve) -> dict[str, Any]:
    """Return a curve at a glance: its first and last month, and what books leave to take."""
    months = [point for point in curve.points if point.period.tenor is Tenor.MONTH]
    return {
        "series": curve.series,
        "points": len(curve.points),
        "first_period": months[0].period.code,
        "first_price": price(months[0].price_ticks),
        "last_period": months[-1].period.code,
        "last_price": price(months[-1].price_ticks),
        "books": sum(point.own_source is Source.BOOK for point in curve.points),
        "arbitrages": sum(point.arbitrage_ticks > 0 for point in curve.points),
    }


def point_out(point: Point) -> dict[str, Any]:
    """Return one point."""
    period = point.period
    return {
        "period": period.code,
        "tenor": period.tenor.value,
        "symbol": point.symbol or None,
        "delivery_start": ns_of(period.start) // NS_PER_MS,
        "delivery_end": ns_of(period.end) // NS_PER_MS,
        "hours": period.hours,
        "price": price(point.price_ticks),
        "source": point.source.name.lower(),
        "rule": point.rule,
        "moved_by": point.moved_by or None,
        "own_price": price_or_none(point.own_ticks),
        "own_source": point.own_source.name.lower() if point.own_ticks else None,
        "bid_price": price_or_none(point.bid_ticks),
        "ask_price": price_or_none(point.ask_ticks),
        "settlement_price": price_or_none(point.settle_ticks),
        "reference_price": price_or_none(point.reference_ticks),
        "arbitrage": price_or_none(point.arbitrage_ticks),
    }


def _shape(curve: SeriesCurve) -> dict[str, Any] | None:
    """Return what reference prices are computed from: today's level and the decay by the year."""
    series = parse_series(curve.series)
    if curve.references is None:
        return None
    level = curve.references.levels.get(series)
    if level is None:
        return None
    return _shape_out(level, curve.references.curves[series.sku.symbol])


def _shape_out(level: Level, decay: Curve) -> dict[str, Any]:
    return {
        "level": scaled_text(level.usd_micros, 6, 3),
        "level_rule": level.rule.value,
        "as_of": level.as_of.isoformat(),
        "year_factor": scaled_text(decay.year_bps, _BPS_DIGITS, _BPS_DIGITS),
        "year_rule": decay.rule.value,
        "committed_pairs": decay.pairs,
    }
