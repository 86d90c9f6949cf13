"""Members, their clients and ports in Postgres: a client goes with one row, once, or not at all."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict
from exchange.io.store import Store
from exchange.rules.protections import Limits

_MAX: Final = (1 << 63) - 1

_SQL: Final = queries("members")


class PortStatus(StrEnum):
    """Where a port is; all but the first are ends."""

    PROPOSED = "proposed"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Port(NamedTuple):
    """A client, proposed to another member. Times are core time."""

    port_id: int
    account_idx: int
    from_idx: int
    to_idx: int
    client_key: str
    reason: str
    expires_ns: int
    status: str
    created_ns: int
    updated_ns: int


class Proposal(NamedTuple):
    """What is asked for."""

    account_idx: int
    to_idx: int
    client_key: str
    reason: str
    expires_ns: int


class Belonged(NamedTuple):
    """A row of the history: whose client an account became, None for nobody's."""

    member_idx: int | None
    member_id: str | None
    port_id: int | None  # what made it, None: an operator
    who: str
    ts_ns: int


class HasMember(Exception):
    """The account is another member's client: it goes there by a port."""


class HasNoMember(Exception):
    """The account is nobody's client, or that member's already: there is nothing to port."""


class PortGoing(Exception):
    """One port of the client is proposed already."""


