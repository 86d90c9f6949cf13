"""Clearing as a process of its own: `python -m exchange.services.clearing`."""

import asyncio
import sys

from exchange.io.db import Database
from exchange.io.follower_main import main
from exchange.services.clearing.loop import Clearing


async def clear(database: Database, wake: asyncio.Event | None, stop: asyncio.Event) -> None:
    """Clear until told to stop."""
    await Clearing(database, wake=wake).run(stop)


if __name__ == "__main__":
    sys.exit(main("clearing", clear, sys.argv[1:], nice=10))
