"""Clients of members that fail: told, offered to other members, closed out when nobody takes them.

One of it, beside the sequencer. Offers are ports as an operator proposes them, one member after the
other, each named by the default, the client and the member that is asked: after any kill they are
found again and none is made twice. Nothing else is kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from exchange.io.errors import Unavailable
from exchange.io.members import HasNoMember, Port, PortGoing, PortStatus, Proposal
from exchange.rules.layers import free_usd_micros
from exchange.rules.liquidator import Liquidator
from exchange.rules.margin import margin_of
from exchange.rules.membership import MEMBER_KIND
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.money import usd_text
from exchange.rules.porting import (
    Failing,
    Receiver,
    failing_of,
    is_sound,
    key_of,
    offer_ends_ns,
    prefix_of,
    receiver_of,
)
from exchange.rules.restraints import Credit, NoticeKind
from exchange.rules.standing import equity_usd_micros
from matching.codes import AccountState

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_SECONDS: Final = 2.0
REST: Final = 4  # times as long as a look took, so that thousands of clients leave room for orders
PAGE: Final = 1_000
WHO: Final = "exchange"
NOBODY: Final = -1  # stands for the house, which this service never acts for

_log = logging.getLogger("wellhead.porting")


class Members(Protocol):
    """Whose clients accounts are, and ports: `exchange.io.members.Members`."""

    async def clients(self, member_idx: int, *, after_idx: int = -1, limit: int = 100) -> list[int]:
        """Return clients of a member."""
        ...

    async def offers(self, prefix: str) -> list[Port]:
        """Return the ports whose key begins so."""
        ...

    async def propose(self, asked: Proposal, who: str, now_ns: int) -> tuple[Port, bool]:
        """Write a proposal."""
        ...


class Rows(Protocol):
    """Accounts and liquidations: `exchange.io.defaults.Defaults`."""

    async def account_names(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of every account."""
        ...

    async def last_liquidations(self, kind: str) -> dict[int, Liquidation]:
        """Return the last liquidation of each account of a kind that had any."""
        ...


class Notices(Protocol):
    """What accounts are told, and what members' clients may use."""

    async def tell(
        self, account_idx: int, kind: str, once: str, body: Mapping[str, Any], ts_ns: int
    ) -> bool:
        """Write a notice, once."""
        ...

    async def credits(self) -> dict[int, tuple[Credit, Credit]]:
        """Return what operators and members trust accounts with."""
        ...

    async def clients_of(self, member_idxs: Sequence[int]) -> dict[int, int]:
        """Return the clients of members, each with its member."""
        ...


