"""Accounts in Postgres."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from exchange.io.db import LOST, queries
from exchange.io.errors import (
    Conflict,
    DatabaseUnavailable,
    IdempotencyConflict,
    Invalid,
    NotFound,
)
from exchange.io.notify import OUTBOX
from exchange.io.registry import Account
from exchange.io.store import Store, storable, to_ns
from matching.limits import ACCOUNTS_MAX

ACCOUNT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
KIND: Final = re.compile(r"[a-z_]{1,32}")
NAME_LENGTH_MAX: Final = 200
LOOK_S: Final = 0.01
_IDX_MAX: Final = 1 << 62

_SQL: Final = queries("registry")


class PostgresAccounts(Store):
    """Accounts, made once and never removed."""

    def __init__(self, pool: asyncpg.Pool, accounts_max: int = ACCOUNTS_MAX) -> None:
        super().__init__(pool)
        self._accounts_max = accounts_max

    async def create(self, *, account_id: str, name: str, kind: str = "customer") -> Account:
        """Write a new account; the leader opens it in the core within moments."""
        if not ACCOUNT_ID.fullmatch(account_id) or not KIND.fullmatch(kind):
            raise Invalid("an account id is 1 to 32 of A-Z a-z 0-9 . _ -, a kind 1 to 32 of a-z _")
        storable(name, NAME_LENGTH_MAX, "name")
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                row = await self._find_or_insert(connection, account_id, name, kind)
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
        if (row["name"], row["kind"]) != (name, kind):
            raise IdempotencyConflict(
                f"the account {account_id} exists already, with another name or kind"
            )
        return _account(row)

    async def _find_or_insert(
        self, connection: Any, account_id: str, name: str, kind: str
    ) -> asyncpg.Record:
        await connection.execute(_SQL["lock_accounts"])  # slots are given without a hole
        row = await connection.fetchrow(_SQL["account_by_id"], account_id)
        if row is not None:
            return row
        account_idx = await connection.fetchval(_SQL["accounts_count"])
        if account_idx >= self._accounts_max:
            raise Conflict(f"there are {account_idx} accounts already, the most there can be")
        row = await connection.fetchrow(_SQL["insert_account"], account_idx, account_id, name, kind)
        await connection.execute(_SQL["notify"], OUTBOX, "account")
        return row

    async def wait_open(self, account_idx: int, timeout_s: float = 10.0) -> Account:
        """Return the account as soon as the core knows it."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            account = await self.by_idx(account_idx)
            if account is None:
                raise NotFound(f"there is no account {account_idx}")
            if account.opened_seq is not None:
                return account
            if asyncio.get_running_loop().time() >= deadline:
                raise DatabaseUnavailable(f"account {account_idx} is not open yet: does it run?")
            await asyncio.sleep(LOOK_S)

    async def get(self, account_id: str) -> Account | None:
        """Return the account with this public id."""
        if not ACCOUNT_ID.fullmatch(account_id):
            return None
        row = await self._row(_SQL["account_by_id"], account_id)
        return _account(row) if row else None

    async def by_idx(self, account_idx: int) -> Account | None:
        """Return the account with this slot."""
        if not 0 <= account_idx < _IDX_MAX:
            return None
        row = await self._row(_SQL["account_by_idx"], account_idx)
        return _account(row) if row else None

    async def list(self, *, after_idx: int = -1, limit: int = 1000) -> list[Account]:
        """Return accounts in order of their slot."""
        return [_account(row) for row in await self._rows(_SQL["accounts"], after_idx, limit)]


def _account(row: Mapping[str, Any]) -> Account:
    return Account(
        account_idx=row["account_idx"],
        account_id=row["account_id"],
        name=row["name"],
        kind=row["kind"],
        created_at_ns=to_ns(row["created_at"]),
        opened_seq=row["opened_seq"],
    )
