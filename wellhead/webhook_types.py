"""Webhooks, as the exchange says them."""

from wellhead.types import Answer


class Webhook(Answer, frozen=True, kw_only=True):
    """A webhook; its `secret` is there once, when it is made or rotated.

    `status` is active, or parked with a `why`: then nothing is sent until it is resumed.
    """

    webhook_id: str
    url: str
    events: list[str]
    label: str = ""
    status: str
    why: str | None = None
    failures: int = 0
    retry_ts: int | None = None
    waiting: int = 0
    dropped: int = 0
    created_by: str = ""
    created_ts: int
    rotated_ts: int | None = None
    secret: str | None = None


class Delivery(Answer, frozen=True, kw_only=True):
    """A delivery: waiting or delivered; answer, latency and error are of its last attempt."""

    delivery_id: str
    event: str
    status: str
    attempts: int = 0
    http_status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    created_ts: int
    tried_ts: int | None = None
