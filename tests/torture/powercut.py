"""A power cut: what was written and not synced is gone, all of it or a random tail of each file.

`powercut.c`, preloaded, logs what every unsynced write covered; here those bytes are put back.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

SOURCE: Final = Path(__file__).with_name("powercut.c")
_ENTRY: Final = struct.Struct("<3q")  # offset, bytes held, size of the file before
_DURABLE: Final = -1  # in the place of that size


class Write(NamedTuple):
    """One write: never synced, with what it covered; or synced by itself, with what it wrote."""

    offset: int
    size_before: int
    held: bytes

    @property
    def is_durable(self) -> bool:
        """Say whether no power cut takes it back."""
        return self.size_before == _DURABLE


def compiler() -> str | None:
    """Return a C compiler, None if this machine has none."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


class PowerCut:
    """Watches the files below a folder from now on; `cut` takes what was not synced."""

    def __init__(self, folder: Path, watched: Path) -> None:
        """Compile the watcher into `folder`, for the files of `watched`."""
        self._watched = watched
        self._logs = folder / "unsynced"
        self._logs.mkdir()
        self._logs.chmod(0o777)  # Postgres may run as another user
        self._library = folder / "powercut.so"
        program = compiler()
        assert program is not None
        command = [program, "-O1", "-shared", "-fPIC", "-o", self._library, SOURCE, "-ldl"]
        subprocess.run(command, check=True, timeout=60)

    @property
    def environment(self) -> dict[str, str]:
        """Return what a program must be started with to be watched."""
        return {
            "LD_PRELOAD": str(self._library),
            "POWERCUT_ROOT": str(self._watched.resolve()),
            "POWERCUT_LOG": str(self._logs),
        }

    def cut(self, random: Random) -> int:
        """Take unsynced writes back; whoever wrote has been killed. Return how many were lost."""
        files = {path.stat().st_ino: path for path in self._watched.rglob("*") if path.is_file()}
        lost = 0
        everything = random.random() < 0.5
        for log in sorted(self._logs.iterdir()):
            writes = list(_writes(log.read_bytes()))
            kept = 0 if everything else random.randint(0, len(writes))
            path = files.get(int(log.name))
            if path is not None:
                _take_back(path, writes[kept:])
                lost += sum(not write.is_durable for write in writes[kept:])
            log.unlink()
        return lost


def _writes(raw: bytes) -> Iterator[Write]:
    """Yield the entries of a log; the last may be cut off, then its write never began."""
    place = 0
    while place + _ENTRY.size <= len(raw):
        offset, held, size_before = _ENTRY.unpack_from(raw, place)
        place += _ENTRY.size
        if place + held > len(raw):
            return
        yield Write(offset, size_before, raw[place : place + held])
        place += held


def _take_back(path: Path, writes: list[Write]) -> None:
    """Put back what was there before these writes, the last first, but for the durable ones."""
    with path.open("r+b") as file:
        for write in reversed(writes):
            if not write.is_durable:
                os.pwrite(file.fileno(), write.held, write.offset)
                if os.fstat(file.fileno()).st_size > write.size_before:
                    os.ftruncate(file.fileno(), write.size_before)
        for write in writes:
            if write.is_durable:
                os.pwrite(file.fileno(), write.held, write.offset)
