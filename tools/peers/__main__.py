"""Measure the matching engines of a package index beside ours: `make bench-peers`.

    python -m tools.peers [FEED] [--commands N] [--runs N] [--seconds S] [--only NAME ...] [--keep]

FEED is an order feed of one book (the small one of the repository if none is given). `--keep`
appends the result to bench/history.jsonl and writes docs/benchmarks-peers.md.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from exchange.services import bench_matching
from exchange.services.replay import FeedError
from matching.engine import warm_up
from matching.feed import FEED_TRADE, HASH_START, mix_trades
from tools.peers import installing, table
from tools.peers.catalogue import LEFT_OUT, LOOP, OURS, PEERS, PLAIN, Engine
from tools.peers.running import Result, run_all
from tools.peers.workload import Workload, load
from wellhead.cli import machine

ROOT = Path(__file__).resolve().parents[2]
FEED = ROOT / "tests" / "integration" / "feeds" / "synthetic_20k.bin.xz"
HISTORY = ROOT / "bench" / "history.jsonl"
PAGE = ROOT / "docs" / "benchmarks-peers.md"
REFERENCE = "C reference"
NOISE = "machines are shared and noisy: compare lines of one table, not tables"


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{text}\n")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.peers", description=__doc__)
    parser.add_argument("feed", nargs="?", type=Path, default=FEED)
    parser.add_argument("--commands", type=int, help="only so many of the feed's commands")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="the most that one run may take")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these peers")
    parser.add_argument("--keep", action="store_true", help="add to the history, write the page")
    asked = parser.parse_args(given)
    if unknown := set(asked.only or ()) - {peer.name for peer in PEERS}:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    return asked


def measure(
    peers: Sequence[Engine], work: Workload, failed: dict[str, str], asked: argparse.Namespace
) -> tuple[list[Result], list[str]]:
    """Run everything on one core; return the results and what is to be said of them."""
    engines = [*OURS, PLAIN, *(peer for peer in peers if peer.name not in failed), LOOP]
    notes: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="wellhead-peers-") as scratch,
        bench_matching.one_core() as core,
    ):
        notes.append("kept on one core" if core is not None else "not kept on one core")
        reference = run_reference(work, Path(scratch), asked.runs, notes)
        results = run_all(engines, work, Path(scratch), asked.runs, asked.seconds)
    results += [
        Result(peer.name, peer.version, peer.what, failed=f"not installed: {failed[peer.name]}")
        for peer in peers
        if peer.name in failed
    ]
    return [*results, *([reference] if reference else [])], notes


def run_reference(work: Workload, scratch: Path, runs: int, notes: list[str]) -> Result | None:
    """Run the C reference, where its source and a compiler are; its trades must be the right ones.

    Errors:
        FeedError: they are not.
    """
    folder = bench_matching.feeds_folder()
    if folder is None:
        notes.append(f"no {REFERENCE}: its source is not here")
        return None
    program = bench_matching.build_reference(folder, scratch, notes)
    if program is None:
        return None
    feed = scratch / "reference.bin"
    feed.write_bytes(work.raw())
    case = bench_matching.Case(work.name, trade_hash(work), 0, 0)
    found = [bench_matching.run_reference(case, program, feed) for _ in range(runs)]
    return Result(
        REFERENCE, "", "C++, gcc -O3; the whole feed in one loop", found,
        len(work.commands), trades=len(work.trades),
    )  # fmt: skip


def trade_hash(work: Workload) -> str:
    """Return the hash of the workload's trades, as feeds publish it."""
    trades = np.zeros(len(work.trades), FEED_TRADE)
    for name, values in zip(
        ("taker", "maker", "price_ticks", "qty_lots"), zip(*work.trades, strict=True), strict=False
    ):
        trades[name] = values
    mixed = mix_trades(trades, len(trades), HASH_START)  # type: ignore[no-untyped-call]
    return f"{int(mixed) & (2**64 - 1):016x}"


def line_of(
    results: list[Result], notes: list[str], work: Workload, described: dict[str, object]
) -> dict[str, Any]:
    """Return the line of the history."""
    figures = [
        {"name": r.name, "unit": "ns/command", "runs": r.ns_per_command, "wrong": r.wrong}
        for r in table.ordered(results)
    ]
    bench = {
        "command": " ".join(["python -m tools.peers", *sys.argv[1:]]),
        "figures": figures,
        "table": table.rows(results, len(work.commands)),
        "notes": notes,
        "left_out": LEFT_OUT,
    }
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "at": at, "commit": machine.commit(), "machine": described, "benches": {"peers": bench},
    }  # fmt: skip


def main(given: Sequence[str]) -> int:
    """Install, run, print; keep it if that is asked."""
    asked = arguments(given)
    peers = [peer for peer in PEERS if not asked.only or peer.name in asked.only]
    try:
        work = load(asked.feed, asked.commands)
        failed = installing.install(peers, say)
        described = machine.describe()
        warm_up()  # so that no child of ours compiles
        say(f"{len(work.commands):,} commands, {len(work.trades):,} trades, {asked.runs} runs each")
        results, notes = measure(peers, work, failed, asked)
    except (installing.NoPeers, FeedError, OSError) as error:
        say(f"bench-peers: {error}")
        return 1
    notes = [
        f"{work.name}: {len(work.commands):,} limit orders and cancellations, "
        f"{len(work.trades):,} trades; median of {asked.runs} runs",
        *notes,
        NOISE,
    ]
    print(table.text_table(table.rows(results, len(work.commands))))
    for note in [*notes, *(f"not run: {name}: {reason}" for name, reason in LEFT_OUT.items())]:
        print(f"* {note}")
    if asked.keep:
        line = line_of(results, notes, work, described)
        with HISTORY.open("a") as file:
            file.write(json.dumps(line) + "\n")
        PAGE.write_text(table.page(line))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
