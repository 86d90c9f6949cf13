"""Orders that were refused for want of margin, by the number of their command: the newest only."""

from typing import Final, NamedTuple

KEPT_MAX: Final = 256


class ShortOrder(NamedTuple):
    """What the refused command asked for."""

    account_idx: int
    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int


class ShortOrders:
    """As many as may wait for their answers at once; an older one is answered without numbers."""

    def __init__(self) -> None:
        self._kept: dict[int, ShortOrder] = {}

    def keep(self, seq: int, order: ShortOrder) -> None:
        """Keep one, and let the oldest go."""
        self._kept[seq] = order
        if len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]

    def get(self, seq: int) -> ShortOrder | None:
        """Return the order that command `seq` asked for, if it is still kept."""
        return self._kept.get(seq)

    def __len__(self) -> int:
        return len(self._kept)
