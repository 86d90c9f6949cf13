"""A final settlement again, from nothing but its bundle: prints, worth, cash (FNST_005)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from exchange.rules.final_bundle import UNREADABLE, Bundle, Said, state_of
from exchange.rules.final_settlement import (
    HOURS_A_DAY,
    SETTLEMENT_RULES,
    DayPrint,
    FixedDays,
    accrues_ns,
    final_ns,
    final_price_usd_micros,
    lot_worth_usd_micros,
    prints_digest,
)
from exchange.rules.findings import Finding
from exchange.rules.index.method import METHOD
from exchange.rules.index.prints import EMPTY, Head, Print, State
from exchange.rules.index.recheck import recheck
from exchange.rules.index.replay import TABLE, chain_findings, document_findings, place_of

PRICE_TICK_USD_MICROS: Final = 1_000  # what delivery begins at is a settlement price


class Proof:
    """What was computed again, and where it is not what the bundle says: the first fault first."""

    def __init__(self) -> None:
        self.chained = 0  # prints whose digest follows from the one before
        self.prints = 0  # of the period's days
        self.recomputed = 0  # of these, found again from constituents by this version's method
        self.accruals = 0
        self.flows = 0  # of these, that were paid as open interest times change
        self.head = EMPTY
        self.price_usd_micros: int | None = None
        self.faults: list[Finding] = []


def prove(bundle: Bundle) -> Proof:
    """Compute a settlement again from its bundle."""
    proof = Proof()
    proof.faults += _contract_faults(bundle)
    proof.faults += _chain_faults(bundle, proof)
    by_day = _day_prints(bundle)
    days = FixedDays()
    for one in by_day:
        days.add(one.name, DayPrint(one.day, one.price_usd_micros, one.digest))
    known = days.of(bundle.contract.series.symbol, bundle.contract.period)
    proof.prints = len(known)
    proof.faults += _document_faults(bundle, by_day, proof)
    proof.faults += _following_faults(by_day)
    proof.faults += _accrual_faults(bundle, known, proof)
    return proof


def _differs(table: str, place: str, pairs: dict[str, tuple[object, object]]) -> Iterator[Finding]:
    """Yield the fields whose computed and published values differ."""
    for name, (computed, said) in pairs.items():
        if computed != said:
            yield Finding(table, place, name, str(computed), str(said))


def _contract_faults(bundle: Bundle) -> Iterator[Finding]:
    period = bundle.contract.period
    yield from _differs("contract", bundle.contract.symbol, {
        "rules version": (SETTLEMENT_RULES, bundle.rules_version),
        "series": (bundle.contract.series.symbol, bundle.series),
        "first day": (period.start, bundle.period_start),
        "end of the period": (period.end, bundle.period_end),
        "days": (period.days, bundle.days),
        "state": (state_of(bundle.accruals[-1]) if bundle.accruals else "-", bundle.state),
    })  # fmt: skip


def _chain_faults(bundle: Bundle, proof: Proof) -> Iterator[Finding]:
    """Check every link; what stands before the first print is only a name for the past."""
    chain = bundle.chain
    if not chain:
        return
    head = EMPTY
    if chain[0].position > 1:
        head, chain = Head(chain[0].position, chain[0].digest), chain[1:]
    proof.chained = len(chain)
    proof.head = Head(bundle.chain[-1].position, bundle.chain[-1].digest)
    yield from chain_findings(chain, head)


def _linked(bundle: Bundle) -> tuple[Print, ...]:
    """Return the prints that the chain holds: all but what it is hung on."""
    hung = bool(bundle.chain) and bundle.chain[0].position > 1
    return bundle.chain[1:] if hung else bundle.chain


def _day_prints(bundle: Bundle) -> list[Print]:
    """Return the final prints of the period's days, in the order of the chain."""
    name, period = bundle.contract.series.symbol, bundle.contract.period
    return [
        one
        for one in _linked(bundle)
        if (one.name, one.state) == (name, State.FINAL) and period.start <= one.day < period.end
    ]


def _document_faults(bundle: Bundle, by_day: list[Print], proof: Proof) -> Iterator[Finding]:
    """Compute prints again from their constituents, and those of the world that they follow."""
    finals = {(one.inputs, one.day): one for one in _linked(bundle) if one.state == State.FINAL}
    for one in by_day:
        document = bundle.documents.get(one.inputs)
        try:
            name = document["benchmark"] if document and "benchmark" in document else ""
            world = finals.get((name, one.day))
            faults = list(_print_faults(bundle, one, world))
            if world is not None:
                faults += _print_faults(bundle, world, None)
            proof.recomputed += not faults and one.method == METHOD.name
        except (ValueError, *UNREADABLE) as error:
            faults = [Finding("index_panel", place_of(one), "document", "readable", repr(error))]
        yield from faults


