"""Clearing as a process of its own: `python -m exchange.services.clearing`."""

import asyncio
import sys
from typing import Final

from exchange.io.db import Database
from exchange.io.follower_main import main
from exchange.services.clearing.loop import Clearing

LAST_LOOK_S: Final = 3.0  # less than whoever started us waits for our end


async def clear(database: Database, wake: asyncio.Event | None, stop: asyncio.Event) -> None:
    """Clear until told to stop, and then what is there by then."""
    await Clearing(database, wake=wake, last_look_s=LAST_LOOK_S).run(stop)


if __name__ == "__main__":
    sys.exit(main("clearing", clear, sys.argv[1:], nice=10))
