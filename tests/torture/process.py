"""Processes of the exchange as a test starts, kills and buries them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MARK: Final = "TORTURE_FOLDER"  # in the environment of all that a test started, children too
WELLHEAD: Final = (sys.executable, "-c", "from wellhead.cli import main; main()")
START_TIMEOUT_S: Final = 240.0  # the first start on a machine compiles
STOP_TIMEOUT_S: Final = 120.0


class Failed(AssertionError):
    """A process did not do what it must; the message has the end of its log."""


class Process:
    """One program with its own log, in a session of its own so that signals are ours alone."""

    def __init__(
        self,
        folder: Path,
        name: str,
        command: Sequence[str | Path],
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.log_path = folder / f"{name}.log"
        self._command = [str(part) for part in command]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("WELLHEAD_")}
        if "WELLHEAD_CACHE_DIR" in os.environ:
            inherited["WELLHEAD_CACHE_DIR"] = os.environ["WELLHEAD_CACHE_DIR"]
        self._environment = {
            **inherited,
            **(environment or {}),
            MARK: str(folder),
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_hears_interrupts,
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Return its exit status, None while it runs."""
        return self._process.poll() if self._process else None

    def send(self, number: signal.Signals) -> None:
        """Signal it; nothing happens when it has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait until it ends and return its status."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self.failed(f"it still runs after {timeout_s} s") from None

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, as Ctrl-C does, and return its status."""
        self.send(number)
        return self.wait()

    def failed(self, what: str) -> Failed:
        """Return an error that shows the end of the log."""
        return Failed(f"{self.log_path.stem}: {what}\n{self.log()[-4000:]}")

    def log(self) -> str:
        """Return all it printed."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


def api_url_of(data: Path, pid: int) -> str | None:
    """Return what this very process wrote into the lock file of its data folder."""
    try:
        instance = json.loads((data / "instance.lock").read_text())
    except (OSError, ValueError):
        return None
    return instance["api_url"] if instance["pid"] == pid else None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment_of(pid: int) -> str:
    """Return the environment a process was started with, empty when it cannot be read."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    return ""


def command_of(pid: int) -> str:
    """Return the command line of a process, empty when it is gone or a zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    return ""


def works_in(pid: int, folder: Path) -> bool:
    """Say whether a process has its working folder there: Postgres overwrites its environment."""
    with suppress(OSError):
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder)
    return False


def started_for(folder: Path) -> dict[int, str]:
    """Return the processes that run because of a test's folder, children's children too."""
    mark = f"{MARK}={folder}"
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    ours = [p for p in pids if mark in environment_of(p).split("\0") or works_in(p, folder)]
    return {pid: line for pid in ours if (line := command_of(pid))}


def kill_pids(pids: Sequence[int]) -> None:
    """Kill processes that this test started."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_gone(folder: Path, timeout_s: float = 60.0) -> dict[int, str]:
    """Wait until nothing runs for a folder; return what still does."""
    deadline = time.monotonic() + timeout_s
    while (left := started_for(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _hears_interrupts() -> None:
    """Hear SIGINT at once, also where a shell started the tests in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
