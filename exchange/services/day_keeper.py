"""The final prints of the index, brought to the calendar, which settles deliveries by them.

It only reads: killed and started again it reads the same. Until it has read, deliveries wait.
"""

import asyncio
import logging
from typing import Final

from exchange.io.clock import Clock
from exchange.io.errors import Unavailable
from exchange.io.final_prints import TOGETHER, FinalPrints
from exchange.rules.final_settlement import FixedDays
from exchange.rules.tenors import DAY, date_of

LOOK_S: Final = 5.0
KEPT_DAYS: Final = 400  # no period that delivers itself is longer

_log = logging.getLogger("wellhead.days")


class DayKeeper:
    """Reads final prints into `days`."""

    def __init__(self, prints: FinalPrints, clock: Clock, days: FixedDays) -> None:
        self._prints = prints
        self._clock = clock
        self._days = days
        self._position = 0

    async def step(self) -> int:
        """Read what is new; return how many prints that was."""
        first = date_of(self._clock.now_ns()) - KEPT_DAYS * DAY
        count = 0
        while True:
            rows = await self._prints.after(self._position, first)
            for position, name, one in rows:
                self._days.add(name, one)
                self._position = position
            count += len(rows)
            if len(rows) < TOGETHER:
                return count

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("final prints not read, will be read again: %s", error)
            await asyncio.sleep(LOOK_S)
