"""A client with a seed that remembers: it places, amends, cancels, and crosses what others rest."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.torture.record import Answer, Fate, Record, Request, shares
from tests.torture.session import NoSession, Session
from wellhead.signing import Credentials, Signer

IN_FLIGHT_MAX: Final = 8
REMEMBERED: Final = 60  # orders it may still amend or cancel
RETRY_S: Final = 0.05
BATCH_SHARE: Final = 0.1  # of the bursts: one message with all of it
RESENT_SHARE: Final = 0.7  # of the unanswered orders; the rest stay as they are
BATCH_OPS: Final = {"order.new": "new", "order.amend": "amend", "order.cancel": "cancel"}

Wish = tuple[str, dict[str, Any], str]  # op, fields, client order id


@dataclass(frozen=True, slots=True)
class Market:
    """A contract to trade and the price, in ticks, to trade around."""

    symbol: str
    price_ticks: int


@dataclass
class Stats:
    """What happened besides the answers."""

    sessions: int = 0
    resent: int = 0
    duplicates: int = 0


def price_text(price_ticks: int) -> str:
    """Return a price as the API takes it."""
    return f"{price_ticks // 1000}.{price_ticks % 1000:03}"


class Trader:
    """One account on one websocket."""

    def __init__(
        self, account_id: str, credentials: Credentials, markets: list[Market], seed: int
    ) -> None:
        self.account_id = account_id
        self.signer = Signer(credentials)
        self.stats = Stats()
        self.record = Record()
        self.on_sent: Callable[[], None] = lambda: None  # right after each request
        self.markets = markets
        self._random = Random(f"{seed} {account_id}")
        self._orders: deque[tuple[str, str | None]] = deque(maxlen=REMEMBERED)  # both ids
        self._placed = 0
        self._told = 0
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._unanswered: list[Request] = []

    async def trade(self, url: Callable[[], str], stop: asyncio.Event, per_second: float) -> None:
        """Trade until told to stop; comes back after every lost connection."""
        while not stop.is_set():
            with suppress(NoSession):
                session = await Session.open(url(), self.signer)
                self.stats.sessions += 1
                try:
                    await self._send_again(session)
                    await self._trade_on(session, stop, per_second)
                finally:
                    await session.close()
            if not stop.is_set():
                await asyncio.sleep(RETRY_S)

    async def settle(self, url: str) -> None:
        """Send again what has no answer yet, and wait for all answers."""
        session = await Session.open(url, self.signer)
        await self._send_again(session)
        await self._all_answered()
        await session.close()

    def new_requests(self) -> list[Request]:
        """Return what was sent since the last time this was asked."""
        new = self.record.requests[self._told :]
        self._told += len(new)
        return new

    async def _trade_on(self, session: Session, stop: asyncio.Event, per_second: float) -> None:
        while not stop.is_set() and not session.lost.is_set():
            burst = self._random.randint(1, IN_FLIGHT_MAX)
            if self._random.random() < BATCH_SHARE:
                await self._send_batch(session, burst)
            else:
                for _ in range(burst):
                    await self._send(session, *self._next())
            await asyncio.sleep(self._random.expovariate(per_second / burst))
        if not session.lost.is_set():  # stopped: whoever stops us wants to know all answers
            await self._all_answered()

    async def _all_answered(self) -> None:
        for _ in range(IN_FLIGHT_MAX):
            await self._room.acquire()
        for _ in range(IN_FLIGHT_MAX):
            self._room.release()

    async def _send(
        self, session: Session, op: str, fields: dict[str, Any], client_order_id: str
    ) -> None:
        await self._room.acquire()
        request = self.record.sent(self.account_id, op, fields, client_order_id)
        future = await session.send(op, fields)
        self.on_sent()
        future.add_done_callback(lambda done: self._answered(request, done.result()))

    async def _send_batch(self, session: Session, count: int) -> None:
        """Send so many requests in one message; each has an answer of its own."""
        for _ in range(count):
            await self._room.acquire()
        wishes = self._several(count)
        requests = [self.record.sent(self.account_id, *wish) for wish in wishes]
        bodies = [{"op": BATCH_OPS[op], **fields} for op, fields, _ in wishes]
        future = await session.send("order.batch", {"requests": bodies})
        self.on_sent()

        def answered(done: "asyncio.Future[Answer | None]") -> None:
            for request, answer in zip(requests, shares(done.result(), len(requests)), strict=True):
                self._answered(request, answer)

        future.add_done_callback(answered)

    def _answered(self, request: Request, answer: Answer | None) -> None:
        request.answer = answer
        self._room.release()
        if request.op != "order.new":
            return
        if request.fate == Fate.UNKNOWN:
            self._unanswered.append(request)
        elif request.fate == Fate.DONE:
            self.stats.duplicates += request.result["duplicate"]
            self._orders.append((request.client_order_id, request.result["order"]["order_id"]))

    async def _send_again(self, session: Session) -> None:
        """Send unanswered orders once more, word for word: they are placed once in all."""
        waiting, self._unanswered = self._unanswered, []
        for request in waiting:
            if self._random.random() < RESENT_SHARE:
                self.stats.resent += 1
                await self._send(session, request.op, request.fields, request.client_order_id)
            else:
                self._orders.append((request.client_order_id, None))

    def _next(self) -> Wish:
        dice = self._random.random()
        if dice < 0.6 or not self._orders:
            return self._new()
        client_order_id, order_id = self._random.choice(self._orders)
        by_client = order_id is None or self._random.random() < 0.5
        which = {"client_order_id": client_order_id} if by_client else {"order_id": order_id}
        if dice < 0.78:
            return "order.amend", which | self._change(), client_order_id
        if dice < 0.98:
            return "order.cancel", which, client_order_id
        return "order.cancel_all", {}, ""

    def _several(self, count: int) -> list[Wish]:
        """Return what a batch can hold."""
        wishes = (self._next() for _ in range(count))
        return [wish if wish[0] in BATCH_OPS else self._new() for wish in wishes]

    def _new(self) -> Wish:
        pick = self._random
        self._placed += 1
        client_order_id = f"{self.account_id}-{self._placed}"
        market = pick.choice(self.markets)
        side = pick.choice(("buy", "sell"))
        fields: dict[str, Any] = {
            "symbol": market.symbol,
            "side": side,
            "quantity": str(pick.randint(1, 5)),
            "client_order_id": client_order_id,
        }
        dice = pick.random()
        if dice < 0.05:
            return "order.new", fields | {"type": "market"}, client_order_id
        away_ticks = pick.randint(-2, 6)  # below zero it crosses
        price_ticks = market.price_ticks + (-away_ticks if side == "buy" else away_ticks)
        fields["price"] = price_text(price_ticks)
        if dice < 0.2:
            fields["tif"] = pick.choice(("IOC", "FOK"))
        elif dice < 0.3:
            fields["post_only"] = True
        return "order.new", fields, client_order_id

    def _change(self) -> dict[str, Any]:
        pick = self._random
        if pick.random() < 0.5:
            return {"quantity": str(pick.randint(1, 6))}
        price_ticks = pick.choice(self.markets).price_ticks + pick.randint(-5, 5)
        return {"price": price_text(price_ticks)}
