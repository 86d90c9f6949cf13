"""Delivery: writes what the core said of payments, judges hours, closes receipts, signs roots.

It runs in the leader's process and keeps nothing: each step looks at what is stored, and does in
one transaction what is due. Killed anywhere, the next step does it, and nothing is done twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from exchange.io.clock import Clock
from exchange.io.delivery import Answer
from exchange.io.errors import ExchangeError
from exchange.io.tasks import keep_stepping
from exchange.rules.delivery.receipts import Receipt, Status

LOOK_S: Final = 0.5

Price = Callable[[Receipt], Awaitable[int]]
Free = Callable[[int], int]

_log = structlog.get_logger(__name__)


class Rows(Protocol):
    """The registry: `exchange.io.delivery.PostgresReceipts`."""

    async def answers(self) -> list[Answer]:
        """Return what the core decided and no event says yet, oldest first."""
        ...

    async def settle(self, answer: Answer, now_ns: int) -> None:
        """Write what follows from an answer, once."""
        ...

    async def due(self, now_ns: int) -> list[Receipt]:
        """Return receipts of which an hour is to be judged, or that are over."""
        ...

    async def judge(
        self, receipt_id: str, index_usd_micros: int, free_usd_micros: int, hour: int, now_ns: int
    ) -> None:
        """Judge an hour of a receipt, or close one whose window is over; once."""
        ...


class DeliveryDesk:
    """Works from what is stored, until cancelled."""

    def __init__(self, rows: Rows, price: Price, free: Free, clock: Clock) -> None:
        """Keep the registry of `rows`.

        Args:
            price: the index of an hour of a receipt, in micro-dollars a GPU-hour.
            free: what an account could pay in cash now.
        """
        self._rows = rows
        self._price = price
        self._free = free
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self, _: str = "") -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_stepping(self.step, LOOK_S, _waits, (ExchangeError,), self._wake)

    async def step(self) -> None:
        """Do what is due now.

        Errors:
            ExchangeError: the next step does what is left.
        """
        for answer in await self._rows.answers():
            await self._rows.settle(answer, self._clock.now_ns())
        for receipt in await self._rows.due(self._clock.now_ns()):
            price = await self._price(receipt) if receipt.status == Status.REDEEMED else 0
            free = max(0, self._free(receipt.issuer_idx))
            hour, now_ns = receipt.assessed_hour, self._clock.now_ns()
            await self._rows.judge(receipt.receipt_id, price, free, hour, now_ns)


def _waits(error: Exception) -> None:
    _log.warning("delivery_waits", error=str(error))
