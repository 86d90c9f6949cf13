"""Which bus joins the roles."""

from exchange.config import Settings
from exchange.io.bus import Bus
from exchange.io.bus_memory import MemoryBus
from exchange.io.bus_redis import RedisBus
from exchange.io.errors import StartRefused


def open_bus(settings: Settings) -> Bus:
    """Return the bus of this process.

    Errors:
        StartRefused: roles are apart, and no bus is named to join them.
    """
    if settings.redis_url is not None:
        return RedisBus(settings.redis_url.get_secret_value())
    if not settings.all_in_one:
        raise StartRefused(
            "processes with roles of their own need WELLHEAD_REDIS_URL and WELLHEAD_DATABASE_URL"
        )
    return MemoryBus()


def check_apart(settings: Settings) -> None:
    """See that a process with a role of its own can meet the others.

    Errors:
        StartRefused: it cannot.
    """
    if not settings.all_in_one and settings.database_url is None:
        raise StartRefused(
            "processes with roles of their own need WELLHEAD_DATABASE_URL (and WELLHEAD_REDIS_URL,"
            " except clearing)"
        )
