"""The rules are values in, values out: no clock, no await, no file; frozen records only."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.house import Source, found, planted, python

RULES = "exchange/rules"
CLOCK_METHODS = {"now", "today", "utcnow"}
WORLDLY_CALLS = {"open", "input", "print"}


def impure(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        match node:
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield node.lineno, "async code: a rule is a plain function"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCK_METHODS:
                yield node.lineno, f".{name}(): take the time as an argument"
            case ast.Call(func=ast.Name(id=name)) if name in WORLDLY_CALLS:
                yield node.lineno, f"{name}(): a rule touches nothing"
            case ast.Global():
                yield node.lineno, "global: a rule keeps no state"


def thawed(source: Source) -> Iterator[tuple[int, str]]:
    """Find a dataclass that is not frozen."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if "dataclass" in ast.unparse(decorator) and "frozen=True" not in ast.unparse(
                decorator
            ):
                yield node.lineno, f"{node.name} is a dataclass and not frozen"


def test_rules_touch_no_world():
    assert found(impure, python(RULES)) == []


def test_the_core_touches_no_world():
    assert found(impure, [s for s in python("matching") if s.path != "matching/_jit.py"]) == []


def test_records_of_rules_are_frozen():
    assert found(thawed, python(RULES)) == []


@pytest.mark.parametrize(
    "line",
    [
        "async def f(): ...",
        "at = datetime.now(UTC)",
        "at = date.today()",
        "text = open('x').read()",
        "def f():\n    global cache",
    ],
)
def test_a_planted_impurity_is_found(line):
    assert found(impure, [planted(line)])


def test_a_planted_thawed_record_is_found():
    assert found(thawed, [planted("@dataclass(slots=True)\nclass Sku: ...")])
    assert found(thawed, [planted("@dataclass(frozen=True)\nclass Sku: ...")]) == []
