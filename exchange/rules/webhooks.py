"""Webhooks: what is told, in which bytes, signed how, and when it is tried again.

HOOK-1: each delivery has an id that stays; receivers may hear it more than once, never changed.
HOOK-2: a hook hears its deliveries one after the other, in the order they were written.
HOOK-3: after a failure it is tried again after 5 s, doubled each time, at most an hour.
HOOK-4: after 12 failures in a row, or a 410, or with 10,000 deliveries waiting, it is parked.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

NS_PER_S: Final = 1_000_000_000
BACKOFF_FIRST_NS: Final = 5 * NS_PER_S
BACKOFF_MAX_NS: Final = 3_600 * NS_PER_S
PARK_AFTER: Final = 12  # failures in a row: two and a half hours
WAITING_MAX: Final = 10_000  # deliveries of one hook; more are counted and left out
HOOKS_MAX: Final = 10  # of one account
OLD_SECRET_NS: Final = 24 * 3_600 * NS_PER_S  # how long a replaced secret signs as well
GONE: Final = 410  # the receiver says: never again


class HookEvent(StrEnum):
    """What an account may be told."""

    MARGIN_CALL = "margin_call"
    LIQUIDATION = "liquidation"
    DEFAULT = "default"
    FILL = "fill"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    SETTLEMENT = "settlement"
    DELIVERY = "delivery"
    GIVEUP = "giveup"
    NOTICE = "notice"
    ALERT = "alert"


PING: Final = "ping"  # sent to any hook that is asked for it
OPERATORS: Final = frozenset({HookEvent.ALERT})  # events that a key needs `admin` to ask for
CLEARED: Final = frozenset(  # read from what clearing has written, by its place
    {HookEvent.LIQUIDATION, HookEvent.DEFAULT, HookEvent.FILL, HookEvent.SETTLEMENT}
)


class Happening(NamedTuple):
    """Something to be told to the hooks of an account, or to all hooks for operators."""

    event: str
    account_idx: int | None
    data: Mapping[str, Any]
    seq: int | None = None  # of the journal, where it follows from that


class Listening(NamedTuple):
    """What of a hook decides whether it is told something."""

    webhook_id: str
    account_idx: int
    events: frozenset[str]
    from_seq: int  # what the journal says is told from here on
    waiting_count: int


class Told(NamedTuple):
    """What the hooks are to be told, and how much was left out for want of room."""

    rows: list[tuple[str, str, str]]  # hook, event, data
    dropped: dict[str, int]  # hook -> deliveries


def told(happenings: Iterable[Happening], hooks: Iterable[Listening]) -> Told:
    """Return the deliveries of what has happened, in order, no more than a hook has room for."""
    hooks, rows, dropped = list(hooks), list[tuple[str, str, str]](), dict[str, int]()
    room = {hook.webhook_id: WAITING_MAX - hook.waiting_count for hook in hooks}
    for one in happenings:
        data = json.dumps(one.data, separators=(",", ":"))
        for hook in hooks:
            if not hears(hook, one):
                continue
            if room[hook.webhook_id] > 0:
                room[hook.webhook_id] -= 1
                rows.append((hook.webhook_id, one.event, data))
            else:
                dropped[hook.webhook_id] = dropped.get(hook.webhook_id, 0) + 1
    return Told(rows, dropped)


def hears(hook: Listening, one: Happening) -> bool:
    """Say whether a hook is told something."""
    if one.event not in hook.events or (one.seq is not None and one.seq <= hook.from_seq):
        return False
    return one.account_idx is None or one.account_idx == hook.account_idx


def envelope(
    delivery_id: int, event: str, created_ms: int, account_id: str, data_text: str
) -> bytes:
    """Return the body of a delivery: the same bytes however often it is sent."""
    head = {
        "id": str(delivery_id), "event": event, "account_id": account_id, "created_ts": created_ms,
    }  # fmt: skip
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"data":{data_text}}}'.encode()


def signature(secret: bytes, timestamp_ms: int, body: bytes) -> str:
    """Return HMAC-SHA256 over `timestamp.body`, in hex."""
    return hmac.new(secret, f"{timestamp_ms}.".encode() + body, hashlib.sha256).hexdigest()


def backoff_ns(failures: int) -> int:
    """Return how long to wait after so many failures in a row."""
    assert failures > 0
    doublings = min(failures - 1, 20)
    return min(BACKOFF_MAX_NS, BACKOFF_FIRST_NS << doublings)


def parks(failures: int, http_status: int | None) -> bool:
    """Say whether a hook is parked after so many failures in a row, the last with this answer."""
    return failures >= PARK_AFTER or http_status == GONE
