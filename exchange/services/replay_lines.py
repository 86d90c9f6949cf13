"""Feeds of lines: one JSON object a command, run through the engine one after the other.

The lines open their own market: accounts, money, contracts. `write_lines` turns a binary feed into
lines that end in the same trades.
"""

import lzma
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO, cast

import numpy as np

from exchange.rules.feed_lines import REPLACE, LineError, Names, decoded, row_of
from exchange.rules.money import price_text
from exchange.services.replay import (
    CSV_HEADER,
    FEED_ID_MAX,
    FeedError,
    Header,
    open_feed,
    read_chunks,
    read_header,
)
from matching.codes import EventKind
from matching.engine import Engine, warm_up
from matching.feed import ADD, CANCEL, FEED_TRADE, HASH_START, IMMEDIATE, REDUCE, mix_trades
from matching.limits import QTY_LOTS_MAX, TRANSFER_USD_MICROS_MAX
from matching.state import Sizes

Tell = Callable[[str, int, int], None]
SUFFIXES: Final = (".jsonl", ".jsonl.xz")
TELL_EVERY: Final = 4096
OPENING: Final = frozenset({EventKind.ACCEPTED, EventKind.PROPOSED, EventKind.QUOTES_REQUESTED})
SIDES: Final = ("buy", "sell")


def is_lines(path: Path) -> bool:
    """Return whether a file's name says that it holds lines."""
    return path.name.endswith(SUFFIXES)


class LineRunner:
    """One feed of lines on its way through one engine."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        self.engine = Engine(sizes)
        self.names = Names()
        self.commands = self.refused = self.trades = self.qty_lots = self.kernel_ns = 0
        self.mixed = HASH_START
        self._sides: dict[str, int] = {}
        self._hash_ids: dict[int, int] = {}  # of an order, by its number in the core
        self._ts_ns = 1

    def run(self, text: str) -> list[tuple[int, ...]]:
        """Run a line and return its trades: place, taker, maker, price in ticks, lots.

        Errors:
            LineError: the line cannot be read.
        """
        line = decoded(text)
        replaces = line.get("kind") == REPLACE
        first = {key: line[key] for key in line if key not in ("price", "quantity", "symbol")}
        rows = row_of(first if replaces else line, self.names)
        own = str(line.get("order" if replaces else "id", ""))
        trades, taken = self._apply(rows, own)
        if replaces and taken:
            again = line | {"kind": "place", "id": own, "side": SIDES[self._sides[own]]}
            del again["order"]
            trades, taken = self._apply(row_of(again, self.names), own)
        self.refused += not taken
        self.commands += 1
        return trades

    def _apply(self, rows: np.ndarray, own: str) -> tuple[list[tuple[int, ...]], bool]:
        row = rows[0]
        if row["ts_ns"] == 0:
            row["ts_ns"] = self._ts_ns
        if row["ts_ns"] < self._ts_ns:
            raise LineError("ts_ns", f"before {self._ts_ns}, the time of an earlier line")
        self._ts_ns = int(row["ts_ns"])
        row["seq"] = self.engine.last_seq + 1
        begun_ns = time.perf_counter_ns()
        events = self.engine.apply(rows)
        self.kernel_ns += time.perf_counter_ns() - begun_ns
        reply = events[0]
        if own and reply["kind"] in OPENING:
            self.names.orders[own] = int(reply["order_id"])
            self._hash_ids[int(reply["order_id"])] = self._number(own)
            self._sides[own] = int(row["side"])
        return self._note(events), bool(reply["kind"] != EventKind.REFUSED)

    def _number(self, own: str) -> int:
        """Return an id as the trade hash has it: a whole number is itself."""
        if own.isascii() and own.isdigit() and int(own) < FEED_ID_MAX:
            return int(own)
        return FEED_ID_MAX + self.names.ids.setdefault(own, len(self.names.ids))

    def _note(self, events: np.ndarray) -> list[tuple[int, ...]]:
        """Mix the trades of the book into the hash; an order without an id counts as 0."""
        found = events[events["kind"] == EventKind.TRADE]
        if len(found) == 0:
            return []
        number = self._hash_ids
        trades = np.zeros(len(found), FEED_TRADE)
        trades["place"] = self.commands
        trades["taker"] = [number.get(order_id, 0) for order_id in found["order_id"].tolist()]
        trades["maker"] = [number.get(order_id, 0) for order_id in found["maker_order_id"].tolist()]
        trades["price_ticks"], trades["qty_lots"] = found["price_ticks"], found["qty_lots"]
        self.trades += len(trades)
        self.qty_lots += int(trades["qty_lots"].sum())
        self.mixed = int(mix_trades(trades, len(trades), self.mixed))
        return cast(list[tuple[int, ...]], trades.tolist())

    def result(self, all_ns: int) -> dict[str, Any]:
        """Return what is known at the end, under the names of a binary replay."""
        count = max(1, self.commands)
        return {
            "commands": self.commands,
            "refused": self.refused,
            "trades": self.trades,
            "qty": self.qty_lots,
            "trade_hash": f"{self.mixed & (2**64 - 1):016x}",
            "ns_per_command": round(self.kernel_ns / count, 2),
            "ns_per_command_in_all": round(all_ns / count, 2),
            "state_hash": self.engine.state_hash().hex(),
        }


def replay_lines(
    path: Path,
    *,
    trades_path: Path | None = None,
    sizes: Sizes | None = None,
    progress: Tell = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Run a feed of lines; return the figures of a replay.

    Errors:
        FeedError: a line cannot be read: its number, the field, and why.
        OSError: the file cannot be read, or the trades cannot be written.
    """
    warm_up(lambda _, done, total: progress("kernels", done, total))
    runner = LineRunner(sizes)
    csv = trades_path.open("w") if trades_path is not None else None
    begun_ns = time.perf_counter_ns()
    try:
        if csv is not None:
            csv.write(CSV_HEADER)
        with _open_lines(path) as file:
            for number, trades in _run_all(runner, file):
                if csv is not None:
                    csv.writelines(",".join(map(str, row)) + "\n" for row in trades)
                if number % TELL_EVERY == 0:
                    progress("commands", number, 0)
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise FeedError(f"it cannot be unpacked: {error}") from error
    finally:
        if csv is not None:
            csv.close()
    progress("commands", runner.commands, runner.commands)
    return runner.result(time.perf_counter_ns() - begun_ns)


