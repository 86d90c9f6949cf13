"""Everything public that a final settlement follows from, as one JSON document (FNST_005)."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.contracts import Contract, SymbolError, parse_symbol
from exchange.rules.final_settlement import HOURS_A_DAY, SETTLEMENT_RULES
from exchange.rules.index.prints import Print, print_of_document
from exchange.rules.money import MICROS_DIGITS, DecimalError, scaled_text, usd_micros_of, usd_text

FORMAT: Final = "wellhead-final-settlement/1"
PRICE_DECIMALS: Final = 4
UNREADABLE: Final = (KeyError, TypeError, AttributeError, IndexError, ArithmeticError,
                     AssertionError, RecursionError, SymbolError, DecimalError)  # fmt: skip


class Said(NamedTuple):
    """A settlement in delivery, as it was published."""

    ordinal: int
    days_fixed: int
    days: int
    is_final: bool
    worth_usd_micros: int  # of one lot
    change_usd_micros: int  # since the one before: the cash flow of one lot bought
    open_interest_lots: int
    paid_usd_micros: int  # sum of what the gaining accounts received
    digest: str
    seq: int
    settled_ns: int


class Bundle(NamedTuple):
    """A bundle, read."""

    contract: Contract
    series: str
    rules_version: str
    period_start: date
    period_end: date  # not included
    days: int
    state: str
    final_price_usd_micros: int | None
    accruals: tuple[Said, ...]
    chain: tuple[Print, ...]  # gap-free; print 1 or any that precedes what is used goes first
    documents: Mapping[str, Mapping[str, Any]]  # what prints follow from, by SHA-256


def state_of(last: AccrualRow | Said) -> str:
    """Return how far a settlement is: `delivery`, `provisional` or `final`."""
    if last.is_final:
        return "final"
    return "provisional" if last.days_fixed == last.days else "delivery"


def final_document(contract: Contract, rows: Sequence[AccrualRow]) -> dict[str, Any]:
    """Return the settlements of a contract in delivery as they are published.

    Args:
        rows: one at least, oldest first.
    """
    period, last = contract.period, rows[-1]
    price = last.worth_usd_micros // (HOURS_A_DAY * last.days)
    changes = [0, *(b.worth_usd_micros - a.worth_usd_micros for a, b in pairwise(rows))]
    return {
        "symbol": contract.symbol,
        "series": contract.series.symbol,
        "rules_version": SETTLEMENT_RULES,
        "period_start": period.start.isoformat(),
        "period_end": period.end.isoformat(),
        "days": period.days,
        "state": state_of(last),
        "final_price": scaled_text(price, MICROS_DIGITS, PRICE_DECIMALS)
        if last.days_fixed == last.days
        else None,
        "accruals": [_accrual(row, change) for row, change in zip(rows, changes, strict=True)],
    }


def _accrual(row: AccrualRow, change_usd_micros: int) -> dict[str, Any]:
    return {
        "ordinal": row.ordinal,
        "days_fixed": row.days_fixed,
        "days": row.days,
        "final": row.is_final,
        "worth": usd_text(row.worth_usd_micros),
        "change": usd_text(change_usd_micros),
        "open_interest": str(row.open_interest_lots),
        "paid": usd_text(row.paid_usd_micros),
        "digest": row.digest,
        "seq": row.seq,
        "ts_ns": str(row.settled_ns),
    }


def bundle_document(
    settlement: Mapping[str, Any],
    chain: Sequence[Mapping[str, Any]],
    documents: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return a bundle as it is written."""
    return {"format": FORMAT, "settlement": settlement, "chain": chain, "documents": documents}


def bundle_of(document: Mapping[str, Any]) -> Bundle:
    """Return a bundle from its document.

    Errors:
        ValueError: it is none.
    """
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"not of the form {FORMAT}")
        return _bundle(document)
    except UNREADABLE as error:
        raise ValueError(f"not of the form {FORMAT}: {error!r}") from error


def _bundle(document: Mapping[str, Any]) -> Bundle:
    said = document["settlement"]
    price = said["final_price"]
    return Bundle(
        contract=parse_symbol(said["symbol"]),
        series=said["series"],
        rules_version=said["rules_version"],
        period_start=date.fromisoformat(said["period_start"]),
        period_end=date.fromisoformat(said["period_end"]),
        days=_whole(said["days"]),
        state=said["state"],
        final_price_usd_micros=None if price is None else usd_micros_of(price),
        accruals=tuple(map(_said, said["accruals"])),
        chain=tuple(map(print_of_document, document["chain"])),
        documents=dict(document["documents"]),
    )


def _said(row: Mapping[str, Any]) -> Said:
    return Said(
        ordinal=_whole(row["ordinal"]),
        days_fixed=_whole(row["days_fixed"]),
        days=_whole(row["days"]),
        is_final=row["final"] is True,
        worth_usd_micros=usd_micros_of(row["worth"]),
        change_usd_micros=usd_micros_of(row["change"], signed=True),
        open_interest_lots=int(row["open_interest"]),
        paid_usd_micros=usd_micros_of(row["paid"]),
        digest=row["digest"],
        seq=_whole(row["seq"]),
        settled_ns=int(row["ts_ns"]),
    )


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"no whole number: {value!r}")
    return value
