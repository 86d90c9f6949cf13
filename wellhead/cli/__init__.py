"""The `wellhead` command line."""

import sys
import warnings

# numba says this of records, in a page of types, while kernels compile: nothing to act on.
COMPILER_TALK = r"(?s).* has been considered a subtype of "


def main() -> None:
    """Run the command that the arguments name, and end with its exit code."""
    from wellhead.cli.app import run

    quiet_the_compiler()
    sys.exit(run(sys.argv[1:]))


def quiet_the_compiler() -> None:
    """Keep the compiler's own remarks from the terminal; other warnings are shown."""
    warnings.filterwarnings("ignore", message=COMPILER_TALK)
