"""The bundle of a week in delivery, of observations that a test made."""

import json
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.contracts import parse_symbol
from exchange.rules.final_bundle import bundle_document, final_document
from exchange.rules.final_settlement import (
    NOTHING_FIXED,
    DayPrint,
    accrues_ns,
    final_ns,
    lot_worth_usd_micros,
    prints_digest,
)
from exchange.rules.index.prints import State, print_document
from exchange.rules.index.replay import Group, Replay
from exchange.rules.tenors import DAY
from tests.support.index_offers import daily, days, offers_of

Json = dict[str, Any]
SYMBOL = "H100-USE-2026W10"  # 2026-03-02 to 2026-03-08
WEEK = parse_symbol(SYMBOL)
LOTS = 5


@lru_cache(maxsize=1)
def whole() -> str:
    """Return the bundle of a week whose prices move, with all that was published meanwhile."""
    said = {f"p{at}": [2_000_000 + 7_000 * day + 1_000 * at for day in range(9)] for at in range(7)}
    offers = offers_of(daily(said))
    replay, published = Replay(offers), []
    for day in days(9):
        published += replay.go(Group(day, State.PROVISIONAL, 1, len(offers)))
        published += replay.go(Group(day, State.FINAL, 2, len(offers)))
    used = [
        row
        for row, _ in published
        if row.name == "H100-USE" and row.state == "final" and row.day in week()
    ]
    chain = [row for row, _ in published
             if used[0].position - 1 <= row.position <= used[-1].position]  # fmt: skip
    documents = {row.inputs: document for row, document in published if row in used}
    prints = [DayPrint(row.day, row.price_usd_micros, row.digest) for row in used]
    settlement = final_document(WEEK, rows(prints))
    return json.dumps(bundle_document(settlement, list(map(print_document, chain)), documents))


def week() -> list[date]:
    return [WEEK.period.start + DAY * at for at in range(7)]


def rows(prints: list[DayPrint]) -> list[AccrualRow]:
    """Return what the clearing house settles: the beginning, each day, the last one again."""
    worths = [2_000_000 * 24 * 7]
    worths += [lot_worth_usd_micros(7, [p.price_usd_micros for p in prints[: at + 1]])
               for at in range(7)]  # fmt: skip
    worths.append(worths[-1])
    paid = [0, *(LOTS * abs(b - a) for a, b in pairwise(worths))]
    times = [accrues_ns(week()[0] - DAY), *map(accrues_ns, week()), final_ns(WEEK.period)]
    digests = [NOTHING_FIXED, *(prints_digest(SYMBOL, prints[:at]) for at in range(1, 8))]
    digests.append(digests[-1])
    return [
        AccrualRow(3, 100 + at, at + 1, times[at], min(at, 7), 7, at == 8, worths[at], LOTS,
                   paid[at], digests[at].hex())
        for at in range(9)
    ]  # fmt: skip
