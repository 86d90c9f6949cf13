"""The size of the default fund, once a day by the core's clock: Cover-2 over the live scenarios.

All positions are taken at one command; what follows from them is computed piece by piece, so that
orders are served meanwhile. A day's row is written once: after a kill it is computed again.
"""

import asyncio
import logging
from typing import Final, Protocol

from exchange.io.errors import Unavailable
from exchange.io.funds import SizingSeen
from exchange.rules.fund_sizing import books_of, cover_of, day_of, joined, loss_of, sizing_of
from exchange.rules.layers import FIRST_ID, Funds, funds_of, has_usd_micros
from exchange.rules.mirror import Mirror

LOOK_SECONDS: Final = 30.0
MEMBER: Final = "member"
_log = logging.getLogger("wellhead.fund")


class Rows(Protocol):
    """What of Postgres the keeper needs."""

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
    """Sizes the fund on each new day."""

    def __init__(self, mirror: Mirror, rows: Rows) -> None:
        self._mirror = mirror
        self._rows = rows
        self._day = 0  # the last one known to be written

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("the default fund is sized later: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> bool:
        """Size the fund if today's size is not there; return whether it was done.

        Errors:
            Unavailable: the database does not answer; the next step does it.
        """
        mirror = self._mirror
        today = day_of(mirror.ts_ns)
        if mirror.scenario_count == 0 or today <= self._day:
            return False
        known = await self._rows.sizings()
        if known and known[0].day >= today:
            self._day = known[0].day
            return False
        names = await self._rows.account_names()
        await self._rows.keep_sizing(await self._sized(names))
        self._day = today
        return True

    async def _sized(self, names: list[tuple[int, str, str]]) -> SizingSeen:
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
        for alarm in sizing.body["alarms"]:
            _log.warning("the default fund is near a stress loss: %s", alarm)
        return SizingSeen(
            day_of(books.ts_ns), books.seq, books.ts_ns, sizing.size_usd_micros,
            sizing.held_usd_micros, sizing.body,
        )  # fmt: skip


def held_of(mirror: Mirror, names: list[tuple[int, str, str]], funds: Funds) -> dict[str, int]:
    """Return what every clearing member has in the fund, by public id."""
    return {
        name: has_usd_micros(mirror, funds.shares[idx]) if idx in funds.shares else 0
        for idx, name, kind in names
        if kind == MEMBER and idx < len(mirror.accounts)
    }
