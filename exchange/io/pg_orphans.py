"""What an earlier Postgres left behind: processes that still end, and files that name them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from exchange.io.errors import PostgresFailed

END_TIMEOUT_S: Final = 60.0


def pid_file_lines(data: Path) -> list[str]:
    """Return the lines of postmaster.pid, none if it is not there."""
    with suppress(OSError):
        return (data / "postmaster.pid").read_text().splitlines()
    return []


def end_server(data: Path) -> None:
    """End what still runs on a cluster; the caller holds the lock, so nobody else wants it.

    Errors:
        PostgresFailed: something would not end.
    """
    for how in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + END_TIMEOUT_S / 2
        server = server_pid(data)
        if server is not None:
            with suppress(ProcessLookupError):
                os.kill(server, how)
        while pids := pids_in(data):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        if not pids:
            return
    raise PostgresFailed(f"processes {pids} still run on {data}; end them first")


def server_pid(data: Path) -> int | None:
    """Return the server that works on the cluster, None if its pid file names nobody's."""
    lines = pid_file_lines(data)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    return pid if pid in pids_in(data) else None


def pids_in(data: Path) -> list[int]:
    """Return the processes of Postgres whose working folder is the cluster."""
    if sys.platform != "linux":
        return _pids_by_ps(data)
    here = os.path.realpath(data)
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # It has ended, or is another user's. Whatever else hides a process must not be taken
            # for its end: no file may be open any more, say.
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if os.readlink(f"/proc/{entry}/cwd") == here and not _is_zombie(entry):
                    found.append(int(entry))
    return found


def forget_server(data: Path, socket_folder: Path) -> None:
    """Remove the files that name an earlier server, so that a reused process id cannot block us."""
    if pids_in(data):
        return  # the new server will say that the old one runs
    for path in (data / "postmaster.pid", *socket_folder.glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def _is_zombie(pid: str) -> bool:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def _pids_by_ps(data: Path) -> list[int]:
    """Return the server named by the pid file, where there is no /proc to ask."""
    lines = pid_file_lines(data)
    if not lines or not lines[0].isdigit():
        return []
    command = ["ps", "-o", "comm=", "-p", lines[0]]
    result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return [int(lines[0])] if "postgres" in result.stdout else []
