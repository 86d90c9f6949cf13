"""`wellhead bench matching`: nanoseconds a command in the kernels alone, beside a C reference.

The feed is in memory before the clock starts, every run has a fresh engine, and a run counts only
if its trades have the hash that is published with the feed. Where the reference's source and a
C++ compiler are found, it runs in turn with ours on the same core.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.bench_inside import FEED, FEED_COMMANDS, in_batches
from exchange.services.replay import (
    FeedError,
    Header,
    Runner,
    open_feed,
    read_chunks,
    read_header,
)
from matching.engine import warm_up

RUNS: Final = 7
FEW_RUNS: Final = 3  # of feeds that only one engine is measured on, and inside a batch
QUICK_RUNS: Final = 2
QUICK_SHARE: Final = 100
WIDE: Final = 128  # scenarios
ACCOUNTS: Final = 1000
FOLDER_ENV: Final = "WELLHEAD_FEEDS"
FOLDERS: Final = (Path("../shared/feeds"), Path("feeds"))
REFERENCE: Final = "reference/b_ladder.cpp"
RATIO_GOAL: Final = 4
COMPILE: Final = ("g++", "-O3", "-march=native", "-std=c++20")


@dataclass(frozen=True, slots=True)
class Case:
    """One feed, and what its trades must hash to."""

    feed: str
    trade_hash: str
    goal_ns: float | None = None
    margin_goal_ns: float | None = None
    runs: int = FEW_RUNS


CASES: Final = (
    Case("single_5m", "a53d138d1a5c2eb3", 40, 90, RUNS),
    Case("multi200_5m", "50210dfed2544442", 60, 150, RUNS),
    Case("flash1_normal", "ebb89a0acaaa1850"),
    Case("flash1_flash-crash", "b768ded6086e87b0"),
    Case("lobster_aapl_1h", "01c4bef3bf4a245a"),
    Case("quantcup_score", "c333fa15490645f5"),
)


class WideRunner(Runner):
    """A feed's way through an engine with as many scenarios as there may be."""

    scenarios = WIDE


def feeds_folder() -> Path | None:
    """Return where the feeds are: the folder of the environment, or beside the project."""
    named = os.environ.get(FOLDER_ENV)
    places = (Path(named),) if named else FOLDERS
    return next((place for place in places if place.is_dir()), None)


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures.

    Errors:
        FeedError: there are no feeds.
    """
    folder = feeds_folder()
    if folder is None:
        raise FeedError(f"no order feeds: name their folder in {FOLDER_ENV}")
    warm_up(lambda _, done, total: tell("kernels", done, total))
    notes: list[str] = []
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="wellhead-bench-") as scratch, one_core() as core:
        notes.append("pinned to one core" if core is not None else "not pinned to a core")
        program = build_reference(folder, Path(scratch), notes)
        for case in CASES[:1] if quick else CASES:
            if not (folder / f"{case.feed}.bin.xz").exists():
                notes.append(f"the feed {case.feed} is not here")
                continue
            runs = QUICK_RUNS if quick else case.runs
            figures += measure(case, folder, Path(scratch), program, runs, tell)
        commands = FEED_COMMANDS // (QUICK_SHARE if quick else 1)
        runs = 1 if quick else FEW_RUNS
        tell("inside a batch", 0, 1)
        figures += in_batches(folder / f"{FEED}.bin.xz", runs, commands, notes)
        tell("inside a batch", 1, 1)
    return {"figures": figures, "notes": notes}


@contextmanager
def one_core() -> Iterator[int | None]:
    """Keep this process, and what it starts, on one core meanwhile, where that can be asked."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def build_reference(folder: Path, scratch: Path, notes: list[str]) -> Path | None:
    """Return the compiled C reference, or None with the reason in the notes."""
    source = folder / REFERENCE
    if shutil.which(COMPILE[0]) is None or not source.exists():
        notes.append("no C reference: no compiler, or no source beside the feeds")
        return None
    program = scratch / "reference"
    done = subprocess.run(
        [*COMPILE, str(source), "-o", str(program)], capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        notes.append(f"no C reference: it did not compile: {done.stderr[-200:]}")
        return None
    return program


def measure(
    case: Case, folder: Path, scratch: Path, program: Path | None, runs: int, tell: Tell
) -> list[Figure]:
    """Run a feed without margin, with some scenarios and more, and the reference, in turn."""
    path = folder / f"{case.feed}.bin.xz"
    plain = scratch / f"{case.feed}.bin"
    with open_feed(path) as packed, plain.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    with plain.open("rb") as file:
        header = read_header(file)
        chunks = list(read_chunks(file, header))
    found: dict[str, list[float]] = {"bare": [], "margined": [], "wide": [], "reference": []}
    for number in range(runs):
        tell(case.feed, number, runs)
        found["bare"].append(run_once(case, header, chunks, margin=False))
        found["margined"].append(run_once(case, header, chunks, margin=True))
        found["wide"].append(run_once(case, header, chunks, margin=True, kind=WideRunner))
        if program is not None:
            found["reference"].append(run_reference(case, program, plain))
    tell(case.feed, runs, runs)
    return figures_of(case, header, found)


def run_once(
    case: Case,
    header: Header,
    chunks: list[np.ndarray],
    *,
    margin: bool,
    kind: type[Runner] = Runner,
) -> float:
    """Return ns a command of one run with a fresh engine; its trades must be the known ones."""
    runner = kind(header, ACCOUNTS, margin=margin)
    for chunk in chunks:
        for _ in runner.run(chunk):
            pass
    result = runner.result(0)
    assert result["trade_hash"] == case.trade_hash, f"{case.feed}: these are not its trades"
    return float(result["ns_per_command"])


def run_reference(case: Case, program: Path, feed: Path) -> float:
    """Return ns a command of one run of the C reference.

    Errors:
        FeedError: it does not answer, or with other trades.
    """
    done = subprocess.run(
        [str(program), str(feed), "1", "-", "nolat"], capture_output=True, text=True, timeout=120
    )
    found = re.search(r"([0-9.]+) ns/cmd .*hash=([0-9a-f]{16})", done.stdout)
    if found is None or found[2] != case.trade_hash:
        raise FeedError(f"the C reference failed: {done.stdout[-200:]}{done.stderr[-200:]}")
    return float(found[1])


def figures_of(case: Case, header: Header, found: dict[str, list[float]]) -> list[Figure]:
    """Return the figures of a feed."""
    workload = f"{case.feed}: {header.commands:,} commands, {header.instruments} books"
    rows = [
        ("without margin", found["bare"], case.goal_ns, workload),
        ("64 scenarios", found["margined"], case.margin_goal_ns, f"{workload}, every order"),
        (f"{WIDE} scenarios", found["wide"], None, f"{workload}, every order"),
    ]
    figures = [
        figure(f"{case.feed} {name}", "ns/command", runs, goal, text)
        for name, runs, goal, text in rows
    ]
    if found["reference"]:
        figures.append(
            figure(f"{case.feed} C reference", "ns/command", found["reference"], None, workload)
        )
        ratios = [
            ours / theirs for ours, theirs in zip(found["bare"], found["reference"], strict=True)
        ]
        text = "without margin, run by run"
        goal = RATIO_GOAL if case.goal_ns is not None else None
        figures.append(figure(f"{case.feed} ours / C reference", "times", ratios, goal, text))
    return figures
