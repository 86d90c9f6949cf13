"""What the named stories would have done to all accounts, a set of results a night."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from exchange.io.db import LOST, queries
from exchange.io.errors import DatabaseUnavailable
from exchange.io.store import Store
from exchange.rules.stress_play import Fate, Outcome

DAY_MAX: Final = 1 << 32
_SQL: Final = queries("stress")


class StressResult(NamedTuple):
    """One story of one night; money is usd micros."""

    day: int  # days since 1970, UTC
    story: str
    whole: bool
    seq: int
    accounts_count: int
    called_count: int
    liquidated_count: int
    defaulted_count: int
    lost_usd_micros: int
    shortfall_usd_micros: int
    beyond_usd_micros: int
    house_usd_micros: int
    uncovered_usd_micros: int


def result_of(day: int, outcome: Outcome, *, whole: bool) -> StressResult:
    """Return what is kept of an outcome."""
    return StressResult(
        day=day,
        story=outcome.story.name,
        whole=whole,
        seq=outcome.seq,
        accounts_count=len(outcome.accounts),
        called_count=outcome.fates[Fate.CALLED],
        liquidated_count=outcome.fates[Fate.LIQUIDATED],
        defaulted_count=outcome.fates[Fate.DEFAULTED],
        lost_usd_micros=outcome.lost_usd_micros,
        shortfall_usd_micros=outcome.shortfall_usd_micros,
        beyond_usd_micros=outcome.waterfall.loss_usd_micros,
        house_usd_micros=outcome.house_usd_micros,
        uncovered_usd_micros=outcome.waterfall.uncovered_usd_micros,
    )


class StressResults(Store):
    """Written once a night, all together; never changed."""

    async def add(self, rows: Iterable[StressResult]) -> None:
        """Write the results of a night; those that are there stay as they are."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.executemany(_SQL["add"], list(rows))
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error

    async def last_day(self) -> int:
        """Return the newest day there are results of, 0 for none."""
        return int(await self._value(_SQL["last_day"], DAY_MAX))

    async def of_day(self, day: int = DAY_MAX) -> list[StressResult]:
        """Return the results of a day, or of the last one before; the house's worst first."""
        rows = await self._rows(_SQL["of_day"], day)
        return [StressResult(*row[:8], *map(int, row[8:])) for row in map(tuple, rows)]
