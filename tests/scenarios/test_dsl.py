"""The scenarios' own language: it fails when it should."""

import pytest

from tests.scenarios.dsl import run
from tests.scenarios.words import Misspelt

TRADE = """
alice sell 5 @ 2150   -> ok rests 5
bob buy 3 @ 2150      -> {}
"""


@pytest.mark.parametrize("right", ["ok fill 3@2150", "ok fill 3@2150 rests 0"])
def test_a_true_line_passes(right):
    run(TRADE.format(right))


@pytest.mark.parametrize(
    "wrong",
    [
        "ok",
        "ok fill 3@2151",
        "ok fill 2@2150",
        "ok fill 3@2150 fill 1@2150",
        "ok fill 3@2150 rests 1",
        "ok fill 3@2150 drop 1 ioc_remainder",
        "margin_insufficient",
    ],
)
def test_a_wrong_expectation_names_the_line_and_what_was(wrong):
    with pytest.raises(AssertionError, match=r"line 3: bob buy(?s:.*)was: ok fill 3@2150"):
        run(TRADE.format(wrong))


def test_a_line_that_says_nothing_must_not_be_refused():
    run("alice sell 5 @ 2150")
    with pytest.raises(AssertionError, match="refused"):
        run("alice sell 0 @ 2150")


def test_a_question_without_an_answer_fails():
    with pytest.raises(AssertionError):
        run("position alice")


@pytest.mark.parametrize(
    "line",
    [
        "alice sell",
        "alice sell five @ 2150",
        "alice sell 5 2150",
        "alice hold 5",
        "alice sell 5 @ 9 soon",
        "alice amend s1 by 3",
        "mark 2150 H100",
        "swap 3 best 2",
        "alice cancel all of it",
    ],
)
def test_a_line_that_cannot_be_read_is_an_error(line):
    with pytest.raises((Misspelt, KeyError)):
        run(f"alice sell 1 @ 2150 as s1\n{line}")
