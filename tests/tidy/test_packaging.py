"""The locks say what is installed, exactly, and name no host."""

import os
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.tidy.house import ROOT, Source, found, planted, texts

REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([=<>!~][^;#]*)?", re.MULTILINE)
EXACT = {"picows"}  # its use rests on what is not documented
LOCK_LINE = re.compile(
    r"[a-z0-9._-]+(\[[^\]]*\])?==[\w.!+-]+( ; .+)? \\"
    r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
    r"|\s*#.*|"
)


def loose(source: Source) -> Iterator[tuple[int, str]]:
    """Find a line of a lock that is no pin, hash or comment, or that names a host."""
    for number, line in enumerate(source.lines, 1):
        if not LOCK_LINE.fullmatch(line) or "://" in line:
            yield number, f"not a pin with hashes: {line[:60]}"


def names(text: str) -> dict[str, str]:
    """Return what a requirements file asks for, and the version it says."""
    lines = [line for line in text.splitlines() if line[:1].isalnum()]
    found_names = (REQUIREMENT.match(line) for line in lines)
    return {m.group(1).lower(): (m.group(2) or "").strip() for m in found_names if m}


def lock(kind: str, suffix: str) -> str:
    """Return the text of one requirements file."""
    return (ROOT / "requirements" / f"{kind}.{suffix}").read_text()


def test_locks_hold_pins_with_hashes_and_no_host():
    locks = [s for s in texts() if re.fullmatch(r"requirements/\w+\.txt", s.path)]
    assert len(locks) == 3
    assert found(loose, locks) == []


@pytest.mark.parametrize("kind", ["build", "runtime", "dev"])
def test_everything_asked_for_is_locked(kind):
    asked, locked = names(lock(kind, "in")), names(lock(kind, "txt"))
    assert asked and set(asked) - set(locked) == set()


def test_tests_run_on_the_versions_that_ship():
    runtime, dev = names(lock("runtime", "txt")), names(lock("dev", "txt"))
    assert {name: dev.get(name) for name in runtime} == runtime


def test_what_must_be_exact_is_exact():
    asked = names(lock("runtime", "in"))
    assert {name for name in EXACT if not asked[name].startswith("==")} == set()


def test_the_package_reads_the_same_list():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dynamic = settings["tool"]["setuptools"]["dynamic"]
    assert dynamic["dependencies"]["file"] == ["requirements/runtime.in"]


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2",
        "--index-url https://example.com",
        "numpy==2.0 # see https://example.com",
        "numpy==2",
    ],
)
def test_a_planted_loose_line_is_found(line):
    assert found(loose, [planted(line, "requirements/planted.txt")])


def test_xdist_keeps_a_file_on_one_worker(request):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("only under xdist")
    assert request.node.nodeid.endswith("@test_packaging"), "see the pin of pytest in dev.in"
