"""The core's money and positions beside the ledger's, at one command."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np


class CoreBooks(NamedTuple):
    """What the core holds: cash by account_idx, lots by (account_idx, contract_idx)."""

    cash_usd_micros: dict[int, int]
    lots: dict[tuple[int, int], int]

    @staticmethod
    def of_saved(arrays: Mapping[str, Any]) -> "CoreBooks":
        """Return the books of a saved state, as `matching.saved.unpack` gives it."""
        accounts: np.ndarray = arrays["accounts"]
        positions: np.ndarray = arrays["positions"][1:]  # row 0 means none
        held = positions[positions["qty_lots"] != 0]
        keys = zip(held["account_idx"].tolist(), held["contract_idx"].tolist(), strict=True)
        return CoreBooks(
            dict(enumerate(accounts["cash_usd_micros"].tolist())),
            dict(zip(keys, held["qty_lots"].tolist(), strict=True)),
        )


class BooksDifference(NamedTuple):
    """One number on which core and ledger do not agree."""

    place: str
    core: int
    ledger: int

    def __str__(self) -> str:
        return f"{self.place}: the core has {self.core}, the ledger {self.ledger}"


def books_differ(core: CoreBooks, ledger: CoreBooks) -> Iterator[BooksDifference]:
    """Yield every account and position on which the two do not agree; an absent one is zero."""
    for account_idx in sorted(core.cash_usd_micros.keys() | ledger.cash_usd_micros.keys()):
        ours = core.cash_usd_micros.get(account_idx, 0)
        theirs = ledger.cash_usd_micros.get(account_idx, 0)
        if ours != theirs:
            yield BooksDifference(f"cash of account {account_idx}", ours, theirs)
    for key in sorted(core.lots.keys() | ledger.lots.keys()):
        ours, theirs = core.lots.get(key, 0), ledger.lots.get(key, 0)
        if ours != theirs:
            yield BooksDifference(f"lots of account {key[0]} in contract {key[1]}", ours, theirs)
