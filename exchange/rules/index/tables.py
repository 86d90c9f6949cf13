"""The history as a table that anybody can read: CSV lines, and the heads of its chain."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from exchange.rules.index.moves import Move
from exchange.rules.index.prints import Print
from exchange.rules.money import usd_text

COLUMNS: Final = (
    "position", "name", "day", "revision", "state", "price", "step", "providers", "offers",
    "raw_price", *Move._fields, "limits", "inputs",
)  # fmt: skip
HEAD_COLUMNS: Final = ("day", "position", "digest")
INPUTS_SHOWN: Final = 16  # hex digits: enough to see that two days have the same panel


def history_csv(prints: Iterable[Print]) -> str:
    """Return prints as CSV, prices in USD per GPU-hour, in the order of the chain."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for one in prints:
        explained = one.explanation
        lines.writerow(
            [one.position, one.name, one.day.isoformat(), one.revision, one.state,
             usd_text(one.price_usd_micros), one.step, explained["providers"],
             explained["offers"], usd_text(explained["raw_usd_micros"]),
             *(usd_text(explained["move_usd_micros"][name]) for name in Move._fields),
             " ".join(explained["limits"]), one.inputs[:INPUTS_SHOWN]]
        )  # fmt: skip
    return text.getvalue()


def heads_csv(prints: Iterable[Print]) -> str:
    """Return the end of the chain at the end of each month, and at the very end."""
    ends: dict[str, Print] = {}
    for one in prints:
        ends[one.day.isoformat()[:7]] = one
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD_COLUMNS)
    for one in ends.values():
        lines.writerow([one.day.isoformat(), one.position, one.digest])
    return text.getvalue()
