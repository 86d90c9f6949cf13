"""Computing a call of the exchange for delivery again, from nothing but what was published."""

from collections.abc import Mapping
from typing import Any

from exchange.rules.delivery.exchange import (
    FORMAT,
    NODE_LOTS,
    Entry,
    Pair,
    called,
    head_of,
    standing,
    usd_micros_per_lot,
)
from exchange.rules.delivery.receipts import FIRST


def faults_of_result(body: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a result; none for a sound one.

    Errors:
        ValueError: it is not of the published form.
    """
    try:
        return _faults(body)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not of the published form: {error!r}") from error


def is_in_chain(body: Mapping[str, Any], digest: str) -> bool:
    """Return whether a digest is that of an entry of a result, in its place."""
    head = FIRST
    for row in body["entries"]:
        entry = Entry(*(row[name] for name in Entry._fields))
        head = entry.digest(body["session_id"], head)
        if head.hex() == digest:
            return True
    return False


def _faults(body: Mapping[str, Any]) -> list[str]:
    if body["format"] != FORMAT:
        raise ValueError(f"not of the published form: {body['format']!r}")
    rows = body["entries"]
    entries = [Entry(*(row[name] for name in Entry._fields)) for row in rows]
    lots = {row["number"]: row["counted"] for row in rows}
    faults = []
    if [one.number for one in entries] != list(range(1, len(entries) + 1)):
        faults.append("the entries have gaps")
    if head_of(body["session_id"], entries).hex() != body["head"]:
        faults.append("the entries are not those of the chain's head")
    stands = standing(entries)
    names = {one.number for one in stands}
    for one in entries:
        most = one.qty_lots if one.number in names else 0
        if not 0 <= lots[one.number] <= most or lots[one.number] % NODE_LOTS:
            faults.append(f"entry {one.number} counts {lots[one.number]} of {most} lots")
    if body["void"]:
        return faults + (["a void call pairs somebody"] if body["pairs"] or body["legs"] else [])
    if faults:
        return faults
    outcome = called(stands, lots)
    said = (body["differential_ticks"], body["lots"], body["surplus_lots"])
    if said != tuple(outcome.price):
        faults.append(f"differential, lots, surplus: expected {tuple(outcome.price)}, found {said}")
    if [Pair(*row) for row in body["pairs"]] != outcome.pairs:
        faults.append("others were paired than price and time say")
    return faults + _wrong_fills(rows, outcome.pairs) + _wrong_legs(body, entries, outcome.pairs)


def _wrong_fills(rows: list[Mapping[str, Any]], pairs: list[Pair]) -> list[str]:
    return [
        f"entry {row['number']} is said to have {row['filled']} lots"
        for row in rows
        if row["filled"] != sum(one.lots for one in pairs if row["number"] in one[:2])
    ]


def _wrong_legs(body: Mapping[str, Any], entries: list[Entry], pairs: list[Pair]) -> list[str]:
    """Return legs that are not the pairs, or cost another amount."""
    owner = {one.number: one.account_idx for one in entries}
    due: dict[tuple[int, int], int] = {}
    for pair in pairs:
        ends = (owner[pair.buy_number], owner[pair.sell_number])
        due[ends] = due.get(ends, 0) + pair.lots
    found: dict[tuple[int, int], int] = {}
    faults = []
    for leg in body["legs"]:
        ends = (leg["buyer_idx"], leg["seller_idx"])
        found[ends] = found.get(ends, 0) + leg["lots"]
        price = usd_micros_per_lot(body["settle_ticks"], body["differential_ticks"], body["hours"])
        if leg["amount_usd_micros"] != leg["lots"] * price:
            faults.append(f"leg {leg['place']} costs {leg['amount_usd_micros']}")
    return faults + ([] if due == found else ["the legs are not the pairs"])
