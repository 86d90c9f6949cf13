"""Runs beside a node: prepares the demo market, and keeps its traders running."""

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wellhead.async_client import AsyncClient
from wellhead.cli import out
from wellhead.cli.demo import rules
from wellhead.cli.demo.process import Plan, Trader
from wellhead.cli.demo.setup import TRADER_FUNDS_USD, Ready, set_up
from wellhead.client import Client
from wellhead.credentials import read_profile
from wellhead.errors import WellheadError
from wellhead.types import Ticker

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0
END_TIMEOUT_S = 5.0
OPENING = ("pre_open", "auction")
LOOK_S = 0.2  # between two looks whether there is something to trade with


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the simulated traders are, all together."""

    orders_per_s: float


class DemoMarket:
    """The simulated market of one node."""

    def __init__(self, data: Path, pace: Pace, *, as_json: bool = False) -> None:
        self._data = data
        self._pace = pace
        self._as_json = as_json

    async def run(self, url: str) -> None:
        """Prepare the accounts, say how to use them, and keep the traders running."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
        ready = await self._prepare(url)
        self._say(ready, url)
        simulated = [r for r in ready if r.profile.path.parent.name == "simulated"]
        plan = Plan(
            url=url,
            traders=[_trader(one) for one in simulated],
            orders_per_s=self._pace.orders_per_s,
            fill_orders_per_s=max(300.0, self._pace.orders_per_s),
        )
        trying = asyncio.create_task(self._say_what_to_try(url, ready))
        try:
            await self._keep_running(plan)
        finally:
            trying.cancel()
            await asyncio.wait({trying})

    async def _prepare(self, url: str) -> list[Ready]:
        """Set the market up; while the exchange refuses that, say why and try again."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                return await asyncio.to_thread(self._set_up, url)
            except WellheadError as error:
                said = f"the demo market cannot be set up: {error}; again in {retry_s:.0f} s"
            if not self._as_json:
                out.note(said)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_MAX_S)

    def _set_up(self, url: str) -> list[Ready]:
        found = read_profile(self._data / "admin.json").credentials
        with Client(url, found.key, found.secret) as operator:
            return set_up(operator, self._data)

    async def _keep_running(self, plan: Plan) -> None:
        """Start the traders, and again when they end by themselves."""
        retry_s = RETRY_FIRST_S
        while True:
            began_s = asyncio.get_running_loop().time()
            process = await _start(plan)
            try:
                code = await process.wait()
            finally:
                await _end(process)
            if asyncio.get_running_loop().time() - began_s > RETRY_MAX_S:
                retry_s = RETRY_FIRST_S
            if not self._as_json:
                out.note(f"the simulated traders ended ({code}); again in {retry_s:.0f} s")
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_MAX_S)

    def _say(self, ready: list[Ready], url: str) -> None:
        people = [r for r in ready if r.profile.path.parent.name == "profiles"]
        if self._as_json:
            accounts = [
                {"account_id": r.account_id, "profile": str(r.profile.path)} for r in people
            ]
            out.line({"demo": True, "accounts": accounts})
            return
        out.show("Makers and takers in this market are SIMULATED: no price here is a real one.\n")
        for one in people:
            if one.new_key:
                _show_key(one)
            else:
                out.show(f"{one.account_id}: key in {one.profile.path}")
        out.show(f"For programs: export WELLHEAD_URL={url}")

    async def _say_what_to_try(self, url: str, ready: list[Ready]) -> None:
        """Name commands that work: once their contract has bids and asks."""
        if self._as_json:
            return
        symbol = rules.example_first(rules.markets(rules.now()))[0].symbol
        name = next(r.account_id for r in ready if r.profile.path.parent.name == "profiles")
        async with AsyncClient(url) as client:
            if await opens_now(client, symbol):
                out.show(
                    "\nThe market opens with call auctions, over in some seconds: until then limit"
                )
                out.show("orders gather, and market orders are refused.")
            await until_trading(client, symbol)
        out.show(f"\nTry: wellhead book {symbol}")
        out.show(f"     wellhead order buy {symbol} 1 --market --profile {name}\n")


async def until_trading(client: AsyncClient, symbol: str) -> None:
    """Wait until a contract has bids and asks, and its opening call is over."""
    while True:
        if await trades_now(client, symbol):
            return
        await asyncio.sleep(LOOK_S)


async def ticker_of(client: AsyncClient, symbol: str) -> Ticker | None:
    """Return a contract's ticker; None where nobody answers."""
    try:
        (ticker,) = await client.tickers(symbol)
    except (WellheadError, ValueError):
        return None
    return ticker


async def opens_now(client: AsyncClient, symbol: str) -> bool:
    """Say whether the opening call of a contract is to come, or goes on."""
    ticker = await ticker_of(client, symbol)
    return ticker is not None and ticker.state in OPENING


async def trades_now(client: AsyncClient, symbol: str) -> bool:
    """Say whether a contract can be bought and sold now; where nobody answers it cannot."""
    ticker = await ticker_of(client, symbol)
    if ticker is None or ticker.state != "continuous":
        return False
    return ticker.bid_price is not None and ticker.ask_price is not None


def _show_key(one: Ready) -> None:
    """Show a new key, once."""
    found = one.profile.credentials
    out.show(f"{one.account_id}: {out.usd(TRADER_FUNDS_USD)} USD, a key of its own (shown once;")
    out.show(f"kept in {one.profile.path}, for --profile {one.account_id}):")
    out.show(f"  export WELLHEAD_KEY={found.key}")
    out.show(f"  export WELLHEAD_SECRET={found.secret}")


def _trader(one: Ready) -> Trader:
    found = one.profile.credentials
    return Trader(one.account_id, found.key, found.secret)


async def _start(plan: Plan) -> Process:
    """Start the traders' process; it ends when our end of its stdin does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "wellhead.cli.demo.process",
        stdin=PIPE,
        stdout=DEVNULL,
        start_new_session=True,  # Ctrl-C is for the node, which then ends the traders
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(plan) + b"\n")
    return process


async def _end(process: Process) -> None:
    """Let the traders leave, with their orders cancelled."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
                return
        process.kill()
        await process.wait()
