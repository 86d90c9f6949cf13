"""How much one account, key or address may ask for. Cancels are never held back."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from api.errors import Problem

K = TypeVar("K")

BUCKETS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """Rates a second, each with a burst of as much as one second gives."""

    orders_per_s: int = 50_000  # new and amended orders of one account
    reads_per_s: int = 200  # private reads and admin requests of one account
    public_per_s: int = 1_000  # public requests of one address
    failed_auth_per_s: int = 50  # of one address
    in_flight_max: int = 1_000  # order requests of one connection without an answer
    connections_max: int = 10_000  # websockets of this process
    connections_per_address_max: int = 500
    channels_max: int = 200  # of one connection
    kernel_bytes: int = 1 << 18  # of the system's send buffer: what is in it counts as read
    lag_bytes: int = 1 << 19  # unread bytes at which public channels are conflated
    lag_bytes_max: int = 1 << 22  # unread bytes at which the connection is closed
    lag_s: float = 10.0  # how long it may stay conflated


class Bucket:
    """A token bucket: `rate` a second, `burst` at once."""

    __slots__ = ("_at_s", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at_s = now_s

    def take(self, now_s: float, count: int = 1) -> bool:
        """Take `count` tokens if they are there."""
        left = self._left + (now_s - self._at_s) * self.rate
        if left > self.burst:
            left = self.burst
        self._at_s = now_s
        if left < count:
            self._left = left
            return False
        self._left = left - count
        return True

    @property
    def remaining(self) -> int:
        """Return how many tokens were left at the last `take`."""
        return int(self._left)

    @property
    def reset_ms(self) -> int:
        """Return the milliseconds until the bucket is full again."""
        return int((self.burst - self._left) / self.rate * 1000)


class Buckets(Generic[K]):
    """A bucket for each key, the one not used for longest forgotten first."""

    def __init__(
        self,
        name: str,
        rate: int,
        clock_s: Callable[[], float] = time.monotonic,
        *,
        said: str = "",
    ) -> None:
        """Count what is called `name` in headers, and `said` where a person reads it."""
        self.name, self._said = name, said or name
        self.rate = rate
        self._clock_s = clock_s
        self._buckets: OrderedDict[K, Bucket] = OrderedDict()

    def of(self, key: K) -> Bucket:
        """Return the bucket of a key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = Bucket(self.rate, self.rate, self._clock_s())
        return bucket

    def take(self, key: K, count: int = 1) -> Bucket:
        """Take tokens of a key and return its bucket.

        Errors:
            Problem: `rate_limited`.
        """
        bucket = self.of(key)
        self._buckets.move_to_end(key)
        if not bucket.take(self._clock_s(), count):
            raise self.problem(bucket)
        return bucket

    def problem(self, bucket: Bucket) -> Problem:
        """Return the refusal of an empty bucket."""
        return Problem(
            "rate_limited",
            f"at most {self.rate} {self._said} a second",
            extra={"limit": {"remaining": bucket.remaining, "reset": bucket.reset_ms}},
        )

    def headers(self, bucket: Bucket) -> list[tuple[bytes, bytes]]:
        """Return the RateLimit header fields."""
        left = f'"{self.name}";r={bucket.remaining};t={-(-bucket.reset_ms // 1000)}'
        return [
            (b"ratelimit-policy", f'"{self.name}";q={self.rate};w=1'.encode()),
            (b"ratelimit", left.encode()),
        ]


class Limits:
    """All buckets of one gateway process."""

    def __init__(
        self,
        settings: LimitSettings | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or LimitSettings()
        self.clock_s = clock_s
        self.orders: Buckets[int] = Buckets("orders", self.settings.orders_per_s, clock_s)
        self.reads: Buckets[int] = Buckets(
            "reads", self.settings.reads_per_s, clock_s, said="requests other than orders"
        )
        self.public: Buckets[str] = Buckets("requests", self.settings.public_per_s, clock_s)
        self.failures: Buckets[str] = Buckets(
            "failed logins", self.settings.failed_auth_per_s, clock_s
        )
        self._connections: dict[str, int] = {}
        self.connection_count = 0

    def check_connections(self, address: str) -> None:
        """See that an address may open one more websocket.

        Errors:
            Problem: `too_many_connections`.
        """
        if (
            self.connection_count >= self.settings.connections_max
            or self._connections.get(address, 0) >= self.settings.connections_per_address_max
        ):
            raise Problem("too_many_connections", "close one first")

    def connect(self, address: str) -> None:
        """Count a websocket of an address."""
        self._connections[address] = self._connections.get(address, 0) + 1
        self.connection_count += 1

    def disconnect(self, address: str) -> None:
        """Forget a websocket that `connect` counted."""
        self.connection_count -= 1
        self._connections[address] -= 1
        if not self._connections[address]:
            del self._connections[address]