def _open_lines(path: Path) -> TextIO:
    opened = lzma.open if path.suffix == ".xz" else Path.open
    return cast(TextIO, opened(path, "rt", encoding="utf-8"))


def _run_all(runner: LineRunner, file: TextIO) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    for number, text in enumerate(file, 1):
        if text.strip():
            try:
                yield number, runner.run(text)
            except LineError as error:
                raise FeedError(f"line {number}: {error}") from error


# Binary feeds as lines


def write_lines(path: Path, lines_path: Path, *, accounts: int = 1000) -> int:
    """Write a binary feed as lines, market and all; return how many.

    Errors:
        FeedError: the file is no feed, or damaged.
    """
    import json

    count = 0
    with open_feed(path) as file, lines_path.open("w") as out:
        for line in _lines_of(file, accounts):
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
            count += 1
    return count


def _lines_of(file: Any, accounts: int) -> Iterator[dict[str, Any]]:
    header = read_header(file)
    yield from _opening(header, accounts)
    seen: set[int] = set()
    for chunk in read_chunks(file, header):
        for op, side, instrument, feed_id, price_ticks, qty_lots in chunk.tolist():
            line: dict[str, Any] = {"account": f"a{feed_id % accounts}"}
            if op in (ADD, IMMEDIATE):
                line |= {"kind": "place", "id": str(feed_id), "symbol": f"I{instrument}",
                         "side": SIDES[side]}  # fmt: skip
                line |= {"tif": "IOC"} if op == IMMEDIATE else {}
                seen.add(feed_id)
            elif feed_id not in seen:
                yield line | {"kind": "cancel", "order_id": 0}  # the core refuses it, too
                continue
            else:
                kind = {CANCEL: "cancel", REDUCE: "amend"}.get(op, REPLACE)
                line |= {"kind": kind, "order": str(feed_id)}
            if op == REDUCE:
                line["open_quantity"] = str(qty_lots)
            elif op != CANCEL:
                line |= {"price": price_text(price_ticks), "quantity": str(qty_lots)}
            if line["kind"] == REPLACE:
                line["symbol"] = f"I{instrument}"
            yield line


def _opening(header: Header, accounts: int) -> Iterator[dict[str, Any]]:
    money = f"{TRANSFER_USD_MICROS_MAX // 10**6}.{TRANSFER_USD_MICROS_MAX % 10**6:06}"
    for idx in range(accounts):
        yield {"kind": "open_account", "account": f"a{idx}"}
        yield {"kind": "deposit", "account": f"a{idx}", "amount": money}
    for idx in range(header.instruments):
        yield {
            "kind": "list", "symbol": f"I{idx}", "price": price_text(header.mark_ticks),
            "tick_value": "0.000001", "quantity": str(QTY_LOTS_MAX), "state": "continuous",
        }  # fmt: skip
