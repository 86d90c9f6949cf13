"""Spreads and strips over REST and websocket: prices are differences, and may be negative."""

from urllib.parse import quote

import pytest

from matching.codes import Kind, TradingState
from matching.wire import pack_legs
from tests.support.api_world import OTHER, SYMBOL, World, running
from tests.support.rows import command

SPREAD = f"{SYMBOL}/2027M04"
STRIP = "H100-USE-2027Q1:M"


@pytest.fixture
async def world():
    async with running() as one:
        for idx, (symbol, ratio) in enumerate(((SPREAD, -1), (STRIP, 1)), 2):
            await one.command(
                command(
                    Kind.LIST_COMBINATION, contract_idx=idx, symbol=symbol, qty_lots=100,
                    order_id=500, state=TradingState.CONTINUOUS,
                    **pack_legs([(0, 1), (1, ratio)]),
                )
            )  # fmt: skip
        yield one


async def test_an_instrument_says_what_it_is_made_of(world: World):
    path = f"/instruments/{quote(SPREAD, safe='')}"
    one = (await world.call("", "GET", path)).json()["instrument"]
    assert (one["kind"], one["symbol"], one["mark_price"]) == ("spread", SPREAD, "0.000")
    assert one["legs"] == [
        {"symbol": SYMBOL, "side": "buy"},
        {"symbol": OTHER, "side": "sell"},
    ]
    assert (one["sku"], one["hub"], one["tenor"]) == ("H100-SXM", "USE", "month")
    assert (one["price_band"]["low"], one["price_band"]["high"]) == ("-0.100", "0.100")
    strip = (await world.call("", "GET", f"/instruments/{STRIP}")).json()["instrument"]
    assert (strip["kind"], strip["mark_price"], strip["tick_value"]) == ("strip", "2.000", "1.488")
    future = (await world.call("", "GET", f"/instruments/{SYMBOL}")).json()["instrument"]
    assert (future["kind"], future["legs"]) == ("future", [])


async def test_a_spread_trades_into_its_legs(world: World):
    rested = await world.place("bob", "sell", "-0.030", "5", symbol=SPREAD)
    assert (rested["order"]["price"], rested["order"]["status"]) == ("-0.030", "open")
    book = (await world.call("", "GET", f"/orderbook/{SPREAD}")).json()
    assert (book["bids"], book["asks"]) == ([], [["-0.030", "5"]])
    answer = await world.place("alice", "buy", "0", "2", symbol=SPREAD)
    order = answer["order"]
    assert (order["status"], order["filled_quantity"], order["price"]) == ("filled", "2", "0.000")
    assert order["average_price"] == "-0.03"
    traded = [(t["symbol"], t["side"], t["price"], t["quantity"]) for t in answer["trades"]]
    assert traded == [
        (SPREAD, "buy", "-0.030", "2"),
        (SYMBOL, "buy", "2.000", "2"),
        (OTHER, "sell", "2.030", "2"),
    ]
    held = (await world.call("alice", "GET", "/positions")).json()["positions"]
    quantities = {one["symbol"]: one["quantity"] for one in held}
    assert quantities[SYMBOL] == "2" and quantities[OTHER] == "-2"
    trades = (await world.call("", "GET", f"/trades/{SPREAD}")).json()["trades"]
    assert [(t["price"], t["trade_id"]) for t in trades] == [
        ("-0.030", answer["trades"][0]["trade_id"])
    ]
    assert (await world.call("", "GET", f"/trades/{SYMBOL}")).json()["trades"] == []
    tickers = (await world.call("", "GET", f"/tickers?symbol={quote(SPREAD)}")).json()["tickers"]
    assert (tickers[0]["last_price"], tickers[0]["ask_price"]) == ("-0.030", "-0.030")


async def test_a_strip_trades_at_the_mean_of_its_legs(world: World):
    await world.place("bob", "sell", "2.010", "3", symbol=STRIP)
    answer = await world.place("alice", "buy", "2.010", "3", symbol=STRIP)
    assert [(t["symbol"], t["price"]) for t in answer["trades"]] == [
        (STRIP, "2.010"), (SYMBOL, "2.010"), (OTHER, "2.010"),
    ]  # fmt: skip


