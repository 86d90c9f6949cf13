"""The size of the default fund, each day and whenever scenarios are swapped: Cover-2 over them.

All positions are taken at one command; what follows from them is computed piece by piece, so that
orders are served meanwhile. After a kill before its row is written it is computed again.
"""

import asyncio
import logging
from typing import Final, Protocol

from exchange.io.errors import Unavailable
from exchange.io.funds import SizingSeen
from exchange.rules.default_fund import alarm_text
from exchange.rules.fund_sizing import (
    books_of,
    cover_of,
    day_of,
    held_of,
    joined,
    loss_of,
    matrix_hash,
    sizing_of,
    worst_alarms,
)
from exchange.rules.layers import FIRST_ID, HOUSE_KIND, funds_of, owes_usd_micros
from exchange.rules.mirror import Mirror
from exchange.rules.money import usd_text

LOOK_SECONDS: Final = 30.0
_log = logging.getLogger("wellhead.fund")


class Rows(Protocol):
    """What of Postgres the keeper needs."""

    async def fund_accounts(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of the accounts that hold layers."""
        ...

    async def account_names(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of every account."""
        ...

    async def sizings(self, limit: int = 1) -> list[SizingSeen]:
        """Return the newest sizes."""
        ...

    async def keep_sizing(self, sizing: SizingSeen) -> None:
        """Write a day's size, once."""
        ...


class FundKeeper:
    """Sizes the fund on each new day, and by each new matrix."""

    def __init__(self, mirror: Mirror, rows: Rows) -> None:
        self._mirror = mirror
        self._rows = rows
        self._hashed: tuple[object, str] = (None, "")
        self._below: dict[int, int] = {}  # accounts of the house, and the day it was said
        self._sized: tuple[int, str] = (0, "")  # day and matrix of the last one known to be written

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("the default fund is sized later: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> bool:
        """Size the fund if no size is of today and by these scenarios; return whether it was done.

        Errors:
            Unavailable: the database does not answer; the next step does it.
        """
        mirror = self._mirror
        await self._watch_house()
        if mirror.scenario_count == 0:
            return False
        due = (day_of(mirror.ts_ns), self._matrix_now())
        if due != self._sized:
            known = await self._rows.sizings()
            if known:
                self._sized = (known[0].day, known[0].body["matrix"])
        if due == self._sized:
            return False
        names = await self._rows.account_names()
        sizing = await self._size(names)
        await self._rows.keep_sizing(sizing)
        self._sized = (sizing.day, sizing.body["matrix"])
        return True

    async def _watch_house(self) -> None:
        """Say when an account of the house is below zero, once until it is not, or on a new day."""
        below: dict[int, int] = {}
        for account_idx, name, kind in await self._rows.fund_accounts():
            if kind != HOUSE_KIND or account_idx >= len(self._mirror.accounts):
                continue
            owes = owes_usd_micros(self._mirror, account_idx)
            if owes:
                below[account_idx] = day_of(self._mirror.ts_ns)
                if self._below.get(account_idx) != below[account_idx]:
                    _log.error("the house's account %s is %s USD below zero", name, usd_text(owes))
        self._below = below

    def _matrix_now(self) -> str:
        """Return the hash of the live scenarios, computed when they are swapped."""
        shocks = self._mirror.shocks
        if self._hashed[0] is not shocks:
            self._hashed = (shocks, matrix_hash(shocks))
        return self._hashed[1]

    async def _size(self, names: list[tuple[int, str, str]]) -> SizingSeen:
        """Return the size by the positions of now."""
        mirror = self._mirror
        first = next((idx for idx, name, _ in names if name == FIRST_ID), -1)
        funds = funds_of(first, names, len(mirror.accounts))
        books = books_of(mirror, funds.accounts)
        held = held_of(mirror, names, funds)
        ids = {idx: name for idx, name, _ in names}
        parts = []
        for book in books.books:
            parts.append((ids.get(book.account_idx, str(book.account_idx)), loss_of(book, books)))
            await asyncio.sleep(0)
        groups = joined(parts)
        covers = []
        for scenario in range(books.scenario_count):
            covers.append(cover_of(groups, scenario))
            await asyncio.sleep(0)
        sizing = sizing_of(books, groups, covers, held)
        for alarm in worst_alarms(covers, sizing.held_usd_micros):
            _log.warning("the default fund: %s", alarm_text(alarm, sizing.held_usd_micros))
        return SizingSeen(
            day_of(books.ts_ns), books.seq, books.ts_ns, sizing.size_usd_micros,
            sizing.held_usd_micros, sizing.body,
        )  # fmt: skip
