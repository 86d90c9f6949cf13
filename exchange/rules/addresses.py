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
TARGET: Final = re.compile(r"/[!-~]{0,1999}")  # printable ASCII without blanks


class AddressInvalid(ValueError):
    """A URL that is not asked; the message says why."""


class Address(NamedTuple):
    """Where something is asked."""

    host: str
    target: str  # path and query
    port: int
    is_inside: bool  # the operator allows it by name: it need not be public


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
    if parts.scheme != "https" or (port != PORT and not is_inside):
        raise AddressInvalid("https and its own port only")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressInvalid("no user, no password, no fragment")
    if not is_inside and not HOST.fullmatch(host):
        raise AddressInvalid("a host by its name, in ASCII")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not TARGET.fullmatch(target):
        raise AddressInvalid("path and query in ASCII without blanks, at most 2000 characters")
    return Address(host, target, port, is_inside)
