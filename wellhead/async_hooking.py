"""Webhooks: what happens to the account, told to addresses of its own.

`hooking.py`, the one without, is made from this file.
"""

from collections.abc import Iterable

from wellhead import types as wt
from wellhead import webhook_calls as wc
from wellhead import webhook_types as ht
from wellhead.http_async import AsyncHttp


class AsyncHooking:
    """What `AsyncClient` has told to URLs: `client.webhooks`. Who receives uses `verify`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def create(self, url: str, events: Iterable[str], label: str | None = None) -> ht.Webhook:
        """Make a webhook; the answer holds the secret that signs, once."""
        return await self._http.run(wc.create(url, events, label))

    async def list(self) -> wt.Page[ht.Webhook]:
        """Return the account's webhooks, the oldest first."""
        return await self._http.run(wc.webhooks())

    async def get(self, webhook_id: str) -> ht.Webhook:
        """Return one webhook."""
        return await self._http.run(wc.webhook(webhook_id))

    async def remove(self, webhook_id: str) -> str:
        """Remove a webhook, and what waits for it; return its id."""
        return await self._http.run(wc.remove(webhook_id))

    async def rotate(self, webhook_id: str) -> ht.Webhook:
        """Give a webhook another secret; for a day deliveries bear both signatures."""
        return await self._http.run(wc.rotate(webhook_id))

    async def resume(self, webhook_id: str) -> ht.Webhook:
        """Deliver again at once, beginning with what waits."""
        return await self._http.run(wc.resume(webhook_id))

    async def ping(self, webhook_id: str) -> str:
        """Send a test; return the id of its delivery."""
        return await self._http.run(wc.ping(webhook_id))

    async def deliveries(
        self, webhook_id: str, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[ht.Delivery]:
        """Return what was, or is to be, delivered; newest first."""
        return await self._http.run(wc.deliveries(webhook_id, limit, cursor))
