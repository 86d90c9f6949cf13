"""A follower of the journal as a child process: started again when it ends, told of its growth."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

import structlog

from exchange.config import Settings
from exchange.io import lowly
from exchange.io.db import Database
from exchange.io.follower_main import EXIT_CORRUPT

RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 5.0
GOOD_S: Final = 30.0  # one that ran so long was well
STOP_TIMEOUT_S: Final = 10.0
LOOK_S: Final = 0.1
WAKE_EVERY_S: Final = 0.02  # it gathers batches anyway, and each wake takes its processor's time

_log = structlog.get_logger(__name__)


def log_environment(settings: Settings) -> dict[str, str]:
    """Return what tells a child to log where its parent does."""
    file = settings.log_file
    return {} if file is None else {"WELLHEAD_LOG_FILE": str(file.absolute())}


class FollowerChild:
    """`start` it in the main thread; `watch` keeps it running."""

    def __init__(
        self, database: Database, name: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Take the package of `exchange.services` of that name; it sees `environment` as well."""
        self._environment = environment
        self._database = database
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._woken: asyncio.TimerHandle | None = None  # until it may be woken again
        self._wake_due = False
        self.is_corrupt = False  # it found a contradiction: a person must look

    @property
    def pid(self) -> int | None:
        """Return its process id."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process; it ends when we do, however we end."""
        environment = {
            **os.environ, **self._environment, "WELLHEAD_DATABASE_URL": self._database.app_url,
        }  # fmt: skip
        embedded = [] if self._database.nice is None else ["--embedded"]
        self._started_s = asyncio.get_running_loop().time()
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"exchange.services.{self._name}", "--child", *embedded],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for us alone
            preexec_fn=lowly.die_with_parent(signal.SIGTERM),
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)

    def try_start(self) -> bool:
        """Start the process; say whether that was done, for the system may have no room for it."""
        try:
            self.start()
        except OSError as error:  # no more files, processes, memory
            _log.error("follower_not_started", follower=self._name, error=repr(error))
            return False
        return True

    def wake(self) -> None:
        """Say that the journal grew: at once, or soon when that was said a moment ago."""
        if self._woken is not None:
            self._wake_due = True
            return
        self._woken = asyncio.get_running_loop().call_later(WAKE_EVERY_S, self._rested)
        self._say()

    def _rested(self) -> None:
        self._woken = None
        if self._wake_due:
            self._wake_due = False
            self.wake()

    def _say(self) -> None:
        if self._process is None or self._process.stdin is None or self._process.stdin.closed:
            return
        # A full pipe says so already; a broken one is mended by `watch`.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._process.stdin.fileno(), b"\n")

    async def watch(self) -> None:
        """Start it again whenever it ends by itself; runs until cancelled."""
        retry_s, told = RETRY_FIRST_S, None
        while True:
            await asyncio.sleep(LOOK_S)
            if self._process is None or self._process.poll() is None:
                continue
            if self._process is not told:  # the same again where no other could be started
                told = self._process
                _log.error("follower_died", follower=self._name, status=told.returncode)
            if self._process.returncode == EXIT_CORRUPT:
                self.is_corrupt = True
                return
            if asyncio.get_running_loop().time() - self._started_s > GOOD_S:
                retry_s = RETRY_FIRST_S
            await asyncio.sleep(retry_s)
            retry_s = min(RETRY_MAX_S, 2 * retry_s)
            self._close_pipe()
            self.try_start()  # if it was not, the one that ended is looked at again

    async def end(self) -> None:
        """Let it finish its transaction and end."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _log.warning("follower_killed", follower=self._name)
            process.kill()
            process.wait()

    def _close_pipe(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
