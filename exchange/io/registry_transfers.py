"""Deposits and withdrawals in Postgres."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict, Invalid, NotFound
from exchange.io.notify import OUTBOX
from exchange.io.registry import Transfer, TransferStatus
from exchange.io.store import Store, storable, to_ns
from matching.limits import TRANSFER_USD_MICROS_MAX

CLIENT_KEY_LENGTH_MAX: Final = 64
LOOK_S: Final = 0.01
_ID_MAX: Final = 1 << 62
_DECIDED: Final = (TransferStatus.DONE, TransferStatus.REFUSED)

_SQL: Final = queries("registry")


class PostgresTransfers(Store):
    """Deposits and withdrawals on their way to the core."""

    async def request(
        self, *, account_idx: int, amount_usd_micros: int, client_key: str,
        to_account_idx: int | None = None,
    ) -> Transfer:  # fmt: skip
        """Write the wish to move money; the leader carries it out within moments."""
        if amount_usd_micros == 0 or abs(amount_usd_micros) > TRANSFER_USD_MICROS_MAX:
            raise Invalid("the amount is zero, or more than one transfer may move")
        if not storable(client_key, CLIENT_KEY_LENGTH_MAX, "client_key"):
            raise Invalid("client_key is empty")
        wish = (account_idx, amount_usd_micros, client_key, to_account_idx)
        try:
            row = await self._row(_SQL["insert_transfer"], *wish)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound(f"there is no account {account_idx}") from error
        if row is not None:
            await self._rows(_SQL["notify"], OUTBOX, "transfer")
            return _transfer(row)
        row = await self._row(_SQL["transfer_by_key"], account_idx, client_key)
        assert row is not None, "it was in the way a moment ago, and none is ever removed"
        if (row["amount_usd_micros"], row["to_account_idx"]) != (amount_usd_micros, to_account_idx):
            raise IdempotencyConflict(f"{client_key!r} was used with another amount or receiver")
        return _transfer(row)

    async def get(self, transfer_id: int) -> Transfer | None:
        """Return the transfer."""
        if not 0 < transfer_id < _ID_MAX:
            return None
        row = await self._row(_SQL["transfer"], transfer_id)
        return _transfer(row) if row else None

    async def wait_decided(self, transfer_id: int, timeout_s: float = 10.0) -> Transfer:
        """Return the transfer once it is done or refused, or as it is after `timeout_s`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            transfer = await self.get(transfer_id)
            if transfer is None:
                raise NotFound(f"there is no transfer {transfer_id}")
            if transfer.status in _DECIDED or asyncio.get_running_loop().time() >= deadline:
                return transfer
            await asyncio.sleep(LOOK_S)

    async def list(
        self, account_idx: int, *, before_id: int | None = None, limit: int = 100
    ) -> list[Transfer]:
        """Return an account's transfers, newest first."""
        rows = await self._rows(_SQL["transfers"], account_idx, before_id, limit)
        return [_transfer(row) for row in rows]


def _transfer(row: Mapping[str, Any]) -> Transfer:
    return Transfer(
        transfer_id=row["transfer_id"],
        account_idx=row["account_idx"],
        amount_usd_micros=row["amount_usd_micros"],
        client_key=row["client_key"],
        to_account_idx=row["to_account_idx"],
        status=TransferStatus(row["status"]),
        ref_id=row["ref_id"],
        code=row["code"],
        seq=row["seq"],
        created_at_ns=to_ns(row["created_at"]),
    )
