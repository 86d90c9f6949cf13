"""The data folder belongs to one instance at a time."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.io.errors import AlreadyRunning, StartRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a running instance says about itself in its data folder."""

    pid: int
    database_url: str | None = None
    api_url: str | None = None


class DataFolder:
    """Holds the lock of a data folder; the kernel releases it however this process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_fd: int | None = None
        self._api_url: str | None = None

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.unlock()

    def lock(self) -> None:
        """Take the folder, making it if need be.

        Errors:
            AlreadyRunning: another process has it.
            StartRefused: it cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path / "instance.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StartRefused(f"cannot use the data folder {self.path}: {error}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _parse(os.read(fd, 4096))
            os.close(fd)
            pid = f"process {holder.pid}" if holder else "another process"
            raise AlreadyRunning(
                f"{pid} already runs on the data folder {self.path}; stop it first, or choose"
                " another folder with WELLHEAD_DATA_DIR"
            ) from error
        self._lock_fd = fd
        self.describe(Instance(pid=os.getpid()))

    def describe(self, instance: Instance) -> None:
        """Write what others may want to know into the lock file."""
        assert self._lock_fd is not None, "the folder is not locked"
        text = json.dumps(
            {
                "pid": instance.pid,
                "database_url": instance.database_url,
                "api_url": instance.api_url,
            }
        )
        self._api_url = instance.api_url
        self._write(text)

    def unlock(self) -> None:
        """Release the folder, saying where its API was; without the lock it does nothing."""
        if self._lock_fd is not None:
            left = {"pid": None, "api_url": None, "last_api_url": self._api_url}
            self._write(json.dumps(left) if self._api_url else "")
            os.close(self._lock_fd)
            self._lock_fd = None

    def _write(self, text: str) -> None:
        assert self._lock_fd is not None, "the folder is not locked"
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, text.encode(), 0)


def running_instance(path: Path) -> Instance | None:
    """Return the instance that works on a data folder now, or None."""
    try:
        fd = os.open(path / "instance.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.read(fd, 4096))
    else:
        return None
    finally:
        os.close(fd)


def _parse(raw: bytes) -> Instance | None:
    """Return what `describe` wrote; None while it is being written."""
    try:
        fields = json.loads(raw)
        return Instance(
            pid=int(fields["pid"]),
            database_url=fields["database_url"],
            api_url=fields["api_url"],
        )
    except (ValueError, KeyError, TypeError):
        return None
