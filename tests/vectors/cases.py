"""Finding cases, judging whether they concern us, and what can come of one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Choices of our rule book that policy cases may ask for.
# An iceberg that is alone on its level gives all in one trade.
CHOICES = frozenset(
    {
        "stp=cancel_aggressor",
        "self_trade_in_auction=allowed",
        "trade_reporting=merge_same_maker_price",
    }
)


class Skipped(Exception):
    """The case asks for something that this exchange does not have."""


class Failed(Exception):
    """The outcome is not the one expected."""


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    name: str
    result: str  # passed, failed, skipped
    reason: str = ""


def found(folder: Path) -> Iterator[Path]:
    """Yield the case files under a folder, in order."""
    return iter(sorted(folder.rglob("*.json")))


def load(path: Path) -> Json:
    """Return a case.

    Errors:
        Failed: the file is not JSON.
        Skipped: it is no case.
    """
    try:
        case = json.loads(path.read_text())
    except ValueError as error:
        raise Failed(f"not JSON: {error}") from error
    if not isinstance(case, dict) or not {"kind", "conformance", "steps"} <= case.keys():
        raise Skipped("not a case: no kind, conformance and steps")
    return case


def judge_policy(case: Json) -> None:
    """Skip a case of a choice that our rule book did not make."""
    if case["conformance"] == "core":
        return
    if case["conformance"] != "policy":
        raise Skipped(f"conformance {case['conformance']}")
    made = {choice.strip() for choice in str(case.get("policy", "")).split(";")}
    if not made <= CHOICES:
        raise Skipped(f"another choice: {case.get('policy')}")


def known(where: str, names: Json, allowed: frozenset[str]) -> None:
    """Skip a case with a field that the runner does not know: it might matter."""
    strange = sorted(names.keys() - allowed)
    if strange:
        raise Skipped(f"{where}: {', '.join(strange)} not known here")


def same(what: str, expected: Any, was: Any) -> None:
    """Fail unless two values are equal and of one type."""
    if expected != was or isinstance(expected, bool) != isinstance(was, bool):
        raise Failed(f"{what}: expected {expected}, was {was}")
