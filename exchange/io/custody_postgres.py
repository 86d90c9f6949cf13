"""Assets in and out in Postgres."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from exchange.io.custody import Address, AssetRequest
from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict, Invalid, NotFound
from exchange.io.notify import OUTBOX
from exchange.io.registry import TransferStatus
from exchange.io.store import Store, storable, to_ns
from matching.codes import AssetMove
from matching.limits import ASSET_UNITS_MAX

TEXT_MAX: Final = 64
ADDRESS_MAX: Final = 128
ADDRESSES_MAX: Final = 100
TOGETHER_MAX: Final = 1000
LOOK_S: Final = 0.01
_ID_MAX: Final = 1 << 62
_DECIDED: Final = (TransferStatus.DONE, TransferStatus.REFUSED)

_SQL: Final = queries("custody")
_REGISTRY: Final = queries("registry")


class PostgresCustody(Store):
    """Requests to move assets, approvals and addresses."""

    async def request(
        self, *, account_idx: int, asset: int, move: AssetMove, units: int, client_key: str,
        address: str = "", parent_id: int | None = None,
    ) -> AssetRequest:  # fmt: skip
        """Write the wish to move units; the leader carries it out within moments."""
        if not 0 < units <= ASSET_UNITS_MAX or not storable(client_key, TEXT_MAX, "client_key"):
            raise Invalid("no units, too many of them, or no client_key")
        storable(address, ADDRESS_MAX, "address")
        wish = (account_idx, asset, int(move), units, client_key, address, parent_id)
        try:
            row = await self._row(_SQL["insert_move"], *wish)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound(f"there is no account {account_idx}") from error
        if row is not None:
            await self._rows(_REGISTRY["notify"], OUTBOX, "asset")
            return _request(row)
        row = await self._row(_SQL["move_by_key"], account_idx, client_key)
        if row is None:
            raise IdempotencyConflict("the withdrawal is decided already")
        names = ("account_idx", "asset", "move", "units", "client_key", "address", "parent_id")
        if tuple(row[name] for name in names) != wish:
            raise IdempotencyConflict(f"{client_key!r} was used for something else")
        return _request(row)

    async def get(self, request_id: int) -> AssetRequest | None:
        """Return the request."""
        if not 0 < request_id < _ID_MAX:
            return None
        row = await self._row(_SQL["move"], request_id)
        return _request(row) if row else None

    async def wait_decided(self, request_id: int, timeout_s: float = 10.0) -> AssetRequest:
        """Return the request once it is done or refused, or as it is after `timeout_s`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            request = await self.get(request_id)
            if request is None:
                raise NotFound(f"there is no request {request_id}")
            if request.status in _DECIDED or asyncio.get_running_loop().time() >= deadline:
                return request
            await asyncio.sleep(LOOK_S)

    async def decision_of(self, request_id: int) -> AssetRequest | None:
        """Return the payment or return of a withdrawal."""
        row = await self._row(_SQL["decision_of"], request_id)
        return _request(row) if row else None

    async def withdrawals(
        self, account_idx: int | None, *, before_id: int | None = None, open_only: bool = False,
        limit: int = 100,
    ) -> list[AssetRequest]:  # fmt: skip
        """Return withdrawals, newest first."""
        rows = await self._rows(_SQL["withdrawals"], account_idx, before_id, open_only, limit)
        return [_request(row) for row in rows]

    async def approve(self, request_id: int, approver: str) -> list[str]:
        """Approve a withdrawal; return all who did. Doing it again changes nothing."""
        await self._rows(_SQL["approve"], request_id, approver)
        return await self.approvers(request_id)

    async def approvers(self, request_id: int) -> list[str]:
        """Return who approved a withdrawal."""
        return [row["approver"] for row in await self._rows(_SQL["approvers"], request_id)]

    async def add_address(self, account_idx: int, asset: int, address: str, label: str) -> None:
        """Add an address; one that is there stays as it is."""
        storable(address, ADDRESS_MAX, "address")
        storable(label, TEXT_MAX, "label")
        if len(await self.addresses(account_idx)) >= ADDRESSES_MAX:
            raise Invalid(f"an account has at most {ADDRESSES_MAX} addresses")
        await self._rows(_SQL["add_address"], account_idx, asset, address, label)

    async def addresses(self, account_idx: int) -> list[Address]:
        """Return an account's addresses, oldest first."""
        rows = await self._rows(_SQL["addresses"], account_idx, ADDRESSES_MAX)
        return [
            Address(
                asset=row["asset"], address=row["address"], label=row["label"],
                created_at_ns=to_ns(row["created_at"]),
            )
            for row in rows
        ]  # fmt: skip

    async def remove_address(self, account_idx: int, asset: int, address: str) -> bool:
        """Remove an address; False when there is none."""
        storable(address, ADDRESS_MAX, "address")
        rows = await self._rows(_SQL["remove_address"], account_idx, asset, address)
        return bool(rows)

    async def owners(self, account_idxs: list[int]) -> dict[int, tuple[str, str]]:
        """Return name and kind of accounts."""
        rows = await self._rows(_SQL["owners"], account_idxs)
        return {row["account_idx"]: (row["name"], row["kind"]) for row in rows}

    # For the leader alone

    async def sent(self) -> list[AssetRequest]:
        """Number what waits, one of each account, and return all that is under way."""
        await self._rows(_SQL["number_moves"], TOGETHER_MAX)
        return [_request(row) for row in await self._rows(_SQL["moves_sent"], TOGETHER_MAX)]

    async def decided(
        self, account_idx: int, ref_id: int, code: int | None, seq: int | None
    ) -> None:
        """Write what the core said; the first answer stays."""
        status = TransferStatus.DONE if code is None else TransferStatus.REFUSED
        await self._rows(_SQL["move_decided"], account_idx, ref_id, status, code, seq)


def _request(row: Mapping[str, Any]) -> AssetRequest:
    return AssetRequest(
        request_id=row["request_id"],
        account_idx=row["account_idx"],
        asset=row["asset"],
        move=AssetMove(row["move"]),
        units=row["units"],
        client_key=row["client_key"],
        address=row["address"],
        parent_id=row["parent_id"],
        status=TransferStatus(row["status"]),
        ref_id=row["ref_id"],
        code=row["code"],
        seq=row["seq"],
        created_at_ns=to_ns(row["created_at"]),
    )
