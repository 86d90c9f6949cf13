"""`python -m tests.vectors DIR`: the cases of a folder through the real engine, or our rules.

Some rules are called by nothing in the exchange yet: docs/clearing.md names them.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.vectors.run import run_folder


def main(argv: list[str] | None = None) -> int:
    """Run the cases; 1 when one failed, 2 when there is no such folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="name every case")
    args = parser.parse_args(argv)
    if not args.folder.is_dir():
        print(f"no such folder: {args.folder}", file=sys.stderr)
        return 2
    count: Counter[str] = Counter()
    for outcome in run_folder(args.folder):
        count[outcome.result] += 1
        if args.verbose or outcome.result == "failed":
            reason = f": {outcome.reason}" if outcome.reason else ""
            print(f"{outcome.result:7} {outcome.name}{reason}")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
