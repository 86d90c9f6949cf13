"""Work in a process of its own: its answer, its refusal, and its end without either."""

import pytest

from exchange.io.child import ask_child
from exchange.io.errors import Invalid, Unavailable
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


async def test_a_refusal_and_a_crash_are_told_apart():
    with pytest.raises(Invalid, match="unknown sku"):
        await ask_child("exchange.io.hedge_child", {"sites": [["X-USE", "", ""]]}, "it")
    with pytest.raises(Unavailable, match="it ended with status 1"):
        await ask_child("exchange.io.hedge_child", {}, "it")
