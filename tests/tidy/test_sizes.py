"""Small files, short functions."""

import ast
from collections.abc import Iterator
from statistics import median

from tests.tidy.house import Source, found, functions, planted, product

FILE_LINES_MAX = 320
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MEDIAN_BELOW = 10


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from `def` to the end, less the docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        lines -= text.end_lineno - text.lineno + 1
    return lines


def long_file(source: Source) -> Iterator[tuple[int, str]]:
    if len(source.lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX, f"{len(source.lines)} lines, at most {FILE_LINES_MAX}: split it"


def long_function(source: Source) -> Iterator[tuple[int, str]]:
    for function in functions(source):
        if code_lines(function) > FUNCTION_LINES_MAX:
            yield function.lineno, f"{function.name} has {code_lines(function)} lines of code"


def median_lines(sources: list[Source]) -> float:
    """Return the median length of all functions, 0 if there are none."""
    return median([code_lines(f) for s in sources for f in functions(s)] or [0])


def test_no_file_is_too_long():
    assert found(long_file, product()) == []


def test_no_function_is_too_long():
    assert found(long_function, product()) == []


def test_the_median_function_is_short():
    assert median_lines(product()) < FUNCTION_LINES_MEDIAN_BELOW


def test_a_planted_long_file_is_found():
    assert found(long_file, [planted("x = 1\n" * FILE_LINES_MAX)]) == []
    assert found(long_file, [planted("x = 1\n" * (FILE_LINES_MAX + 1))])


def test_a_planted_long_function_is_found_and_its_docstring_is_free():
    body = "    x = 1\n" * (FUNCTION_LINES_MAX - 1)
    docstring = '    """Say.\n\n    More.\n    """\n'
    assert found(long_function, [planted("def f():\n" + docstring + body)]) == []
    assert found(long_function, [planted("def f():\n    x = 1\n" + body)])


def test_a_planted_tree_of_long_functions_has_a_high_median():
    long = "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MEDIAN_BELOW
    assert median_lines([planted(long)]) > FUNCTION_LINES_MEDIAN_BELOW
    assert median_lines([]) == 0
