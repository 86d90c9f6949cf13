"""Requests about webhooks."""

from collections.abc import Iterable
from urllib.parse import quote

from wellhead import types as wt
from wellhead import webhook_types as ht
from wellhead.calls import Call, Json, convert, get_call, member, page, target


def create(url: str, events: Iterable[str], label: str | None = None) -> Call[ht.Webhook]:
    """Have events of the account told to a URL; the answer holds the secret, once."""
    body: Json = {"url": url, "events": list(events)}
    if label is not None:
        body["label"] = label
    return Call("POST", target("/webhooks"), _with_secret, body=body)


def webhooks() -> Call[wt.Page[ht.Webhook]]:
    """Return the account's webhooks, the oldest first."""
    return get_call("/webhooks", page("webhooks", ht.Webhook))


def webhook(webhook_id: str) -> Call[ht.Webhook]:
    """Return one webhook."""
    return get_call(_path(webhook_id), member("webhook", ht.Webhook))


def remove(webhook_id: str) -> Call[str]:
    """Remove a webhook, and what waits for it; return its id."""
    return Call("DELETE", target(_path(webhook_id)), member("webhook_id", str))


def rotate(webhook_id: str) -> Call[ht.Webhook]:
    """Give a webhook another secret; for a day both sign."""
    return Call("POST", target(_path(webhook_id, "/rotate")), _with_secret)


def resume(webhook_id: str) -> Call[ht.Webhook]:
    """Deliver again at once, beginning with what waits."""
    path = target(_path(webhook_id, "/resume"))
    return Call("POST", path, member("webhook", ht.Webhook), repeatable=True)


def ping(webhook_id: str) -> Call[str]:
    """Send a test; return the id of its delivery."""
    return Call("POST", target(_path(webhook_id, "/ping")), member("delivery_id", str))


def deliveries(
    webhook_id: str, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[ht.Delivery]]:
    """Return what was, or is to be, delivered; newest first."""
    path, parse = _path(webhook_id, "/deliveries"), page("deliveries", ht.Delivery)
    return get_call(path, parse, limit=limit, cursor=cursor)


def _path(webhook_id: str, what: str = "") -> str:
    return f"/webhooks/{quote(webhook_id, safe='')}{what}"


def _with_secret(answer: Json) -> ht.Webhook:
    return convert({**answer.get("webhook", {}), "secret": answer.get("secret")}, ht.Webhook)
