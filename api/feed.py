"""What the API needs of public market data."""

from typing import Any, Protocol

from exchange.rules.candles import Candle
from exchange.rules.records import Contract


class Feed(Protocol):
    """Public market data, fed by the service of that name."""

    def book(self, contract: Contract, levels: int) -> dict[str, Any]:
        """Return the book of a contract and the seq of its last change."""
        ...

    def ticker(self, contract: Contract) -> dict[str, Any]:
        """Return the ticker of a contract."""
        ...

    def blocks_until_ns(self) -> int:
        """Return the moment up to which blocks are on the public tape: they are a while later."""
        ...

    def klines(self, contract: Contract) -> list[Candle]:
        """Return the candles of one minute that are in memory, oldest first."""
        ...

    def subscribe(self, name: str, subscriber: Any) -> bytes | None:
        """Subscribe and return the snapshot to begin with; None when there is no such channel."""
        ...

    def snapshot(self, name: str) -> bytes | None:
        """Return a fresh snapshot of an open channel."""
        ...

    def unsubscribe(self, name: str, subscriber: Any) -> None:
        """Unsubscribe."""
        ...
