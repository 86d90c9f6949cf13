"""What a user of the exchange imports, and the `wellhead` command line.

from wellhead import Client

with Client("http://127.0.0.1:8080", key, secret) as client:
    placed = client.place("H100-USE-2027M03", "buy", 3, "2.150")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wellhead.async_client import AsyncClient
    from wellhead.client import Client
    from wellhead.errors import (
        ApiError,
        AuthFailed,
        BadRequest,
        ConnectionFailed,
        NotFound,
        ProtocolError,
        RateLimited,
        Refused,
        Unavailable,
        WellheadError,
    )
    from wellhead.orderbook import OrderBook

_HOME = {
    "AsyncClient": "wellhead.async_client",
    "Client": "wellhead.client",
    "OrderBook": "wellhead.orderbook",
    "ApiError": "wellhead.errors",
    "AuthFailed": "wellhead.errors",
    "BadRequest": "wellhead.errors",
    "ConnectionFailed": "wellhead.errors",
    "NotFound": "wellhead.errors",
    "ProtocolError": "wellhead.errors",
    "RateLimited": "wellhead.errors",
    "Refused": "wellhead.errors",
    "Unavailable": "wellhead.errors",
    "WellheadError": "wellhead.errors",
}

__all__ = [
    "ApiError",
    "AsyncClient",
    "AuthFailed",
    "BadRequest",
    "Client",
    "ConnectionFailed",
    "NotFound",
    "OrderBook",
    "ProtocolError",
    "RateLimited",
    "Refused",
    "Unavailable",
    "WellheadError",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: importing the package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
