"""The read barrier: a read after an acknowledged write shows that write, on any gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from api.errors import Problem
from exchange.io.errors import ExchangeError
from exchange.rules.mirror_state import MirrorState

READ_TIMEOUT_S: Final = 2.0


class Barrier:
    """Reads that wait for the mirror.

    Args:
        head: returns the journal's head; None when everything runs in this process, where the
            mirror shows what a reply says before anyone can ask.
    """

    def __init__(
        self, mirror: MirrorState, head: Callable[[], Awaitable[int]] | None = None
    ) -> None:
        self._mirror = mirror
        self._head = head
        self._asking: asyncio.Future[int] | None = None
        self._readers: list[tuple[int, asyncio.Future[None]]] = []

    async def reached(self, seq: int, timeout_s: float = READ_TIMEOUT_S) -> None:
        """Wait until the mirror shows `seq`.

        Errors:
            Problem: `views_behind` when it does not in time.
        """
        if self._mirror.seq >= seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append((seq, future))
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            raise Problem("views_behind", "this gateway is behind the journal") from None

    async def passed(self) -> None:
        """Wait until the mirror shows everything acknowledged anywhere before this call.

        Errors:
            Problem: the journal cannot be asked, or the mirror is too far behind.
        """
        if self._head is None:
            return
        try:
            # A question under way was asked too early for us: ask after it, all together.
            if self._asking is not None and not self._asking.done():
                await asyncio.wait({self._asking})
            if self._asking is None or self._asking.done():
                self._asking = asyncio.ensure_future(self._head())
            seq = await asyncio.shield(self._asking)
        except ExchangeError as error:
            raise Problem("database_unavailable", "the journal cannot be asked") from error
        await self.reached(seq)

    def release(self) -> None:
        """Let go on whoever waited for what the mirror shows by now."""
        if not self._readers:
            return
        seq, waiting = self._mirror.seq, self._readers
        self._readers = [reader for reader in waiting if reader[0] > seq]
        for wanted, future in waiting:
            if wanted <= seq and not future.done():
                future.set_result(None)
