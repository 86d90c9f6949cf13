"""The table: one line an engine, the fastest first, and the page that it is kept on."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from tools.peers.running import Result
from wellhead.cli.figures import machine_text, number

COLUMNS = (
    "Engine", "Version", "How", "ns a command", "Least", "Most", "Commands a second", "Trades",
)  # fmt: skip
NUMBERS = 3, 4, 5, 6  # columns that are set to the right

PAGE_HEAD = """# Matching engines side by side

Made by `make bench-peers ARGS=--keep` from `bench/history.jsonl`; not edited by hand. The engines
that a Python package index offers by name, ours, the C reference and a book in plain Python run the
same commands: limit orders, and cancellations of orders that rest. Every engine runs alone in a
process of its own, in turn with the others, with the feed in memory, on one core; loading and
compiling are not timed, the empty loop is (see its line, which is part of every other line but
those of batches and of the C reference). Every trade is compared with those of an independent book.

A peer is a book and nothing else. Ours keeps accounts, positions and limits and answers with the
event rows that the journal stores, in every line; it checks the margin over 64 scenarios where the
line says so.
"""


def cells(result: Result, work_commands: int) -> tuple[str, ...]:
    """Return one line of the table."""
    head = result.name, result.version, result.what
    if result.failed or not result.ns_per_command:
        return *head, "", "", "", "", result.failed
    runs = result.ns_per_command
    middle = median(runs)
    return (
        *head, number(middle), number(min(runs)), number(max(runs)), f"{1e9 / middle:,.0f}",
        verdict(result, work_commands),
    )  # fmt: skip


def verdict(result: Result, work_commands: int) -> str:
    """Return what is to be said of an engine's trades."""
    said = []
    if result.wrong:
        said.append(f"WRONG: {result.wrong:,} of {result.trades:,} differ")
    elif result.trades:
        said.append(f"{result.trades:,} agree")
    if result.refused:
        said.append(f"{result.refused:,} commands failed")
    if result.commands < work_commands:
        said.append(f"first {result.commands:,} commands, then the time was up")
    return "; ".join(said)


def ordered(results: Sequence[Result]) -> list[Result]:
    """Return results the fastest first, those without a figure last."""
    return sorted(
        results, key=lambda r: median(r.ns_per_command) if r.ns_per_command else float("inf")
    )


def rows(results: Sequence[Result], work_commands: int) -> list[tuple[str, ...]]:
    """Return the lines of the table."""
    return [cells(result, work_commands) for result in ordered(results)]


def text_table(lines: Sequence[tuple[str, ...]]) -> str:
    """Return the table for a terminal; nothing in it is cut."""
    every = [COLUMNS, *lines]
    widths = [max(len(row[at]) for row in every) for at in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.rjust(widths[at]) if at in NUMBERS else cell.ljust(widths[at])
            for at, cell in enumerate(row)
        ).rstrip()
        for row in every
    )


def page(line: dict[str, Any]) -> str:
    """Return the page of one line of the history."""
    bench = line["benches"]["peers"]
    machine = machine_text(line["machine"])
    marks = ["--:" if at in NUMBERS else "---" for at in range(len(COLUMNS))]
    table = [COLUMNS, marks, *bench["table"]]
    measured = (
        f"`{bench['command']}`, {line['at'][:10]}, commit {line['commit']}, on {machine}; load of"
        f" the machine before: {line['machine']['load_before']}."
    )
    return "\n".join(
        [
            PAGE_HEAD,
            measured,
            "",
            *(f"| {' | '.join(row)} |" for row in table),
            "",
            *(f"* {note}" for note in bench["notes"]),
            "",
            "Looked at and not run:",
            "",
            *(f"* {name}: {reason}" for name, reason in bench["left_out"].items()),
            "",
        ]
    )
