"""Commands that look at the own account: positions, balances, margin, fills, ledger."""

from wellhead import calls
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask


def positions(
    symbol: str | None = None,
    /,
    *,
    options: Remote = REMOTE,
) -> None:
    """Show lots held and what they earned."""
    with options.trader() as client:
        rows, answer = ask(client, calls.positions(symbol))
    if options.json:
        out.document(answer)
        return
    columns = (
        "symbol", "side", "lots>", "entry>", "mark>", "unrealised>", "realised>",
        "since settlement>", "open buys>", "open sells>",
    )  # fmt: skip
    cells = (
        (
            row.symbol,
            row.side,
            row.quantity,
            row.average_entry_price,
            row.mark_price,
            out.usd(row.unrealised_pnl),
            out.usd(row.realised_pnl),
            out.usd(row.unsettled_pnl),
            row.open_buy_quantity,
            row.open_sell_quantity,
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no positions")


def balances(*, options: Remote = REMOTE) -> None:
    """Show money held, required and free."""
    with options.trader() as client:
        rows, answer = ask(client, calls.balances())
    if options.json:
        out.document(answer)
        return
    columns = (
        "asset", "cash>", "since settlement>", "collateral>", "equity>", "initial margin>",
        "price loss>", "free>",
    )  # fmt: skip
    cells = (
        (
            row.asset,
            out.usd(row.cash),
            out.usd(row.unsettled_pnl),
            out.usd(row.collateral),
            out.usd(row.equity),
            out.usd(row.initial_margin),
            out.usd(row.price_loss),
            out.usd(row.free),
        )
        for row in rows
    )
    out.show(out.table(columns, cells))


def fills(
    symbol: str | None = None,
    /,
    *,
    after_seq: int | None = None,
    limit: int = 20,
    options: Remote = REMOTE,
) -> None:
    """Show own trades.

    Parameters
    ----------
    symbol
        Only this contract.
    after_seq
        Only those after this number.
    limit
        How many.
    """
    with options.trader() as client:
        rows, answer = ask(client, calls.fills(symbol, after_seq, limit))
    if options.json:
        out.document(answer)
        return
    columns = ("time (UTC)", "symbol", "side", "price>", "lots>", "role", "fee>", "order>", "seq>")
    cells = (
        (
            out.moment(row.ts),
            row.symbol,
            row.side,
            row.price,
            row.quantity,
            row.block or row.role,
            out.usd(row.fee),
            row.order_id,
            row.seq,
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no fills")


def entries(
    *,
    after_seq: int | None = None,
    limit: int = 20,
    options: Remote = REMOTE,
) -> None:
    """Show the postings of the own account in the double-entry ledger.

    Parameters
    ----------
    after_seq
        Only those after this number.
    limit
        How many.
    """
    with options.trader() as client:
        rows, answer = ask(client, calls.ledger(after_seq, limit))
    if options.json:
        out.document(answer)
        return
    columns = ("time (UTC)", "reason", "symbol", "amount>", "balance>", "seq>")
    cells = (
        (
            out.moment(row.ts),
            row.reason,
            row.symbol,
            out.usd(row.amount),
            out.usd(row.balance),
            row.seq,
        )
        for row in rows
    )
    out.show(out.table(columns, cells, less=("seq",)) if rows else "no entries")
