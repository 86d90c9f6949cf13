"""What is thrown away: old signatures, and cycles, without stopping a node that holds a market.

A full collection looks at every order and position: 100 to 500 ms with a few hundred thousand of
them, at any moment, for nothing, because what holds the market has no cycles. So what is there at
the start is set apart, only young objects are looked at while trading, and the rest once an hour.
"""

import asyncio
import gc
from contextlib import suppress
from typing import Final

from exchange.io.errors import Unavailable
from exchange.io.registry_requests import PostgresSignatures

YOUNG_OBJECTS: Final = 20_000  # more of them than before the last look: look at them, 1 to 2 ms
NEVER: Final = 1_000_000  # looks at the young before the old are looked at
FULL_EVERY_S: Final = 3600.0
PURGE_S: Final = 60.0


def calm() -> None:
    """Set apart what is there, and look at young objects only from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, NEVER, NEVER)


async def collect_rarely() -> None:
    """Look at everything made since the start, once in a while, for ever."""
    while True:
        await asyncio.sleep(FULL_EVERY_S)
        gc.collect()


async def purge_forever(signatures: PostgresSignatures) -> None:
    """Remove the signatures of requests that are too old to be sent again, for ever."""
    while True:
        with suppress(Unavailable):
            await signatures.purge()
        await asyncio.sleep(PURGE_S)
