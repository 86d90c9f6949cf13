# ruff: noqa: T201 an example prints
"""Place, amend, cancel, trade: `python examples/first_order.py SYMBOL`.

Reads WELLHEAD_KEY, WELLHEAD_SECRET and WELLHEAD_URL.
"""

import os
import sys
from decimal import Decimal

from wellhead import Client, Refused, WellheadError


def walk(client: Client, symbol: str) -> None:
    """Walk through an order's life."""
    tick = client.instrument(symbol).tick_size
    with client.stream() as stream:
        book = stream.book(symbol).now()
    if not (book.bids and book.asks):
        sys.exit(f"{symbol} has no bids or no asks now: choose another of `wellhead contracts`")
    print(f"best bid {book.bids[0].price}, best ask {book.asks[0].price}, seq {book.seq}")

    placed = client.place(symbol, "buy", 3, book.bids[0].price - 10 * tick, post_only=True)
    print(f"placed   {placed.order.order_id} {placed.order.status} at {placed.order.price}")
    moved = client.amend(placed.order.order_id, price=placed.order.price + tick)
    print(f"amended  {moved.order.order_id} {moved.order.status} at {moved.order.price}")
    gone = client.cancel(placed.order.order_id)
    print(f"cancelled {gone.order_id}: {gone.reason}")

    taken = client.place(symbol, "buy", 1, type="market")
    for trade in taken.trades:
        print(f"bought   {trade.quantity} at {trade.price}")
    for position in client.positions(symbol=symbol):
        print(f"position {position.quantity} lots, entered at {position.average_entry_price}")

    try:
        client.place(symbol, "buy", 1, Decimal("64"))
    except Refused as error:
        print(f"refused  {error.code}")


def main(arguments: list[str]) -> None:
    """Read the environment, connect, walk; an error is one line."""
    if len(arguments) != 1:
        sys.exit("usage: python examples/first_order.py SYMBOL (one of `wellhead contracts`)")
    if not {"WELLHEAD_KEY", "WELLHEAD_SECRET"} <= os.environ.keys():
        sys.exit(
            "first paste the export lines that `make run` showed (.wellhead/profiles has them)"
        )
    url = os.environ.get("WELLHEAD_URL", "http://127.0.0.1:8080")
    try:
        with Client(url, os.environ["WELLHEAD_KEY"], os.environ["WELLHEAD_SECRET"]) as client:
            walk(client, arguments[0])
    except WellheadError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
