"""Prints of the index as the API shows them."""

from typing import Any

from api import answers
from exchange.io.index_store import Erratum, Explained, PrintRow
from exchange.rules.index.moves import Move
from exchange.rules.index.prints import stale_since
from exchange.rules.money import usd_text


def print_out(row: PrintRow) -> dict[str, Any]:
    """Return a print with the parts of its move; they add up to it exactly."""
    one, explained = row.print, row.print.explanation
    before, stale = explained["previous"], stale_since(one)
    return {
        "name": one.name,
        "day": one.day.isoformat(),
        "revision": one.revision,
        "state": one.state,
        "price": usd_text(one.price_usd_micros),
        "step": one.step,
        "quorum": one.has_quorum,
        "days_without_quorum": explained["days_without_quorum"],
        "stale_since": None if stale is None else stale.isoformat(),
        "providers": explained["providers"],
        "offers": explained["offers"],
        "tier": explained["tier"],
        "raw_price": usd_text(explained["raw_usd_micros"]),
        "previous_day": None if before is None else before["day"],
        "previous_price": None if before is None else usd_text(before["usd_micros"]),
        "move": {
            name: usd_text(value)
            for name, value in Move(**explained["move_usd_micros"])._asdict().items()
        },
        "limits": explained["limits"],
        "method": one.method,
        "inputs": one.inputs,
        "observed_to": str(one.observed_to),
        "position": str(one.position),
        "digest": one.digest,
        "published_ts": answers.millis(row.published_at_ns),
    }


def explained_out(found: Explained) -> dict[str, Any]:
    """Return all revisions of a day, and the document the newest one follows from."""
    return {
        "revisions": [print_out(row) for row in found.revisions],
        "document": found.document,
    }


def erratum_out(one: Erratum) -> dict[str, Any]:
    """Return an erratum."""
    return {
        "erratum_id": str(one.erratum_id),
        "name": one.name,
        "day": one.day.isoformat(),
        "published_price": usd_text(one.published_usd_micros),
        "corrected_price": usd_text(one.corrected_usd_micros),
        "observed_to": str(one.observed_to),
        "found_ts": answers.millis(one.found_at_ns),
    }
