"""Owners, capacity, credit and notices without a database."""

from collections.abc import Mapping, Sequence
from typing import Any

from exchange.io.restraints import Capacity, Notice, OwnerRefused, supply_of
from exchange.rules.position_limits import Supply
from exchange.rules.restraints import Credit, NoticeKind, Word, word_of

HELD = {"scope": "H100", "side": "long", "level": "accountable", "used_gpu_hours": "5",
        "limit_gpu_hours": "9", "accountable_gpu_hours": "4"}  # fmt: skip


class MemoryRestraints:
    """As `exchange.io.restraints.Restraints`."""

    def __init__(self) -> None:
        self.owned: dict[int, int] = {}
        self.said: list[Capacity] = []
        self.trust: dict[int, dict[int | None, Credit]] = {}
        self.member_of: dict[int, int] = {}
        self.traded: dict[int, int] = {}
        self.told: list[tuple[Notice, str]] = []

    async def owners(self) -> dict[int, int]:
        return dict(self.owned)

    async def set_owner(self, account_idx: int, owner_idx: int, who: str, now_ns: int) -> None:
        if owner_idx != account_idx and self.owned.get(owner_idx, owner_idx) != owner_idx:
            raise OwnerRefused("that account is a sub-account itself")
        self.owned[account_idx] = owner_idx

    async def capacities(self) -> list[Capacity]:
        return list({(one.account_idx, one.sku, one.hub): one for one in self.said}.values())

    async def supply(self) -> Supply:
        return supply_of(await self.capacities())

    async def set_capacity(self, one: Capacity) -> None:
        self.said.append(one)

    async def set_credit(
        self, account_idx: int, member_idx: int | None, credit: Credit, who: str, now_ns: int
    ) -> None:
        self.trust.setdefault(account_idx, {})[member_idx] = credit

    async def credits(self, account_idx: int | None = None) -> dict[int, tuple[Credit, Credit]]:
        found = {}
        for idx, sides in self.trust.items():
            member = next((one for by, one in sides.items() if by is not None), Credit())
            found[idx] = (sides.get(None, Credit()), member)
        return found

    async def clients_of(self, member_idxs: Sequence[int]) -> dict[int, int]:
        return {idx: by for idx, by in self.member_of.items() if by in member_idxs}

    async def turnover(self, day: int, accounts: Sequence[int]) -> dict[int, int]:
        return {idx: self.traded[idx] for idx in accounts if idx in self.traded}

    async def words(self) -> dict[int, Word]:
        kinds = (NoticeKind.RESTRAINED, NoticeKind.RELEASED)
        return {
            one.account_idx: word_of(one.kind, one.body, one.notice_id)
            for one, _ in self.told if one.kind in kinds
        }  # fmt: skip

    async def tell(
        self, account_idx: int, kind: str, once: str, body: Mapping[str, Any], ts_ns: int
    ) -> bool:
        said = {(one.account_idx, one.kind, before) for one, before in self.told}
        if (account_idx, kind, once) in said:
            return False
        number = len(self.told) + 1
        self.told.append((Notice(number, account_idx, str(kind), dict(body), ts_ns), once))
        return True

    async def notices(
        self, account_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[Notice]:
        found = [one for one, _ in self.told if account_idx in (None, one.account_idx)]
        below = [one for one in found if before_id is None or one.notice_id < before_id]
        return below[::-1][:limit]

    async def notices_after(self, notice_id: int, limit: int = 1_000) -> list[Notice]:
        return [one for one, _ in self.told if one.notice_id > notice_id][:limit]

    async def last_notice(self) -> int:
        return len(self.told)
