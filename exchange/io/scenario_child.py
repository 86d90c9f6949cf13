"""Builds a set of scenarios in a process of its own.

`python -m exchange.io.scenario_child` reads {"day", "prices_ticks"} from its standard input and
writes the set's document, or {"refused": why}, to its standard output.
"""

import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from exchange.io.child import Document, answer, ask_child
from exchange.io.price_data import load_price_data
from exchange.rules.scenario_build import build


async def build_in_child(day: date, prices_ticks: Mapping[str, int]) -> dict[str, Any]:
    """Build a set in a child process and return its document.

    Errors:
        Invalid: the build was refused; the text says why.
        Unavailable: the child ended without an answer.
    """
    asked = {"day": day.isoformat(), "prices_ticks": list(prices_ticks.items())}
    return await ask_child("exchange.io.scenario_child", asked, "the build of scenarios")


def _build(asked: Document) -> Document:
    prices = {symbol: int(ticks) for symbol, ticks in asked["prices_ticks"]}
    return build(load_price_data(), date.fromisoformat(asked["day"]), prices).document()


if __name__ == "__main__":
    sys.exit(answer(_build))
