"""The bus inside one process."""

import asyncio
from collections.abc import Callable

import numpy as np

from exchange.io.batch import Batch
from exchange.io.bus import WAITING_COMMANDS_MAX, Inbox, Listener, Outlet, Rows
from exchange.io.status import Status


class MemoryBus:
    """Queues in memory; everyone is in the same event loop."""

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._outlets: list[Outlet] = []
        self._listeners: list[Listener] = []
        self._announced: Batch | None = None
        self._status: Status | None = None

    async def send(self, rows: Rows) -> None:
        """Send commands to the sequencer, in this order."""
        self._inbox.put(rows)

    def try_send(self, row: bytes) -> bool:
        """Send a command at once, unless too many wait already."""
        if self._inbox.count >= WAITING_COMMANDS_MAX:
            return False
        self._inbox.put(row)
        return True

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever commands have arrived."""
        self._inbox.on_arrival(wake)

    def take(self, count_max: int) -> np.ndarray:
        """Return the commands that are here, at most `count_max`, maybe none."""
        return self._inbox.take(count_max)

    async def receive(self, count_max: int) -> np.ndarray:
        """Wait for commands and return at most `count_max` of them."""
        return await self._inbox.receive(count_max)

    def attach(self, listener: Listener) -> None:
        """Have batches that were announced given to a listener before anything else happens."""
        self._listeners.append(listener)

    def announce(self, batch: Batch) -> None:
        """Have listeners get ready for a batch in the next turn of the loop."""
        self._announced = batch
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.call_soon(listener.foresee, batch)

    async def publish(self, batch: Batch, taken_count: int = 0) -> None:
        """Give a committed batch to all subscribers, and at once to listeners if announced."""
        for outlet in self._outlets:
            outlet.put(batch)
        if batch is self._announced:
            self._announced = None
            for listener in self._listeners:
                listener.take(batch)

    def subscribe(self) -> Outlet:
        """Return the batches published from now on."""
        outlet = Outlet()
        self._outlets.append(outlet)
        return outlet

    def unsubscribe(self, outlet: Outlet) -> None:
        """End a subscription."""
        outlet.close()
        if outlet in self._outlets:
            self._outlets.remove(outlet)

    async def put_status(self, status: Status) -> None:
        """Keep what the leader says."""
        self._status = status

    async def get_status(self) -> Status | None:
        """Return what the leader said last."""
        return self._status

    async def close(self) -> None:
        """End all subscriptions."""
        for outlet in self._outlets:
            outlet.close()
        self._outlets.clear()
