"""Fees as JSON: the schedule, what an account pays, what a market maker was paid for."""

from typing import Any

from exchange.io.billing import MakerSeen, PresenceSeen
from exchange.rules.billing import date_of
from exchange.rules.fees import OBLIGATION, FeeRow, Rates
from exchange.rules.money import usd_text
from exchange.rules.postings import CHARGES


def rates(one: Rates) -> dict[str, Any]:
    """Return what a GPU-hour of a fill costs."""
    return {
        "currency": "USD",
        "per": "GPU-hour",
        "maker": usd_text(one.maker),
        "taker": usd_text(one.taker),
        "clearing": usd_text(one.clearing),
    }


def fee_row(row: FeeRow) -> dict[str, Any]:
    """Return a row of the schedule."""
    return {
        "tier": row.tier,
        "effective_from": row.effective_from.isoformat(),
        "volume_gpu_hours": str(row.volume_gpu_hours),
        "maker": usd_text(row.maker_usd_micros_per_gpu_hour),
        "taker": usd_text(row.taker_usd_micros_per_gpu_hour),
        "clearing": usd_text(row.clearing_usd_micros_per_gpu_hour),
        "delivery": usd_text(row.delivery_usd_micros_per_gpu_hour),
        "exchange_for_delivery": usd_text(row.efd_usd_micros_per_gpu_hour),
    }


def obligation() -> dict[str, Any]:
    """Return what a market maker promises, and what it gets for it."""
    return {
        "presence_bps": OBLIGATION.presence_bps,
        "spread_bps": OBLIGATION.spread_bps,
        "quantity": str(OBLIGATION.quote_lots),
        "rebate": usd_text(OBLIGATION.rebate_usd_micros_per_gpu_hour),
    }


def maker_day(row: MakerSeen) -> dict[str, Any]:
    """Return a closed day of a market maker in a contract."""
    return {
        **presence(PresenceSeen(*row[:4])),
        "maker_gpu_hours": str(row.maker_gpu_hours),
        "rebate": usd_text(row.rebate_usd_micros),
    }


def presence(row: PresenceSeen) -> dict[str, Any]:
    """Return how long a market maker kept its promise in a contract."""
    return {
        "date": date_of(row.day).isoformat(),
        "symbol": row.symbol,
        "minutes_present": row.minutes_present,
        "minutes_open": row.minutes_open,
    }


def charged(amounts: dict[int, int]) -> dict[str, Any]:
    """Return what an account was ever charged, a rebate below zero."""
    return {name: usd_text(amounts.get(kind, 0)) for kind, name in CHARGES.items()}
