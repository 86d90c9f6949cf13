"""Runs one engine once, in a process of its own: `python child.py ADAPTER FEED TRADES SECONDS`.

An adapter is a module with a class `Book`: `add(order_id, side, price, quantity)`,
`cancel(order_id)`, and `trades()` for afterwards: (taker, maker, price, quantity) by the ids that
were given. An adapter that has `prepare(commands)` instead gets everything at once, returns
pieces of (count, argument), and is timed in `apply(argument)` for each.

Nothing of our own is imported here: this also runs where only the other engine is installed.
Prints a JSON document for each thousand commands, so that it is known how far an engine came that
never returns; the trades go to the file TRADES, four little-endian int64 each.
"""

import gc
import importlib.util
import json
import struct
import sys
from array import array
from pathlib import Path
from time import perf_counter_ns
from typing import Any

HEADER_SIZE = 32
ROW = struct.Struct("<BBHIii")
SLICE = 1000  # commands between two looks at the time that is left
CANCEL = 1


def read(path: Path) -> list[tuple[int, int, int, int, int]]:
    """Return the commands of a feed: kind, order id, side, price, quantity."""
    rows = ROW.iter_unpack(path.read_bytes()[HEADER_SIZE:])
    return [
        (kind, order_id, side, price, quantity) for kind, side, _, order_id, price, quantity in rows
    ]


def load(path: Path) -> Any:
    """Return the module of an adapter."""
    spec = importlib.util.spec_from_file_location(f"adapter_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tell(commands: int, refused: int, ns: int) -> None:
    """Print how far the run is."""
    print(json.dumps({"commands": commands, "refused": refused, "ns": ns}), flush=True)


def run(book: Any, commands: list[Any], limit_ns: int) -> None:
    """Run commands one call each until they or the time are up."""
    add, cancel = book.add, book.cancel
    done = refused = used_ns = 0
    while done < len(commands) and used_ns < limit_ns:
        piece = commands[done : done + SLICE]
        begun_ns = perf_counter_ns()
        for kind, order_id, side, price, quantity in piece:
            try:
                if kind == CANCEL:
                    cancel(order_id)
                else:
                    add(order_id, side, price, quantity)
            except Exception:  # noqa: BLE001 every engine has errors of its own
                refused += 1
        used_ns += perf_counter_ns() - begun_ns
        done += len(piece)
        tell(done, refused, used_ns)


def run_pieces(book: Any, commands: list[Any], limit_ns: int) -> None:
    """Run commands in the pieces that the adapter made, until they or the time are up."""
    pieces = book.prepare(commands)
    gc.collect()
    done = used_ns = 0
    for count, argument in pieces:
        if used_ns >= limit_ns:
            break
        begun_ns = perf_counter_ns()
        book.apply(argument)
        used_ns += perf_counter_ns() - begun_ns
        done += count
    tell(done, 0, used_ns)


def main(arguments: list[str]) -> None:
    """Run, print the times, write the trades."""
    adapter, feed, trades, seconds = arguments
    commands = read(Path(feed))
    book = load(Path(adapter)).Book()
    gc.collect()
    runs = run_pieces if hasattr(book, "prepare") else run
    runs(book, commands, int(float(seconds) * 1e9))
    numbers = array("q", (int(part) for trade in book.trades() for part in trade))
    if sys.byteorder == "big":
        numbers.byteswap()
    Path(trades).write_bytes(numbers.tobytes())


if __name__ == "__main__":
    main(sys.argv[1:])
