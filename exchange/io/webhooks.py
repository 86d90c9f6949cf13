"""Webhooks in Postgres, for their owners: made, listed, resumed; what was delivered."""

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import Conflict, NotFound
from exchange.io.secret_box import SecretBox
from exchange.io.store import Store, storable
from exchange.rules.webhooks import HOOKS_MAX, PING

ID_MAX: Final = (1 << 62) - 1
LABEL_LENGTH_MAX: Final = 64
SECRET_BYTES: Final = 32

_SQL: Final = queries("webhooks")


class TooManyHooks(Conflict):
    """The account has as many as it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSeen:
    """A webhook as its owner sees it."""

    webhook_id: str
    url: str
    events: list[str]
    label: str
    status: str  # active, parked
    why: str  # it is parked
    failures: int  # in a row
    retry_ns: int  # 0: at once
    dropped: int
    created_by: str
    created_ns: int
    rotated_ns: int | None
    waiting_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySeen:
    """A delivery, with what came of its last attempt."""

    delivery_id: int
    event: str
    status: str  # waiting, delivered
    attempts: int
    http_status: int | None
    latency_ms: int | None
    error: str
    created_ns: int
    tried_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHook:
    """What is asked for."""

    account_idx: int
    url: str
    events: Iterable[str]
    label: str
    created_by: str  # a key


class Webhooks(Store):
    """The door to webhooks; secrets are encrypted in the tables."""

    def __init__(self, pool: asyncpg.Pool, box: SecretBox) -> None:
        super().__init__(pool)
        self._box = box

    async def create(self, hook: NewHook, now_ns: int) -> tuple[str, str]:
        """Make a hook and return its id and its secret, which is shown this once.

        Errors:
            TooManyHooks: the account has its most.
            Invalid: the label cannot be stored.
        """
        webhook_id = "wh_" + base64.b32encode(secrets.token_bytes(10)).decode().lower()
        label = storable(hook.label, LABEL_LENGTH_MAX, "label")
        secret = _secret()
        async with self._transaction() as connection:
            await connection.execute(_SQL["lock_account"], hook.account_idx)
            if await connection.fetchval(_SQL["count"], hook.account_idx) >= HOOKS_MAX:
                raise TooManyHooks(f"an account has at most {HOOKS_MAX} webhooks")
            await connection.execute(_SQL["lock_place"])
            await connection.execute(
                _SQL["create"], webhook_id, hook.account_idx, hook.url, sorted(hook.events), label,
                self._box.seal(secret.encode(), webhook_id), hook.created_by, now_ns,
            )  # fmt: skip
        return webhook_id, secret

    async def of_account(self, account_idx: int) -> list[HookSeen]:
        """Return the hooks of an account, the oldest first."""
        return [HookSeen(**row) for row in await self._rows(_SQL["list"], account_idx, None)]

    async def get(self, account_idx: int, webhook_id: str) -> HookSeen:
        """Return one hook.

        Errors:
            NotFound: the account has no such hook.
        """
        row = await self._row(_SQL["list"], account_idx, webhook_id)
        if row is None:
            raise NotFound("there is no such webhook of this account")
        return HookSeen(**row)

    async def rotate(self, account_idx: int, webhook_id: str, now_ns: int) -> str:
        """Give a hook another secret and return it; the old one signs as well for a day."""
        secret = _secret()
        sealed = self._box.seal(secret.encode(), webhook_id)
        await self._changed(_SQL["rotate"], webhook_id, account_idx, sealed, now_ns)
        return secret

    async def resume(self, account_idx: int, webhook_id: str) -> None:
        """Deliver again, beginning with what waits."""
        await self._changed(_SQL["resume"], webhook_id, account_idx)

    async def remove(self, account_idx: int, webhook_id: str) -> None:
        """Remove a hook, and what waits for it."""
        await self._changed(_SQL["remove"], webhook_id, account_idx)
        await self._rows(_SQL["remove_waiting"], webhook_id)

    async def ping(self, account_idx: int, webhook_id: str, now_ns: int) -> int:
        """Write a delivery that says nothing and return its id; it waits for its turn."""
        hook = await self.get(account_idx, webhook_id)
        data = json.dumps({"label": hook.label}, separators=(",", ":"))
        return int(await self._value(_SQL["enqueue"], webhook_id, PING, data, now_ns))

    async def deliveries(
        self, account_idx: int, webhook_id: str, *, before_id: int | None = None, limit: int = 100
    ) -> list[DeliverySeen]:
        """Return what was, or is to be, delivered; newest first."""
        await self.get(account_idx, webhook_id)
        rows = await self._rows(_SQL["deliveries"], webhook_id, before_id or ID_MAX, limit)
        return [DeliverySeen(**row) for row in rows]

    async def _changed(self, query: str, webhook_id: str, account_idx: int, *more: object) -> None:
        if await self._value(query, webhook_id, account_idx, *more) is None:
            raise NotFound("there is no such webhook of this account")


def _secret() -> str:
    return "whs_" + secrets.token_urlsafe(SECRET_BYTES)
