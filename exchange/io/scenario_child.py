"""Builds a set of scenarios in a process of its own: seconds of computing must not hold up orders.

`python -m exchange.io.scenario_child` reads {"day", "prices_ticks"} from its standard input and
writes the set's document, or {"refused": why}, to its standard output.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from exchange.io.errors import Invalid, Unavailable
from exchange.io.lowly import die_with_parent
from exchange.io.price_data import load_price_data
from exchange.rules.scenario_build import build

BUILD_TIMEOUT_S: Final = 300.0
NICE: Final = 10  # whoever trades comes first


async def build_in_child(day: date, prices_ticks: Mapping[str, int]) -> dict[str, Any]:
    """Build a set in a child process and return its document.

    Errors:
        Invalid: the build was refused; the text says why.
        Unavailable: the child ended without an answer.
    """
    asked = {"day": day.isoformat(), "prices_ticks": list(prices_ticks.items())}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.io.scenario_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us alone
        preexec_fn=die_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        async with asyncio.timeout(BUILD_TIMEOUT_S):
            answer, _ = await child.communicate(json.dumps(asked).encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not answer:
        raise Unavailable(f"the build of scenarios ended with status {child.returncode}")
    document: dict[str, Any] = json.loads(answer)
    if "refused" in document:
        raise Invalid(document["refused"])
    return document


def main() -> int:
    """Answer one request."""
    os.nice(NICE)
    asked = json.loads(sys.stdin.buffer.read())
    prices = {symbol: int(ticks) for symbol, ticks in asked["prices_ticks"]}
    try:
        document = build(load_price_data(), date.fromisoformat(asked["day"]), prices).document()
    except ValueError as error:
        document = {"refused": str(error)}
    sys.stdout.write(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
