"""How a request proves who sent it: HMAC-SHA256 or Ed25519 over everything that matters in it."""

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field

RECV_WINDOW_MS_DEFAULT = 5_000
ED25519 = "ed25519:"  # a secret that begins so is a private key, in hex after it


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secret; the secret never shows in a repr or a traceback."""

    key: str
    secret: str = field(repr=False)


def sign(
    secret: str,
    *,
    timestamp_ms: int,
    key: str,
    recv_window_ms: int,
    method: str,
    target: str,
    body: bytes = b"",
) -> str:
    """Return the hex signature of one request.

    Args:
        target: path with its query exactly as sent, e.g. "/api/v1/orders?symbol=X".
        body: the bytes exactly as sent, empty for none.
    """
    head = f"{timestamp_ms}{key}{recv_window_ms}{method.upper()}{target}"
    if secret.startswith(ED25519):
        return _sign_ed25519(secret.removeprefix(ED25519), head.encode() + body)
    return hmac.new(secret.encode(), head.encode() + body, hashlib.sha256).hexdigest()


def _sign_ed25519(key_hex: str, message: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key_hex)).sign(message).hex()


class Signer:
    """Signs requests of one key; safe to use from several threads.

    A signature is accepted once, so two equal requests in one millisecond get two
    timestamps.
    """

    def __init__(
        self, credentials: Credentials, recv_window_ms: int = RECV_WINDOW_MS_DEFAULT
    ) -> None:
        self.credentials = credentials
        self.recv_window_ms = recv_window_ms
        self.offset_ms = 0  # server clock minus ours, learned when the server objects
        self._last_ms = 0
        self._given: set[str] = set()  # signatures of the last timestamp
        self._lock = threading.Lock()

    def set_server_time(self, server_ms: int) -> None:
        """Take the server's clock as the right one from now on."""
        with self._lock:
            self.offset_ms = server_ms - time.time_ns() // 1_000_000
            self._last_ms = 0

    def headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return the four headers that sign this request, never the same twice."""
        with self._lock:
            self._move_to(time.time_ns() // 1_000_000 + self.offset_ms)
            while (signature := self._sign(method, target, body)) in self._given:
                self._move_to(self._last_ms + 1)
            self._given.add(signature)
            timestamp_ms = self._last_ms
        return {
            "WH-KEY": self.credentials.key,
            "WH-TIMESTAMP": str(timestamp_ms),
            "WH-RECV-WINDOW": str(self.recv_window_ms),
            "WH-SIGN": signature,
        }

    def _move_to(self, timestamp_ms: int) -> None:
        if timestamp_ms > self._last_ms:
            self._last_ms = timestamp_ms
            self._given.clear()

    def _sign(self, method: str, target: str, body: bytes) -> str:
        return sign(
            self.credentials.secret,
            timestamp_ms=self._last_ms,
            key=self.credentials.key,
            recv_window_ms=self.recv_window_ms,
            method=method,
            target=target,
            body=body,
        )
