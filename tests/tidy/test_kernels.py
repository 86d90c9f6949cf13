"""Kernels: one door to the JIT, and records indexed by name."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.house import PRODUCT, Source, found, functions, planted, python

JIT_DOOR = "matching/_jit.py"
JIT_NAMES = {"njit", "jit", "jitclass", "vectorize", "guvectorize", "cfunc", "stencil"}
KERNEL_DECORATORS = {"kernel", "cold_kernel"}
RECORD_PARAMETERS = {"cmd", "command", "event"}
ARRAY_ATTRIBUTES = {"fill", "shape", "size", "sum", "min", "max", "any", "all", "view", "copy"}


def bare_jit(source: Source) -> Iterator[tuple[int, str]]:
    if source.path in (JIT_DOOR, "tests/unit/matching/test_jit.py"):  # the door, and its test
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "numba":
                names = {alias.name for alias in node.names} & JIT_NAMES
            case ast.Attribute(value=ast.Name(id="numba" | "nb"), attr=attribute):
                names = {attribute} & JIT_NAMES
            case _:
                continue
        for name in sorted(names):
            yield node.lineno, f"{name}: use @kernel or @cold_kernel from {JIT_DOOR}"


def is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a decorator of the JIT's door is on the function."""
    called = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    names = (d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in called)
    return any(name in KERNEL_DECORATORS for name in names)


def records_of(function: ast.FunctionDef) -> set[str]:
    """Return the local names that hold a record: `account = s.accounts[idx]`, or a parameter."""
    assigned = (n for n in ast.walk(function) if isinstance(n, ast.Assign))
    from_arrays = {
        target.id
        for node in assigned
        if isinstance(node.value, ast.Subscript)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return from_arrays | {a.arg for a in function.args.args} & RECORD_PARAMETERS


def record_attribute(source: Source) -> Iterator[tuple[int, str]]:
    for function in functions(source):
        if not is_kernel(function):
            continue
        records = records_of(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute) or node.attr in ARRAY_ATTRIBUTES:
                continue
            of_record = isinstance(node.value, ast.Name) and node.value.id in records
            if of_record or isinstance(node.value, ast.Subscript):
                yield node.lineno, f'.{node.attr}: write ["{node.attr}"], it works without the JIT'


def test_only_the_jit_door_decorates():
    assert found(bare_jit, python(*PRODUCT, "tests", "tools")) == []


def test_kernels_index_records_by_name():
    assert found(record_attribute, python("matching")) == []


@pytest.mark.parametrize(
    "line",
    ["from numba import njit", "f = numba.njit(f)", "from numba.experimental import jitclass"],
)
def test_a_planted_bare_jit_is_found(line):
    assert found(bare_jit, [planted(line)])
    assert found(bare_jit, [planted(line, JIT_DOOR)]) == []


@pytest.mark.parametrize(
    "body",
    [
        "return s.accounts[0].cash",
        "account = s.accounts[0]\n    return account.cash",
        "cmd.side = 1",
    ],
)
def test_a_planted_record_attribute_is_found(body):
    kernel = f"@kernel\ndef f(s, cmd):\n    {body}\n"
    assert found(record_attribute, [planted(kernel)])
    assert found(record_attribute, [planted(kernel.replace("@kernel\n", ""))]) == []


def test_a_record_indexed_by_name_passes():
    body = 'account = s.accounts[0]\n    return account["cash"] + Code.OK + s.meta[0]["x"]'
    assert found(record_attribute, [planted(f"@kernel\ndef f(s):\n    {body}\n")]) == []
