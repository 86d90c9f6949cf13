"""What an account has beside cash, and what assets are worth, as readers keep it."""

from typing import NamedTuple

from matching.codes import AssetMove


class AssetPrice(NamedTuple):
    """The last price of an asset that anybody said."""

    price_usd_micros: int  # of one whole
    priced_ns: int
    source: int  # PriceSource


class Held(NamedTuple):
    """One account's units of one asset."""

    units: int = 0
    leaving_units: int = 0  # reserved by a withdrawal, and not paid yet


class Collateral:
    """What an account has beside cash."""

    __slots__ = ("counted_usd_micros", "holdings", "last_charge_id", "last_move_id")

    def __init__(self) -> None:
        self.counted_usd_micros = 0
        self.last_charge_id = 0
        self.last_move_id = 0
        self.holdings: dict[int, Held] = {}  # by asset


def moved(held: Held, move: int, units: int) -> Held:
    """Return a holding after units moved."""
    if move == AssetMove.DEPOSIT:
        return Held(held.units + units, held.leaving_units)
    if move == AssetMove.RESERVE:
        return Held(held.units - units, held.leaving_units + units)
    if move == AssetMove.PAID:
        return Held(held.units, held.leaving_units - units)
    return Held(held.units + units, held.leaving_units - units)
