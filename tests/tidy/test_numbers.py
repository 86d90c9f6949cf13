"""Money is whole: no float, no true division, no unsigned integer where money is handled."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.tidy.allowed import Allowed, found_unless_allowed
from tests.tidy.house import Source, found, planted, python

EXACT = ("matching", "exchange/rules")
FLOAT_NAMES = {"float", "complex", "float16", "float32", "float64", "floating", "double"}
FLOAT_RESULTS = {"mean", "std", "var", "average", "fmean", "true_divide", "linspace"}
EXACT_MATH = {"ceil", "comb", "floor", "gcd", "isqrt", "lcm", "prod"}
FLOAT_DTYPE = re.compile(r"[<>=|]?f[248]|float(16|32|64)?")
UNSIGNED_DTYPE = re.compile(r"[<>=|]?u[1248]|uint(8|16|32|64|p)?")


def joins_a_path(node: ast.BinOp) -> bool:
    """Tell `folder / "name"` from arithmetic."""
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) and joins_a_path(side))
        for side in (node.left, node.right)
    )


def inexact(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield node.lineno, f"float literal {node.value}"
            case ast.Constant(value=str()) if FLOAT_DTYPE.fullmatch(node.value):
                yield node.lineno, f"float dtype {node.value}"
            case ast.BinOp(op=ast.Div()) if not joins_a_path(node):
                yield node.lineno, "true division: use //, with the rounding in the name"
            case ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division: use //="
            case ast.Name(id=name) if name in FLOAT_NAMES:
                yield node.lineno, f"{name}"
            case ast.Attribute(attr=name) if name in FLOAT_NAMES | FLOAT_RESULTS:
                yield node.lineno, f".{name} is a float"
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in EXACT_MATH:
                yield node.lineno, f"math.{name} is a float"


def unsigned(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        name = ""
        match node:
            case ast.Constant(value=str()):
                name = node.value
            case ast.Name(id=name) | ast.Attribute(attr=name):
                pass
        if UNSIGNED_DTYPE.fullmatch(name):
            yield node.lineno, f"unsigned {name}: int64 + uint64 is a float64 in numpy"


def test_money_is_never_a_float():
    assert found_unless_allowed(inexact, python(*EXACT), "inexact") == []


def test_money_is_never_unsigned():
    assert found_unless_allowed(unsigned, python(*EXACT), "unsigned") == []


@pytest.mark.parametrize(
    "line",
    [
        "fee = 0.5",
        "fee = 1e6",
        "fee = notional / 2",
        "fee /= 2",
        "fee = float(notional)",
        "def f(fee: float): ...",
        "a = np.zeros(3, np.float64)",
        "a = np.zeros(3, 'f8')",
        "m = prices.mean()",
        "m = math.sqrt(2)",
        "m = np.dtype([('price', '<f8')])",
    ],
)
def test_a_planted_float_is_found(line):
    assert found(inexact, [planted(line)])


@pytest.mark.parametrize(
    "line", ["a = np.uint64(3)", "a = np.zeros(3, 'u8')", "d = [('x', '<u4')]"]
)
def test_a_planted_unsigned_is_found(line):
    assert found(unsigned, [planted(line)])


@pytest.mark.parametrize(
    "line",
    ["fee = notional // 2", "p = folder / 'name'", "p = a / 'b' / c", "m = math.isqrt(4)"],
)
def test_exact_arithmetic_and_paths_pass(line):
    assert found(inexact, [planted(line)]) == []


def test_an_exception_holds_for_its_file_and_rule_and_only_while_it_is_needed():
    allowed = (Allowed("matching/planted.py", "unsigned", "bitmap words"),)
    word, none = planted("a = np.uint64(3)"), planted("a = 3")
    assert found_unless_allowed(unsigned, [word], "unsigned", allowed) == []
    assert found_unless_allowed(unsigned, [word], "inexact", allowed)
    assert found_unless_allowed(unsigned, [none], "unsigned", allowed)