@pytest.mark.parametrize("price", ["0.010", "0", "-0.020"])
async def test_an_amendment_gives_a_difference(world: World, price: str):
    placed = await world.place("alice", "buy", "-0.030", "5", symbol=SPREAD)
    path = f"/orders/{placed['order']['order_id']}"
    answer = (await world.call("alice", "PATCH", path, {"price": price})).json()
    assert float(answer["order"]["price"]) == float(price)
    assert (await world.call("", "GET", f"/orderbook/{SPREAD}")).json()["bids"] == [
        [answer["order"]["price"], "5"]
    ]


async def test_what_is_beyond_the_band_or_the_domain_is_refused_in_its_own_words(world: World):
    far = await world.place("alice", "buy", "0.101", "5", symbol=SPREAD)
    assert far["code"] == "price_out_of_band"
    assert "buys at most 0.100, sells at least -0.100" in far["detail"]
    wide = await world.place("alice", "sell", "-40", "5", symbol=SPREAD)
    assert (wide["code"], wide["detail"]) == (
        "price_invalid", "a difference is from -32.767 to 32.767 USD",
    )  # fmt: skip
    single = await world.place("alice", "sell", "-1", "5")
    assert single["code"] == "field_invalid"
    nowhere = await world.place("alice", "sell", "-1", "5", symbol="H100-USE/XXX-2027M03")
    assert nowhere["code"] == "contract_unknown" and "hub" in nowhere["detail"]


async def test_a_spread_is_quoted_by_differences_and_hit(world: World):
    quoted = {"symbol": SPREAD, "bid_price": "-0.040", "bid_quantity": "3"}
    quoted |= {"ask_price": "0", "ask_quantity": "2"}
    answer = await world.call("bob", "POST", "/quotes", {"quotes": [quoted]})
    (result,) = answer.json()["results"]
    assert (result["bid"]["status"], result["ask"]["status"]) == ("open", "open"), answer.text
    book = (await world.call("", "GET", f"/orderbook/{quote(SPREAD, safe='')}")).json()
    assert (book["bids"], book["asks"]) == ([["-0.040", "3"]], [["0.000", "2"]])
    hit = await world.place("alice", "sell", "-0.040", "1", symbol=SPREAD)
    assert [t["symbol"] for t in hit["trades"]] == [SPREAD, SYMBOL, OTHER]
    for wrong in ("-40", "40", "-99999999", "2147483.647", "1e9", "NaN"):
        bad = {**quoted, "bid_price": wrong}
        refused = await world.call("bob", "POST", "/quotes", {"quotes": [bad]})
        assert refused.status_code < 500 and '"ok":true' not in refused.text, refused.text


async def test_a_frozen_account_has_nothing_left_in_the_book(world: World):
    await world.place("alice", "sell", "2.100", "3")
    await world.place("alice", "sell", "0.010", "3", symbol=SPREAD)
    frozen = await world.call("operator", "PATCH", "/admin/accounts/alice", {"state": "frozen"})
    assert frozen.status_code == 200, frozen.text
    for symbol in (SYMBOL, SPREAD):
        assert (await world.call("", "GET", f"/orderbook/{symbol}")).json()["asks"] == []
    orders = (await world.call("alice", "GET", "/orders")).json()["orders"]
    assert orders == []


async def test_the_websocket_says_the_same(world: World):
    async with world.serving() as url, world.socket(url, "alice") as alice:
        subscribed = await alice.ask("subscribe", channels=["fills", f"book.{SPREAD}.raw"])
        assert subscribed["ok"], subscribed
        await world.place("bob", "sell", "-0.030", "5", symbol=SPREAD)
        reply = await alice.ask(
            "order.new", symbol=SPREAD, side="buy", price="-0.030", quantity="2"
        )
        assert [t["symbol"] for t in reply["result"]["trades"]] == [SPREAD, SYMBOL, OTHER]
        fills = await alice.push("fills")
        while fills["type"] == "snapshot":
            fills = await alice.push("fills")
        shown = [(f["symbol"], f["side"], f["price"], f["role"]) for f in fills["data"]]
        assert shown == [
            (SPREAD, "buy", "-0.030", "taker"),
            (SYMBOL, "buy", "2.000", "taker"),
            (OTHER, "sell", "2.030", "taker"),
        ]
        assert len({f["trade_id"] for f in fills["data"]}) == 3
