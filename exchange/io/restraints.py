"""Owners, capacity, credit and notices in Postgres: added, never changed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.position_limits import Supply
from exchange.rules.restraints import Credit, Word, word_of

_SQL: Final = queries("restraints")
_MAX: Final = (1 << 63) - 1


class Capacity(NamedTuple):
    """GPUs that can deliver: of an account, or with None measured of everybody else."""

    account_idx: int | None
    sku: str
    hub: str
    gpus: int
    source: str
    who: str
    ts_ns: int


class Notice(NamedTuple):
    """What an account was told. `ts_ns` is core time."""

    notice_id: int
    account_idx: int
    kind: str
    body: dict[str, Any]
    ts_ns: int


class OwnerRefused(Exception):
    """A sub-account has none of its own, and is nobody else's at the same time."""


def supply_of(rows: Sequence[Capacity]) -> Supply:
    """Return what can be delivered by what was said last."""
    registered = {(r.account_idx, r.sku, r.hub): r.gpus for r in rows if r.account_idx is not None}
    measured = {(r.sku, r.hub): r.gpus for r in rows if r.account_idx is None}
    return Supply(
        {key: gpus for key, gpus in registered.items() if gpus},
        {key: gpus for key, gpus in measured.items() if gpus},
    )


class Restraints(Store):
    """The door to what accounts are held to beside their margin."""

    # Owners

    async def owners(self) -> dict[int, int]:
        """Return the owner of each account that ever was a sub-account."""
        return {row[0]: row[1] for row in await self._rows(_SQL["owners"])}

    async def set_owner(self, account_idx: int, owner_idx: int, who: str, now_ns: int) -> None:
        """Make an account a sub-account of another, or with itself nobody's; again: no row.

        Errors:
            OwnerRefused: the owner is a sub-account itself, or the account has sub-accounts.
        """
        async with self._transaction() as connection:
            await connection.execute(_SQL["lock_owners"])
            known = {row[0]: row[1] for row in await connection.fetch(_SQL["owners"])}
            if known.get(account_idx, account_idx) == owner_idx:
                return
            if owner_idx != account_idx:
                if known.get(owner_idx, owner_idx) != owner_idx:
                    raise OwnerRefused("that account is a sub-account itself")
                if any(owner == account_idx != idx for idx, owner in known.items()):
                    raise OwnerRefused("the account has sub-accounts of its own")
            await connection.execute(_SQL["set_owner"], account_idx, owner_idx, who, now_ns)

    # What can be delivered

    async def capacities(self) -> list[Capacity]:
        """Return what was said last of each account, SKU and hub."""
        return [Capacity(*row) for row in await self._rows(_SQL["capacities"])]

    async def supply(self) -> Supply:
        """Return what can be delivered."""
        return supply_of(await self.capacities())

    async def set_capacity(self, one: Capacity) -> None:
        """Say how many GPUs can deliver from now on."""
        await self._rows(_SQL["set_capacity"], *one)

    # Credit

    async def set_credit(
        self, account_idx: int, member_idx: int | None, credit: Credit, who: str, now_ns: int
    ) -> None:
        """Write what a member, or None for an operator, trusts an account with from now on."""
        await self._rows(_SQL["set_credit"], account_idx, member_idx, *credit, who, now_ns)

    async def credits(self, account_idx: int | None = None) -> dict[int, tuple[Credit, Credit]]:
        """Return what an operator, and the member an account has now, trust it with."""
        found: dict[int, list[Credit]] = {}
        for row in await self._rows(_SQL["credits"], account_idx):
            sides = found.setdefault(row[0], [Credit(), Credit()])
            sides[int(row[1])] = Credit(row[2], row[3], row[4])
        return {idx: (by_operator, by_member) for idx, (by_operator, by_member) in found.items()}

    async def turnover(self, day: int, accounts: Sequence[int]) -> dict[int, int]:
        """Return the GPU-hours that accounts have traded on a day, as far as they are billed."""
        rows = await self._rows(_SQL["turnover"], day, list(accounts))
        return {row[0]: row[1] for row in rows}

    async def clients_of(self, member_idxs: Sequence[int]) -> dict[int, int]:
        """Return the clients of members, each with its member."""
        rows = await self._rows(_SQL["clients_of"], list(member_idxs))
        return {row[0]: row[1] for row in rows}

    # Notices

    async def words(self) -> dict[int, Word]:
        """Return what was said last of each account's restraint."""
        rows = await self._rows(_SQL["words"])
        return {row[0]: word_of(row[1], json.loads(row[2]), row[3]) for row in rows}

    async def tell(
        self, account_idx: int, kind: str, once: str, body: Mapping[str, Any], ts_ns: int
    ) -> bool:
        """Write a notice; False when it was written before."""
        values = (account_idx, kind, once, json.dumps(dict(body)), ts_ns)
        return await self._value(_SQL["tell"], *values) is not None

    async def notices(
        self, account_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[Notice]:
        """Return notices of an account, or of all, newest first."""
        rows = await self._rows(_SQL["notices"], account_idx, before_id or _MAX, limit)
        return [_notice(row) for row in rows]

    async def notices_after(self, notice_id: int, limit: int = 1_000) -> list[Notice]:
        """Return what was written behind a notice, oldest first."""
        rows = await self._rows(_SQL["notices_after"], notice_id, limit)
        return [_notice(row) for row in rows]

    async def last_notice(self) -> int:
        """Return the number of the newest notice, 0 without any."""
        return int(await self._value(_SQL["last_notice"]))


def _notice(row: Any) -> Notice:
    return Notice(row[0], row[1], row[2], json.loads(row[3]), row[4])
