"""API keys as JSON, and the checks of a new one."""

import base64
import binascii
from typing import Any, Final

from msgspec import UNSET

from api.answers import millis
from api.auth import networks
from api.errors import Problem
from api.schemas import KeyNew
from exchange.io.registry import ApiKey, Scope

PUBLIC_KEY_BYTES: Final = 32
NS_PER_MS: Final = 1_000_000
LABEL_MAX: Final = 64


def key_out(key: ApiKey) -> dict[str, Any]:
    """Return a key without its secret."""
    return {
        "key": key.key_id,
        "account_id": key.account_id,
        "label": key.label,
        "scopes": sorted(scope.value for scope in key.scopes),
        "ip_allow": list(key.ip_allow),
        "expires_at": millis(key.expires_at_ns or 0),
        "revoked": key.revoked_at_ns is not None,
        "created_ts": millis(key.created_at_ns),
        "kind": "ed25519" if key.public_key is not None else "hmac",
    }


def scopes_of(body: KeyNew) -> frozenset[Scope]:
    """Return the scopes of a new key, `read` when none are named."""
    if body.scopes is UNSET:
        return frozenset({Scope.READ})
    try:
        return frozenset(Scope(text) for text in body.scopes)
    except ValueError:
        allowed = ", ".join(Scope)
        raise Problem("field_invalid", f"some of {allowed}", field="scopes") from None


def addresses_of(body: KeyNew) -> tuple[str, ...]:
    """Return the networks a new key may be used from."""
    if body.ip_allow is UNSET:
        return ()
    try:
        return tuple(str(network) for network in networks(tuple(body.ip_allow)))
    except ValueError:
        raise Problem("field_invalid", "networks as 10.0.0.0/8", field="ip_allow") from None


def public_key_of(body: KeyNew) -> bytes | None:
    """Return the 32 bytes of an Ed25519 public key, None when there is none."""
    if body.public_key is UNSET:
        return None
    try:
        raw = base64.b64decode(body.public_key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != PUBLIC_KEY_BYTES:
        raise Problem("field_invalid", "32 bytes in base64", field="public_key")
    return raw


def expiry_of(body: KeyNew, now_ns: int) -> int | None:
    """Return when a new key ends, None for never."""
    if body.expires_at is UNSET:
        return None
    expires_ns = body.expires_at * NS_PER_MS
    if expires_ns <= now_ns:
        raise Problem("field_invalid", "lies in the past", field="expires_at")
    return expires_ns
