"""The `wellhead` command line."""

import sys


def main() -> None:
    """Run the command that the arguments name, and end with its exit code."""
    from wellhead.cli.app import run

    sys.exit(run(sys.argv[1:]))
