"""Webhooks as a process of its own: `python -m exchange.services.webhooks`."""

import asyncio
import sys

from exchange.config import Settings
from exchange.io.db import Database
from exchange.io.errors import StartRefused
from exchange.io.follower_main import main
from exchange.io.secret_box import SecretBox
from exchange.services.webhooks.loop import Webhooks


async def deliver(database: Database, wake: asyncio.Event | None, stop: asyncio.Event) -> None:
    """Deliver until told to stop; it looks by itself, and needs no waking."""
    settings = Settings()
    if settings.secret_key is None:
        raise StartRefused("set WELLHEAD_SECRET_KEY: the secrets of webhooks are encrypted with it")
    box = SecretBox(settings.secret_key.get_secret_value())
    await Webhooks(database, box, settings.webhook_hosts).run(stop)


if __name__ == "__main__":
    sys.exit(main("webhooks", deliver, sys.argv[1:], nice=10))
