"""The simulated traders: what they ask for, and that own orders never meet."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.wellhead.fakes import FakeRest
from wellhead.cli.demo import market, rules
from wellhead.cli.demo.bots import Crowd, Holdings, Taker, Working, by_level, changes, settle
from wellhead.cli.demo.rules import Chance, Fair, Market, Quote
from wellhead.cli.demo.setup import Ready
from wellhead.credentials import Profile
from wellhead.errors import Refused, Unavailable
from wellhead.signing import Credentials

LADDER = [
    Quote("buy", "2.100", "5"),
    Quote("sell", "2.120", "5"),
    Quote("buy", "2.090", "9"),
    Quote("sell", "2.130", "9"),
]


def working(prices):
    return {slot: Working(str(n), price) for n, (slot, price) in enumerate(prices.items())}


def rest(old):
    return working({slot: quote.price for slot, quote in by_level(old).items()})


def up(quotes, by):
    return [q._replace(price=str(Decimal(q.price) + Decimal(by))) for q in quotes]


def test_first_quotes_are_all_new_and_post_only():
    slots, requests = changes("X", {}, by_level(LADDER))
    assert slots == [("buy", 0), ("sell", 0), ("buy", 1), ("sell", 1)]
    assert all(r["op"] == "new" and r["post_only"] and r["symbol"] == "X" for r in requests)


def test_unchanged_prices_ask_for_nothing():
    assert changes("X", rest(LADDER), by_level(LADDER)) == ([], [])


@pytest.mark.parametrize("by", ["0.050", "-0.050"])
def test_a_moving_ladder_never_meets_itself(by):
    old, wanted = rest(LADDER), by_level(up(LADDER, by))
    slots, requests = changes("X", old, wanted)
    prices = {slot: Decimal(one.price) for slot, one in old.items()}
    for slot, request in zip(slots, requests, strict=True):
        assert request["op"] == "amend"
        prices[slot] = Decimal(request["price"])
        bids = [p for (side, _), p in prices.items() if side == "buy"]
        asks = [p for (side, _), p in prices.items() if side == "sell"]
        assert max(bids) < min(asks)


def test_a_side_that_is_no_longer_wanted_is_cancelled_first():
    slots, requests = changes("X", rest(LADDER), by_level(up(LADDER, "0.001")[1::2]))
    assert [r["op"] for r in requests] == ["cancel", "cancel", "amend", "amend"]
    assert slots[:2] == [("buy", 0), ("buy", 1)]


@pytest.mark.parametrize(
    ("refusals", "sent"),
    [
        ([], ["IOC"]),
        (["tif_not_allowed"], ["IOC", "GFA"]),
        (["tif_not_allowed"] * 2, ["IOC", "GFA"]),
    ],
)
async def test_a_taker_asks_for_the_end_of_a_call_where_it_cannot_trade_at_once(refusals, sent):
    class Stream:
        def __init__(self):
            self.tifs = []

        async def place(self, symbol, side, quantity, price, *, tif):
            self.tifs.append(tif)
            if refusals:
                raise Refused(refusals.pop(0))

    stream = Stream()
    taker = Taker("simulated-taker-1", stream, Chance(1))
    assert await taker._take("X", LADDER[0]) == len(sent)
    assert stream.tifs == sent


async def test_a_taker_that_is_refused_for_another_reason_says_so():
    class Stream:
        async def place(self, *_, tif):
            raise Refused("margin_insufficient")

    with pytest.raises(Refused, match="margin_insufficient"):
        await Taker("simulated-taker-1", Stream(), Chance(1))._take("X", LADDER[0])


def test_answers_are_noted():
    old = rest(LADDER)
    slots = [("buy", 0), ("sell", 0), ("buy", 1), ("sell", 1), ("sell", 2)]
    requests = [{"op": op} for op in ("amend", "amend", "amend", "cancel", "new")]
    gone = {"ok": False, "error": {"code": "order_unknown"}}
    refused = {"ok": False, "error": {"code": "post_only_would_trade"}}
    moved = {"ok": True, "order": {"order_id": "0", "status": "open", "price": "2.105"}}
    results = [moved, gone, refused, {"ok": True, "order": {"status": "cancelled"}}, refused]
    settle(old, slots, requests, results)
    assert old == {("buy", 0): Working("0", "2.105"), ("buy", 1): Working("2", "2.090")}


def test_holdings_follow_positions_and_ended_orders():
    order = {
        "symbol": "X", "side": "buy", "quantity": "1", "filled_quantity": "0",
        "remaining_quantity": "1",
    }  # fmt: skip
    held = Holdings()
    held.take("positions", [{"symbol": "X", "quantity": "-7"}])
    held.take("orders", [order | {"order_id": "1", "status": "open"}])
    held.take("orders", [order | {"order_id": "2", "status": "filled"}])
    assert held.lots == {"X": -7} and held.has_ended("2") and not held.has_ended("1")


def test_the_same_seed_gives_the_same_market():
    one = rules.markets(rules.now())[0]

    def quotes():
        chance = Chance(5)
        fair = Fair(chance)
        fair.step(one.series)
        name = rules.makers()[0]
        ticks = fair.ticks(one)
        return rules.maker_quotes(name, one.symbol, ticks, 3, rules.today(), chance)

    assert quotes() == quotes() and len(quotes()) >= 4


def test_active_contracts_are_picked_more_often():
    markets = rules.markets(rules.now())
    crowd = Crowd([], [], markets, Fair(Chance(1)))
    picked = [crowd.pick().symbol for _ in range(3_000)]
    front, back = markets[0].symbol, markets[-1].symbol
    assert picked.count(front) > picked.count(back)


def test_a_taker_takes_the_best_price_or_waits():
    one = rules.markets(rules.now())[0]
    chance = Chance(3)
    name = rules.takers()[0]
    orders = [rules.taker_order(name, one.symbol, "2.100", "2.120", 0, chance) for _ in range(200)]
    asked = [order for order in orders if order]
    assert 0 < len(asked) < 200
    assert {(o.side, o.price) for o in asked} == {("buy", "2.120"), ("sell", "2.100")}
    assert not any(rules.taker_order(name, one.symbol, None, None, 0, chance) for _ in range(50))


def test_the_contract_of_the_examples_is_quoted_first_and_is_that_of_the_readme():
    markets = rules.markets(rules.now())
    first, *rest = rules.example_first(markets)
    assert sorted(rest + [first], key=lambda m: m.symbol) == sorted(markets, key=lambda m: m.symbol)
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    assert f"wellhead book {rules.EXAMPLE}" in readme
    other = Market(symbol="A", series="A", reference_ticks=1, activity_bps=1)
    example = Market(symbol=rules.EXAMPLE, series="H", reference_ticks=1, activity_bps=1)
    assert rules.example_first([other, example]) == [example, other]
    assert rules.example_first([other]) == [other]


async def test_what_to_try_is_said_only_when_it_can_be_bought_and_sold(monkeypatch, capsys):
    monkeypatch.setattr(market, "LOOK_S", 0.01)
    unknown = {"status": 404, "code": "contract_unknown"}
    profile = Profile(Path("profiles/alice-demo.json"), Credentials("K", "S"))
    demo = market.DemoMarket(Path(), market.Pace(30.0))

    def ticker(bid, ask, state="continuous"):
        one = {"symbol": "X", "bid_price": bid, "ask_price": ask, "state": state}
        return 200, {"tickers": [one]}

    bid, ask = "2.149", "2.150"
    script = [
        ticker(None, None, "pre_open"),
        (404, unknown), ticker(None, None), ticker(bid, None), ticker(None, ask),
        ticker(bid, ask, "auction"), ticker(bid, ask),
    ]  # fmt: skip
    with FakeRest(*script) as fake:
        await demo._say_what_to_try(fake.url, [Ready("alice-demo", profile, new_key=False)])
        assert len(fake.seen) == len(script)
    said = capsys.readouterr().out
    symbol = rules.example_first(rules.markets(rules.now()))[0].symbol
    opens, tries = (
        said.index("opens with call auctions"),
        said.index(f"Try: wellhead book {symbol}"),
    )
    assert opens < tries and "--profile alice-demo" in said


async def test_a_market_that_is_refused_is_said_and_tried_again(monkeypatch, capsys):
    monkeypatch.setattr(market, "RETRY_FIRST_S", 0.0)
    demo = market.DemoMarket(Path(), market.Pace(30.0))
    answers = [Unavailable("clock_behind", "the exchange's clock is behind"), []]

    def set_up(url):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(demo, "_set_up", set_up)
    assert await demo._prepare("http://nowhere") == [] and not answers
    said = capsys.readouterr().err
    assert said.count("the demo market cannot be set up") == 1
    assert "the exchange's clock is behind" in said


@pytest.mark.parametrize("bid", [None, "1"])
async def test_who_starts_a_market_that_trades_is_not_told_to_wait(bid, monkeypatch, capsys):
    monkeypatch.setattr(market, "LOOK_S", 0.01)
    profile = Profile(Path("profiles/alice-demo.json"), Credentials("K", "S"))
    trading = {"symbol": "X", "bid_price": "1", "ask_price": "2", "state": "continuous"}
    first, answer = ((200, {"tickers": [trading | more]}) for more in ({"bid_price": bid}, {}))
    with FakeRest(first, answer) as fake:
        demo = market.DemoMarket(Path(), market.Pace(30.0))
        await demo._say_what_to_try(fake.url, [Ready("alice-demo", profile, new_key=False)])
    said = capsys.readouterr().out
    assert "Try: wellhead book" in said and "call auctions" not in said


def test_days_whose_trading_is_over_are_no_market():
    morning, evening = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (15, 16))
    over = {market.symbol for market in rules.markets(morning)} - {
        market.symbol for market in rules.markets(evening)
    }
    assert over == {"H100-GLB-2026M11D23", "H100-USE-2026M11D23"}
