"""The example that the README shows: whatever is wrong is one line."""

import importlib.util
from pathlib import Path

import pytest

from tests.unit.wellhead.fakes import FakeRest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.usefixtures("trader")


@pytest.fixture
def example():
    """Return the example as a module."""
    spec = importlib.util.spec_from_file_location("first_order", ROOT / "examples/first_order.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(example, *arguments: str) -> str:
    """Return the line that it ends with."""
    with pytest.raises(SystemExit) as ended:
        example.main(list(arguments))
    text = ended.value.code
    assert isinstance(text, str) and "\n" not in text
    return text


@pytest.mark.parametrize("arguments", [(), ("X", "Y")])
def test_without_one_symbol_it_says_how_it_is_called(arguments, example):
    assert said(example, *arguments).startswith("usage: python examples/first_order.py SYMBOL")


def test_without_a_key_it_says_where_one_is(example, monkeypatch):
    monkeypatch.delenv("WELLHEAD_KEY")
    assert "export lines that `make run` showed" in said(example, "X")


def test_where_nobody_listens_it_names_the_address(example, monkeypatch):
    monkeypatch.setenv("WELLHEAD_URL", "http://127.0.0.1:9")
    assert "no answer from http://127.0.0.1:9" in said(example, "X")


def test_an_unknown_symbol_is_named_so(example, monkeypatch):
    problem = {"status": 404, "code": "contract_unknown", "detail": "NOPE is no symbol"}
    with FakeRest((404, problem)) as fake:
        monkeypatch.setenv("WELLHEAD_URL", fake.url)
        assert said(example, "NOPE") == "contract_unknown: NOPE is no symbol"


def test_the_readme_exports_all_that_it_reads():
    readme = (ROOT / "README.md").read_text()
    block = readme[readme.index("### By Python") : readme.index("python examples/first_order.py")]
    for name in ("URL", "KEY", "SECRET"):
        assert f"WELLHEAD_{name}=" in block
