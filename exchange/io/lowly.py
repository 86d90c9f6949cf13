"""What the system gives a process: its user, its end with its parent, its files."""

import ctypes
import os
import pwd
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from exchange.io.errors import StartRefused

OPEN_FILES: Final = 65_536
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class User:
    """Whom a child process runs as."""

    uid: int
    gid: int
    changes: bool  # False: we are that user already

    def own(self, path: Path) -> None:
        """Give a file or folder to the user."""
        if self.changes:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_enter(self, path: Path) -> bool:
        """Say whether the user can go through every folder above `path`."""
        if not self.changes:
            return True
        return all(_enterable(folder, self) for folder in path.absolute().parents)


def lowly_user(name: str) -> User:
    """Return ourselves, or the user called `name` when we are root.

    Errors:
        StartRefused: there is no such user, or it is root.
    """
    if os.geteuid() != 0:
        return User(os.geteuid(), os.getegid(), False)
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise StartRefused(
            f"Postgres does not run as root, and there is no user {name!r}; name one with"
            " WELLHEAD_POSTGRES_USER"
        ) from error
    if entry.pw_uid == 0:
        raise StartRefused(f"Postgres does not run as root, which the user {name!r} is")
    return User(entry.pw_uid, entry.pw_gid, True)


def popen(
    command: list[str | Path], user: User, *, cwd: Path, output: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    """Start a program that is told to stop (SIGINT) when this process dies.

    Linux sends the signal when the *thread* that started it ends, so this must be the main one.
    """
    assert threading.current_thread() is threading.main_thread(), "start it in the main thread"
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=_environment(),
        start_new_session=True,  # Ctrl-C in the terminal is for us alone
        preexec_fn=die_with_parent(signal.SIGINT),
        user=user.uid if user.changes else None,
        group=user.gid if user.changes else None,
        extra_groups=[] if user.changes else None,
    )


def run(command: list[str | Path], user: User, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, or ours, and return what it printed."""
    return subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=_environment(),
        start_new_session=True,  # Ctrl-C in the terminal is for us alone
        preexec_fn=die_with_parent(signal.SIGTERM),
        user=user.uid if user.changes else None,
        group=user.gid if user.changes else None,
        extra_groups=[] if user.changes else None,
    )


def die_with_parent(how: signal.Signals) -> Callable[[], None]:
    """Return what a child must call before exec to be sent `how` when its parent dies."""
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def arm() -> None:
        if libc is not None:
            # A shell starts what it puts in the background with SIGINT ignored; exec keeps that.
            signal.signal(how, signal.SIG_DFL)
            libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
            if os.getppid() != parent:  # it died before we armed
                os.kill(os.getpid(), how)

    return arm


def allow_open_files(most: int = OPEN_FILES) -> int:
    """Let this process have so many files and connections open, or as many as it may; return that.

    Many systems start programs with 256 or 1,024, which that many clients use up: then nothing more
    can be opened, a connection to the database neither.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # a system with a limit of its own beyond these
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _environment() -> dict[str, str]:
    """Return ours, without what would steer Postgres."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))} | {
        "LC_ALL": "C"
    }


def _enterable(folder: Path, user: User) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
