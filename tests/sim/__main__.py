"""`python -m tests.sim`: run seeds, print what they did, stop at the first disagreement."""

import argparse
import random
import sys
import time
from collections import Counter

from matching.codes import Code
from tests.sim.everybody import everybody, everybody_and_readers
from tests.sim.followers import Disagreement
from tests.sim.progress import Progress
from tests.sim.run import simulate


def main(argv: list[str] | None = None) -> int:
    """Run the simulator; 1 when engine, oracle and mirror did not agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat this run (default: a fresh seed)")
    parser.add_argument("--commands", type=int, default=20_000, help="commands in a run")
    parser.add_argument("--minutes", type=float, help="go on with fresh seeds for so long")
    parser.add_argument("--total", type=int, help="go on with fresh seeds for so many commands")
    parser.add_argument("--codes", action="store_true", help="say how often each code occurred")
    parser.add_argument("--readers", action="store_true", help="clearing and market data, too")
    args = parser.parse_args(argv)
    followers = everybody_and_readers if args.readers else everybody
    seed = random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed
    began = time.monotonic()
    ends = began + 60 * (args.minutes or 0)
    progress = Progress(args.total)
    codes: Counter[int] = Counter()
    while True:
        try:
            report = simulate(seed, progress.next_run(args.commands), followers)
        except Disagreement as found:
            print(found, file=sys.stderr)
            return 1
        print(report.line(), flush=True)
        codes.update(report.codes)
        seed += 1
        progress.add(report.commands)
        now = time.monotonic()
        if args.minutes or args.total:
            print(progress.line(now - began, seed), flush=True)
        if progress.is_done or (now >= ends and (args.minutes or not args.total)):
            break
    if args.codes:
        for code in Code:
            print(f"{codes[code]:9} {code.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
