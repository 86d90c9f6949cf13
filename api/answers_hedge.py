"""The hedge desk as the API shows it."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.codec import SIDE_NAMES
from exchange.io.price_data import ATTRIBUTION
from exchange.rules.hedge import Hedge, Month, OrderDraft, Site
from exchange.rules.hedge_basis import Basis, Fit
from exchange.rules.hedge_strip import Cover, StripLeg
from exchange.rules.money import BPS, div_half_even, price_text, scaled_text, usd_text
from exchange.rules.what_if import Outcome

BPS_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A hedge with what it takes to hold it."""

    hedge: Hedge
    cover: Cover
    day: date
    fees_usd_micros: int  # at most
    alone: Outcome  # its lots in an empty account
    added: Outcome  # in the account of who asks


def hedge(one: Priced) -> dict[str, Any]:
    """Return a plan's exposure and its hedge."""
    found = one.hedge
    covered = {leg.series for leg in found.strip.legs}
    return {
        "side": SIDE_NAMES[found.plan.side],
        "cover": one.cover.value,
        "day": one.day.isoformat(),
        "totals": totals(one),
        "strip": [leg(row) for row in found.strip.legs],
        "months": [month(row) for row in found.months],
        "orders": [order(row) for row in found.orders],
        "basis": [basis(site, row) for site, row in found.bases.items()],
        "unhedged": [s.symbol for s in found.strip.needed if s not in covered],
        "attribution": list(ATTRIBUTION),
    }


def totals(one: Priced) -> dict[str, str]:
    """Return the sums."""
    found = one.hedge
    hours, hedged = found.total("gpu_hours"), found.total("hedged")
    more = one.added.after.initial_usd_micros - one.added.before.initial_usd_micros
    return {
        "gpu_hours": hours_text(hours),
        "hedged_gpu_hours": hours_text(hedged),
        "hedged_share": ratio_text(div_half_even(hedged * BPS, hours)),
        "hedged_value": usd_text(found.total("hedged_usd_micros")),
        "cost": usd_text(found.total("cost_usd_micros")),
        "power_cost": usd_text(found.total("power_usd_micros")),
        "locked_margin": usd_text(found.margin_usd_micros),
        "fees_at_most": usd_text(one.fees_usd_micros),
        "initial_margin_alone": usd_text(one.alone.after.initial_usd_micros),
        "initial_margin_more": usd_text(more),
        "free_after": usd_text(one.added.after.free_usd_micros - one.fees_usd_micros),
    }


def hours_text(gpu_hours: int) -> str:
    """Return GPU-hours from ten-thousandths."""
    return scaled_text(gpu_hours, BPS_DIGITS)


def ratio_text(bps: int) -> str:
    """Return a ratio from basis points: 0.85."""
    return scaled_text(bps, BPS_DIGITS, 2)


def leg(row: StripLeg) -> dict[str, Any]:
    """Return a leg of the strip."""
    return {
        "symbol": row.offered.contract.symbol,
        "series": row.series.symbol,
        "proxy": row.is_proxy,
        "ratio": ratio_text(row.ratio_bps),
        "quantity": str(row.lots),
        "gpu_hours": str(row.gpu_hours),
        "price": price_text(row.offered.price_ticks),
        "value": usd_text(row.value_usd_micros),
    }


def month(row: Month) -> dict[str, Any]:
    """Return one series in one month."""
    margin, left = row.power_margin_usd_micros, row.open_usd_micros
    return {
        "series": row.series.symbol,
        "month": f"{row.month:%Y-%m}",
        "gpu_hours": hours_text(row.gpu_hours),
        "hedged_gpu_hours": hours_text(row.hedged),
        "hedged_value": usd_text(row.hedged_usd_micros),
        "open_value": None if left is None else usd_text(left),
        "cost": usd_text(row.cost_usd_micros),
        "power_cost": usd_text(row.power_usd_micros),
        "power_margin": None if margin is None else usd_text(margin),
    }


def order(row: OrderDraft) -> dict[str, str]:
    """Return an order as a body for `POST /orders`."""
    return {
        "symbol": row.offered.contract.symbol,
        "side": SIDE_NAMES[row.side],
        "quantity": str(row.qty_lots),
        "price": price_text(row.price_ticks),
        "type": "limit",
        "tif": "GTC",
    }


def basis(site: Site, row: Basis) -> dict[str, Any]:
    """Return what is known of a site."""
    return {
        "series": site.series.symbol,
        "provider": site.provider,
        "region": site.region,
        "as_of": row.as_of.isoformat(),
        "site_to_hub": fit(row.own),
        "hub_to_world": fit(row.world),
        "history": [
            {"month": f"{point.month:%Y-%m}", "ratio": ratio_text(point.ratio_bps)}
            for point in row.points
        ],
    }


def fit(row: Fit) -> dict[str, Any]:
    """Return a regression."""
    return {
        "windows": row.windows,
        "beta": None if row.beta_bps is None else ratio_text(row.beta_bps),
        "r_squared": None if row.r2_bps is None else ratio_text(row.r2_bps),
    }
