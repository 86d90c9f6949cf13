"""Accounts that may only reduce, and holdings that are reported: beside the sequencer, by itself.

Every few seconds the holdings of each owner are judged by what can be delivered (POSL_001 to 005),
clients by what they are trusted with (CRED_004, CRED_005), members by what they owe the default
fund (DEF-16). Who is beyond is told so in writing first, then made reduce-only in the core, all its
orders cancelled; who is within again is made active. Nothing is kept here: see `next_act`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from exchange.io.errors import Unavailable
from exchange.io.tasks import taking_back
from exchange.rules import liquidation_rows as rows_of
from exchange.rules.fund_sizing import day_of
from exchange.rules.layers import FUND_KIND, HOUSE_KIND
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.position_limits import (
    Holding,
    Level,
    Owners,
    Supply,
    is_small,
    least_accountable,
    owner_holdings,
    with_interest,
)
from exchange.rules.restraints import (
    Credit,
    NoticeKind,
    Reason,
    Word,
    credit_reasons,
    next_act,
    stricter_credit,
)
from matching.codes import AccountState, Kind
from matching.limits import ACCOUNT_CANCELS_MAX

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_SECONDS: Final = 2.0
REST: Final = 20  # times as long as a look took, so that looks take a twentieth of the time
TOGETHER: Final = 32  # owners looked at before others have their turn
EXEMPT: Final = frozenset({HOUSE_KIND, FUND_KIND})

_log = logging.getLogger("wellhead.restraints")


class Rows(Protocol):
    """What is read and written: `exchange.io.restraints.Restraints`."""

    async def owners(self) -> dict[int, int]:
        """Return whose sub-account each account is."""
        ...

    async def supply(self) -> Supply:
        """Return what can be delivered."""
        ...

    async def credits(self) -> dict[int, tuple[Credit, Credit]]:
        """Return what operators and members trust accounts with."""
        ...

    async def turnover(self, day: int, accounts: Sequence[int]) -> dict[int, int]:
        """Return GPU-hours traded on a day."""
        ...

    async def clients_of(self, member_idxs: Sequence[int]) -> dict[int, int]:
        """Return the clients of members, each with its member."""
        ...

    async def words(self) -> dict[int, Word]:
        """Return what was said last of each account."""
        ...

    async def tell(
        self, account_idx: int, kind: str, once: str, body: Mapping[str, Any], ts_ns: int
    ) -> bool:
        """Write a notice, once."""
        ...


Why = dict[int, dict[str, list[Any]]]  # account_idx -> reason -> what was seen


class Restrainer:
    """`observe` each committed batch, after the mirror."""

    def __init__(
        self,
        mirror: Mirror,
        send: Send,
        rows: Rows,
        kinds: Callable[[], Awaitable[dict[int, str]]],
        overdue: Callable[[], Collection[int] | None] = tuple,
        orphans: Callable[[], Collection[int] | None] = tuple,
    ) -> None:
        """Watch the exchange that `mirror` follows; commands go to `send`.

        Args:
            kinds: of all accounts.
            overdue: members that owe the fund beyond the deadline; None: nobody has looked yet.
            orphans: clients of members that fail; None: nobody has looked yet.
        """
        self._mirror = mirror
        self._send = send
        self._rows = rows
        self._read_kinds = kinds
        self._said_by = {Reason.FUND_CALL: overdue, Reason.MEMBER_FAILED: orphans}
        self._kinds: dict[int, str] = {}
        self._known = 0
        self._given: set[int] = set()  # told to the core, and not in the journal yet
        self._reported: set[tuple[int, str]] = set()  # owner, and what was said once

    def observe(self, commands: np.ndarray) -> None:
        """Take in one committed batch: what was given is done."""
        if self._given:
            told = commands["account_idx"][commands["kind"] == Kind.SET_ACCOUNT]
            self._given.difference_update(told.tolist())

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            begun_s = loop.time()
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("limits of owners are looked at later: %s", error)
            await asyncio.sleep(max(LOOK_SECONDS, REST * (loop.time() - begun_s)))

    async def step(self) -> None:
        """Judge everybody, say and do what is due.

        Errors:
            Unavailable: Postgres or the sequencer does not answer; the next step does it.
        """
        mirror = self._mirror
        if mirror.halted:
            return
        if self._known != len(mirror.accounts):
            known = len(mirror.accounts)
            self._kinds, self._known = await self._read_kinds(), known
        words = await self._rows.words()
        why: Why = {}
        await self._judge_holdings(why)
        await self._judge_credit(why)
        self._judge_said(why, words)
        for idx in [idx for idx in why if self._kinds.get(idx) in EXEMPT]:
            del why[idx]  # layers and what is taken over are never stopped
        held = {idx for idx, word in words.items() if word.reasons}
        for idx in sorted((held | set(why)) - self._given):
            if idx < len(mirror.accounts):
                await self._see_to(idx, words.get(idx, Word()), why.get(idx, {}))

    async def _see_to(self, idx: int, last: Word, why: dict[str, list[Any]]) -> None:
        """Write and do what is due for one account."""
        mirror = self._mirror
        liquidated = idx in mirror.liquidations
        act = next_act(last, tuple(sorted(why)), mirror.accounts[idx].state, liquidated=liquidated)
        if act.word is not None:
            kind = NoticeKind.RESTRAINED if act.word.reasons else NoticeKind.RELEASED
            body = {"reasons": act.word.reasons, "imposed": act.word.imposed, "seen": why}
            if not await self._rows.tell(idx, kind, str(last.notice_id), body, mirror.ts_ns):
                return  # another process said it: the next step reads what it said
            _log.warning("account %d: %s %s", idx, kind, " ".join(act.word.reasons))
        if act.state is not None:
            self._given.add(idx)
            with taking_back(lambda: self._given.discard(idx)):
                await self._send(self._told(idx, act.state))

    def _told(self, idx: int, state: AccountState) -> np.ndarray:
        """Return the commands that set an account's state, and end its orders if it is held."""
        row = rows_of.share_row(idx, held=False)
        row["state"] = state
        if state == AccountState.ACTIVE:
            return row
        account = self._mirror.accounts[idx]
        count = 1 + (len(account.orders) + len(account.stops)) // ACCOUNT_CANCELS_MAX
        return np.concatenate([row, *(rows_of.cancel_row(idx) for _ in range(count))])

    # Why

    async def _judge_holdings(self, why: Why) -> None:
        """Judge every owner by what can be delivered; report who is accountable (POSL_003)."""
        mirror = self._mirror
        supply = with_interest(await self._rows.supply(), mirror)
        if not supply.skus():
            return
        owners = Owners(await self._rows.owners(), self._kinds)
        least = least_accountable(supply)
        heads = {owners.head(idx) for idx in range(len(mirror.accounts))}
        for place, head in enumerate(sorted(heads)):
            if place % TOGETHER == 0:
                await asyncio.sleep(0)
            if self._kinds.get(head) in EXEMPT or is_small(mirror, owners.accounts(head), least):
                continue
            found = owner_holdings(mirror, owners, supply, head)
            for one in found:
                if one.level != Level.OK:
                    await self._report(head, one)
            beyond = [one.scope for one in found if one.level == Level.BEYOND]
            if beyond:
                for idx in owners.accounts(head):
                    why.setdefault(idx, {})[Reason.POSITION_LIMIT] = beyond

    async def _report(self, head: int, one: Holding) -> None:
        """Tell an owner and the operators, once a day, that it has to answer for a holding."""
        mirror = self._mirror
        once = f"{one.scope}:{day_of(mirror.ts_ns)}:{one.level}"
        if (head, once) in self._reported:
            return
        body = holding_out(one)
        said = await self._rows.tell(head, NoticeKind.ACCOUNTABILITY, once, body, mirror.ts_ns)
        self._reported.add((head, once))
        if said:
            _log.warning("account %d holds %d of %d GPU-hours of %s", head, one.used_gpu_hours,
                         one.limit_gpu_hours, one.scope)  # fmt: skip

    async def _judge_credit(self, why: Why) -> None:
        """Judge accounts by what their member, or an operator, trusts them with."""
        mirror = self._mirror
        limited = {
            idx: stricter_credit(*sides)
            for idx, sides in (await self._rows.credits()).items()
            if idx < len(mirror.accounts) and any(stricter_credit(*sides))
        }
        if not limited:
            return
        most = {
            idx: one.clients_margin_max_usd_micros
            for idx, one in limited.items()
            if one.clients_margin_max_usd_micros
        }
        if most and mirror.scenario_count:
            await self._judge_clients(why, most)
        traded = await self._rows.turnover(day_of(mirror.ts_ns), sorted(limited))
        for idx, credit in limited.items():
            await asyncio.sleep(0)
            margin = margin_of(mirror, idx).initial_usd_micros if mirror.scenario_count else 0
            hours = traded.get(idx, 0)
            for reason in credit_reasons(credit, margin, hours):
                seen = margin if reason == Reason.MARGIN_LIMIT else hours
                why.setdefault(idx, {})[reason] = [str(seen)]

    async def _judge_clients(self, why: Why, most: Mapping[int, int]) -> None:
        """Judge members by what all their clients together use (CRED_007).

        Args:
            most: initial margin by member, usd micros.
        """
        mirror, used = self._mirror, dict.fromkeys(most, 0)
        clients = await self._rows.clients_of(sorted(most))
        for idx, member_idx in clients.items():
            await asyncio.sleep(0)
            if idx < len(mirror.accounts):
                used[member_idx] += margin_of(mirror, idx).initial_usd_micros
        for idx, member_idx in clients.items():
            if used[member_idx] > most[member_idx]:
                why.setdefault(idx, {})[Reason.CLIENTS_LIMIT] = [str(used[member_idx])]

    def _judge_said(self, why: Why, words: Mapping[int, Word]) -> None:
        """Take over what other services say of accounts; unknown it stays as it was said."""
        for reason, said in self._said_by.items():
            found = said()
            if found is None:
                found = [idx for idx, word in words.items() if reason in word.reasons]
            for idx in found:
                why.setdefault(idx, {})[reason] = []


def holding_out(one: Holding) -> dict[str, Any]:
    """Return a holding as a notice says it."""
    return {
        "scope": one.scope, "side": "long" if one.long else "short", "level": one.level.value,
        "used_gpu_hours": str(one.used_gpu_hours), "limit_gpu_hours": str(one.limit_gpu_hours),
        "accountable_gpu_hours": str(one.accountable_gpu_hours),
    }  # fmt: skip
