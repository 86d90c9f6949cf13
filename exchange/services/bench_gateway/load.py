"""The load of `wellhead bench gateway`: a process of its own that trades over the public API.

Reads one JSON plan from stdin, writes one JSON result to stdout.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import random
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from exchange.services.bench_gateway.measured import result

WS_PATH: Final = "/api/v1/ws"
ORDERS_PATH: Final = "/api/v1/orders"
MESSAGES: Final = 10_000  # different orders, sent round and round
AWAY_TICKS: Final = 10
QTY_MAX: Final = 5
OK: Final = b'"ok":true'
CANCEL_ALL: Final = b'{"op":"order.cancel_all","id":2}'
WINDOW_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; `keys` are (key, secret), one a connection in turn."""

    url: str
    keys: list[list[str]]
    symbol: str
    mid_ticks: int
    connections: int
    in_flight: int
    seconds: float
    count_max: int
    seed: int
    how: str  # ws, rest, echo


def signature(
    secret: str, time_ms: int, key: str, window_ms: int, method: str, path: str, body: bytes
) -> str:
    """Return the hex signature of a request."""
    text = f"{time_ms}{key}{window_ms}{method}{path}".encode() + body
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def orders(plan: Plan, seed: int) -> list[dict[str, str]]:
    """Return limit orders of random sides around the middle: about half of them trade."""
    chance = random.Random(seed)
    found = []
    for _ in range(MESSAGES):
        ticks = plan.mid_ticks + chance.randint(-AWAY_TICKS, AWAY_TICKS)
        found.append(
            {
                "symbol": plan.symbol,
                "side": chance.choice(("buy", "sell")),
                "price": f"{ticks // 1000}.{ticks % 1000:03d}",
                "quantity": str(chance.randint(1, QTY_MAX)),
                "stp": "none",
            }
        )
    return found


