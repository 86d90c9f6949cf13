"""How far clearing is: asked once for all who wait for it, however many they are."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

POLL_S: Final = 0.01


class Reached:
    """Readers that wait for clearing, which in a very busy market is behind for a moment.

    An answer is believed for POLL_S and no longer: a crash of Postgres may take clearing back,
    which then posts again what it had posted.
    """

    def __init__(self, ask: Callable[[], Awaitable[int]]) -> None:
        """Wait by asking `ask` for the last command that is posted."""
        self._ask = ask
        self._shown = 0
        self._looking: asyncio.Future[None] | None = None
        self._looked_s = -POLL_S

    async def wait(self, seq: int, timeout_s: float) -> int:
        """Wait until a command is posted, but not much longer than so; return what is.

        Errors:
            whatever `ask` raises.
        """
        clock = asyncio.get_running_loop().time
        until_s = clock() + timeout_s
        is_fresh = clock() - self._looked_s < POLL_S
        while not is_fresh or (self._shown < seq and clock() <= until_s):
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._look())
            await asyncio.shield(self._looking)
            is_fresh = True
        return self._shown

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._looked_s + POLL_S - clock()))
        self._shown = await self._ask()
        self._looked_s = clock()