def _print_faults(bundle: Bundle, one: Print, world: Print | None) -> Iterator[Finding]:
    document = bundle.documents.get(one.inputs)
    if document is None:
        yield Finding("index_panel", place_of(one), "document", one.inputs, "none")
        return
    faults = list(document_findings(one.inputs, document))
    if not faults and one.method == METHOD.name:
        faults = list(recheck(one, document, world))
    yield from faults


def _following_faults(by_day: list[Print]) -> Iterator[Finding]:
    """Check that each day begins at the price at which the day before ended, and comes once."""
    for before, one in pairwise(by_day):
        if one.day <= before.day:
            yield Finding(TABLE, place_of(one), "day", f"after {before.day}", str(one.day))
        was = one.explanation.get("previous") or {}
        ended = {"day": before.day.isoformat(), "usd_micros": before.price_usd_micros}
        if was != ended:
            yield Finding(TABLE, place_of(one), "price before", str(ended), str(was))


def _accrual_faults(bundle: Bundle, known: list[DayPrint], proof: Proof) -> Iterator[Finding]:
    before: Said | None = None
    for one in bundle.accruals:
        yield from _accrual_differs(bundle, known, before, one)
        change_usd_micros = abs(one.change_usd_micros)
        proof.flows += one.paid_usd_micros == one.open_interest_lots * change_usd_micros
        before = one
    proof.accruals = len(bundle.accruals)
    price = None
    if before is not None and before.days_fixed == bundle.contract.period.days == len(known):
        price = final_price_usd_micros([one.price_usd_micros for one in known])
    proof.price_usd_micros = price
    pairs: dict[str, tuple[object, object]] = {"price": (price, bundle.final_price_usd_micros)}
    yield from _differs("final settlement", bundle.contract.symbol, pairs)
    if before is None:
        yield Finding("accrual", bundle.contract.symbol, "row", "one at least", "none")


def _accrual_differs(
    bundle: Bundle, known: list[DayPrint], before: Said | None, one: Said
) -> Iterator[Finding]:
    """Yield how a settlement in delivery is not what its prints, and the one before it, say."""
    period, fixed = bundle.contract.period, one.days_fixed
    place = f"{bundle.contract.symbol}, settlement {one.ordinal}"
    was_fixed = before.days_fixed if before else 0
    first, last = (was_fixed, period.days) if before else (0, 0)
    if not first <= fixed <= last or (before and before.is_final):
        yield Finding("accrual", place, "days fixed", f"{first} to {last}", str(fixed))
        return
    if fixed > len(known):
        missing = period.start.toordinal() + len(known)
        day = period.start.fromordinal(missing)
        yield Finding("accrual", place, "prints", f"a final print of {day}", "none")
        return
    used = known[:fixed]
    worth = _worth(period.days, used, one)
    prior = before.worth_usd_micros if before else one.worth_usd_micros
    yield from _differs("accrual", place, {
        "ordinal": (before.ordinal + 1 if before else 1, one.ordinal),
        "days": (period.days, one.days),
        "worth of a lot, micro-dollars": (worth, one.worth_usd_micros),
        "cash of a lot, micro-dollars": (one.worth_usd_micros - prior, one.change_usd_micros),
        "digest of its prints": (prints_digest(bundle.contract.symbol, used).hex(), one.digest),
        "place in the journal": (True, before is None or one.seq > before.seq),
        "not before its print is final": (
            True, not used or one.settled_ns >= accrues_ns(used[-1].day)),
        "final when it may be": (
            True, not one.is_final or (fixed == period.days
            and one.settled_ns >= final_ns(period, before.settled_ns if before else 0))),
    })  # fmt: skip


def _worth(days: int, used: list[DayPrint], one: Said) -> int:
    """Return what a lot is worth: by its prints, or by the settlement price it begins at."""
    if used:
        return lot_worth_usd_micros(days, [row.price_usd_micros for row in used])
    step = HOURS_A_DAY * days * PRICE_TICK_USD_MICROS
    return max(step, one.worth_usd_micros // step * step)