class Trader(WSListener):
    """One connection that keeps a number of orders in flight."""

    def __init__(self, plan: Plan, number: int) -> None:
        super().__init__()
        self._plan = plan
        self._key, self._secret = plan.keys[number % len(plan.keys)] if plan.keys else ("", "")
        self._messages = [
            json.dumps({"op": "order.new", "id": 1, **order}).encode()
            for order in orders(plan, plan.seed * 1000 + number)
        ]
        self._next = 0
        self._sent_s: deque[float] = deque()
        self._until_s = 0.0
        self.latencies_s: list[float] = []
        self.refusals: list[str] = []
        self.ready = asyncio.Event()
        self.done = asyncio.Event()
        self.cleared = asyncio.Event()
        self.lost = False
        self.ended_s = 0.0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Log in."""
        self._transport = transport
        if self._plan.how == "echo":
            self.ready.set()
            return
        now_ms = time.time_ns() // 1_000_000
        login = {
            "op": "auth",
            "key": self._key,
            "timestamp": now_ms,
            "recv_window": WINDOW_MS,
            "signature": signature(self._secret, now_ms, self._key, WINDOW_MS, "GET", WS_PATH, b""),
        }
        transport.send(WSMsgType.TEXT, json.dumps(login).encode())

    def begin(self, until_s: float) -> None:
        """Send the first orders."""
        self._until_s = until_s
        for _ in range(self._plan.in_flight):
            self._send()

    async def clear(self) -> None:
        """Cancel what rests, so that the next run finds the market as this one did."""
        if self._plan.how != "echo":
            self._transport.send(WSMsgType.TEXT, CANCEL_ALL)
            await self.cleared.wait()
            self.hold()

    def hold(self) -> None:
        """End the load if the connection was lost: what was measured then is not a figure."""
        if self.lost:
            raise SystemExit("a connection was lost, or what rests was not cancelled")

    def _send(self) -> None:
        self._sent_s.append(time.perf_counter())
        self._transport.send(WSMsgType.TEXT, self._messages[self._next])
        self._next = (self._next + 1) % MESSAGES

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Count a reply and send the next order."""
        payload = frame.get_payload_as_bytes()
        if not self.ready.is_set():
            if OK not in payload:
                raise SystemExit(f"not let in: {payload.decode()}")
            self.ready.set()
            return
        if self.done.is_set():
            self.lost |= OK not in payload
            self.cleared.set()
            return
        now_s = time.perf_counter()
        self.latencies_s.append(now_s - self._sent_s.popleft())
        if OK not in payload and self._plan.how != "echo":
            self.refusals.append(payload.decode())
        enough = len(self.latencies_s) + len(self._sent_s) >= self._plan.count_max
        if now_s < self._until_s and not enough:
            self._send()
        elif not self._sent_s:
            self.ended_s = now_s
            self.done.set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Wake whoever waits for this connection."""
        self.lost = True
        for event in (self.ready, self.done, self.cleared):
            event.set()


async def by_websocket(plan: Plan) -> dict[str, Any]:
    """Measure orders over websockets."""
    url = plan.url.replace("http://", "ws://") + WS_PATH
    traders: list[Trader] = []
    for number in range(plan.connections):
        trader = Trader(plan, number)
        await ws_connect(lambda trader=trader: trader, url)
        await trader.ready.wait()
        trader.hold()
        traders.append(trader)
    begun_s = time.perf_counter()
    for trader in traders:
        trader.begin(begun_s + plan.seconds)
    for trader in traders:
        await trader.done.wait()
        trader.hold()
    seconds = max(trader.ended_s for trader in traders) - begun_s
    latencies_s = [latency for trader in traders for latency in trader.latencies_s]
    for trader in traders:
        await trader.clear()
    return result(latencies_s, seconds, [one for trader in traders for one in trader.refusals])


async def by_rest(plan: Plan) -> dict[str, Any]:
    """Measure signed orders over REST, one after the other on each connection."""
    callers = [Caller(plan, number) for number in range(plan.connections)]
    for caller in callers:
        await caller.connect()
    begun_s = time.perf_counter()
    until_s = begun_s + plan.seconds
    found = await asyncio.gather(
        *(_rest(plan, number, caller, until_s) for number, caller in enumerate(callers))
    )
    for caller in callers:
        await caller.clear()
    latencies_s = [latency for part, _, _ in found for latency in part]
    seconds = max(ended_s for _, _, ended_s in found) - begun_s
    return result(latencies_s, seconds, [one for _, refusals, _ in found for one in refusals])


class Caller:
    """One connection that signs requests and waits for each answer."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._address = urlsplit(plan.url)
        self._key, self._secret = plan.keys[number % len(plan.keys)]
        # A signature is accepted once, and two orders may be equal: each has a window of its own,
        # of the connections that share a key too.
        self._windows_ms = itertools.cycle(
            range(WINDOW_MS // 2 + number, WINDOW_MS, plan.connections)
        )

    async def connect(self) -> None:
        """Open the connection."""
        address = self._address
        self._reader, self._writer = await asyncio.open_connection(address.hostname, address.port)

    async def ask(self, method: str, body: bytes) -> tuple[bytes, bytes]:
        """Return the head and the body of the answer to a request about orders."""
        key, now_ms, window_ms = self._key, time.time_ns() // 1_000_000, next(self._windows_ms)
        signed = signature(self._secret, now_ms, key, window_ms, method, ORDERS_PATH, body)
        head = (
            f"{method} {ORDERS_PATH} HTTP/1.1\r\nhost: {self._address.netloc}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nwh-key: {key}\r\n"
            f"wh-timestamp: {now_ms}\r\nwh-recv-window: {window_ms}\r\nwh-sign: {signed}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return answer, await self._reader.readexactly(length)

    async def clear(self) -> None:
        """Cancel what rests, so that the next run finds the market as this one did; hang up."""
        head, answer = await self.ask("DELETE", b"")
        if b" 200 " not in head[:20]:
            raise SystemExit(f"not cancelled: {answer.decode()}")
        self._writer.close()


async def _rest(
    plan: Plan, number: int, caller: Caller, until_s: float
) -> tuple[list[float], list[str], float]:
    """Return the latencies and refusals of one connection, and when it had its last answer."""
    latencies_s: list[float] = []
    refusals: list[str] = []
    for order in orders(plan, plan.seed * 1000 + number):
        body = json.dumps(order).encode()
        sent_s = time.perf_counter()
        if sent_s >= until_s or len(latencies_s) >= plan.count_max:
            break
        head, answer = await caller.ask("POST", body)
        latencies_s.append(time.perf_counter() - sent_s)
        if b" 201 " not in head[:20]:
            refusals.append(answer.decode())
    return latencies_s, refusals, time.perf_counter()


def main() -> None:
    """Carry out the plan on stdin."""
    plan = Plan(**json.load(sys.stdin))
    work = by_rest(plan) if plan.how == "rest" else by_websocket(plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(work)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
