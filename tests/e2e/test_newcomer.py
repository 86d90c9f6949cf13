"""What a newcomer does in the first minutes, on a real node with a real database."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import data_folder
from wellhead import Client
from wellhead.credentials import read_profile

pytestmark = [pytest.mark.alone, pytest.mark.slow]

WELLHEAD = (sys.executable, "-c", "from wellhead.cli import main; main()")
REFUSED = 1
START_S = 180  # an empty kernel cache on a busy machine


class Node:
    """`wellhead demo` or `serve` as a process, in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("WELLHEAD_")
        } | {"XDG_CONFIG_HOME": str(folder / "config"), "PYTHONPATH": os.getcwd()}
        self.process = subprocess.Popen(
            [*WELLHEAD, *arguments, "--port", "0", "--json"],
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=(folder / "stderr.log").open("a"),
            text=True,
        )
        self.url = self.next_line()["url"]

    def next_line(self) -> dict:
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, (self.folder / "stderr.log").read_text()[-3000:]
        found = json.loads(text)
        assert isinstance(found, dict) and "error" not in found, found
        return found

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [*WELLHEAD, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def ok(self, *arguments: str) -> dict:
        code, said = self.run(*arguments, "--json")
        assert code == 0, (arguments, said)
        found = json.loads(said)
        assert isinstance(found, dict)
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(180)


@contextlib.contextmanager
def node(folder: Path, *arguments: str) -> Iterator[Node]:
    one = Node(folder, *arguments)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that the database's user may enter, also when the tests run as root."""
    with data_folder() as path:
        yield path


def wait_for(condition, timeout_s: float = 180.0):
    until_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until_s, "not in time"
        time.sleep(0.2)
    return found


def lives(one: Node, symbol: str, *who: str) -> bool:
    """Place an order, change and cancel it; false when somebody traded with it meanwhile."""
    bids = one.ok("book", symbol)["bids"]
    if not bids:
        return False
    order = one.ok("order", "buy", symbol, "2", bids[-1][0], *who)["order"]
    if order["status"] != "open":
        return False
    order_id = order["order_id"]
    for words in (("amend", order_id, "--quantity", "1"), ("cancel", order_id)):
        code, said = one.run(*words, *who, "--json")
        if code:
            assert code == REFUSED, said  # it is not what it was
            one.run("cancel", order_id, *who)
            return False
    return bool(json.loads(said)["order"]["status"] == "cancelled")


def is_open(one: Node, symbol: str) -> bool:
    found = one.ok("contracts", "--tenor", "day", "--live")["contracts"]
    return any(c["symbol"] == symbol and c["state"] == "continuous" for c in found)


def children_of(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.add(int(stat.parent.name))
    return found


def test_a_newcomer_trades_in_the_demo_market_and_all_of_it_is_kept(folder):
    with node(folder, "demo") as first:
        assert {a["account_id"] for a in first.next_line()["accounts"]} == {
            "alice-demo",
            "bob-demo",
        }
        alice, bob = ("--profile", "alice-demo"), ("--profile", "bob-demo")
        symbol = first.ok("contracts", "--tenor", "day")["contracts"][0]["symbol"]
        wait_for(lambda: (book := first.ok("book", symbol))["bids"] and book["asks"])
        wait_for(lambda: lives(first, symbol, *alice))
        # A fill, a position, a ledger entry, once the opening call is over
        wait_for(lambda: is_open(first, symbol))
        wait_for(lambda: first.ok("order", "buy", symbol, "1", "--market", *alice)["trades"])
        assert first.ok("fills", *alice)["fills"][0]["symbol"] == symbol
        assert int(first.ok("positions", *alice)["positions"][0]["quantity"]) >= 1
        assert first.ok("ledger", *alice)["entries"][-1]["amount"] == "1000000.00"  # the oldest
        assert first.ok("positions", *bob)["positions"] == []
        kinds = {a["account_id"]: a["kind"] for a in first.ok("accounts", "list")["accounts"]}
        assert kinds["simulated-maker-1"] == "simulated" and kinds["alice-demo"] == "customer"
        _refuses_a_second_instance(folder)
        lots = first.ok("positions", *alice)["positions"][0]["quantity"]
        assert first.stop() == 0
    with node(folder, "demo") as second:
        again = second.next_line()["accounts"]
        assert len(again) == 2
        assert second.ok("positions", *alice)["positions"][0]["quantity"] == lots
        assert len(second.ok("accounts", "list")["accounts"]) == len(kinds)
        assert second.ok("ledger", *alice)["entries"][-1]["amount"] == "1000000.00"
        children = children_of(second.process.pid)
        assert len(children) >= 3  # Postgres, clearing, the simulated traders
        second.process.kill()
        second.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
        code, said = second.run("verify", "--json")
        assert code == 0 and json.loads(said)["sound"], said


def _refuses_a_second_instance(folder: Path) -> None:
    command = [*WELLHEAD, "serve", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 3
    assert "start_refused" in done.stderr and "already runs on the data folder" in done.stderr


async def test_the_simulated_market_moves_through_the_public_websocket(folder):
    def look() -> None:
        with node(folder, "demo", "--orders-per-second", "200") as one:
            one.next_line()
            found = read_profile(folder / ".wellhead/profiles/bob-demo.json").credentials
            with Client(one.url, found.key, found.secret) as client, client.stream() as stream:
                symbol = client.instruments()[0].symbol
                book = stream.book(symbol)
                states = book.changes()
                seen = {next(states).seq for _ in range(10)}
                assert len(seen) == 10
                wait_for(lambda: any(t.volume_24h for t in client.tickers()))
                snapshot = client.orderbook(symbol)
                wait_for(lambda: book.now().seq >= snapshot.seq)
            assert one.stop(signal.SIGTERM) == 0

    await asyncio.to_thread(look)