class Porter:
    """Looks every two seconds; `orphans` says whose member fails."""

    def __init__(
        self, mirror: Mirror, send: Send, members: Members, rows: Rows, notices: Notices
    ) -> None:
        """Watch the exchange that `mirror` follows; orders that close go to `send`."""
        self._mirror = mirror
        self._send = send
        self._members = members
        self._rows = rows
        self._notices = notices
        self._liquidator = Liquidator(mirror, NOBODY)
        self._names: dict[int, str] = {}
        self._kinds: dict[int, str] = {}
        self._known = 0
        self._seen: dict[int, Liquidation] = {}  # of members, that went on while this one looked
        self._orphans: frozenset[int] | None = None
        self._told: set[tuple[int, str, str]] = set()
        self._closed: dict[int, int] = {}  # account_idx -> command behind which it sold last

    def orphans(self) -> frozenset[int] | None:
        """Return the clients of members that fail (PORT_009); None before the first look."""
        return self._orphans

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            begun_s = loop.time()
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("clients of members that fail are seen to later: %s", error)
            await asyncio.sleep(max(LOOK_SECONDS, REST * (loop.time() - begun_s)))

    async def step(self) -> None:
        """See to every client of every member that fails.

        Errors:
            Unavailable: Postgres or the sequencer does not answer; the next step does it.
        """
        mirror = self._mirror
        if mirror.halted or mirror.scenario_count == 0:
            return
        if self._known != len(mirror.accounts):
            known, named = len(mirror.accounts), await self._rows.account_names()
            self._names = {idx: name for idx, name, _ in named}
            self._kinds = {idx: kind for idx, _, kind in named}
            self._known = known
        failing = await self._failing()
        clients = {one: await self._clients(one.member_idx) for one in failing}
        self._orphans = frozenset(idx for found in clients.values() for idx in found)
        if not failing:
            return
        self._liquidator.refresh()
        offers = {one: await self._members.offers(prefix_of(one)) for one in failing}
        receivers = await self._receivers({one.member_idx for one in failing}, offers)
        for one, found in clients.items():
            await self._tell_ported(offers[one])
            asked: dict[int, list[Port]] = {}
            for port in offers[one]:
                asked.setdefault(port.account_idx, []).append(port)
            for idx in found:
                await asyncio.sleep(0)
                await self._see_to(one, idx, asked.get(idx, []), receivers)

    async def _failing(self) -> list[Failing]:
        """Return the members that fail, in order (PORT_008)."""
        mirror = self._mirror
        going = {
            idx: one for idx, one in mirror.liquidations.items()
            if self._kinds.get(idx) == MEMBER_KIND
        }  # fmt: skip
        self._seen |= going
        last = await self._rows.last_liquidations(MEMBER_KIND) | self._seen
        found = (
            failing_of(idx, one, equity_usd_micros(mirror, idx), goes_on=idx in going)
            for idx, one in sorted(last.items())
            if idx < len(mirror.accounts)
        )
        return [one for one in found if one is not None]

    async def _clients(self, member_idx: int) -> list[int]:
        """Return the clients of a member that the core has."""
        found: list[int] = []
        while page := await self._members.clients(
            member_idx, after_idx=found[-1] if found else -1, limit=PAGE
        ):
            found += page
        return [idx for idx in found if idx < len(self._mirror.accounts)]

    # Who takes clients

    async def _receivers(
        self, failing: set[int], offers: Mapping[Failing, list[Port]]
    ) -> list[Receiver]:
        """Return the members that could take clients now, with what they have for it."""
        mirror = self._mirror
        promised: dict[int, int] = {}
        for port in (port for found in offers.values() for port in found if self._is_open(port)):
            needs = self._needs(port.account_idx)
            promised[port.to_idx] = promised.get(port.to_idx, 0) + needs
        able = [
            idx for idx, kind in self._kinds.items()
            if kind == MEMBER_KIND and idx < len(mirror.accounts) and idx not in failing
            and idx not in mirror.liquidations
            and mirror.accounts[idx].state == AccountState.ACTIVE
        ]  # fmt: skip
        room = await self._room(able)
        return [
            Receiver(
                idx, free_usd_micros(mirror, idx) - promised.get(idx, 0),
                room[idx] - promised.get(idx, 0) if idx in room else None,
            )
            for idx in able
        ]  # fmt: skip

    async def _room(self, members: Sequence[int]) -> dict[int, int]:
        """Return what the clients of limited members may use beyond what they do (CRED_007)."""
        found = await self._notices.credits()
        most = {idx: found[idx][0].clients_margin_max_usd_micros for idx in members if idx in found}
        room = {idx: usd for idx, usd in most.items() if usd}
        for client_idx, member_idx in (await self._notices.clients_of(sorted(room))).items():
            room[member_idx] -= self._needs(client_idx)
        return room

    def _needs(self, account_idx: int) -> int:
        """Return the initial margin of an account."""
        if account_idx >= len(self._mirror.accounts):
            return 0
        return margin_of(self._mirror, account_idx).initial_usd_micros

    def _is_open(self, port: Port) -> bool:
        return port.status == PortStatus.PROPOSED and port.expires_ns > self._mirror.ts_ns

    # What becomes of a client

    async def _see_to(
        self, one: Failing, idx: int, asked: list[Port], receivers: list[Receiver]
    ) -> None:
        """Tell a client, offer it to the next member, or close it out when the window is over."""
        mirror = self._mirror
        failed = {"member": self._name(one.member_idx), "due_ts": one.until_ns // 1_000_000}
        await self._tell(idx, NoticeKind.MEMBER_FAILED, str(one.liquidation_id), failed)
        standing = self._liquidator.standing(idx)
        sound = is_sound(standing.equity_usd_micros, standing.maintenance_usd_micros)
        if idx in mirror.liquidations or not sound:
            return  # it is closed out by itself, with its own money
        going = [port for port in asked if self._is_open(port)]
        for port in going:
            await self._tell_offer(port)
        if going:
            return
        if mirror.ts_ns >= one.until_ns:
            await self._close(one, idx)
            return
        to_idx = receiver_of(receivers, {port.to_idx for port in asked}, self._needs(idx))
        if to_idx is not None:
            await self._offer(one, idx, to_idx)
            needs = self._needs(idx)
            for place, other in enumerate(receivers):
                if other.member_idx == to_idx:  # the next client goes to who has most then
                    room = None if other.room_usd_micros is None else other.room_usd_micros - needs
                    receivers[place] = Receiver(to_idx, other.free_usd_micros - needs, room)

    async def _offer(self, one: Failing, idx: int, to_idx: int) -> None:
        """Propose a client to a member (PORT_010)."""
        now_ns = self._mirror.ts_ns
        reason = f"{self._name(one.member_idx)} fails: liquidation {one.liquidation_id}"
        proposal = Proposal(
            idx, to_idx, key_of(one, idx, to_idx), reason, offer_ends_ns(one, now_ns)
        )
        try:
            port, _ = await self._members.propose(proposal, WHO, now_ns)
        except (HasNoMember, PortGoing) as error:
            _log.info("client %d is not offered: %s", idx, error)
            return
        _log.warning("client %d of %d, which fails, is offered to %d", idx, one.member_idx, to_idx)
        await self._tell_offer(port)

    async def _tell_offer(self, port: Port) -> None:
        """Tell member and client of an offer, each once."""
        said = {"port_id": str(port.port_id), "due_ts": port.expires_ns // 1_000_000}
        client, needs = self._name(port.account_idx), usd_text(self._needs(port.account_idx))
        offer = said | {"client": client, "member": self._name(port.from_idx), "amount": needs}
        await self._tell(port.to_idx, NoticeKind.PORT_OFFER, str(port.port_id), offer)
        proposed = said | {"member": self._name(port.to_idx)}
        await self._tell(port.account_idx, NoticeKind.PORT_PROPOSED, str(port.port_id), proposed)

    async def _tell_ported(self, offers: list[Port]) -> None:
        """Tell clients that have gone whose they are now."""
        for port in offers:
            if port.status == PortStatus.DONE:
                said = {"port_id": str(port.port_id), "member": self._name(port.to_idx)}
                await self._tell(port.account_idx, NoticeKind.PORTED, str(port.port_id), said)

    async def _close(self, one: Failing, idx: int) -> None:
        """Sell some of what a client holds that nobody took (PORT_012)."""
        mirror, account = self._mirror, self._mirror.accounts[idx]
        if not any(position.qty_lots for position in account.positions.values()):
            return
        body = {"member": self._name(one.member_idx)}
        await self._tell(idx, NoticeKind.CLOSING_OUT, str(one.liquidation_id), body)
        waits = account.orders or account.stops or account.state != AccountState.REDUCE_ONLY
        if waits or self._closed.get(idx) == mirror.seq:
            return
        sale = self._liquidator.dispose(idx, "port")
        if sale is not None:
            self._closed[idx] = mirror.seq
            await self._send(sale.commands)

    # Notices

    def _name(self, account_idx: int) -> str:
        return self._names.get(account_idx, str(account_idx))

    async def _tell(self, idx: int, kind: NoticeKind, once: str, body: Mapping[str, Any]) -> None:
        """Write a notice, unless this process knows that it was."""
        key = (idx, kind.value, once)
        if key not in self._told:
            await self._notices.tell(idx, kind, once, body, self._mirror.ts_ns)
            self._told.add(key)
