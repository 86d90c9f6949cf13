"""A published index in memory, true to its protocol, for tests of the API."""

import time
from datetime import date
from typing import Any

from exchange.io.index_store import (
    DAY_FIRST,
    DAY_LAST,
    ID_MAX,
    AlreadySaid,
    DayIsFinal,
    Erratum,
    Explained,
    PrintRow,
    Said,
)
from exchange.rules.index.prints import Print, State, cutoff_ns
from exchange.rules.index.replay import Group, Published, Replay
from tests.support.index_offers import daily, days, offers_of, steady


class MemoryIndex:
    """Prints in order of their chain; the last day is provisional."""

    def __init__(self, count: int = 4) -> None:
        offers = offers_of(daily(steady(6, count)))
        replay = Replay(offers)
        self.published: list[Published] = []
        for day in days(count):
            state = State.PROVISIONAL if day == days(count)[-1] else State.FINAL
            self.published += replay.go(Group(day, state, 1, len(offers)))
        self.said: list[Said] = []
        self.found = [
            Erratum(7, "H100-GLB", days(count)[0], 2_100_000, 2_000_000, 24, time.time_ns())
        ]

    def add(self, one: Published) -> None:
        """Publish one more."""
        self.published.append(one)

    def _rows(self, name: str | None = None) -> list[PrintRow]:
        newest: dict[tuple[str, date], PrintRow] = {}
        for row, _ in self.published:
            if name in (None, row.name):
                newest[row.name, row.day] = PrintRow(row, cutoff_ns(row.day))
        return list(newest.values())

    async def latest(self, since: date = DAY_FIRST) -> list[PrintRow]:
        by_name = {row.print.name: row for row in self._rows() if row.day >= since}
        return [by_name[name] for name in sorted(by_name)]

    async def prints(self, name: str, first: date, last: date) -> list[PrintRow]:
        return [row for row in self._rows(name) if first <= row.day <= last]

    async def newest(
        self, name: str, *, first: date = DAY_FIRST, before: date = DAY_LAST, limit: int = 100
    ) -> list[PrintRow]:
        rows = [row for row in self._rows(name) if first <= row.day < before]
        return rows[::-1][:limit]

    async def explained(self, name: str, day: date) -> Explained | None:
        rows = [one for one in self.published if (one.row.name, one.row.day) == (name, day)]
        if not rows:
            return None
        document: dict[str, Any] = dict(rows[-1].document)
        return Explained([PrintRow(one.row, cutoff_ns(day)) for one in rows], document)

    async def chain(self, after: int, limit: int) -> list[Print]:
        return [one.row for one in self.published if one.row.position > after][:limit]

    async def errata(self, *, before: int = ID_MAX, limit: int = 100) -> list[Erratum]:
        return [one for one in self.found if one.erratum_id < before][:limit]

    async def say(self, said: Said) -> int:
        if any(one.row.day >= said.day and one.row.state == "final" for one in self.published):
            raise DayIsFinal(f"the prints of {said.day} are final")
        own = [
            o
            for o in self.said
            if (o.name, o.day, o.said_by) == (said.name, said.day, said.said_by)
        ]
        if own and own[0].price_usd_micros != said.price_usd_micros:
            raise AlreadySaid("another price before")
        if not own:
            self.said.append(said)
        same = (said.name, said.day, said.price_usd_micros)
        return sum((one.name, one.day, one.price_usd_micros) == same for one in self.said)
