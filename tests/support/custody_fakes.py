"""Custody in memory: moves are carried out at once, as the leader's desk would."""

import time
from dataclasses import replace
from typing import Any

from exchange.io.custody import Address, AssetRequest
from exchange.io.errors import IdempotencyConflict
from exchange.io.registry import TransferStatus
from exchange.rules.valuation import CUSTOMER, counted_of
from matching.codes import AssetMove, EventKind, Kind
from tests.support.rows import command


class MemoryCustody:
    """Requests, approvals, addresses."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.rows: list[AssetRequest] = []
        self.approved: dict[int, list[str]] = {}
        self.listed: dict[int, list[Address]] = {}

    async def request(
        self, *, account_idx: int, asset: int, move: AssetMove, units: int, client_key: str,
        address: str = "", parent_id: int | None = None,
    ) -> AssetRequest:  # fmt: skip
        wish = AssetRequest(
            request_id=len(self.rows) + 1, account_idx=account_idx, asset=asset, move=move,
            units=units, client_key=client_key, address=address, parent_id=parent_id,
            status=TransferStatus.DONE, ref_id=None, code=None, seq=None,
            created_at_ns=time.time_ns(),
        )  # fmt: skip
        names = ("account_idx", "asset", "move", "units", "client_key", "address", "parent_id")
        for one in self.rows:
            if (one.account_idx, one.client_key) == (account_idx, client_key):
                if any(getattr(one, name) != getattr(wish, name) for name in names):
                    raise IdempotencyConflict(client_key)
                return one
        done = await self._carry_out(wish)
        self.rows.append(done)
        return done

    async def _carry_out(self, wish: AssetRequest) -> AssetRequest:
        mirror = self._world.mirror
        collateral = mirror.accounts[wish.account_idx].collateral
        left = counted_of(
            mirror, wish.account_idx, CUSTOMER, time.time_ns(), (wish.asset, wish.units)
        ).counted_usd_micros
        ref_id = collateral.last_move_id + 1
        reply = (await self._world.command(command(
            Kind.MOVE_ASSET, account_idx=wish.account_idx, order_id=wish.asset,
            price_ticks=wish.units, state=wish.move, ref_id=ref_id,
            amount_usd_micros=left if wish.move == AssetMove.RESERVE else 0,
        )))[0]  # fmt: skip
        if reply["kind"] == EventKind.REFUSED:
            code = int(reply["code"])
            return replace(wish, status=TransferStatus.REFUSED, code=code, seq=int(reply["seq"]))
        await self.value(wish.account_idx)
        return replace(wish, ref_id=ref_id, seq=int(reply["seq"]))

    async def value(self, account_idx: int) -> None:
        """Tell the core what an account's assets count for."""
        found = counted_of(self._world.mirror, account_idx, CUSTOMER, time.time_ns())
        await self._world.command(command(
            Kind.SET_COLLATERAL, account_idx=account_idx,
            amount_usd_micros=found.counted_usd_micros,
        ))  # fmt: skip

    async def get(self, request_id: int) -> AssetRequest | None:
        return next((one for one in self.rows if one.request_id == request_id), None)

    async def wait_decided(self, request_id: int, timeout_s: float = 10.0) -> AssetRequest:
        return self.rows[request_id - 1]

    async def decision_of(self, request_id: int) -> AssetRequest | None:
        return next((one for one in self.rows if one.parent_id == request_id), None)

    async def withdrawals(
        self, account_idx: int | None, *, before_id: int | None = None, open_only: bool = False,
        limit: int = 100,
    ) -> list[AssetRequest]:  # fmt: skip
        decided = {one.parent_id for one in self.rows}
        found = [
            one for one in reversed(self.rows)
            if one.move == AssetMove.RESERVE
            and account_idx in (None, one.account_idx)
            and (before_id is None or one.request_id < before_id)
            and not (open_only and one.request_id in decided)
        ]  # fmt: skip
        return found[:limit]

    async def approve(self, request_id: int, approver: str) -> list[str]:
        names = self.approved.setdefault(request_id, [])
        if approver not in names:
            names.append(approver)
        return names

    async def approvers(self, request_id: int) -> list[str]:
        return self.approved.get(request_id, [])

    async def add_address(self, account_idx: int, asset: int, address: str, label: str) -> None:
        listed = self.listed.setdefault(account_idx, [])
        if not any((one.asset, one.address) == (asset, address) for one in listed):
            now_ns = self._world.now_ns()
            listed.append(Address(asset=asset, address=address, label=label, created_at_ns=now_ns))

    async def addresses(self, account_idx: int) -> list[Address]:
        return self.listed.get(account_idx, [])

    async def remove_address(self, account_idx: int, asset: int, address: str) -> bool:
        listed = self.listed.get(account_idx, [])
        kept = [one for one in listed if (one.asset, one.address) != (asset, address)]
        self.listed[account_idx] = kept
        return len(kept) < len(listed)

    async def owners(self, account_idxs: list[int]) -> dict[int, tuple[str, str]]:
        found = {}
        for idx in account_idxs:
            account = await self._world.accounts.by_idx(idx)
            if account is not None:
                found[idx] = (account.name, account.kind)
        return found
