# Made by tools/sync_client.py from async_hooking.py: change that file.
"""Webhooks: what happens to the account, told to addresses of its own.

made from this file's twin.
"""

from collections.abc import Iterable

from wellhead import types as wt
from wellhead import webhook_calls as wc
from wellhead import webhook_types as ht
from wellhead.http_sync import Http


class Hooking:
    """What `Client` has told to URLs: `client.webhooks`. Who receives uses `verify`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(self, url: str, events: Iterable[str], label: str | None = None) -> ht.Webhook:
        """Make a webhook; the answer holds the secret that signs, once."""
        return self._http.run(wc.create(url, events, label))

    def list(self) -> wt.Page[ht.Webhook]:
        """Return the account's webhooks, the oldest first."""
        return self._http.run(wc.webhooks())

    def get(self, webhook_id: str) -> ht.Webhook:
        """Return one webhook."""
        return self._http.run(wc.webhook(webhook_id))

    def remove(self, webhook_id: str) -> str:
        """Remove a webhook, and what waits for it; return its id."""
        return self._http.run(wc.remove(webhook_id))

    def rotate(self, webhook_id: str) -> ht.Webhook:
        """Give a webhook another secret; for a day deliveries bear both signatures."""
        return self._http.run(wc.rotate(webhook_id))

    def resume(self, webhook_id: str) -> ht.Webhook:
        """Deliver again at once, beginning with what waits."""
        return self._http.run(wc.resume(webhook_id))

    def ping(self, webhook_id: str) -> str:
        """Send a test; return the id of its delivery."""
        return self._http.run(wc.ping(webhook_id))

    def deliveries(
        self, webhook_id: str, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[ht.Delivery]:
        """Return what was, or is to be, delivered; newest first."""
        return self._http.run(wc.deliveries(webhook_id, limit, cursor))
