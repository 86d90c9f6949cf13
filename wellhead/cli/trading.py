"""Commands that trade: order, amend, cancel, orders."""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from wellhead import calls, order_fields
from wellhead import types as wt
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.order_flags import OrderFlags, Tif

if TYPE_CHECKING:
    from rich.console import RenderableType


RARE_COLUMNS = {"shows>", "pegged to", "waits for", "tied"}

order = App(name="order", help="Place an order.")

NO_FLAGS = OrderFlags()
YesNo = Literal["yes", "no"]


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
    kind = flags.kind(priced=price is not None)
    if kind is None:
        raise CliError(
            Exit.USAGE,
            "usage",
            "give a PRICE, or one of --market, --to-limit, --peg, --stop, --if-touched, --trail; "
            "only --stop and --if-touched go with a PRICE",
        )
    body = order_fields.new_order(symbol, side, quantity, price, flags.order_options(kind))
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
    """Return orders as a table; what few orders have is a column only where one has it."""
    columns: list[tuple[str, list[object]]] = [
        ("order>", [row.order_id for row in rows]),
        ("client id", [row.client_order_id for row in rows]),
        ("symbol", [row.symbol for row in rows]),
        ("side", [row.side for row in rows]),
        ("lots>", [row.quantity for row in rows]),
        ("shows>", [row.display_quantity for row in rows]),
        ("price>", [row.price for row in rows]),
        ("pegged to", [_peg(row) for row in rows]),
        ("waits for", [_trigger(row) for row in rows]),
        ("tied", [_tie(row) for row in rows]),
        ("filled>", [row.filled_quantity for row in rows]),
        ("left>", [row.remaining_quantity for row in rows]),
        ("average>", [row.average_price for row in rows]),
        ("status", [row.status for row in rows]),
        ("reason", [row.reason for row in rows]),
    ]
    shown = [
        (name, cells)
        for name, cells in columns
        if name not in RARE_COLUMNS or any(cell is not None for cell in cells)
    ]
    return out.table([name for name, _ in shown], zip(*(cells for _, cells in shown), strict=True))


def _peg(row: wt.Order) -> str | None:
    """Return what an order's price follows, and how far from it."""
    if row.peg is None or not row.peg_offset:
        return row.peg
    return f"{row.peg} {row.peg_offset:+}"


def _trigger(row: wt.Order) -> str | None:
    """Return what an order waits for, or has waited for."""
    if row.trigger_price is None:
        return None
    return f"{row.trigger_by} {row.trigger_price}"


def _tie(row: wt.Order) -> str | None:
    """Return what an order is tied to: whose fills it closes, else what ends with it."""
    if row.bracket_of is not None:
        return f"of {row.bracket_of}"
    return None if row.oco_with is None else f"or {row.oco_with}"


def amend(
    order_id: str | None = None,
    /,
    *,
    client_id: str | None = None,
    price: str | None = None,
    quantity: str | None = None,
    open_quantity: str | None = None,
    display: str | None = None,
    tif: Tif | None = None,
    expires_at: int | None = None,
    post_only: YesNo | None = None,
    reduce_only: YesNo | None = None,
    peg_offset: str | None = None,
    stop: str | None = None,
    trail: str | None = None,
    trail_bps: int | None = None,
    options: Remote = REMOTE,
) -> None:
    """Change an open order; only a smaller size or a smaller display keeps its place in the queue.

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
    display
        How many lots to show at a time from now on; 0 shows all.
    tif
        How long it stands from now on: GTC, GTD, DAY, GFA or GFN.
    expires_at
        The new end, milliseconds since 1970; makes it GTD.
    post_only
        Whether it shall be refused rather than trade at once.
    reduce_only
        Whether it shall never open or increase a position.
    peg_offset
        The new distance from what a pegged order follows.
    stop
        The new price that the order waits for; one that has come already triggers it at once.
    trail
        The new distance of a trailing stop, USD per GPU-hour.
    trail_bps
        The same, in basis points of the best price.
    """
    _one_id(order_id, client_id)
    terms: order_fields.AmendOptions = {
        "display_quantity": display,
        "tif": tif,
        "expires_at": expires_at,
        "post_only": None if post_only is None else post_only == "yes",
        "reduce_only": None if reduce_only is None else reduce_only == "yes",
        "peg_offset": peg_offset,
        "trigger_price": stop,
        "trail_offset": trail,
        "trail_bps": trail_bps,
    }
    body = order_fields.amendment(price, quantity, open_quantity, terms)
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
