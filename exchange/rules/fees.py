"""Fees: rows with an effective date. All are zero until the clearing house charges."""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRow:
    """What one lot costs each side, in micro-dollars per GPU-hour of the lot."""

    tier: str
    effective_from: date
    maker_usd_micros_per_gpu_hour: int
    taker_usd_micros_per_gpu_hour: int
    clearing_usd_micros_per_gpu_hour: int


FEE_ROWS: Final = (
    FeeRow(
        tier="standard",
        effective_from=date(2026, 1, 1),
        maker_usd_micros_per_gpu_hour=0,
        taker_usd_micros_per_gpu_hour=0,
        clearing_usd_micros_per_gpu_hour=0,
    ),
)


def fee_row(tier: str, on: date) -> FeeRow:
    """Return the fees of a tier in force on a day.

    Errors:
        KeyError: the tier is unknown, or had no fees yet on that day.
    """
    rows = [row for row in FEE_ROWS if row.tier == tier and row.effective_from <= on]
    if not rows:
        raise KeyError(f"no fee tier {tier!r} on {on}")
    return max(rows, key=lambda row: row.effective_from)
