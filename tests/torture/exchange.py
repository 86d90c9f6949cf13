"""The whole exchange in one data folder, as an operator starts it and as a machine ends it."""

import asyncio
import json
import signal
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
import httpx

from exchange.io.embedded import EmbeddedPostgres
from tests.torture.powercut import PowerCut
from tests.torture.process import (
    START_TIMEOUT_S,
    WELLHEAD,
    Failed,
    Process,
    api_url_of,
    kill_pids,
    started_for,
    wait_gone,
)
from wellhead.signing import Credentials

READY_POLL_S: Final = 0.02
# Small enough that kills fall into the writing of snapshots and hashes, and starts use them.
ENVIRONMENT: Final = {
    "WELLHEAD_PORT": "0",
    "WELLHEAD_OPENING_CALL_S": "0",  # trading begins at once
    "WELLHEAD_SNAPSHOT_EVERY_COMMANDS": "2000",
    "WELLHEAD_HASH_EVERY_COMMANDS": "500",
}


class Victim(StrEnum):
    """What is killed."""

    NODE = "node"
    CLEARING = "clearing"
    POSTGRES = "postgres"
    MACHINE = "machine"  # everything at once


class Exchange:
    """`wellhead serve` without roles: one node, clearing as its child, an embedded Postgres."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str] = (*WELLHEAD, "serve"),
        environment: dict[str, str] | None = None,
        *,
        power_fails: bool = False,
    ) -> None:
        """Prepare an exchange; with `power_fails` killing the machine takes unsynced writes."""
        self.folder = folder
        self.data = folder / "data"
        self._power = PowerCut(folder, self.data / "postgres" / "data") if power_fails else None
        settings = ENVIRONMENT | {"WELLHEAD_DATA_DIR": str(self.data)} | (environment or {})
        settings |= self._power.environment if self._power else {}
        self.node = Process(folder, "node", command, settings)
        self.url = ""
        self.start_s: list[float] = []  # how long each start took until it was ready
        self.lost_writes = 0  # that power cuts took

    async def start(self) -> None:
        """Start it and wait until it takes commands.

        Errors:
            Failed: it ended, or took too long.
        """
        begun_s = time.monotonic()
        self.node.start()
        await self.ready()
        self.start_s.append(time.monotonic() - begun_s)

    async def ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until it takes commands."""
        deadline = time.monotonic() + timeout_s
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as http:
            while not await self._is_ready(http):
                if self.node.status is not None:
                    raise self.node.failed(f"ended with {self.node.status}")
                if time.monotonic() > deadline:
                    raise self.node.failed(f"not ready after {timeout_s} s")
                await asyncio.sleep(READY_POLL_S)

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        url = api_url_of(self.data, self.node.pid)
        if url is None:
            return False
        self.url = url
        try:
            return (await http.get(f"{url}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    def pids(self, victim: Victim) -> list[int]:
        """Return the processes that make up a victim now; none while it does not run."""
        if victim == Victim.NODE:
            return [self.node.pid]
        lines = started_for(self.folder)
        if victim == Victim.MACHINE:
            return [self.node.pid, *lines]
        if victim == Victim.CLEARING:
            return [pid for pid, line in lines.items() if "clearing" in line]
        server = [pid for pid, line in lines.items() if "bin/postgres" in line]
        return server + [pid for pid, line in lines.items() if line.startswith("postgres: ")]

    def kill(self, pids: list[int]) -> None:
        """Kill at once.

        Errors:
            Failed: the node had ended before, by itself.
        """
        kill_pids(pids)
        if self.node.pid in pids and (status := self.node.wait()) != -signal.SIGKILL:
            raise self.node.failed(f"ended by itself with {status}")

    def cut_power(self, random: Random) -> None:
        """Take back what was not synced; everything has been killed."""
        if self._power is not None:
            self.lost_writes += self._power.cut(random)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it, as Ctrl-C does, and return its exit status.

        Errors:
            Failed: a process is left.
        """
        status = self.node.stop(number)
        if left := wait_gone(self.folder):
            raise Failed(f"still running after the node has ended: {left}")
        return status

    def bury(self) -> None:
        """Kill everything that still runs."""
        kill_pids(list(started_for(self.folder)))
        self.node.kill()

    def url_of(self, account_id: str) -> str:
        """Return where an account trades: there is one place."""
        return self.url

    def operator(self) -> Credentials:
        """Return the operator's key."""
        found = json.loads((self.data / "admin.json").read_text())
        return Credentials(found["key"], found["secret"])

    async def database(self) -> asyncpg.Connection:
        """Connect to its Postgres as the owner, waiting while that starts."""
        url = EmbeddedPostgres(self.data).url()
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(READY_POLL_S)

    async def command(self, *arguments: str, timeout_s: float = 120) -> tuple[int, str]:
        """Run `wellhead ...` on the same data folder; return its status and what it printed."""
        settings = {"WELLHEAD_DATA_DIR": str(self.data), "WELLHEAD_PORT": "0"}
        process = Process(self.folder, f"command-{arguments[0]}", (*WELLHEAD, *arguments), settings)
        before = len(process.log())
        process.start()
        status = await asyncio.to_thread(process.wait, timeout_s)
        return status, process.log()[before:]
