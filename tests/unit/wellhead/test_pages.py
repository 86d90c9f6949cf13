"""Pages that are made: the reference of the command line, and the benchmarks."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from tools import bench
from wellhead.cli import figures, machine


def result(name, median, commit="abc"):
    figure = {
        "name": f"{name} figure",
        "unit": "ns",
        "runs": [median, median + 1.5, median - 1],
        "median": median,
        "min": median - 1,
        "max": median + 1.5,
        "goal": 40,
        "workload": "a workload",
    }
    return {
        "bench": name,
        "command": f"wellhead bench {name}",
        "commit": commit,
        "machine": machine.describe(),
        "figures": [figure],
        "notes": ["a note"],
    }


def line(*results):
    return json.dumps(bench.line_of(results, datetime(2027, 1, 2, tzinfo=UTC)))


def test_the_reference_of_the_command_line_is_up_to_date():
    command = [sys.executable, "-m", "tools.cli_page", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_benchmarks_page_is_that_of_its_history():
    if bench.HISTORY.exists():
        assert bench.PAGE.read_text() == bench.page(bench.HISTORY.read_text().splitlines())


def test_the_page_shows_the_newest_figures_of_each_bench():
    lines = [line(result("matching", 20.0), result("journal", 5.0)), line(result("matching", 12.5))]
    text = bench.page(lines)
    assert "| matching figure | 12.5 | 11.5 | 14 | ns | 3 | 40 |" in text
    assert "| journal figure | 5 |" in text and "| 20 |" not in text
    assert "* a workload" in text and "* a note" in text and "2027-01-02, commit abc" in text


def test_a_machine_is_described_without_naming_it():
    found = machine.describe()
    assert found["cores"] >= 1 and found["cpu"] and found["memory_gb"]
    assert "Python 3.11" in figures.machine_text(found)


def test_numbers_have_the_digits_they_deserve():
    assert [figures.number(n) for n in (31234.4, 12.345, 0.5)] == ["31,234", "12.3", "0.5"]


def test_a_figure_is_shown_with_its_machine(capsys):
    figures.show(result("matching", 12.5))
    said = capsys.readouterr()
    assert "12.5" in said.out and "a workload" in said.err and "commit abc" in said.err
