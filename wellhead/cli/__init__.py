"""The `wellhead` command line."""

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from wellhead.cli.exits import Exit

# numba says this of records, in a page of types, while kernels compile: nothing to act on.
COMPILER_TALK = r"(?s).* has been considered a subtype of "


def main() -> None:
    """Run the command that the arguments name, and end with its exit code."""
    with interruptible():
        from wellhead.cli.app import run

    quiet_the_compiler()
    sys.exit(run(sys.argv[1:]))


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process while modules load: some of them swallow KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(Exit.INTERRUPTED))
    try:
        yield  # nothing is open or begun yet
    finally:
        signal.signal(signal.SIGINT, before)


def quiet_the_compiler() -> None:
    """Keep the compiler's own remarks from the terminal; other warnings are shown."""
    warnings.filterwarnings("ignore", message=COMPILER_TALK)
