"""What is public says what it does."""

import ast
from collections.abc import Iterator

from tests.tidy.house import Source, found, planted, product, python

DOCUMENTED = ("matching", "exchange/rules", "wellhead")


def silent_module(source: Source) -> Iterator[tuple[int, str]]:
    if not ast.get_docstring(source.tree):
        yield 1, "the module has no docstring"


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module, and the public methods of its public classes."""
    for node in body:
        if getattr(node, "name", "_").startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from public(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def silent_function(source: Source) -> Iterator[tuple[int, str]]:
    for function in public(source.tree.body):
        if not ast.get_docstring(function):
            yield function.lineno, f"{function.name} is public and has no docstring"


def test_every_module_says_what_it_is_for():
    assert found(silent_module, product()) == []


def test_every_public_function_says_what_it_does():
    assert found(silent_function, python(*DOCUMENTED)) == []


def test_a_planted_silent_module_is_found():
    assert found(silent_module, [planted("x = 1")])


def test_a_planted_silent_function_is_found_and_a_private_one_passes():
    assert found(silent_function, [planted("def f(): ...")])
    assert found(silent_function, [planted("class A:\n    async def f(self): ...")])
    assert found(silent_function, [planted("def _f(): ...\nclass _A:\n    def f(self): ...")]) == []
