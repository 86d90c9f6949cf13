"""Collects what members owe the default fund, and tells them so: one of it, beside the sequencer.

It asks for a transfer as anybody does, at most one a member and day of core time: the name of the
transfer says the day, so that after a kill the same is asked again and moves nothing twice.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

from exchange.io.errors import IdempotencyConflict, Unavailable
from exchange.io.funds import SizingSeen
from exchange.rules.fund_calls import (
    Asked,
    asked_by,
    due_by_ns,
    is_blocked,
    overdue_usd_micros,
    reminders_due,
)
from exchange.rules.fund_sizing import MEMBER_KIND, day_of
from exchange.rules.layers import (
    FIRST_ID,
    FUND_KIND,
    SHARE_ID,
    SHARE_NAME,
    Funds,
    free_usd_micros,
    funds_of,
    has_usd_micros,
)
from exchange.rules.mirror import Mirror
from exchange.rules.money import usd_text
from exchange.rules.restraints import NoticeKind
from matching.limits import TRANSFER_USD_MICROS_MAX

LOOK_SECONDS: Final = 30.0
SIZES: Final = 64  # looked back at: a day has one, and one for each swap of scenarios
_log = logging.getLogger("wellhead.fund")


class Rows(Protocol):
    """What of Postgres the collector reads."""

    async def account_names(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of every account."""
        ...

    async def sizings(self, limit: int = 1) -> list[SizingSeen]:
        """Return the newest sizes."""
        ...


class Accounts(Protocol):
    """Where a member's share gets its account."""

    async def create(self, *, account_id: str, name: str, kind: str = "customer") -> Any:
        """Write a new account, or return the one there is."""
        ...


class Transfers(Protocol):
    """Where money is asked to move."""

    async def request(
        self, *, account_idx: int, amount_usd_micros: int, client_key: str,
        to_account_idx: int | None = None,
    ) -> Any:  # fmt: skip
        """Write the wish; the same again is the same."""
        ...


class Notices(Protocol):
    """Where members are told."""

    async def tell(
        self, account_idx: int, kind: str, once: str, body: Mapping[str, Any], ts_ns: int
    ) -> bool:
        """Write a notice, once."""
        ...


class FundCollector:
    """Takes overdue contributions from free cash, and says who owes."""

    def __init__(
        self, mirror: Mirror, rows: Rows, accounts: Accounts, transfers: Transfers,
        notices: Notices,
    ) -> None:  # fmt: skip
        self._mirror = mirror
        self._rows = rows
        self._accounts = accounts
        self._transfers = transfers
        self._notices = notices
        self._told: set[tuple[int, str, str]] = set()
        self._blocked: frozenset[int] | None = None
        self._asked: dict[int, int] = {}  # account_idx -> day that it was seen to on

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("contributions are collected later: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    def overdue(self) -> frozenset[int] | None:
        """Return the members that may only reduce (DEF-16); None before the first look."""
        return self._blocked

    async def step(self) -> None:
        """Ask for what is overdue, unless the fund is in use.

        Errors:
            Unavailable: the database does not answer; the next step does it.
        """
        mirror = self._mirror
        if mirror.halted or mirror.liquidations or mirror.scenario_count == 0:
            return
        sizes = [asked_by(one.ts_ns, one.body) for one in await self._rows.sizings(SIZES)]
        if not sizes:
            self._blocked = frozenset()
            return
        names = await self._rows.account_names()
        first = next((idx for idx, name, _ in names if name == FIRST_ID), -1)
        funds = funds_of(first, names, len(mirror.accounts))
        blocked = set()
        for account_idx, name, kind in names:
            if kind != MEMBER_KIND or account_idx >= len(mirror.accounts):
                continue
            await self._look(account_idx, name, funds, sizes)
            held = self._held(account_idx, funds)
            await self._say(account_idx, name, held, sizes)
            if is_blocked(sizes, name, held, mirror.ts_ns):
                blocked.add(account_idx)
        self._blocked = frozenset(blocked)

    def _held(self, account_idx: int, funds: Funds) -> int:
        share_idx = funds.shares.get(account_idx)
        return 0 if share_idx is None else has_usd_micros(self._mirror, share_idx)

    async def _say(self, account_idx: int, name: str, held: int, sizes: list[Asked]) -> None:
        """Tell a member of its call, and remind it, each once (DEF-16)."""
        due_ns = due_by_ns(sizes, name, held)
        if due_ns is None:
            return
        missing = sizes[0].required_usd_micros.get(name, 0) - held
        body = {"amount": usd_text(missing), "due_ts": due_ns // 1_000_000}
        said = [(NoticeKind.FUND_CALL, str(due_ns))]
        for number in range(reminders_due(due_ns, self._mirror.ts_ns)):
            said.append((NoticeKind.FUND_REMINDER, f"{due_ns}:{number}"))
        for kind, once in said:
            if (account_idx, kind, once) not in self._told:
                await self._notices.tell(account_idx, kind, once, body, self._mirror.ts_ns)
                self._told.add((account_idx, kind, once))

    async def _look(self, account_idx: int, name: str, funds: Funds, sizes: list[Asked]) -> None:
        """Collect what one member owes, as far as it has it, once a day."""
        mirror = self._mirror
        day = day_of(mirror.ts_ns)
        held = self._held(account_idx, funds)
        missing = overdue_usd_micros(sizes, name, held, mirror.ts_ns)
        if missing == 0 or self._asked.get(account_idx) == day:
            return
        amount = min(missing, free_usd_micros(mirror, account_idx), TRANSFER_USD_MICROS_MAX)
        if amount < missing:
            _log.error("%s owes the fund %s USD that it has not", name, usd_text(missing - amount))
        if amount and not await self._ask(account_idx, amount, day):
            return
        self._asked[account_idx] = day

    async def _ask(self, account_idx: int, amount: int, day: int) -> bool:
        """Ask for the transfer; False until the share's account is open in the core."""
        share = await self._accounts.create(
            account_id=SHARE_ID.format(account_idx), name=SHARE_NAME.format(account_idx),
            kind=FUND_KIND,
        )  # fmt: skip
        if share.account_idx >= len(self._mirror.accounts):
            return False
        try:
            await self._transfers.request(
                account_idx=account_idx, amount_usd_micros=-amount,
                client_key=f"fund-call-{day}", to_account_idx=share.account_idx,
            )  # fmt: skip
        except IdempotencyConflict:
            _log.info("account %d was asked for its contribution today", account_idx)
        return True
