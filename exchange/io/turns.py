"""Whose turn it is on the processor: who trades comes before who looks back.

Linux lets a process run on for milliseconds while another that was just woken waits for the same
processor, whatever their priorities, unless the latter takes short turns. All this is a courtesy:
where the system knows nothing of it, or does not let us, everything goes on without.
"""

import ctypes
import os
import platform
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

SHORT_TURN_NS: Final = 100_000  # the least that Linux takes
GROUP_TRIES: Final = 10
GROUP_PAUSE_S: Final = 0.12  # Linux lets a user change one session in a tenth of a second

_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES: Final = struct.Struct("=IIQiIQQQ")  # sched_setattr(2), in its first version
_SCHED_OTHER: Final = 0
_RESET_ON_FORK: Final = 1  # for this one alone, not for what it starts


def give_way(nice: int, pid: int = 0) -> None:
    """Let other processes have the processor first; 1 a little, 19 wholly.

    Args:
        pid: of one of our own processes, with one thread; 0 for this one. May take a second.
    """
    with suppress(OSError):  # it has ended, or is not ours
        nice = max(nice, os.getpriority(os.PRIO_PROCESS, pid))
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        if os.getsid(pid) == (pid or os.getpid()):
            # Linux may share the processor between sessions: one alone in its own heeds this only.
            _group_gives_way(Path(f"/proc/{pid or 'self'}/autogroup"), nice)


def _group_gives_way(group: Path, nice: int) -> None:
    for _ in range(GROUP_TRIES):
        try:
            group.write_text(str(nice))
        except BlockingIOError:  # another was changed just now
            time.sleep(GROUP_PAUSE_S)
        else:
            return


def take_short_turns(pid: int = 0) -> bool:
    """Have a process run soon when it is woken, for a short while; say whether Linux was asked.

    Before 6.12 it heeds nothing of it. Who was given a priority by an operator keeps that alone.

    Args:
        pid: of a thread of ours; 0 for this one.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    try:
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        policy = os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
        if policy != _SCHED_OTHER or nice < 0:
            return False
    except OSError:
        return False
    size = _ATTRIBUTES.size
    said = _ATTRIBUTES.pack(size, _SCHED_OTHER, _RESET_ON_FORK, nice, 0, SHORT_TURN_NS, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, pid, said, 0) == 0)
