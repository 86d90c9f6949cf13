"""Addresses that are asked over HTTPS: which URLs we take, whoever gave them to us."""

import re
from collections.abc import Collection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

PORT: Final = 443
URL_MAX: Final = 2_000
HOST: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}"
)
INSIDE: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")  # also 10.0.0.7
TARGET: Final = re.compile(r"/[!-~]{0,1999}")  # printable ASCII without blanks


class AddressInvalid(ValueError):
    """A URL that is not asked; the message says why."""


class NotPublic(AddressInvalid):
    """A host or a port that is not asked unless the operator allows both by name."""


class Address(NamedTuple):
    """Where something is asked."""

    host: str
    target: str  # path and query
    port: int
    is_inside: bool  # the operator allows it by name: it need not be public


def inside_host(text: str) -> str:
    """Return `name:port` of a host that an operator allows, as it is compared.

    Errors:
        AddressInvalid: it is not written so.
    """
    host, _, port = text.lower().rpartition(":")
    digits = port.isascii() and port.isdecimal() and len(port) < 6
    if not INSIDE.fullmatch(host) or not digits or not 0 < int(port) < 1 << 16:
        raise AddressInvalid(
            f"{text[:60]!r} is no host and port: receiver.internal:8443, localhost:8443"
        )
    return f"{host}:{int(port)}"


def https_address(url: str, inside: Collection[str] = ()) -> Address:
    """Return the address of a URL: https, a host by its name, its own port.

    Args:
        inside: `name:port` of hosts that the operator allows, whatever they are.

    Errors:
        AddressInvalid: it is none that is asked.
    """
    try:
        parts = urlsplit(url)
        port = PORT if parts.port is None else parts.port
    except ValueError as error:
        raise AddressInvalid(str(error)) from error
    host = parts.hostname or ""
    is_inside = f"{host}:{port}" in inside
    if parts.scheme != "https" or not host:
        raise AddressInvalid("https only, as https://hooks.example.com/wellhead")
    if port != PORT and not is_inside:
        raise NotPublic(f"port 443 only, not {port}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressInvalid("no user, no password, no fragment")
    if not is_inside and not HOST.fullmatch(host):
        raise NotPublic("a public host by its name, in ASCII, as hooks.example.com")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not TARGET.fullmatch(target):
        raise AddressInvalid("path and query in ASCII without blanks, at most 2000 characters")
    return Address(host, target, port, is_inside)
