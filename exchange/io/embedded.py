"""A Postgres of our own, under the data folder: started, watched and stopped by us.

It listens on a unix socket in a folder that only its user may enter, nowhere else. If we die it
is told to stop; if it dies it is started again. Only the holder of the `DataFolder` may use it.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog

from exchange.io import lowly, pg_orphans
from exchange.io.errors import Corrupt, PostgresFailed
from exchange.io.pg_binaries import Binaries, find_binaries

OWNER: Final = "wellhead_owner"
DATABASE: Final = "postgres"
PORT: Final = 5432  # only a part of the socket's name
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 60.0
RETRY_S: Final = 1.0
_SOCKET_PATH_MAX: Final = 100  # a unix socket's name has 107 bytes
_LOG_BYTES_MAX: Final = 16 << 20
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """One cluster in one folder. `start` and `stop` block; `watch` is for the event loop."""

    def __init__(self, folder: Path, user_name: str = "nobody") -> None:
        self._folder = folder.absolute()
        self._user = lowly.lowly_user(user_name)
        self._home = self._folder / "postgres"
        self._socket = self._home / "run"
        self._binaries: Binaries | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the server's process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        """Return the file the server writes its messages to."""
        return self._home / "postgres.log"

    def url(self, user: str = OWNER) -> str:
        """Return the address of the database for one of its users."""
        return f"postgresql://{user}@/{DATABASE}?host={quote(str(self._socket))}&port={PORT}"

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Start the server, making the cluster the first time; return when it takes connections.

        Errors:
            PostgresMissing: there are no programs to run.
            PostgresFailed: it did not start; the message has the end of its log.
        """
        self._home = self._make_home()
        self._socket = self._make_socket_folder()
        data = self._home / "data"
        self._binaries = find_binaries(self._home, self._version_text, _version_of(data))
        if not data.exists():
            progress("making the database")
            self._init(data)
        pg_orphans.end_server(data)
        progress("starting the database")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._try_start(data, deadline):
            if time.monotonic() > deadline:
                raise PostgresFailed(f"Postgres did not start:\n{explained(self._log_tail())}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server cleanly; afterwards nothing of it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
            process.send_signal(how)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                _log.warning("postgres_stop_slow", signal=how.name)
            else:
                return

    async def watch(self) -> None:
        """Start the server again whenever it ends by itself; runs until cancelled.

        Errors:
            Corrupt: its data are gone.
        """
        data = self._home / "data"
        while True:
            await asyncio.sleep(0.1)
            if self._process is None or self._process.poll() is None:
                continue
            try:
                self._start_again(data, self._process.returncode)
            except OSError as error:  # no more files, processes, memory
                _log.error("postgres_not_started", error=repr(error))
                await asyncio.sleep(RETRY_S)

    def _start_again(self, data: Path, status: int) -> None:
        if _version_of(data) is None:
            raise Corrupt(f"{data} is gone: somebody removed the database while its server ran")
        if not pg_orphans.pids_in(data):  # else children of the last one still end
            _log.error("postgres_died", status=status)
            pg_orphans.forget_server(data, self._socket)
            self._process = self._spawn(data)

    def _try_start(self, data: Path, deadline: float) -> bool:
        """Start the server and wait until it is ready; False if it ended, as after a crash."""
        pg_orphans.forget_server(data, self._socket)
        process = self._process = self._spawn(data)
        while not _is_ready(data, process.pid):
            if process.poll() is not None:
                self._process = None
                return False
            if time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(0.005)
        return True

    def _spawn(self, data: Path) -> subprocess.Popen[bytes]:
        assert self._binaries is not None
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        settings = [part for k, v in _SETTINGS.items() for part in ("-c", f"{k}={v}")]
        command: list[str | Path] = [self._binaries.postgres, "-D", data, "-k", self._socket]
        with self.log_path.open("ab") as log:
            return lowly.popen(
                [*command, "-p", str(PORT), *settings], self._user, cwd=data, output=log
            )

    def _init(self, data: Path) -> None:
        """Make a cluster beside its place first, so that a crash leaves no half of one."""
        assert self._binaries is not None
        for left in data.parent.glob("data.partial*"):  # of starts that were killed
            shutil.rmtree(left, ignore_errors=True)
        # Of our own: who made another may still be ending, and takes it away then.
        partial = data.with_name(f"data.partial.{os.getpid()}")
        partial.mkdir(mode=0o700)
        self._user.own(partial)
        options = ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        command: list[str | Path] = [self._binaries.initdb, "-D", partial, "-U", OWNER]
        command += ["--data-checksums", *options]
        result = lowly.run(command, self._user, cwd=self._home)
        if result.returncode != 0:
            said = explained(result.stdout + result.stderr)
            raise PostgresFailed(f"cannot make a database:\n{said}")
        partial.rename(data)

    def _version_text(self, program: Path) -> str | None:
        """Return what PROGRAM --version prints for the cluster's user, None if it may not run."""
        try:
            result = lowly.run([program, "--version"], self._user, cwd=Path("/"))
        except PermissionError:
            return None
        return result.stdout if result.returncode == 0 else None

    def _make_home(self) -> Path:
        """Return the folder of the cluster: in the data folder, if its user can get there."""
        home = self._folder / "postgres"
        if not self._user.can_enter(home):
            home = self._home_elsewhere()
        home.mkdir(mode=0o755 if self._user.changes else 0o700, exist_ok=True)
        return home

    def _home_elsewhere(self) -> Path:
        """Return a folder outside, remembered by a link in the data folder."""
        link = self._folder / "postgres-elsewhere"
        if not link.is_symlink():
            home = Path("/var/lib/wellhead") / uuid.uuid4().hex
            home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            link.symlink_to(home)
        return link.readlink()

    def _make_socket_folder(self) -> Path:
        """Return a folder only the server's user may enter, with a name short enough."""
        folder = self._home / "run"
        if len(os.fsencode(folder)) > _SOCKET_PATH_MAX - len("/.s.PGSQL.5432"):
            name = hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()
            folder = Path(tempfile.gettempdir()) / f"wellhead-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._user.own(folder)
        status = folder.lstat()
        if status.st_uid != self._user.uid or status.st_mode & 0o077:
            raise PostgresFailed(f"{folder} must be a folder that only Postgres' user can enter")
        return folder

    def _log_tail(self) -> str:
        try:
            return self.log_path.read_bytes()[-2000:].decode(errors="replace")
        except OSError as error:
            return f"(no log: {error})"


def explained(said: str) -> str:
    """Return what Postgres said, with what to do where its words do not say that."""
    if "shared memory" in said and "No space left" in said:
        said += "\n/dev/shm is too small: give Postgres 64 MB there (docker: --shm-size=64m)"
    return said


def _version_of(data: Path) -> int | None:
    """Return the major version that made a cluster, None if there is no cluster."""
    file = data / "PG_VERSION"
    return int(file.read_text()) if file.exists() else None


def _is_ready(data: Path, pid: int) -> bool:
    """Say whether the server takes connections; its last pid-file line says so."""
    lines = pg_orphans.pid_file_lines(data)
    return len(lines) >= 8 and int(lines[0]) == pid and lines[7].strip() == "ready"
