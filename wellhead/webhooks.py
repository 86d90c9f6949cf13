"""For who receives webhooks: see that a delivery is of the exchange, and what it says.

    event = verify(secret, request.headers, request.body)

Answer 2xx once it is kept; anything else, or ten seconds of silence, and it comes again: with the
same `event.id` and the same bytes, so ignore ids that you have.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from wellhead.errors import WellheadError

TOLERANCE_S = 300.0


class SignatureInvalid(WellheadError):
    """Not signed with this secret, or longer ago than is believed; the message says which."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery. `created_ts` is in milliseconds; `data` is as docs/api.md says of `event`."""

    id: str
    event: str
    account_id: str
    created_ts: int
    data: dict[str, Any]


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now_ms: int | None = None,
) -> Event:
    """Return what a request says, once it is known to be signed with the secret.

    Args:
        headers: of the request, by name in any case.
        body: the bytes exactly as they came.
        tolerance_s: how old, or how far ahead of this clock, a signature may be.

    Errors:
        SignatureInvalid: do not believe it; answer 4xx.
    """
    found = {name.lower(): value for name, value in headers.items()}
    stamp, signed = found.get("wh-timestamp", ""), found.get("wh-sign", "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 17):
        raise SignatureInvalid("no WH-TIMESTAMP in milliseconds")
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    given = [one.strip().encode() for one in signed.split(",")]  # two, while a secret is replaced
    if not any(hmac.compare_digest(wanted.encode(), one) for one in given):
        raise SignatureInvalid("WH-SIGN is not of this secret and body")
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    if abs(now - int(stamp)) > tolerance_s * 1000:
        raise SignatureInvalid(f"signed more than {tolerance_s:g} s from now")
    try:
        return msgspec.json.decode(body, type=Event)
    except msgspec.DecodeError as error:
        raise SignatureInvalid(f"signed, but no event: {error}") from error
