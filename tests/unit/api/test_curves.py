"""Forward curves over REST and websocket, from the books and settlements of the mirror."""

import asyncio

import pytest

from matching.codes import Kind, TradingState
from tests.support.api_world import OTHER, World, running
from tests.support.rows import command

QUARTER = "H100-USE-2027Q1"
CHANNEL = "curve.H100-USE"


@pytest.fixture
async def world():
    async with running() as one:
        yield one


async def point(world: World, period: str) -> dict[str, object]:
    answer = (await world.call(None, "GET", "/curves/H100-USE")).json()
    (found,) = [one for one in answer["curve"]["points"] if one["period"] == period]
    return dict(found)


async def quote(world: World, bid: str, ask: str) -> None:
    """Quote ten lots of the first month: 7,440 GPU-hours, more than the least depth."""
    await world.place("alice", "buy", bid, "10")
    await world.place("operator", "sell", ask, "10")


async def test_a_month_is_its_settlement_until_its_book_is_close(world: World) -> None:
    before = await point(world, "2027M03")
    assert (before["price"], before["source"], before["bid_price"]) == ("2.000", "settlement", None)
    assert before["reference_price"] not in (None, "2.000")
    await quote(world, "1.990", "2.000")
    after = await point(world, "2027M03")
    assert (after["price"], after["source"], after["rule"]) == ("1.995", "book", "CURV_001")
    assert (after["bid_price"], after["ask_price"]) == ("1.990", "2.000")
    other = await point(world, OTHER.rpartition("-")[2])
    assert (other["price"], other["symbol"]) == ("2.000", OTHER)


async def test_a_listed_quarter_brings_its_months_and_is_their_mean(world: World) -> None:
    row = command(
        Kind.LIST, contract_idx=2, symbol=QUARTER, price_ticks=2_100, amount_usd_micros=2_160_000,
        qty_lots=10_000, state=TradingState.CONTINUOUS,
    )  # fmt: skip
    await world.command(row)
    january, march = await point(world, "2027M01"), await point(world, "2027M03")
    assert (january["symbol"], january["source"], january["moved_by"]) == (None, "strip", "2027Q1")
    assert march["price"] == "2.000", "as good as the quarter: both were settled"
    quarter = await point(world, "2027Q1")
    assert (quarter["price"], quarter["source"]) == ("2.100", "months")
    (row_out,) = (await world.call(None, "GET", "/curves")).json()["curves"]
    assert (row_out["series"], row_out["points"], row_out["arbitrages"]) == ("H100-USE", 5, 0)


@pytest.mark.parametrize("name", ["H200-USE", "h100-use", "H100-USE-2027M03", "x" * 500, "a%2Fb"])
async def test_a_series_that_is_not_listed_has_no_curve(world: World, name: str) -> None:
    answer = await world.call(None, "GET", f"/curves/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "curve_unknown")


async def test_the_channel_tells_the_curve_when_it_changed_at_most_once_a_second(
    world: World,
) -> None:
    async with world.serving() as url, world.socket(url) as nobody, world.socket(url) as late:
        unknown = await nobody.ask("subscribe", channels=["curve.B200-USE"])
        assert unknown["error"]["code"] == "channel_unknown"
        assert (await nobody.ask("subscribe", channels=[CHANNEL]))["ok"]
        first = await nobody.push(CHANNEL)
        assert (first["type"], first["data"]["points"][0]["price"]) == ("snapshot", "2.000")
        await quote(world, "1.990", "2.000")
        began = asyncio.get_running_loop().time()
        update = await nobody.push(CHANNEL)
        while update["data"]["points"][0]["source"] != "book":  # references, or half the book
            update = await nobody.push(CHANNEL)
        assert update["type"] == "update"
        assert update["data"]["points"][0]["price"] == "1.995"
        await world.place("alice", "buy", "1.992", "10")
        again = await nobody.push(CHANNEL)
        assert again["prev_seq"] == update["seq"] < again["seq"]
        assert again["data"]["points"][0]["price"] == "1.996"
        assert asyncio.get_running_loop().time() - began > 0.9
        await late.ask("subscribe", channels=[CHANNEL])
        snapshot = await late.push(CHANNEL)
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", again["seq"])
