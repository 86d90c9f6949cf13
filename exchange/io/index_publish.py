"""Publishes what is due of the index: one transaction, safe to be killed in and to repeat.

What was published is computed again first, from the first observation; on a history that cannot
be computed again nothing is built.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import Corrupt
from exchange.io.index_store import IndexWriter
from exchange.io.notify import INDEX
from exchange.rules.index.history import Values
from exchange.rules.index.prints import State, cutoff_ns
from exchange.rules.index.replay import Group, Published, Replay, due_groups
from exchange.rules.observations import Offer

TOGETHER: Final = 5_000
ID_MAX: Final = (1 << 62) - 1
ERRATA_DAYS: Final = 90  # so far back late observations are looked for

_OBSERVATIONS: Final = queries("observations")
_NOTIFY: Final = queries("registry")["notify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was published."""

    prints: int = 0
    errata: int = 0
    first: str = ""
    last: str = ""


async def read_offers(connection: asyncpg.Connection) -> list[Offer]:
    """Return all observations in the order of their chain."""
    found: list[Offer] = []
    while rows := await connection.fetch(
        _OBSERVATIONS["rows"], found[-1].number if found else 0, ID_MAX, TOGETHER
    ):
        found += [Offer(*row) for row in rows]
    return found


async def publish(connection: asyncpg.Connection, now_ns: int) -> Done:
    """Publish every print that is due at a moment, and note errata.

    Errors:
        Corrupt: the published history does not follow from the observations.
    """
    async with connection.transaction(isolation="read_committed"):
        writer = IndexWriter(connection)
        await writer.lock()
        offers = await read_offers(connection)
        if not offers:
            return Done()
        groups, values = await writer.groups(), await writer.values()
        replay = Replay(offers)
        for group in groups:
            replay.go(group, values)
        if replay.head != await writer.head():
            raise Corrupt(
                f"the index up to print {replay.head.position} does not follow from the"
                " observations: `wellhead index rebuild` says where"
            )
        provisional = max((g.day for g in groups if g.state == State.PROVISIONAL), default=None)
        due = due_groups(now_ns, offers[-1].number, replay.first_day, provisional)
        published = [row for group in due for row in replay.go(group, values)]
        await writer.add(published)
        errata = await writer.add_errata(_errata(offers, groups, values))
        done = _done(published, errata)
        if published:
            await connection.execute(_NOTIFY, INDEX, done.last)
        return done


def _done(published: Sequence[Published], errata: int) -> Done:
    if not published:
        return Done(errata=errata)
    days = [one.row.day.isoformat() for one in published]
    return Done(prints=len(published), errata=errata, first=days[0], last=days[-1])


def _errata(
    offers: Sequence[Offer], groups: Sequence[Group], values: Values
) -> list[tuple[str, date, int, int, int]]:
    """Return which final prints would be others with all that is known now (INDX_015)."""
    finals = [group for group in groups if group.state == State.FINAL]
    recent = {group.day for group in finals[-ERRATA_DAYS:]}
    if not any(_is_late(offer, finals) for offer in offers):
        return []
    was, now = Replay(offers), Replay(offers)
    found = []
    for group in finals:
        all_known = group._replace(observed_to=offers[-1].number)
        pairs = zip(was.go(group, values), now.go(all_known, values), strict=False)
        if group.day not in recent:
            continue
        found += [
            (old.row.name, group.day, old.row.price_usd_micros, new.row.price_usd_micros,
             all_known.observed_to)
            for old, new in pairs
            if old.row.name == new.row.name
            and old.row.price_usd_micros != new.row.price_usd_micros
        ]  # fmt: skip
    return found


def _is_late(offer: Offer, finals: Sequence[Group]) -> bool:
    """Say whether an observation was of a day that was final when it came."""
    if not finals or offer.number <= finals[0].observed_to:
        return False
    return any(
        offer.number > group.observed_to and offer.ts_ns < cutoff_ns(group.day)
        for group in finals[-ERRATA_DAYS:]
    )