class Members(Store):
    """The door to memberships and ports."""

    async def members_of(self, account_idxs: Sequence[int]) -> dict[int, str | None]:
        """Return the public id of each one's member; who never had one is absent."""
        rows = await self._rows(_SQL["members_of"], list(account_idxs))
        return {row["account_idx"]: row["account_id"] for row in rows}

    async def member_idx(self, account_idx: int) -> int | None:
        """Return the member of an account."""
        found: int | None = await self._value(_SQL["current"], account_idx)
        return found

    async def clients(self, member_idx: int, *, after_idx: int = -1, limit: int = 100) -> list[int]:
        """Return the clients of a member, in order of their slots."""
        return [row[0] for row in await self._rows(_SQL["clients"], member_idx, after_idx, limit)]

    async def history(self, account_idx: int) -> list[Belonged]:
        """Return whose client an account has been, oldest first."""
        return [Belonged(*row) for row in await self._rows(_SQL["history"], account_idx)]

    async def join(self, account_idx: int, member_idx: int | None, who: str, now_ns: int) -> None:
        """Make an account a member's client, or nobody's; what is so already is written once.

        Errors:
            HasMember: it is another one's.
        """
        async with self._alone() as connection:
            current = await connection.fetchval(_SQL["current"], account_idx)
            if current == member_idx:
                return
            if current is not None and member_idx is not None:
                raise HasMember("it is another member's client: port it")
            await connection.execute(_SQL["leave"], account_idx, who, now_ns)
            await connection.execute(_SQL["join"], account_idx, member_idx, None, who, now_ns)

    # Ports

    async def propose(self, asked: Proposal, who: str, now_ns: int) -> tuple[Port, bool]:
        """Write a proposal; the same again is the same, with True.

        Errors:
            HasNoMember, PortGoing: there is nothing to port, or it is under way.
            IdempotencyConflict: the key was used for something else.
        """
        async with self._alone() as connection:
            await connection.execute(_SQL["expire"], now_ns)
            row = await connection.fetchrow(_SQL["by_key"], asked.client_key)
            if row is not None:
                return _same(Port(*row), asked), True
            current = await connection.fetchval(_SQL["current"], asked.account_idx)
            if current is None or current == asked.to_idx:
                raise HasNoMember("it is nobody's client, or that member's already")
            if await connection.fetchval(_SQL["going"], asked.account_idx) is not None:
                raise PortGoing("a port of this client is proposed already")
            made = await connection.fetchrow(
                _SQL["propose"], asked.account_idx, current, asked.to_idx, asked.client_key,
                asked.reason, asked.expires_ns, now_ns,
            )  # fmt: skip
            await connection.execute(_SQL["note"], made["port_id"], "proposed", who, now_ns)
        return Port(*made), False

    async def port(self, port_id: int, to_idx: int | None, now_ns: int) -> Port | None:
        """Return a port; with `to_idx` only one that is for this member."""
        await self._expire(now_ns)
        row = await self._row(_SQL["get"], port_id, to_idx)
        return Port(*row) if row else None

    async def ports(
        self, to_idx: int | None, now_ns: int, *, before_id: int | None = None, limit: int = 100
    ) -> list[Port]:
        """Return ports, newest first; with `to_idx` those for this member."""
        await self._expire(now_ns)
        rows = await self._rows(_SQL["list"], to_idx, before_id or _MAX, limit)
        return [Port(*row) for row in rows]

    async def answer(
        self, port_id: int, status: PortStatus, to_idx: int | None, who: str, now_ns: int
    ) -> bool:
        """End a proposal; False: there is none to answer any more.

        Done, the client has the other member in the same transaction.
        """
        async with self._alone() as connection:
            row = await connection.fetchrow(_SQL["answer"], port_id, status.value, to_idx, now_ns)
            if row is None:
                return False
            one = Port(*row)
            if status == PortStatus.DONE:
                # Who leaves its member ends its ports (`join`), so this one is still that member's.
                current = await connection.fetchval(_SQL["current"], one.account_idx)
                assert current == one.from_idx, "a port outlived the membership it is of"
                await connection.execute(
                    _SQL["join"], one.account_idx, one.to_idx, port_id, who, now_ns
                )
            await connection.execute(_SQL["note"], port_id, status.value, who, now_ns)
        return True

    async def offers(self, prefix: str) -> list[Port]:
        """Return the ports whose key begins so, oldest first."""
        return [Port(*row) for row in await self._rows(_SQL["offers"], prefix)]

    async def events(self, port_id: int) -> list[tuple[str, str, int]]:
        """Return who said what when."""
        return [tuple(row) for row in await self._rows(_SQL["events"], port_id)]

    # What an account is allowed

    async def note_limits(
        self, account_idx: int, member_idx: int | None, limits: Limits, who: str, now_ns: int
    ) -> None:
        """Write what a member, or None for an operator, allows an account from now on."""
        await self._rows(_SQL["note_limits"], account_idx, member_idx, *limits, who, now_ns)

    async def knows_limits(self, account_idx: int) -> bool:
        """Say whether anybody ever allowed an account something here."""
        return bool(await self._value(_SQL["knows_limits"], account_idx))

    async def limits_of(self, account_idx: int) -> tuple[Limits, Limits]:
        """Return what an operator allows, and what the member that the account has now does."""
        rows = await self._rows(_SQL["limits_of"], account_idx)
        found = {row[0]: Limits(*row[1:]) for row in rows}
        return found.get(False, Limits()), found.get(True, Limits())

    async def all_limits(self) -> dict[int, tuple[Limits, Limits]]:
        """Return, as `limits_of`, of every account that anybody ever allowed something."""
        found = {row[0]: (Limits(), Limits()) for row in await self._rows(_SQL["limited"])}
        for account_idx, by_member, *numbers in await self._rows(_SQL["limits_of_all"]):
            operator, member = found.get(account_idx, (Limits(), Limits()))
            said = Limits(*numbers)
            found[account_idx] = (operator, said) if by_member else (said, member)
        return found

    async def _expire(self, now_ns: int) -> None:
        await self._rows(_SQL["expire"], now_ns)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[asyncpg.Connection]:
        """Run what is inside in one transaction, while no other member is changed."""
        async with self._transaction() as connection:
            await connection.execute(_SQL["lock"])
            yield connection


def _same(found: Port, asked: Proposal) -> Port:
    """Return what a proposal with this key is already, if it is the same."""
    if (found.account_idx, found.to_idx) != (asked.account_idx, asked.to_idx):
        raise IdempotencyConflict(f"{asked.client_key!r} was used for another port")
    return found
