"""The API of a real node over the wire: REST, websocket, views, a restart in between."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect

from api.openapi import ANSWERS
from tests.support.postgres import data_folder
from tests.torture.cluster import running_cluster
from tests.torture.exchange import Exchange
from wellhead.signing import Credentials, sign

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]


class Caller:
    """Signs by hand, so that a test may also sign wrongly, or twice."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url, self.credentials = url, credentials
        self._windows = itertools.count(60_000, -1)  # the widest: a restart may be slow

    def signed(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return the headers of a request, never the same twice."""
        timestamp, window = time.time_ns() // 1_000_000, next(self._windows)
        key, secret = self.credentials.key, self.credentials.secret
        signature = sign(secret, timestamp_ms=timestamp, key=key, recv_window_ms=window,
                         method=method, target=target, body=body)  # fmt: skip
        return {
            "content-type": "application/json",
            "WH-KEY": key,
            "WH-TIMESTAMP": str(timestamp),
            "WH-RECV-WINDOW": str(window),
            "WH-SIGN": signature,
        }

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Return the JSON of an answer with the status that is due."""
        target, raw = f"/api/v1{path}", b"" if body is None else json.dumps(body).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            response = await http.request(
                method, self.url + target, content=raw, headers=self.signed(method, target, raw)
            )
        assert response.status_code == status, (path, response.text)
        return response.json()

    @asynccontextmanager
    async def socket(self, log_in: bool = True) -> AsyncIterator["Wire"]:
        """Connect, and log in."""
        url = self.url.replace("http", "ws") + "/api/v1/ws"
        async with connect(url, max_size=None, proxy=None) as raw:
            wire = Wire(raw)
            if log_in:
                headers = self.signed("GET", "/api/v1/ws")
                fields = {"key": headers["WH-KEY"], "signature": headers["WH-SIGN"]}
                for name in ("TIMESTAMP", "RECV-WINDOW"):
                    fields[name.lower().replace("-", "_")] = int(headers[f"WH-{name}"])
                assert (await wire.ask("auth", **fields))["ok"]
            yield wire


class Wire:
    """A websocket that keeps what channels say while it waits for a reply."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._ids = itertools.count(1)
        self.said: list[dict[str, Any]] = []

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        number = next(self._ids)
        await self._raw.send(json.dumps({"op": op, "id": number, **fields}))
        while True:
            message = await self.next()
            if message.get("id") == number:
                return message
            self.said.append(message)

    async def next(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self._raw.recv(), 60))
        return found


async def account(operator: Caller, name: str) -> Caller:
    """Open and fund an account and return who may trade for it."""
    path = f"/admin/accounts/{name}"
    await operator.ask("POST", "/admin/accounts", {"name": name, "account_id": name}, 201)
    deposit = {"amount": "1000000.00", "transfer_id": f"first-{name}"}
    await operator.ask("POST", f"{path}/deposits", deposit, 201)
    again = await operator.ask("POST", f"{path}/deposits", deposit, 201)
    assert again["transfer"]["status"] == "done"
    made = await operator.ask("POST", f"{path}/keys", {"scopes": ["read", "trade"]}, 201)
    return Caller(operator.url, Credentials(made["key"]["key"], made["key"]["secret"]))


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as path:
        yield path


async def market(operator: Caller) -> tuple[str, str, str]:
    """Return a symbol in continuous trading, a price to buy at and the next one above."""
    found = await operator.ask("GET", "/instruments?state=continuous")
    one = found["instruments"][0]
    ticks = int(one["mark_price"].replace(".", ""))
    return one["symbol"], *(f"{t // 1000}.{t % 1000:03d}" for t in (ticks, ticks + 1))


async def test_a_trade_is_seen_everywhere_and_after_a_restart(folder: Path):
    exchange = Exchange(folder)
    try:
        await exchange.start()
        operator = Caller(exchange.url, exchange.operator())
        alice, bob = await account(operator, "alice"), await account(operator, "bob")
        symbol, price, higher = await market(operator)
        await see_a_trade(alice, bob, symbol, price, higher)
        await see_history(alice, symbol)

        # A signature is accepted once, also by a process that has just started.
        target = "/api/v1/balances"
        headers = alice.signed("GET", target)
        assert (await get(alice.url + target, headers)).status_code == 200
        assert exchange.stop() == 0
        await exchange.start()
        replayed = await get(exchange.url + target, headers)
        assert (replayed.status_code, replayed.json()["code"]) == (401, "signature_replayed")
        alice.url = exchange.url
        await see_history(alice, symbol)
        ticker = (await alice.ask("GET", f"/tickers?symbol={symbol}"))["tickers"][0]
        assert (ticker["last_price"], ticker["open_interest"]) == (price, "3")
        assert exchange.stop() == 0
    finally:
        exchange.bury()


async def get(url: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        return await http.get(url, headers=headers)


async def see_a_trade(alice: Caller, bob: Caller, symbol: str, price: str, higher: str) -> None:
    """Trade over websocket and REST, and hold the channels to it."""
    channel = f"book.{symbol}.raw"
    async with alice.socket() as wire, bob.socket(log_in=False) as watcher:
        assert (await watcher.ask("subscribe", channels=[channel, f"trades.{symbol}"]))["ok"]
        order = {"symbol": symbol, "side": "buy", "price": price, "quantity": "5"}
        placed = (await wire.ask("order.new", **order, client_order_id="wire-1"))["result"]
        assert placed["order"]["status"] == "open"
        sold = await bob.ask("POST", "/orders", {**order, "side": "sell", "quantity": "3"}, 201)
        assert [trade["price"] for trade in sold["trades"]] == [price]
        found = await alice.ask("GET", "/orders/by-client-id/wire-1")
        assert found["order"]["remaining_quantity"] == "2"
        moved = await alice.ask(
            "PATCH", f"/orders/{placed['order']['order_id']}", {"price": higher}
        )
        assert moved["order"]["price"] == higher
        rest = await alice.ask("GET", f"/orderbook/{symbol}")
        book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        seq, traded = 0, 0
        while seq < rest["seq"] or not traded:
            message = watcher.said.pop(0) if watcher.said else await watcher.next()
            if message["channel"] != channel:
                traded += sum(int(t["quantity"]) for t in message["data"])
                continue
            assert message["prev_seq"] in (None, seq)
            seq = message["seq"]
            for side, levels in book.items():
                levels.update(dict(message["data"][side]))
        assert traded == 3
        assert [p for p, q in book["bids"].items() if q != "0"] == [p for p, _ in rest["bids"]]


async def see_history(alice: Caller, symbol: str) -> None:
    """See what clearing made of the trade, in the shapes the document promises."""
    paths = {
        "list_fills": "/fills?after_seq=0",
        "list_ledger": "/ledger",
        "list_positions": "/positions",
        "list_balances": "/balances",
        "get_margin": "/margin",
        "list_orders": "/orders?status=all",
        "list_trades": f"/trades/{symbol}",
        "list_klines": f"/klines/{symbol}?interval=1d",
        "list_settlements": "/settlements",
    }
    found = {name: await alice.ask("GET", path) for name, path in paths.items()}
    for name, answer in found.items():
        msgspec.convert(answer, ANSWERS[name])
    (fill,) = found["list_fills"]["fills"]
    assert (fill["role"], fill["side"], fill["quantity"]) == ("maker", "buy", "3")
    assert (fill["client_order_id"], fill["position_quantity"]) == ("wire-1", "3")
    (position,) = found["list_positions"]["positions"]
    assert position["quantity"] == "3"
    assert [order["filled_quantity"] for order in found["list_orders"]["orders"]] == ["3"]
    entries = {entry["reason"]: entry["amount"] for entry in found["list_ledger"]["entries"]}
    assert entries.pop("deposit") == "1000000.00"
    assert set(entries) <= {"trading_fee", "clearing_fee"}  # charged a while after the fill
    assert [trade["quantity"] for trade in found["list_trades"]["trades"]] == ["3"]
    assert found["list_klines"]["klines"][0]["volume"] == "3"


async def test_a_signature_is_accepted_by_one_of_two_gateways_only():
    with running_cluster() as cluster:
        cluster.start("engine")
        cluster.start("clearing")
        await asyncio.gather(cluster.start_gateway("gateway-a"), cluster.start_gateway("gateway-b"))
        await cluster.operator_known()
        a, b = cluster.urls["gateway-a"], cluster.urls["gateway-b"]
        caller = Caller(a, cluster.operator())
        target = "/api/v1/balances"
        for _ in range(5):
            headers = caller.signed("GET", target)
            answers = await asyncio.gather(*(get(url + target, headers) for url in (a, b, a, b)))
            assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
