"""Every example in the rule book is true, and every rule has one."""

import re
from pathlib import Path

import pytest

from tests.scenarios.dsl import run

BOOK = Path(__file__).parents[2] / "docs" / "matching.md"
RULE = re.compile(r"^### ([A-Z]{4}_\d{3}) (.+)$", re.MULTILINE)
EXAMPLE = re.compile(r"```scenario\n(.*?)```", re.DOTALL)


def rules() -> list[tuple[str, list[str]]]:
    """Return each rule's id and its examples, in the order of the book."""
    text = BOOK.read_text()
    heads = list(RULE.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        (head[1], EXAMPLE.findall(text[head.end() : end]))
        for head, end in zip(heads, ends, strict=True)
    ]


def test_every_rule_has_its_own_id_and_an_example():
    names = [name for name, _ in rules()]
    assert len(names) == len(set(names)) > 30
    assert [name for name, examples in rules() if not examples] == []


@pytest.mark.parametrize(
    "example",
    [pytest.param(text, id=name) for name, examples in rules() for text in examples],
)
def test_the_example_is_true(example):
    run(example)
