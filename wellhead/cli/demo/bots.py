"""The simulated makers and takers, each a client of the public websocket like any other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from wellhead import types as wt
from wellhead.async_client import AsyncClient
from wellhead.calls import Json, convert
from wellhead.cli.demo import rules
from wellhead.cli.demo.rules import Chance, Fair, Market, Quote
from wellhead.errors import ApiError, AuthFailed, WellheadError
from wellhead.subscription import Subscription
from wellhead.trading import AsyncTradingStream

Slot = tuple[str, int]  # side and rank of a quote, 0 is the best

ENDED_MAX = 20_000  # ended orders that are remembered
CHANNELS_MAX = 100  # of one subscribe message
LOOKS = 4  # of each taker, for each contract that is quoted anew
LOOKED_AT_MAX = 150  # contracts a taker looks at: a connection has 200 channels

_log = logging.getLogger("wellhead.demo")


@dataclass(frozen=True, slots=True)
class Working:
    """One order of a maker that rests."""

    order_id: str
    price: str


class Holdings:
    """What an account holds and what of its orders has ended, as its private channels tell it."""

    def __init__(self) -> None:
        self.lots: dict[str, int] = {}
        self._ended: dict[str, None] = {}  # order ids, oldest first

    def take(self, channel: str, data: object) -> None:
        """Take one message of `positions` or `orders`."""
        for item in data if isinstance(data, list) else [data]:
            if channel == "positions":
                position = convert(item, wt.Position)
                self.lots[position.symbol] = int(position.quantity)
            elif (order := convert(item, wt.Order)).status != "open":
                self._ended[order.order_id] = None
        while len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]

    def has_ended(self, order_id: str) -> bool:
        """Say whether an order is known to rest no more."""
        return order_id in self._ended


class Bot:
    """One simulated account on one connection."""

    def __init__(self, name: str, stream: AsyncTradingStream, chance: Chance) -> None:
        self.name = name
        self.stream = stream
        self.chance = chance
        self.holdings = Holdings()
        self._private: Subscription | None = None

    async def start(self) -> None:
        """Begin with a clean sheet, and follow the own account."""
        await self.stream.cancel_all()
        self._private = await self.stream.subscribe("positions", "orders")

    async def follow(self) -> None:
        """Keep holdings up to date until the stream ends."""
        assert self._private is not None, "start first"
        async for push in self._private:
            self.holdings.take(push.channel, push.data)

    async def act(self, market: Market) -> int:
        """Do what it does in one contract; return how many requests that took."""
        raise NotImplementedError

    @property
    def connection(self) -> int:
        """How many connections were lost before this one."""
        return self._private.reconnects if self._private else 0


class Maker(Bot):
    """Keeps quotes on both sides of every contract."""

    def __init__(self, name: str, stream: AsyncTradingStream, chance: Chance, fair: Fair) -> None:
        super().__init__(name, stream, chance)
        self.fair = fair
        self.working: dict[str, dict[Slot, Working]] = {}
        self._connection = 0

    async def act(self, market: Market) -> int:
        """Renew the quotes of one contract; return how many requests that took."""
        if self._connection != self.connection:  # the orders went with the connection
            self._connection = self.connection
            await self.stream.cancel_all()
            self.working.clear()
        position = self.holdings.lots.get(market.symbol, 0)
        fair_ticks, on = self.fair.ticks(market), rules.today()
        wanted = rules.maker_quotes(self.name, market.symbol, fair_ticks, position, on, self.chance)
        old = self.working.setdefault(market.symbol, {})
        for slot in [s for s, one in old.items() if self.holdings.has_ended(one.order_id)]:
            del old[slot]
        slots, requests = changes(market.symbol, old, by_level(wanted))
        if requests:
            results = await self.stream.batch(requests)
            settle(old, slots, requests, results)
        return len(requests)


class Taker(Bot):
    """Takes the best price now and then."""

    def __init__(self, name: str, stream: AsyncTradingStream, chance: Chance) -> None:
        super().__init__(name, stream, chance)
        self.best: dict[str, wt.Ticker] = {}
        self._quotes: Subscription | None = None

    async def look_at(self, markets: list[Market]) -> None:
        """Follow the best prices of some contracts."""
        channels = [f"bbo.{market.symbol}" for market in markets[:LOOKED_AT_MAX]]
        self._quotes = await self.stream.subscribe(*channels[:CHANNELS_MAX])
        if rest := tuple(channels[CHANNELS_MAX:]):
            await self.stream.add_sink(self._quotes, rest)

    async def watch(self) -> None:
        """Keep the best prices up to date until the stream ends."""
        assert self._quotes is not None, "look at markets first"
        async for push in self._quotes:
            ticker = convert(push.data, wt.Ticker)
            self.best[ticker.symbol] = ticker

    async def act(self, market: Market) -> int:
        """Perhaps take the best price of one contract; return how many requests that took."""
        best = self.best.get(market.symbol)
        if best is None:
            return 0
        bid = None if best.bid_price is None else str(best.bid_price)
        ask = None if best.ask_price is None else str(best.ask_price)
        position = self.holdings.lots.get(market.symbol, 0)
        quote = rules.taker_order(self.name, market.symbol, bid, ask, position, self.chance)
        if quote is None:
            return 0
        return await self._take(market.symbol, quote)

    async def _take(self, symbol: str, quote: Quote) -> int:
        """Take a price; in a call auction ask to trade at it when the call ends."""
        for count, tif in enumerate(("IOC", "GFA"), 1):
            try:
                await self.stream.place(symbol, quote.side, quote.quantity, quote.price, tif=tif)
            except ApiError as refusal:
                if refusal.code != "tif_not_allowed":
                    raise
            else:
                return count
        return 2


def by_level(quotes: list[Quote]) -> dict[Slot, Quote]:
    """Return quotes by side and rank, best first."""
    ranked: dict[Slot, Quote] = {}
    for quote in quotes:
        rank = sum(side == quote.side for side, _ in ranked)
        ranked[quote.side, rank] = quote
    return ranked


def changes(
    symbol: str, old: dict[Slot, Working], wanted: dict[Slot, Quote]
) -> tuple[list[Slot], list[Json]]:
    """Return the requests that turn what rests into what is wanted, and their slots.

    First what leaves, then what moves away from the middle, then the rest: so a maker's
    own orders never meet.
    """
    gone = [slot for slot in old if slot not in wanted]
    moved = [
        slot for slot, quote in wanted.items() if slot in old and quote.price != old[slot].price
    ]
    moved.sort(key=lambda slot: _towards_middle(slot, old[slot].price, wanted[slot].price))
    fresh = [slot for slot in wanted if slot not in old]
    requests: list[Json] = [{"op": "cancel", "order_id": old[slot].order_id} for slot in gone]
    requests += [
        {
            "op": "amend",
            "order_id": old[slot].order_id,
            "price": wanted[slot].price,
            "open_quantity": wanted[slot].quantity,
        }
        for slot in moved
    ]
    requests += [
        {"op": "new", "symbol": symbol, "post_only": True} | wanted[s]._asdict() for s in fresh
    ]
    return [*gone, *moved, *fresh], requests


def _towards_middle(slot: Slot, old_price: str, new_price: str) -> bool:
    rises = Decimal(new_price) > Decimal(old_price)
    return rises == (slot[0] == "buy")


def settle(
    working: dict[Slot, Working],
    slots: list[Slot],
    requests: list[Json],
    results: list[Json],
) -> None:
    """Note what the answers to `requests` say rests now."""
    for slot, request, result in zip(slots, requests, results, strict=True):
        order = result.get("order") or {}
        if order.get("status") == "open":
            working[slot] = Working(order["order_id"], order["price"])
        elif result.get("ok") or request["op"] != "amend" or _is_gone(result):
            working.pop(slot, None)


def _is_gone(result: Json) -> bool:
    """Say whether a refused amendment was of an order that rests no more."""
    return bool(result["error"]["code"] == "order_unknown")


class Crowd:
    """All bots together, at one pace."""

    def __init__(
        self, makers: list[Maker], takers: list[Taker], markets: list[Market], fair: Fair
    ) -> None:
        self.makers, self.takers, self.markets, self.fair = makers, takers, markets, fair
        self._chance = Chance(0x5EED)
        self._weights = [market.activity_bps for market in markets]
        self._total = sum(self._weights)

    def pick(self) -> Market:
        """Return a contract, active ones more often."""
        left = self._chance.draw(0, self._total - 1)
        for market, weight in zip(self.markets, self._weights, strict=True):
            left -= weight
            if left < 0:
                return market
        raise AssertionError("weights do not add up")

    async def fill(self, orders_per_s: float) -> None:
        """Put quotes everywhere once, in the order of the contracts."""
        for market in self.markets:
            for maker in self.makers:
                await _paced(partial(maker.act, market), orders_per_s)

    async def trade(self, orders_per_s: float) -> None:
        """Quote and trade for ever."""
        while True:
            market = self.pick()
            self.fair.step(market.series)
            for maker in self.makers:
                await _paced(partial(maker.act, market), orders_per_s)
            for taker in self.takers * LOOKS:
                await _paced(partial(taker.act, self.pick()), orders_per_s)


async def _paced(act: Callable[[], Awaitable[int]], orders_per_s: float) -> None:
    """Act, and wait as long as that many requests may take; a refusal is no reason to stop."""
    try:
        count = await act()
    except AuthFailed:
        raise
    except WellheadError as error:
        _log.debug("a simulated request failed: %s", error)
        count = 1
    await asyncio.sleep(max(count, 0.1) / orders_per_s)


async def connect(client: AsyncClient) -> AsyncTradingStream:
    """Return a started stream whose orders go when it does."""
    stream = client.stream(cancel_on_disconnect=True)
    await stream.start()
    return stream
