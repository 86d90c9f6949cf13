"""Ledger accounts by their codes: of which asset they are, and their amounts for people."""

from typing import Final

from exchange.rules.assets import ASSET_BY_SYMBOL
from exchange.rules.money import scaled_text, usd_text

USD: Final = "USD"
_OF_ASSETS: Final = ("asset", "leaving", "custody")  # `custody:BTC`, `asset:BTC:3`


def asset_of(code: str) -> str:
    """Return the asset that a ledger account is of; everything else is money."""
    place, _, rest = code.partition(":")
    return rest.partition(":")[0] if place in _OF_ASSETS else USD


def asset_text(asset: str, units: int) -> str:
    """Return an amount of an asset in dollars, or in wholes of it."""
    row = ASSET_BY_SYMBOL.get(asset)
    if row is not None:
        return scaled_text(units, row.digits)
    return usd_text(units) if asset == USD else str(units)


def amount_text(code: str, units: int) -> str:
    """Return an amount of a ledger account in whole dollars, or wholes of its asset."""
    return asset_text(asset_of(code), units)
