"""Corrections of daily settlements before they are final: another revision of one run.

Two people say what was wrong in what was seen: a price itself, or an input (a mark, a bid, what
traded). All prices of the run are then found again by the same rules, so that strips still add up
and who followed still follows; every price that comes out otherwise is corrected. Both runs are
kept, and the command that corrects a price says the hash of the new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from exchange.rules.money import BPS
from exchange.rules.settlement_run import Evidence, Note, Settled, SettlementRun

# What may be corrected of what was seen, and where it is in the evidence.
FIELDS: Final = {
    "price": "said_ticks",
    "mark_price": "mark_ticks",
    "bid_price": "bid_ticks",
    "ask_price": "ask_ticks",
    "closing_price": "closing_ticks",
    "window_volume": "lots",
    "window_tick_lots": "tick_lots",  # the sum of price times lots
}


LEAST_BOUND_BPS: Final = 100  # of a contract whose limit of a day is not known


class CorrectionRefused(ValueError):
    """What is asked for corrects nothing, or not what the run has."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was wrong about one contract: names of `FIELDS` with what is right, ticks or lots."""

    symbol: str
    right: Mapping[str, int]


class Corrected(NamedTuple):
    """A price that comes out otherwise, and the one that it replaces."""

    settled: Settled
    replaced_ticks: int


def corrected_run(base: SettlementRun, changes: list[Change], note: Note) -> SettlementRun:
    """Return a run with what is right instead.

    Errors:
        CorrectionRefused: a contract is not of this run, or a field is none.
    """
    seen = {one.symbol: one for one in base.evidence}
    for change in changes:
        one = seen.get(change.symbol)
        if one is None or one.settled:
            raise CorrectionRefused(f"{change.symbol} was not settled by this run")
        seen[change.symbol] = _with(one, change)
    return SettlementRun(base.due_ns, tuple(seen.values()), note)


def _with(one: Evidence, change: Change) -> Evidence:
    unknown = sorted(set(change.right) - set(FIELDS))
    if unknown or not change.right:
        raise CorrectionRefused(f"{change.symbol}: nothing to correct, or no field {unknown}")
    right: dict[str, Any] = {FIELDS[name]: value for name, value in change.right.items()}
    found = replace(one, **right)
    if bool(found.lots) != bool(found.tick_lots) or min(found.lots, found.tick_lots) < 0:
        raise CorrectionRefused(f"{change.symbol}: what traded has a volume and a price")
    return found


def corrections(base: SettlementRun, run: SettlementRun) -> list[Corrected]:
    """Return the prices of a run that are not those of the one before (CORR_001)."""
    before = {one.contract_idx: one.price_ticks for one in base.prices()}
    return [
        Corrected(one, before[one.contract_idx])
        for one in run.prices()
        if one.price_ticks != before[one.contract_idx]
    ]


def bound_bps(base: SettlementRun, one: Corrected) -> int:
    """Return how far a correction may go by itself: the contract's limit of a day (CORR_006)."""
    day = {seen.contract_idx: seen.day_bps for seen in base.evidence}
    return max(LEAST_BOUND_BPS, day.get(one.settled.contract_idx, 0))


def is_beyond(base: SettlementRun, one: Corrected) -> bool:
    """Say whether a corrected price is further from the one it replaces than a day may move it."""
    moved = abs(one.settled.price_ticks - one.replaced_ticks)
    return moved * BPS > one.replaced_ticks * bound_bps(base, one)


def changes_out(changes: list[Change]) -> list[dict[str, Any]]:
    """Return changes as JSON."""
    return [{"symbol": one.symbol, **one.right} for one in changes]


def changes_of(rows: list[dict[str, Any]]) -> list[Change]:
    """Return changes from their JSON."""
    return [
        Change(row["symbol"], {name: row[name] for name in FIELDS if name in row}) for row in rows
    ]
