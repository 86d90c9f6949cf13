"""What every engine runs: limit orders, and cancellations of orders that rest.

Made from an order feed: an immediate order is a limit order and a cancellation of what is left of
it, a replacement is a cancellation and a new order, and so is a reduction. What names an order
that is gone is left out. So any engine that knows two calls can run it, and trades can be compared
one for one.
"""

import csv
import lzma
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from exchange.services.replay import FeedError, Header, open_feed, read_chunks, read_header
from matching.feed import ADD, CANCEL, IMMEDIATE, REDUCE, REPLACE
from tools.peers.plain import Book, Trade

ROW = struct.Struct("<BBHIii")  # of a feed
HEADER = struct.Struct("<4sIQIIii")
PRICE_MAX = (1 << 16) - 1
Command = tuple[int, int, int, int, int]  # 0 add or 1 cancel, order id, side, price, quantity
FeedRow = tuple[int, int, int, int, int, int]  # as in the file


@dataclass(frozen=True, slots=True)
class Workload:
    """Commands, and the trades that they must give."""

    name: str
    header: Header
    commands: list[Command]
    trades: list[Trade]
    trades_before: list[int]  # by command: how many trades are expected before it

    def raw(self) -> bytes:
        """Return the commands as the bytes of a feed."""
        low, high = self.header.price_ticks_min, self.header.price_ticks_max
        head = HEADER.pack(
            b"HMF1", 1, len(self.commands), 1, self.header.feed_id_max, low, high
        )  # fmt: skip
        rows = (
            ROW.pack(kind, side, 0, order_id, price, quantity)
            for kind, order_id, side, price, quantity in self.commands
        )
        return head + b"".join(rows)


def load(path: Path, count: int | None) -> Workload:
    """Return the workload of a feed's first commands.

    Errors:
        FeedError: it is no feed, is damaged, has several books, or gives other trades than those
            published beside it.
        OSError: it cannot be read.
    """
    try:
        with open_feed(path) as file:
            header = read_header(file)
            if header.instruments != 1:
                raise FeedError(f"it has {header.instruments} books; the engines are given one")
            if not 1 <= header.price_ticks_min <= header.price_ticks_max <= PRICE_MAX:
                raise FeedError(f"its prices are not all within 1..{PRICE_MAX}")
            every = (row for chunk in read_chunks(file, header) for row in chunk.tolist())
            rows: list[FeedRow] = list(islice(every, count))
        hold_published(path, rows)
    except (lzma.LZMAError, EOFError) as error:
        raise FeedError(f"it cannot be unpacked: {error}") from error
    name = path.name.removesuffix(".xz").removesuffix(".bin")
    return translate(name, header, rows)


def translate(name: str, header: Header, rows: Iterable[FeedRow]) -> Workload:
    """Return the workload that feed commands make."""
    book, commands, before = Book(), [], []
    for row in rows:
        for command in _plain(book, row):
            before.append(len(book.found))
            commands.append(command)
            kind, order_id, side, price, quantity = command
            if kind == CANCEL:
                book.cancel(order_id)
            else:
                book.add(order_id, side, price, quantity)
    return Workload(name, header, commands, book.trades(), before)


def _plain(book: Book, row: FeedRow) -> Iterator[Command]:
    """Yield the adds and cancellations that one feed command is, each applied before the next."""
    kind, side, _, order_id, price, quantity = row
    if kind not in (ADD, IMMEDIATE):
        order = book.live.get(order_id)
        if order is None:
            return
        yield CANCEL, order_id, order.side, order.price, 0
        if kind == REPLACE:
            yield ADD, order_id, order.side, price, quantity
        elif kind == REDUCE:
            yield ADD, order_id, order.side, order.price, quantity
        return
    yield ADD, order_id, side, price, quantity
    if kind == IMMEDIATE and order_id in book.live:
        yield CANCEL, order_id, side, price, 0


def as_published(rows: Iterable[FeedRow]) -> list[Trade]:
    """Return the trades of the feed's own commands, reductions in place."""
    book = Book()
    for kind, side, _, order_id, price, quantity in rows:
        if kind in (ADD, IMMEDIATE):
            if book.add(order_id, side, price, quantity) and kind == IMMEDIATE:
                book.cancel(order_id)
        elif (order := book.live.get(order_id)) is None:
            continue
        elif kind == REDUCE:
            book.reduce(order_id, quantity)
        else:
            book.cancel(order_id)
            if kind == REPLACE:
                book.add(order_id, order.side, price, quantity)
    return book.trades()


def hold_published(path: Path, rows: list[FeedRow]) -> None:
    """Hold the plain book against the trades published beside a feed, where there are any.

    Errors:
        FeedError: they differ.
    """
    beside = path.with_name(path.name.replace(".bin", ".trades.csv"))
    if not beside.exists():
        return
    found = as_published(rows)
    with lzma.open(beside, "rt") if beside.suffix == ".xz" else beside.open() as file:
        names = ("taker", "maker", "px", "qty")
        lines = islice(csv.DictReader(file), len(found))
        published = [tuple(int(line[name]) for name in names) for line in lines]
    if found != published:
        raise FeedError(f"the plain book gives other trades than {beside.name}")
