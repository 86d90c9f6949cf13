"""Surveillance as a process of its own: `python -m exchange.services.surveillance`."""

import asyncio
import sys

from exchange.io.db import Database
from exchange.io.follower_main import main
from exchange.services.surveillance.loop import Surveillance


async def watch(database: Database, wake: asyncio.Event | None, stop: asyncio.Event) -> None:
    """Watch until told to stop; it looks by itself, and needs no waking."""
    await Surveillance(database).run(stop)


if __name__ == "__main__":
    sys.exit(main("surveillance", watch, sys.argv[1:], nice=10))
