"""Commands that trade: order, amend, cancel, orders."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from wellhead import calls
from wellhead import types as wt
from wellhead.calls import Json, OrderOptions
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

if TYPE_CHECKING:
    from rich.console import RenderableType

ORDER_COLUMNS = (
    "order>", "client id", "symbol", "side", "lots>", "price>", "filled>", "left>", "average>",
    "status", "reason",
)  # fmt: skip

order = App(name="order", help="Place an order.")

Tif = Literal["GTC", "IOC", "FOK", "GTD", "GFA", "GFN"]
Stp = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement", "none"]


@Parameter(name="*", group="Order")
@dataclass(frozen=True, kw_only=True)
class OrderFlags:
    """What an order may say besides symbol, quantity and price."""

    market: bool = False
    """Take the best prices within the band; no PRICE then."""

    tif: Tif | None = None
    """How long it stands: GTC until cancelled, IOC and FOK at once, GTD until --expires-at."""

    post_only: bool = False
    """Refuse it rather than trade at once."""

    reduce_only: bool = False
    """Never open or increase a position."""

    stp: Stp | None = None
    """What happens when it meets an order of the same account."""

    client_id: str | None = None
    """A name of your own, 1 to 32 of A-Z a-z 0-9 . _ : - ; the same again is placed once."""

    expires_at: int | None = None
    """End of a GTD order, milliseconds since 1970."""

    def order_options(self) -> OrderOptions:
        """Return what was given, as the fields of an order."""
        found: OrderOptions = {"client_order_id": self.client_id}
        if self.market:
            found["type"] = "market"
        if self.tif:
            found["tif"] = self.tif
        if self.stp:
            found["stp"] = self.stp
        if self.post_only:
            found["post_only"] = True
        if self.reduce_only:
            found["reduce_only"] = True
        if self.expires_at is not None:
            found["expires_at"] = self.expires_at
        return found


NO_FLAGS = OrderFlags()


@order.command
def buy(
    symbol: str,
    quantity: str,
    price: str | None = None,
    /,
    *,
    flags: OrderFlags = NO_FLAGS,
    options: Remote = REMOTE,
) -> None:
    """Buy: wellhead order buy H100-USE-2027M03 3 2.150

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    quantity
        Lots: one is one GPU for every hour of the delivery period.
    price
        USD per GPU-hour, on a grid of 0.001.
    """
    _place("buy", symbol, quantity, price, flags, options)


@order.command
def sell(
    symbol: str,
    quantity: str,
    price: str | None = None,
    /,
    *,
    flags: OrderFlags = NO_FLAGS,
    options: Remote = REMOTE,
) -> None:
    """Sell: wellhead order sell H100-USE-2027M03 3 2.150

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    quantity
        Lots: one is one GPU for every hour of the delivery period.
    price
        USD per GPU-hour, on a grid of 0.001.
    """
    _place("sell", symbol, quantity, price, flags, options)


def _place(
    side: str, symbol: str, quantity: str, price: str | None, flags: OrderFlags, options: Remote
) -> None:
    if (price is None) != flags.market:
        raise CliError(Exit.USAGE, "usage", "give a PRICE, or --market and none")
    body = calls.new_order(symbol, side, quantity, price, flags.order_options())
    with options.trader() as client:
        _show_placed(*ask(client, calls.place(body)), options)


def _show_placed(placed: wt.Placed, answer: Json, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    out.show(_orders_table([placed.order]))
    if placed.duplicate:
        out.show("placed before: this is that order")
    if placed.trades:
        cells = ((t.side, t.quantity, t.price, t.role, t.trade_id) for t in placed.trades)
        out.show(out.table(("traded", "lots>", "price>", "role", "trade>"), cells))


def _orders_table(rows: list[wt.Order]) -> "RenderableType":
    cells = (
        (
            row.order_id,
            row.client_order_id,
            row.symbol,
            row.side,
            row.quantity,
            row.price,
            row.filled_quantity,
            row.remaining_quantity,
            row.average_price,
            row.status,
            row.reason,
        )
        for row in rows
    )
    return out.table(ORDER_COLUMNS, cells)


def amend(
    order_id: str | None = None,
    /,
    *,
    client_id: str | None = None,
    price: str | None = None,
    quantity: str | None = None,
    open_quantity: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Change an open order; it keeps its place in the queue only when it gets smaller.

    Parameters
    ----------
    order_id
        The order, or give --client-id.
    client_id
        The order by your own name for it.
    price
        The new price.
    quantity
        The new total, filled lots included.
    open_quantity
        What shall rest from now on.
    """
    _one_id(order_id, client_id)
    body = calls.amendment(price, quantity, open_quantity)
    with options.trader() as client:
        _show_placed(*ask(client, calls.amend(order_id, client_id, body)), options)


def cancel(
    order_id: str | None = None,
    /,
    *,
    client_id: str | None = None,
    every: Annotated[bool, Parameter(name="--all")] = False,
    symbol: str | None = None,
    side: Literal["buy", "sell"] | None = None,
    options: Remote = REMOTE,
) -> None:
    """Cancel an order, or all of them.

    Parameters
    ----------
    order_id
        The order, or give --client-id, or --all.
    client_id
        The order by your own name for it.
    every
        Cancel all open orders, of --symbol and --side where given.
    symbol
        With --all: only of this contract.
    side
        With --all: only this side.
    """
    if every:
        with options.trader() as client:
            done, answer = ask(client, calls.cancel_all(symbol, side))
        if options.json:
            out.document(answer)
        else:
            out.show(f"{done.cancelled_count} cancelled")
        return
    _one_id(order_id, client_id)
    with options.trader() as client:
        one, answer = ask(client, calls.cancel(order_id, client_id))
    if options.json:
        out.document(answer)
    else:
        out.show(_orders_table([one]))


def _one_id(order_id: str | None, client_id: str | None) -> None:
    if (order_id is None) == (client_id is None):
        raise CliError(Exit.USAGE, "usage", "name the order: by its id, or by --client-id")


def orders(
    symbol: str | None = None,
    /,
    *,
    status: Literal["open", "closed", "all"] = "open",
    limit: int = 50,
    options: Remote = REMOTE,
) -> None:
    """Show own orders.

    Parameters
    ----------
    symbol
        Only this contract.
    status
        Which of them.
    limit
        How many.
    """
    with options.trader() as client:
        rows, answer = ask(client, calls.orders(symbol, status, limit))
    if options.json:
        out.document(answer)
    else:
        out.show(_orders_table(rows) if rows else "no orders")
