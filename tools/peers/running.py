"""Runs engines in turn, each in a process of its own, and holds their trades against the right."""

import json
import struct
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from tools.peers.catalogue import Engine
from tools.peers.installing import interpreter
from tools.peers.plain import Trade
from tools.peers.workload import Workload

CHILD = Path(__file__).with_name("child.py")
TRADE = struct.Struct("<4q")
GRACE_S = 30.0  # for loading, compiling and writing, beside the time of the run itself


@dataclass(slots=True)
class Result:
    """What is known of one engine after its runs."""

    name: str
    version: str = ""
    what: str = ""
    ns_per_command: list[float] = field(default_factory=list)
    commands: int = 0  # of the longest run
    refused: int = 0
    trades: int = 0  # that were right to expect
    wrong: int = 0
    failed: str = ""  # why there is no figure

    def take(self, told: dict[str, int], found: list[Trade], work: Workload) -> None:
        """Add one run."""
        done = told["commands"]
        expected = work.trades[: work.trades_before[done]] if done < len(work.commands) else (
            work.trades
        )  # fmt: skip
        self.ns_per_command.append(told["ns"] / max(1, done))
        self.refused = max(self.refused, told["refused"])
        self.commands = max(self.commands, done)
        self.trades = max(self.trades, len(expected))
        self.wrong = max(self.wrong, differing(found, expected))


def differing(found: Sequence[Trade], expected: Sequence[Trade]) -> int:
    """Return how many trades are wrong: missing, or not to be there, or not in their place."""
    have, want = Counter(found), Counter(expected)
    wrong = max((have - want).total(), (want - have).total())
    return wrong or sum(a != b for a, b in zip_longest(found, expected))


def run_all(
    engines: Sequence[Engine], work: Workload, scratch: Path, runs: int, seconds: float
) -> list[Result]:
    """Run every engine `runs` times, in turn, so that a slow minute is slow for all."""
    feed = scratch / "workload.bin"
    feed.write_bytes(work.raw())
    results = [Result(one.name, one.version, one.what) for one in engines]
    for _ in range(runs):
        for engine, result in zip(engines, results, strict=True):
            if not result.failed:
                run_once(engine, result, work, feed, seconds)
            if not engine.trades:
                result.trades = result.wrong = 0
    return results


def run_once(engine: Engine, result: Result, work: Workload, feed: Path, seconds: float) -> None:
    """Run an engine once and add what came of it; a failure is kept as its reason."""
    trades = feed.with_name("trades.bin")
    trades.unlink(missing_ok=True)
    python, environment = interpreter(engine)
    command = [python, str(CHILD), str(engine.adapter), str(feed), str(trades), str(seconds)]
    limit_s = 3 * seconds + GRACE_S
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit_s, env=environment
        )
    except subprocess.TimeoutExpired as late:
        result.failed = hung(late.stdout, limit_s)
        return
    told = last(done.stdout)
    if done.returncode or told is None or not trades.exists():
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        result.failed = f"failed: {lines[-1][:120]}"
        return
    result.take(told, list(TRADE.iter_unpack(trades.read_bytes())), work)


def hung(output: bytes | str | None, limit_s: float) -> str:
    """Return where an engine was when it was ended, by the last line that it wrote."""
    text = output.decode() if isinstance(output, bytes) else output or ""
    told = last(text)
    after = told["commands"] if told else 0
    return f"hangs: not back after {limit_s:.0f} s, stuck soon after command {after:,}"


def last(output: str) -> dict[str, int] | None:
    """Return the last whole line of what a child wrote."""
    lines = [line for line in output.splitlines() if line.startswith("{") and line.endswith("}")]
    found: dict[str, int] | None = json.loads(lines[-1]) if lines else None
    return found
