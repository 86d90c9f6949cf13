"""Members, clients and ports without a database, for tests of the API."""

from typing import Any

from exchange.io.members import (
    Belonged,
    HasMember,
    HasNoMember,
    Port,
    PortGoing,
    PortStatus,
    Proposal,
)
from exchange.rules.protections import Limits


class MemoryMembers:
    """As `exchange.io.members.Members`."""

    def __init__(self, accounts: Any) -> None:
        self._accounts = accounts
        self.rows: dict[int, list[Belonged]] = {}
        self.ports_: dict[int, Port] = {}
        self.allowed: dict[int, dict[int | None, Limits]] = {}
        self.trail: dict[int, list[tuple[str, str, int]]] = {}

    async def members_of(self, account_idxs: list[int]) -> dict[int, str | None]:
        return {idx: self.rows[idx][-1].member_id for idx in account_idxs if idx in self.rows}

    async def member_idx(self, account_idx: int) -> int | None:
        rows = self.rows.get(account_idx)
        return rows[-1].member_idx if rows else None

    async def clients(self, member_idx: int, *, after_idx: int = -1, limit: int = 100) -> list[int]:
        found = [idx for idx in self.rows if await self.member_idx(idx) == member_idx]
        return sorted(idx for idx in found if idx > after_idx)[:limit]

    async def history(self, account_idx: int) -> list[Belonged]:
        return self.rows.get(account_idx, [])

    def _write(self, idx: int, member: int | None, port: int | None, who: str, now: int) -> None:
        member_id = None if member is None else self._accounts.rows[member].account_id
        self.rows.setdefault(idx, []).append(Belonged(member, member_id, port, who, now))

    async def join(self, account_idx: int, member_idx: int | None, who: str, now_ns: int) -> None:
        current = await self.member_idx(account_idx)
        if current == member_idx:
            return
        if current is not None and member_idx is not None:
            raise HasMember("it is another member's client: port it")
        for one in self._going(account_idx):
            self._end(one, PortStatus.WITHDRAWN, who, now_ns)
        self._write(account_idx, member_idx, None, who, now_ns)

    async def note_limits(
        self, account_idx: int, member_idx: int | None, limits: Limits, who: str, now_ns: int
    ) -> None:
        self.allowed.setdefault(account_idx, {})[member_idx] = limits

    async def knows_limits(self, account_idx: int) -> bool:
        return account_idx in self.allowed

    async def limits_of(self, account_idx: int) -> tuple[Limits, Limits]:
        allowed = self.allowed.get(account_idx, {})
        member_idx = await self.member_idx(account_idx)
        by_member = Limits() if member_idx is None else allowed.get(member_idx, Limits())
        return allowed.get(None, Limits()), by_member

    def _going(self, account_idx: int) -> list[Port]:
        return [
            one for one in self.ports_.values()
            if (one.account_idx, one.status) == (account_idx, "proposed")
        ]  # fmt: skip

    def _end(self, one: Port, status: PortStatus, who: str, now_ns: int) -> None:
        self.ports_[one.port_id] = one._replace(status=status.value, updated_ns=now_ns)
        self.trail[one.port_id].append((status.value, who, now_ns))

    def _expire(self, now_ns: int) -> None:
        for one in list(self.ports_.values()):
            if one.status == "proposed" and one.expires_ns <= now_ns:
                self._end(one, PortStatus.EXPIRED, "exchange", now_ns)

    async def propose(self, asked: Proposal, who: str, now_ns: int) -> tuple[Port, bool]:
        self._expire(now_ns)
        for one in self.ports_.values():
            if one.client_key == asked.client_key:
                return one, True
        current = await self.member_idx(asked.account_idx)
        if current is None or current == asked.to_idx:
            raise HasNoMember("it is nobody's client, or that member's already")
        if self._going(asked.account_idx):
            raise PortGoing("a port of this client is proposed already")
        number = len(self.ports_) + 1
        self.ports_[number] = Port(
            number, asked.account_idx, current, asked.to_idx, asked.client_key, asked.reason,
            asked.expires_ns, "proposed", now_ns, now_ns,
        )  # fmt: skip
        self.trail[number] = [("proposed", who, now_ns)]
        return self.ports_[number], False

    async def port(self, port_id: int, to_idx: int | None, now_ns: int) -> Port | None:
        self._expire(now_ns)
        one = self.ports_.get(port_id)
        return one if one and to_idx in (None, one.to_idx) else None

    async def ports(
        self, to_idx: int | None, now_ns: int, *, before_id: int | None = None, limit: int = 100
    ) -> list[Port]:
        self._expire(now_ns)
        found = [one for one in self.ports_.values() if to_idx in (None, one.to_idx)]
        return [one for one in found[::-1] if before_id is None or one.port_id < before_id][:limit]

    async def answer(
        self, port_id: int, status: PortStatus, to_idx: int | None, who: str, now_ns: int
    ) -> bool:
        one = await self.port(port_id, to_idx, now_ns)
        if one is None or one.status != "proposed":
            return False
        self._end(one, status, who, now_ns)
        if status == PortStatus.DONE:
            self._write(one.account_idx, one.to_idx, port_id, who, now_ns)
        return True

    async def offers(self, prefix: str) -> list[Port]:
        return [one for one in self.ports_.values() if one.client_key.startswith(prefix)]

    async def events(self, port_id: int) -> list[tuple[str, str, int]]:
        return self.trail[port_id]
