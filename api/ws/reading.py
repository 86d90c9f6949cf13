"""Reading Postgres for the websocket's channels, beside which everybody else is looked after."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from exchange.io.errors import Unavailable

READ_S: Final = 1.0  # the hub waits no longer for one look


@contextlib.asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """Give up a read that fails or takes long: it is done again at the next look."""
    with contextlib.suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(READ_S):
            yield
