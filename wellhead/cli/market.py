"""Commands that look at the market: contracts, books, trades, status."""

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from wellhead import calls
from wellhead import types as wt
from wellhead.cli import out
from wellhead.cli.auctions import said
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Local, Remote, ask, following
from wellhead.client import Client

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

BAR_WIDTH = 24
NS_PER_MS = 1_000_000
Wanted = dict[str, str | None]  # sku, hub and tenor


def status(*, options: Remote = REMOTE) -> None:
    """Show what the exchange takes now."""
    with options.client() as client:
        _, answer = ask(client, calls.status())
    if options.json:
        out.document(answer)
    else:
        shown = {name: value for name, value in answer.items() if name != "ts_ns" and value != ""}
        out.show(out.pairs(shown | {"ts": out.moment(answer.get("ts"))}))


def contracts(
    *,
    sku: str | None = None,
    hub: str | None = None,
    tenor: str | None = None,
    live: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Show the catalogue with reference prices computed from the shipped price data.

    Parameters
    ----------
    sku
        Only this model: H100 or H100-SXM.
    hub
        Only this hub: USE, EUW, GLB, ...
    tenor
        Only this tenor: day, bom, week, month, quarter, calendar.
    live
        Ask a running exchange instead: trading state, mark, best prices.
    """
    wanted = {"sku": sku, "hub": hub, "tenor": tenor}
    if live:
        _live_contracts(wanted, options)
        return
    from exchange.io.price_data import ATTRIBUTION

    rows = _chosen(_catalogue(datetime.now(UTC)), wanted)
    if options.json:
        out.document({"contracts": rows, "attribution": ATTRIBUTION})
        return
    columns = ("symbol", "delivery from", "to", "hours/lot>", "$/tick>", "reference>", "from data")
    out.show(
        out.table(
            columns,
            (
                (
                    row["symbol"],
                    out.day(row["delivery_start_ns"] // NS_PER_MS),
                    out.day(row["delivery_end_ns"] // NS_PER_MS - 1),
                    row["lot_gpu_hours"],
                    out.usd(row["tick_value"]),
                    row["reference_price"],
                    f"{row['reference_rule']}, {row['reference_as_of']}",
                )
                for row in rows
            ),
        )
    )
    out.note(f"{len(rows)} contracts; prices are USD per GPU-hour")
    out.note(f"reference prices from: {'; '.join(ATTRIBUTION)}")


def _catalogue(at: datetime) -> list[dict[str, Any]]:
    """Return what trades at a moment, computed here: no exchange has to run."""
    from exchange.io.price_data import load_price_data
    from exchange.rules.catalogue import LISTED_SERIES, catalogue
    from exchange.rules.reference import references

    rows = catalogue(references(load_price_data(), LISTED_SERIES, at.date()))
    at_ns = int(at.timestamp()) * 1_000_000_000
    return [asdict(row) for row in rows if row.last_trade_ns > at_ns]


def _chosen(rows: list[dict[str, Any]], wanted: Wanted) -> list[dict[str, Any]]:
    """Return the rows that are wanted.

    Errors:
        CliError: there are none; it says what there is.
    """
    found = [row for row in rows if all(_fits(row, name, wanted[name]) for name in wanted)]
    if found or not rows:
        return found
    for name, value in wanted.items():
        if value and not any(_fits(row, name, value) for row in rows):
            there = ", ".join(sorted({text for row in rows for text in _names(row, name)[:1]}))
            raise CliError(Exit.USAGE, f"{name}_unknown", f"no {name} {value}: there are {there}")
    said = " ".join(f"--{name} {value}" for name, value in wanted.items() if value)
    raise CliError(Exit.USAGE, "no_contract", f"no contract is all of {said}")


def _names(row: dict[str, Any], name: str) -> list[str]:
    """Return what a row answers to, the shortest first."""
    value = str(row[name])
    if name == "sku":
        return [str(row["symbol"]).split("-")[0].split(".")[0], value]
    return [value]


def _fits(row: dict[str, Any], name: str, value: str | None) -> bool:
    return value is None or value.upper() in (text.upper() for text in _names(row, name))


def _live_contracts(wanted: Wanted, options: Remote) -> None:
    with options.client() as client:
        tickers = {t["symbol"]: t for t in client.raw(calls.tickers())["tickers"]}
        rows = _chosen(_all_instruments(client), wanted)
    for row in rows:
        row["ticker"] = tickers.get(row["symbol"])
    if options.json:
        out.document({"contracts": rows})
        return
    columns = ("symbol", "state", "mark>", "bid>", "ask>", "last>", "open interest>")
    out.show(out.table(columns, (_live_row(row) for row in rows)))
    out.note(f"{len(rows)} contracts; prices are USD per GPU-hour")


def _all_instruments(client: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = client.raw(calls.instruments(limit=1000, cursor=cursor))
        rows += answer["instruments"]
        if (cursor := answer.get("next_cursor")) is None:
            return rows


def _live_row(row: dict[str, Any]) -> tuple[object, ...]:
    ticker = row["ticker"] or {}
    return (
        row["symbol"],
        row["state"],
        row.get("mark_price"),
        ticker.get("bid_price"),
        ticker.get("ask_price"),
        ticker.get("last_price"),
        row.get("open_interest"),
    )


def book(
    symbol: str,
    /,
    *,
    depth: int = 10,
    watch: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Show the order book of a contract.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    depth
        How many levels of each side.
    watch
        Follow it until Ctrl-C; with --json one document a line.
    """
    with options.client() as client:
        if watch:
            _watch(client, symbol, depth, options)
            return
        snapshot, answer = ask(client, calls.orderbook(symbol, depth))
        bids, asks = snapshot.bids, snapshot.asks
        crossed = bool(bids and asks and bids[0][0] >= asks[0][0])  # only in an auction
        tickers = ask(client, calls.tickers(symbol))[0] if crossed else []
    if options.json:
        out.document(answer)
    else:
        for one in tickers:
            if one.auction is not None:
                out.show(said(one.state, one.auction))
        out.show(_ladder(symbol, snapshot.seq, snapshot.bids, snapshot.asks, depth))
        for line in _implied(snapshot.implied):
            out.show(line)


def _implied(levels: wt.ImpliedLevels) -> "list[Text]":
    """Return the best implied price of each side as lines of their own: they are no orders."""
    from rich.text import Text

    return [
        Text.assemble((f"{price:>10}", style), f"  {quantity:>10}  ", (f"implied {name}", "dim"))
        for style, name, side in (
            ("red", "ask", levels.asks[:1]),
            ("green", "bid", levels.bids[:1]),
        )
        for price, quantity in side
    ]


def _watch(client: Client, symbol: str, depth: int, options: Local) -> None:
    from rich.live import Live
    from rich.text import Text

    ask(client, calls.orderbook(symbol, 1))  # a symbol that is wrong is named so
    with following(client) as stream:
        changes = stream.book(symbol, "100ms").market()
        if options.json:
            for state, now in changes:
                levels = {"bids": state.bids[:depth], "asks": state.asks[:depth]}
                auction = msgspec.to_builtins(now.auction) if now else None
                said_of = {"state": state.state, "auction": auction}
                out.line({"symbol": state.symbol, "seq": state.seq, **said_of, **levels})
            return
        with Live(console=out.console(), auto_refresh=False) as live:
            for state, now in changes:
                ladder = _ladder(symbol, state.seq, state.bids, state.asks, depth)
                if now is not None and now.auction is not None:
                    ladder.renderables.insert(0, Text(said(now.state, now.auction), style="yellow"))
                live.update(ladder, refresh=True)


def _ladder(
    symbol: str,
    seq: int,
    bids: "list[tuple[Decimal, Decimal]] | list[Any]",
    asks: "list[tuple[Decimal, Decimal]] | list[Any]",
    depth: int,
) -> "Group":
    """Return both sides as one ladder, asks above bids, with bars for the sizes."""
    from rich.console import Group
    from rich.text import Text

    shown_asks, shown_bids = asks[:depth], bids[:depth]
    most = max([q for _, q in [*shown_asks, *shown_bids]], default=Decimal(1))
    lines = [Text(f"{symbol}  seq {seq}", style="bold")]
    if not (shown_asks or shown_bids):
        lines.append(Text("  no orders", style="dim"))
    for style, levels in (("red", list(reversed(shown_asks))), ("green", shown_bids)):
        if style == "green" and shown_asks and shown_bids:
            spread = shown_asks[0][0] - shown_bids[0][0]
            lines.append(Text(f"{'':>10}  {'-' * 10}  spread {spread}", style="dim"))
        for price, quantity in levels:
            bar = "█" * max(1, int(quantity * BAR_WIDTH / most))
            lines.append(
                Text.assemble((f"{price:>10}", style), f"  {quantity:>10}  ", (bar, style))
            )
    return Group(*lines)


def trades(
    symbol: str,
    /,
    *,
    limit: int = 20,
    options: Remote = REMOTE,
) -> None:
    """Show the newest trades of a contract.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    limit
        How many.
    """
    with options.client() as client:
        rows, answer = ask(client, calls.trades(symbol, limit))
    if options.json:
        out.document(answer)
        return
    columns = ("time (UTC)", "side", "price>", "quantity>", "trade>")
    out.show(out.table(columns, (_trade_row(row) for row in rows)))


def _trade_row(row: wt.PublicTrade) -> tuple[object, ...]:
    return out.moment(row.ts), row.side, row.price, row.quantity, row.trade_id
