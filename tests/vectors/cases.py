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
        "max_stops_per_user",
        "stp=cancel_aggressor",
        "self_trade_in_auction=allowed",
        "trade_reporting=merge_same_maker_price",
        "bankruptcy_price_pro_rata_maintenance",
        "adl_at_bankruptcy_price",
        "adl_rank=profit_times_leverage",
        "house_position_disposal",
        "insurance_first_then_pro_rata_to_gains",
        "residual_to_insurance",
        "fee_rounding=ceil_per_trade_per_component",
        "failed_ids_are_burned",
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


def near(what: str, expected: Any, was: Any, tolerance: int) -> None:
    """Fail unless amounts, or tables that name some of them, are equal within a tolerance."""
    if isinstance(expected, dict):
        for name, amount in expected.items():
            near(f"{what} of {name}", amount, was.get(name, 0), tolerance)
    elif not isinstance(expected, int) or abs(expected - was) > tolerance:
        raise Failed(f"{what}: expected {expected}, was {was}, tolerance {tolerance}")
