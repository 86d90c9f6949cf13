"""The core's money and positions beside the ledger's, at one command."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from exchange.rules.assets import asset_code
from matching.limits import ASSETS_MAX


class CoreBooks(NamedTuple):
    """What the core holds. An absent number is zero."""

    cash_usd_micros: dict[int, int]  # by account_idx
    lots: dict[tuple[int, int], int]  # by (account_idx, contract_idx)
    counted_usd_micros: dict[int, int]  # of collateral, by account_idx
    units: dict[tuple[int, str], int]  # by (account_idx, asset), those leaving included
    equity_usd_micros: dict[int, int] | None = None  # by account_idx, where it is known

    @staticmethod
    def of_saved(arrays: Mapping[str, Any]) -> "CoreBooks":
        """Return the books of a saved state, as `matching.saved.unpack` gives it."""
        accounts: np.ndarray = arrays["accounts"]
        positions: np.ndarray = arrays["positions"][1:]  # row 0 means none
        held = positions[positions["qty_lots"] != 0]
        keys = zip(held["account_idx"].tolist(), held["contract_idx"].tolist(), strict=True)
        counted = arrays["collaterals"]["counted_usd_micros"]
        equity = accounts["cash_usd_micros"] + accounts["unsettled_usd_micros"] + counted
        return CoreBooks(
            dict(enumerate(accounts["cash_usd_micros"].tolist())),
            dict(zip(keys, held["qty_lots"].tolist(), strict=True)),
            dict(enumerate(counted.tolist())),
            _units(arrays["holdings"]),
            dict(enumerate(equity.tolist())),
        )


def _units(holdings: np.ndarray) -> dict[tuple[int, str], int]:
    """Return what every account has of every asset, none zero."""
    units: np.ndarray = holdings["units"] + holdings["leaving_units"]
    found = {}
    for place in np.flatnonzero(units).tolist():
        account_idx, asset = divmod(place, ASSETS_MAX)
        found[account_idx, asset_code(asset)] = int(units[place])
    return found


class BooksDifference(NamedTuple):
    """One number on which core and ledger do not agree."""

    place: str
    core: int
    ledger: int

    def __str__(self) -> str:
        return f"{self.place}: the core has {self.core}, the ledger {self.ledger}"


def books_differ(core: CoreBooks, ledger: CoreBooks) -> Iterator[BooksDifference]:
    """Yield every number on which the two do not agree; an absent one is zero."""
    pairs: list[tuple[str, Mapping[Any, int], Mapping[Any, int]]] = [
        ("cash of account {}", core.cash_usd_micros, ledger.cash_usd_micros),
        ("lots of account {} in contract {}", core.lots, ledger.lots),
        ("collateral counted of account {}", core.counted_usd_micros, ledger.counted_usd_micros),
        ("units of account {} in {}", core.units, ledger.units),
    ]
    if core.equity_usd_micros is not None and ledger.equity_usd_micros is not None:
        pairs.append(("equity of account {}", core.equity_usd_micros, ledger.equity_usd_micros))
    for place, ours, theirs in pairs:
        for key in sorted(ours.keys() | theirs.keys()):
            mine, other = ours.get(key, 0), theirs.get(key, 0)
            if mine != other:
                names = key if isinstance(key, tuple) else (key,)
                yield BooksDifference(place.format(*names), mine, other)
