"""Who asks: signatures, replay protection, scopes, addresses, expiry."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.errors import Problem
from api.limits import Limits
from exchange.io.errors import ClockBehind
from exchange.io.registry import ApiKey, ApiKeys, Scope, Signatures

RECV_WINDOW_MS_DEFAULT: Final = 5_000
RECV_WINDOW_MS_MAX: Final = 60_000
AHEAD_MS_MAX: Final = 1_000  # a client's clock may be this far ahead of ours
WS_METHOD: Final = "GET"
WS_TARGET: Final = "/api/v1/ws"

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MILLIS = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request speaks for, and what it may do."""

    key_id: str
    account_idx: int
    account_id: str
    scopes: frozenset[Scope]

    def need(self, scope: Scope) -> None:
        """Raise `scope_missing` unless the key has the scope."""
        if scope not in self.scopes:
            raise Problem("scope_missing", f"this key lacks the scope {scope.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request says about its sender, as it came."""

    key_id: str
    timestamp: str
    recv_window: str
    signature: str
    method: str
    target: str  # path and query as sent
    body: bytes = b""

    def message(self) -> bytes:
        """Return the bytes that were signed."""
        head = f"{self.timestamp}{self.key_id}{self.recv_window}{self.method}{self.target}"
        return head.encode() + self.body


class Authenticator:
    """Checks claims; a signature is accepted once, over restarts and across gateways.

    Args:
        not_before_ns: claims signed earlier are refused, as used ones: nobody knows any more
            whether they were; 0 where `signatures` remembers them over a restart.
    """

    def __init__(
        self,
        keys: ApiKeys,
        signatures: Signatures,
        limits: Limits,
        now_ns: Callable[[], int],
        not_before_ns: int = 0,
    ) -> None:
        self._not_before_ms = -(-not_before_ns // _NS_PER_MS)
        self._keys = keys
        self._signatures = signatures
        self._limits = limits
        self._now_ns = now_ns

    async def check(self, claim: Claim, address: str) -> Principal:
        """Return who it is.

        Errors:
            Problem: what is wrong, saying nothing about which part of a secret.
        """
        try:
            return await self._check(claim, address)
        except Problem as problem:
            if problem.code == "auth_failed":
                self._limits.failures.take(address)
            raise

    async def _check(self, claim: Claim, address: str) -> Principal:
        if not is_key_id(claim.key_id) or not _HEX.fullmatch(claim.signature):
            raise Problem("auth_failed", "key or signature has not the right form")
        expires_ns = self._check_time(claim)
        key = await self._keys.find(claim.key_id)
        if key is None or not signed_by(key, claim):
            raise Problem("auth_failed", "no such key, or the signature is not of this request")
        if not key.is_live(self._now_ns()):
            raise Problem("auth_failed", "the key was revoked or has expired")
        check_address(key, address)
        await self._use(claim, expires_ns)
        return Principal(key.key_id, key.account_idx, key.account_id, key.scopes)

    async def _use(self, claim: Claim, expires_ns: int) -> None:
        """Use the signature of a claim up; raise if that is not its first use for certain."""
        if int(claim.timestamp) < self._not_before_ms:
            now_ns, begins_ns = self._now_ns(), self._not_before_ms * _NS_PER_MS
            if now_ns + _NS_PER_MS <= begins_ns:  # timestamps are no more exact
                raise _clock_behind(begins_ns, now_ns)
            raise Problem("signature_replayed", "signed before this gateway began: sign anew")
        signature = bytes.fromhex(claim.signature)
        try:
            is_new = await self._signatures.claim(claim.key_id, signature, expires_ns)
        except ClockBehind as error:
            raise _clock_behind(error.until_ns, self._now_ns()) from error
        if not is_new:
            raise Problem("signature_replayed", "a signature is accepted once: sign anew")

    def _check_time(self, claim: Claim) -> int:
        """Return until when (ns) the signature must be remembered."""
        if not _MILLIS.fullmatch(claim.timestamp):
            raise Problem("timestamp_invalid", "milliseconds since 1970", field="timestamp")
        if not _MILLIS.fullmatch(claim.recv_window):
            raise Problem("timestamp_invalid", "milliseconds", field="recv_window")
        window_ms, at_ms = int(claim.recv_window), int(claim.timestamp)
        if window_ms > RECV_WINDOW_MS_MAX:
            raise Problem("timestamp_invalid", f"at most {RECV_WINDOW_MS_MAX}", field="recv_window")
        now_ms = self._now_ns() // _NS_PER_MS
        if not now_ms - window_ms <= at_ms <= now_ms + AHEAD_MS_MAX:
            raise Problem(
                "timestamp_invalid",
                "the request is too old, or its clock is ahead",
                field="timestamp",
                extra={"server_ts": now_ms},
            )
        return (at_ms + window_ms + AHEAD_MS_MAX) * _NS_PER_MS

    async def is_live(self, key_id: str) -> bool:
        """Say whether a key that logged in before may go on."""
        key = await self._keys.find(key_id)
        return key is not None and key.is_live(self._now_ns())


def _clock_behind(until_ns: int, now_ns: int) -> Problem:
    """Return the problem of whoever signs while our clock shows a time it has shown before."""
    until_s = -(-until_ns // _NS_PER_S)
    until = datetime.fromtimestamp(until_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Problem(
        "clock_behind",
        f"the exchange's clock is behind: nothing that is signed is accepted until {until} UTC",
        retry_after_s=max(1, until_s - now_ns // _NS_PER_S),
    )


def is_key_id(text: str) -> bool:
    """Say whether a text can be the id of a key."""
    return _KEY_ID.fullmatch(text) is not None


def signed_by(key: ApiKey, claim: Claim) -> bool:
    """Say whether the key made the claim's signature."""
    signature = bytes.fromhex(claim.signature)
    if key.public_key is not None:
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, claim.message())
        except InvalidSignature:
            return False
        return True
    if not key.secret:
        return False
    wanted = hmac.new(key.secret, claim.message(), hashlib.sha256).digest()
    return hmac.compare_digest(wanted, signature)


def check_address(key: ApiKey, address: str) -> None:
    """Raise `address_not_allowed` unless the key may be used from this address."""
    if not key.ip_allow:
        return
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise Problem("address_not_allowed", "the address is not known") from None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if not any(ip in network for network in networks(key.ip_allow)):
        raise Problem("address_not_allowed", "the key may not be used from this address")


@lru_cache(maxsize=10_000)
def networks(
    texts: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return networks of their texts.

    Errors:
        ValueError: one of them is no network.
    """
    return tuple(ipaddress.ip_network(text) for text in texts)
