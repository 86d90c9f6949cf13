"""An instrument as the API shows it, with how old the index behind its price is."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from api import answers
from exchange.io.index_store import PrintRow
from exchange.rules.index.prints import Print, stale_since
from exchange.rules.records import Contract
from exchange.rules.tenors import date_of

if TYPE_CHECKING:
    from api.deps import Services


class IndexAges:
    """The newest print of each name, as the websocket hub has read it last."""

    def __init__(self) -> None:
        self._newest: dict[str, Print] = {}

    def take(self, rows: Iterable[PrintRow]) -> None:
        """Remember the newest print of each name."""
        self._newest.update((row.print.name, row.print) for row in rows)

    def stale_since(self, symbol: str, on: date) -> str | None:
        """Return the first day that nobody stands for a contract's index, None while it is fresh.

        The engine is told no print without a quorum, so its price is that of the day before.
        """
        newest = self._newest.get(symbol.rpartition("-")[0])
        since = None if newest is None else stale_since(newest, on)
        return None if since is None else since.isoformat()


def instrument_out(services: "Services", contract: Contract) -> dict[str, Any]:
    """Return everything one must know to trade a contract."""
    shown = answers.instrument(contract)
    since = None
    if contract.index_ticks:
        since = services.index_ages.stale_since(contract.symbol, date_of(services.now_ns()))
    return {**shown, "index_stale_since": since}
