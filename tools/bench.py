"""Measure everything, keep the figures, write the page: `make bench`.

Each bench runs in a process of its own. A run adds one line to `bench/history.jsonl`;
`docs/benchmarks.md` is made from the newest figures in that file and nothing else.

    python -m tools.bench [matching worst journal gateway clearing margin start] [--quick | --page]

`--quick` shows that the benches work and keeps nothing; `--page` only writes the page.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wellhead.cli.figures import HOMES, has_limits, machine_text, number

ROOT = Path(__file__).resolve().parent.parent
HISTORY = ROOT / "bench" / "history.jsonl"
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Made by `make bench` from `bench/history.jsonl`; not edited by hand. Machines are shared and noisy:
a figure is the median of its runs, least and most are beside it, and things that are compared ran
in turn. A goal is what the design asked for first, not the best that was seen.
"""


def measure(name: str, *, quick: bool) -> dict[str, Any]:
    """Run one bench in a fresh process and return its result."""
    code = "from wellhead.cli import main; main()"
    command = [sys.executable, "-c", code, "bench", name, "--json"]
    sys.stderr.write(f"bench {name} ...\n")
    done = subprocess.run(
        [*command, *["--quick"] * quick], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    result = json.loads(done.stdout)
    if done.returncode or "error" in result:
        raise SystemExit(f"bench {name} failed: {result.get('error')}")
    assert isinstance(result, dict)
    return result


def line_of(results: Iterable[dict[str, Any]], at: datetime) -> dict[str, Any]:
    """Return the results of one run as a line of the history."""
    kept = list(results)
    return {
        "at": at.isoformat(timespec="seconds"),
        "commit": kept[0]["commit"],
        "machine": kept[0]["machine"],
        "benches": {
            one["bench"]: {k: one[k] for k in ("command", "figures", "notes") if k in one}
            for one in kept
        },
    }


def newest(lines: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the newest line that has each bench."""
    found: dict[str, dict[str, Any]] = {}
    for text in lines:
        line = json.loads(text)
        found |= dict.fromkeys(line["benches"], line)
    return found


def page(lines: Iterable[str]) -> str:
    """Return the page of the newest figures."""
    found = newest(lines)
    parts = [HEAD]
    parts += [_section(name, found[name]) for name in HOMES if name in found]
    return "\n".join(parts)


def _section(name: str, line: dict[str, Any]) -> str:
    bench = line["benches"][name]
    figures = bench["figures"]
    limited = has_limits(figures)
    rows = [
        "| Figure | Median | Least | Most | Unit | Runs | Goal |" + " Bounded by |" * limited,
        "|---|--:|--:|--:|---|--:|--:|" + "---|" * limited,
        *(_row(figure, limited=limited) for figure in figures),
    ]
    workloads = dict.fromkeys(f["workload"] for f in figures if f.get("workload"))
    texts = [f"* {text}" for text in (*workloads, *bench.get("notes", ()))]
    measured = f"`{bench['command']}`, {line['at'][:10]}, commit {line['commit']}, on"
    where = f"{measured} {machine_text(line['machine'])}."
    return "\n".join([f"## {name.capitalize()}", "", where, "", *rows, "", *texts, ""])


def _row(figure: dict[str, Any], *, limited: bool) -> str:
    goal = figure.get("goal")
    cells = [
        figure["name"],
        *(number(figure[key]) for key in ("median", "min", "max")),
        figure["unit"],
        str(len(figure["runs"])),
        "" if goal is None else number(goal),
        *[figure.get("limit", "")] * limited,
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> int:
    """Measure what is named, or everything, and write it down."""
    if set(arguments) & {"-h", "--help"}:
        print(__doc__)
        return 0
    if other := {word for word in arguments if word.startswith("-")} - {"--quick", "--page"}:
        raise SystemExit(f"no such option: {', '.join(sorted(other))}; see --help")
    quick, only_page = "--quick" in arguments, "--page" in arguments
    names = [name for name in arguments if not name.startswith("--")] or list(HOMES)
    if unknown := set(names) - set(HOMES):
        raise SystemExit(
            f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(HOMES)}"
        )
    if not only_page:
        results = [measure(name, quick=quick) for name in names]
        line = line_of(results, datetime.now(UTC))
        if quick:
            print(json.dumps(line, indent=2))
            return 0
        HISTORY.parent.mkdir(exist_ok=True)
        with HISTORY.open("a") as file:
            file.write(json.dumps(line) + "\n")
    PAGE.write_text(page(HISTORY.read_text().splitlines()))
    print(f"{PAGE.relative_to(ROOT)} is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
