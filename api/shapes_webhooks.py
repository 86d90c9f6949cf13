"""What answers say of webhooks."""

from typing import Final

from api.shapes import Answer, Part


class Webhook(Part):
    """A webhook; `status` is active or parked, then `why` says so.

    `waiting` deliveries go when it is their turn, the next not before `retry_ts`; `dropped` were
    left out because too many waited.
    """

    webhook_id: str
    url: str
    events: list[str]
    label: str
    status: str
    why: str | None
    failures: int
    retry_ts: int | None
    waiting: int
    dropped: int
    created_by: str
    created_ts: int
    rotated_ts: int | None


class Delivery(Part):
    """A delivery: waiting or delivered; answer, latency and error are of its last attempt."""

    delivery_id: str
    event: str
    status: str
    attempts: int
    http_status: int | None
    latency_ms: int | None
    error: str | None
    created_ts: int
    tried_ts: int | None


class WebhookAnswer(Answer):
    """One webhook."""

    webhook: Webhook


class WebhookSecretAnswer(Answer):
    """One webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str


class WebhooksAnswer(Answer):
    """The account's webhooks, the oldest first."""

    webhooks: list[Webhook]
    next_cursor: str | None


class WebhookPinged(Answer):
    """The delivery that was written."""

    delivery_id: str


class WebhookRemoved(Answer):
    """The webhook that is no more."""

    webhook_id: str


class DeliveriesAnswer(Answer):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
    next_cursor: str | None


ANSWERS: Final[dict[str, type[Answer]]] = {
    "create_webhook": WebhookSecretAnswer,
    "list_webhooks": WebhooksAnswer,
    "get_webhook": WebhookAnswer,
    "remove_webhook": WebhookRemoved,
    "rotate_webhook": WebhookSecretAnswer,
    "resume_webhook": WebhookAnswer,
    "ping_webhook": WebhookPinged,
    "list_deliveries": DeliveriesAnswer,
}
