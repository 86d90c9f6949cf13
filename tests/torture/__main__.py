"""`python -m tests.torture --kills 60 --seed 1`: a storm in a folder of its own."""

import argparse
import asyncio
import sys

from tests.support.postgres import data_folder
from tests.torture.exchange import Exchange
from tests.torture.storm import Storm

LOG_SHOWN = 6000  # the end of the node's log when a storm breaks off


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with data_folder() as folder:
        exchange = Exchange(folder)
        try:
            report = asyncio.run(Storm(exchange, options.seed).run(options.kills))
        except BaseException:
            print(exchange.node.log()[-LOG_SHOWN:])
            raise
        finally:
            exchange.bury()
    print(report.line())
    print("\n".join(report.found))
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
