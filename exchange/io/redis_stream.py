"""Read one Redis stream, entry by entry, through lost connections and wiped servers."""

import asyncio
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

BLOCK_MS: Final = 500
ENTRIES_MAX: Final = 128
RETRY_S: Final = 0.1
FIRST: Final = b"0-0"
LOST: Final = (RedisError, OSError, TimeoutError)

Entries = list[tuple[bytes, dict[bytes, bytes]]]

_log = structlog.get_logger(__name__)


class StreamReader:
    """A place in a stream. It never gives an entry twice, but may miss some when all is wiped."""

    def __init__(self, url: str, name: str, *, from_start: bool, **options: Any) -> None:
        self._redis: Any = Redis.from_url(url, socket_timeout=10 * BLOCK_MS / 1000, **options)
        self._name = name
        self._last_id: bytes | None = FIRST if from_start else None  # None: the end, not looked up

    async def read(self) -> Entries:
        """Return the next entries, maybe none; waits a little for them, and while it is lost."""
        try:
            if self._last_id is None:
                self._last_id = await self._newest_id()
            found = await self._redis.xread(
                {self._name: self._last_id}, count=ENTRIES_MAX, block=BLOCK_MS
            )
            if not found:
                await self._look_back()
                return []
        except LOST as error:
            _log.warning("stream_lost", stream=self._name, error=repr(error))
            await asyncio.sleep(RETRY_S)
            return []
        entries: Entries = found[0][1]
        self._last_id = entries[-1][0]
        return entries

    async def aclose(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _newest_id(self) -> bytes:
        """Return the id of the newest entry."""
        newest: Entries = await self._redis.xrevrange(self._name, count=1)
        return newest[0][0] if newest else FIRST

    async def _look_back(self) -> None:
        """Begin again if the stream was wiped and its numbers with it, which may now be lower."""
        newest_id = await self._newest_id()
        if newest_id != FIRST and _order(newest_id) < _order(self._last_id or FIRST):
            _log.warning("stream_restarted", stream=self._name)
            self._last_id = FIRST


def _order(entry_id: bytes) -> tuple[int, int]:
    at_ms, _, number = entry_id.partition(b"-")
    return int(at_ms), int(number)
