"""Work in a process of its own: its answer, its refusal, and its end without either."""

import asyncio
import json
import os
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from exchange.io.child import NICE, Document, answer, ask_child
from exchange.io.errors import Corrupt, Invalid, Unavailable
from exchange.io.hedge_child import Bases
from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_series
from exchange.rules.hedge import Site
from exchange.rules.hedge_basis import basis_of

SITE = Site(parse_series("H200-GLB"), "coreweave", "")


async def test_a_child_knows_what_its_parent_would_and_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
):
    bases = Bases()
    assert (await bases.of([SITE]))[SITE] == basis_of(load_price_data(), *SITE)

    async def gone(*_: object) -> dict[str, object]:
        raise AssertionError("it was asked again")

    monkeypatch.setattr("exchange.io.hedge_child.ask_child", gone)
    assert SITE in await bases.of([SITE])
    # nor for a name of which no price speaks
    for unknown in (SITE._replace(provider="nobody"), SITE._replace(region="nowhere")):
        assert (await bases.of([unknown]))[unknown] == basis_of(load_price_data(), *unknown)


async def test_a_refusal_and_a_crash_are_told_apart():
    with pytest.raises(Invalid, match="unknown sku"):
        await ask_child("exchange.io.hedge_child", {"sites": [["X-USE", "", ""]]}, "it")
    with pytest.raises(Unavailable, match="it ended with status 1"):
        await ask_child("exchange.io.hedge_child", {}, "it")


async def test_a_child_gives_way_before_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "polite.py").write_text(
        "import json, os, sys\n"
        "sys.stdin.read()\n"
        "print(json.dumps({'nice': os.getpriority(os.PRIO_PROCESS, 0)}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = await ask_child("polite", {}, "it")
    assert found["nice"] == max(NICE, os.getpriority(os.PRIO_PROCESS, 0))


class Children:
    """Children that answer when they may, and what they were asked."""

    def __init__(self) -> None:
        self.asked: list[list[list[str]]] = []
        self.may_answer = asyncio.Event()

    async def __call__(self, module: str, asked: Document, what: str) -> Document:
        self.asked.append(asked["sites"])
        await self.may_answer.wait()
        fit = {"windows": 0, "beta_bps": None, "r2_bps": None}
        row = {"own": fit, "world": fit, "points": [], "as_of": "2026-08-22"}
        row["sites"] = [["gcp", "us-east1"], ["x", "here"]]
        return {"bases": [row] * len(asked["sites"])}


async def test_what_is_known_waits_for_no_child_and_is_not_lost_when_there_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
):
    children, bases = Children(), Bases()
    monkeypatch.setattr("exchange.io.hedge_child.ask_child", children)
    known, other = (Site(parse_series("H100-USE"), name, "") for name in ("gcp", "x"))
    children.may_answer.set()
    await bases.of([known])
    children.may_answer.clear()
    slow = asyncio.create_task(bases.of([other]))
    while len(children.asked) < 2:
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        assert list(await bases.of([known])) == [known]
    children.may_answer.set()
    await slow
    monkeypatch.setattr("exchange.io.hedge_child.KEPT_MAX", 2)
    third = Site(parse_series("H200-USE"), "", "")
    assert list(await bases.of([known, third])) == [known, third]
    assert len(children.asked) == 3


@pytest.mark.parametrize(
    ("raised", "word"),
    [(ValueError, "refused"), (Invalid, "refused"), (Corrupt, "corrupt"),
     (Unavailable, "unavailable")],
)  # fmt: skip
def test_a_child_says_of_each_error_what_its_parent_raises(
    raised: type[Exception],
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def work(_: Document) -> Document:
        raise raised("why")

    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"{}")))
    monkeypatch.setattr("os.nice", lambda _: 0)
    assert answer(work) == 0
    assert json.loads(capsys.readouterr().out) == {word: "why"}
