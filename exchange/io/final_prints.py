"""The final prints of the index, as they come: what contracts in delivery are settled by."""

from datetime import date
from typing import Final

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.final_settlement import DayPrint

TOGETHER: Final = 5_000

_SQL: Final = queries("final_prints")


class FinalPrints(Store):
    """Reads final prints in the order of their chain."""

    async def after(self, position: int, first: date) -> list[tuple[int, str, DayPrint]]:
        """Return the next final prints behind a position: position, series, what was printed.

        Args:
            first: older days are left out.
        """
        rows = await self._rows(_SQL["after"], position, first, TOGETHER)
        return [
            (
                row["position"],
                row["name"],
                DayPrint(row["day"], row["price_usd_micros"], row["digest"]),
            )
            for row in rows
        ]
