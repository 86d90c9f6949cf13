"""What `wellhead bench gateway` measures: a node of its own in a fresh data folder."""

import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from exchange.rules.position_limits import BENCHMARK
from exchange.services.bench_gateway.measured import result

ACCOUNTS: Final = 4
DEPOSIT_USD: Final = "9000000000"
READY_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 30.0
LOAD_TIMEOUT_S: Final = 300.0
CLEARED_TIMEOUT_S: Final = 120.0
WINDOW_MS: Final = 5_000
SYNC_BYTES: Final = 8192
SYNC_FILE_BYTES: Final = 1 << 20
DELIVERABLE_GPUS: Final = 1_000_000_000
HUB: Final = "USE"  # what the benchmark hub can deliver is what all hubs can
MARK_TICKS_MIN: Final = 500  # a contract whose band is wider than the load's prices

ECHO: Final = """
import asyncio, uvloop
from picows import WSListener, WSMsgType, ws_create_server
class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
async def main():
    server = await ws_create_server(lambda request: Echo(), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running exchange with funded keys."""

    url: str
    folder: Path  # of its data
    pid: int
    keys: list[list[str]]
    symbol: str
    mid_ticks: int


class Operator:
    """Asks the admin API with the key of the data folder."""

    def __init__(self, data: Path) -> None:
        known = json.loads((data / "admin.json").read_text())
        self.url: str = known["url"]
        self._key, self._secret = known["key"], known["secret"]
        self._last_ms = 0

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to a signed request."""
        raw = b"" if body is None else json.dumps(body).encode()
        self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + 1)
        text = f"{self._last_ms}{self._key}{WINDOW_MS}{method}/api/v1{path}".encode() + raw
        headers = {
            "content-type": "application/json",
            "wh-key": self._key,
            "wh-timestamp": str(self._last_ms),
            "wh-recv-window": str(WINDOW_MS),
            "wh-sign": hmac.new(self._secret.encode(), text, hashlib.sha256).hexdigest(),
        }
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", raw or None, headers, method=method
        )
        return answer_of(request)


def answer_of(request: urllib.request.Request) -> dict[str, Any]:
    """Return the answer to a request."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        found: dict[str, Any] = json.load(response)
    return found


def wait_cleared(url: str) -> None:
    """Wait until clearing has taken in what was done before, which is not to be measured again.

    Errors:
        RuntimeError: it does not catch up.
    """
    until_s = time.monotonic() + CLEARED_TIMEOUT_S
    while time.monotonic() < until_s:
        status = answer_of(urllib.request.Request(f"{url}/api/v1/status"))
        if status["clearing_seq"] >= status["journal_seq"]:
            return
        time.sleep(0.1)
    raise RuntimeError("clearing does not catch up with the load")


@contextmanager
def exchange() -> Iterator[Stage]:
    """Start a node, open and fund accounts; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="wellhead-bench-") as folder:
        Path(folder).chmod(0o755)  # Postgres may run as another user, and goes with the folder
        data = Path(folder) / "data"
        environment = os.environ | {"WELLHEAD_DATA_DIR": str(data), "WELLHEAD_PORT": "0"}
        environment["WELLHEAD_OPENING_CALL_S"] = "0"  # contracts trade at once
        for name in ("WELLHEAD_DATABASE_URL", "WELLHEAD_REDIS_URL", "WELLHEAD_ROLES"):
            environment.pop(name, None)
        command = [sys.executable, "-c", "from wellhead.cli import main; main()", "serve"]
        log = Path(folder) / "log"
        with log.open("wb") as file:
            node = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            operator = wait_ready(node, data, log)
            yield prepared(operator, data, node.pid)
        finally:
            node.terminate()
            try:
                node.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait()


def wait_ready(node: subprocess.Popen[bytes], data: Path, log: Path) -> Operator:
    """Return the operator of a node as soon as it takes commands.

    Errors:
        RuntimeError: it has ended, or is not ready in time.
    """
    until_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < until_s and node.poll() is None:
        time.sleep(0.1)
        try:
            operator = Operator(data)
            if operator.ask("GET", "/status")["mode"] == "normal":
                return operator
        except (OSError, ValueError):
            continue
    raise RuntimeError(f"the exchange did not start:\n{log.read_text()[-2000:]}")


def prepared(operator: Operator, data: Path, pid: int) -> Stage:
    """Open and fund accounts, and choose the contract with the most room for prices."""
    keys = []
    for number in range(ACCOUNTS):
        account_id = f"bench-{number}"
        path = f"/admin/accounts/{account_id}"
        operator.ask("POST", "/admin/accounts", {"name": account_id, "account_id": account_id})
        deposit = {"amount": DEPOSIT_USD, "transfer_id": secrets.token_hex(8)}
        operator.ask("POST", f"{path}/deposits", deposit)
        key = operator.ask("POST", f"{path}/keys", {"scopes": ["read", "trade"]})["key"]
        keys.append([key["key"], key["secret"]])
    found = operator.ask("GET", "/instruments?state=continuous&limit=1000")["instruments"]
    # Thousandths of a dollar are ticks.
    marks = {one["symbol"]: int(one["mark_price"].replace(".", "")) for one in found}
    symbol = max(marks, key=lambda name: marks[name])
    assert marks[symbol] >= MARK_TICKS_MIN, "no contract with room for the load's prices"
    sku, hub = symbol.split("-")[:2]
    hub = HUB if hub == BENCHMARK else hub
    much = {"sku": sku, "hub": hub, "gpus": DELIVERABLE_GPUS, "source": "bench"}
    operator.ask("PUT", "/admin/capacity", much)  # so that no limit of positions is reached
    return Stage(operator.url, data, pid, keys, symbol, marks[symbol])


@contextmanager
def echo_server() -> Iterator[tuple[str, int]]:
    """Start a bare picows server that sends back what it gets; yields its address and pid."""
    command = [sys.executable, "-c", ECHO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.kill()


def pin(pid: int, core: int) -> bool:
    """Keep all threads of a process on one core; False where that cannot be done."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(cores) < 2:
        return False
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {cores[core]})
    return True


def bare_sync(folder: Path, seconds: float) -> dict[str, Any]:
    """Measure a write and fdatasync on the disk of a folder, as `load` does orders."""
    file = folder / "bare_sync"
    with file.open("w+b") as opened:
        opened.write(bytes(SYNC_FILE_BYTES))
        opened.flush()
        os.fsync(opened.fileno())
        latencies_s: list[float] = []
        begun_s = time.perf_counter()
        while (sent_s := time.perf_counter()) < begun_s + seconds:
            place = len(latencies_s) * SYNC_BYTES % SYNC_FILE_BYTES
            os.pwrite(opened.fileno(), bytes(SYNC_BYTES), place)
            os.fdatasync(opened.fileno())
            latencies_s.append(time.perf_counter() - sent_s)
    file.unlink()
    return result(latencies_s, seconds, [])


def load(plan: dict[str, Any]) -> dict[str, Any]:
    """Run the load in a process of its own, on the other core, and return what it measured.

    Errors:
        RuntimeError: it failed, took too long, or an order was refused: that is not a figure.
    """
    command = [sys.executable, "-m", "exchange.services.bench_gateway.load"]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        pin(process.pid, 1)
        try:
            out, _ = process.communicate(json.dumps(plan), LOAD_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"the load took more than {LOAD_TIMEOUT_S:.0f} s") from None
    if process.returncode:
        raise RuntimeError(f"the load ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']} orders were refused, the first: {found['refusal']}")
    return found
