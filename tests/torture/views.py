"""What the API and the tables show, against the journal: two ways to the same numbers."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import asyncpg

from matching.codes import Side
from tests.torture.checks import ticks
from tests.torture.record import Request
from tests.torture.truth import TrueOrder, Truth
from wellhead import ApiError, AsyncClient, calls

USD_MICROS: Final = 1_000_000
PAGE: Final = 1000

_CASH: Final = """
SELECT account_idx, balance_usd_micros FROM ledger_account JOIN balance USING (ledger_account_id)
WHERE account_idx IS NOT NULL
"""
_LOTS: Final = "SELECT account_idx, contract_idx, qty_lots FROM position"
_TRADES: Final = "SELECT seq || '-' || leg FROM trade"
_ORDERS: Final = "SELECT order_id, price_ticks, open_lots, filled_lots FROM order_history"
_CLEARED: Final = "SELECT last_seq FROM follower WHERE name = 'clearing'"
_VIOLATIONS: Final = "SELECT rule, place, expected::text, found::text FROM violation"


def usd_micros(text: str) -> int:
    """Return an amount of dollars in micro-dollars."""
    return int(Decimal(text) * USD_MICROS)


async def open_orders(client: AsyncClient) -> list[dict[str, Any]]:
    """Return every open order of the client's account."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await client.raw(calls.orders(status="open", limit=PAGE, cursor=cursor))
        found += page["orders"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def api_differs(client: AsyncClient, account_idx: int, truth: Truth) -> list[str]:
    """Return where the account's reads are not what the journal says; nobody trades meanwhile."""
    found = [*_orders_differ(await open_orders(client), truth.open_orders(account_idx), truth)]
    symbols = {symbol: idx for idx, symbol in truth.symbols.items()}
    shown = {
        (account_idx, symbols[p["symbol"]]): int(p["quantity"])
        for p in (await client.raw(calls.positions()))["positions"]
    }
    held = {key: lots for key, lots in truth.lots.items() if key[0] == account_idx and lots}
    if {key: lots for key, lots in shown.items() if lots} != held:
        found.append(f"positions {shown} instead of {held}")
    balance = (await client.raw(calls.balances()))["balances"][0]
    if usd_micros(balance["cash"]) != truth.cash_usd_micros[account_idx]:
        found.append(f"cash {balance['cash']}, not {truth.cash_usd_micros[account_idx]} micros")
    return [f"account {account_idx}: {line}" for line in found]


def _orders_differ(
    shown: list[dict[str, Any]], true: dict[int, TrueOrder], truth: Truth
) -> Iterator[str]:
    ids = [int(order["order_id"]) for order in shown]
    if len(set(ids)) != len(ids):
        yield "an open order is shown twice"
    for order_id in true.keys() - set(ids):
        yield f"open order {order_id} is not shown"
    for order in shown:
        this = true.get(int(order["order_id"]))
        if this is None:
            yield f"{order} is not open"
        elif order_line(order) != true_line(this, truth):
            yield f"{order_line(order)} instead of {true_line(this, truth)}"


async def by_client_differs(
    client: AsyncClient, account_idx: int, requests: Sequence[Request], truth: Truth
) -> list[str]:
    """Return where an order read by its client's id is not what the journal says."""
    found = []
    for client_order_id in {r.client_order_id for r in requests if r.client_order_id}:
        ids = truth.by_client.get((account_idx, client_order_id), [])
        try:
            shown = await client.raw(calls.order(None, client_order_id))
        except ApiError as error:
            if error.code == "order_unknown" and not ids:
                continue
            return [f"{client_order_id}: {error}, the journal has {ids}"]
        order = shown["order"]
        if int(order["order_id"]) not in ids:
            found.append(f"{client_order_id} is shown as {order['order_id']}, not {ids}")
            continue
        this = truth.orders[ids[0]]
        true = (this.filled_lots, this.open_lots)
        if (int(order["filled_quantity"]), int(order["remaining_quantity"])) != true:
            found.append(f"{client_order_id} is shown as {order}, not with {true}")
    return found


def order_line(order: dict[str, Any]) -> tuple[Any, ...]:
    """Return what an order of the API says, in the journal's units."""
    return (
        order["client_order_id"] or "",
        order["symbol"],
        order["side"],
        ticks(order["price"]) if order["price"] is not None else None,
        int(order["filled_quantity"]),
        int(order["remaining_quantity"]),
    )


def true_line(order: TrueOrder, truth: Truth) -> tuple[Any, ...]:
    """Return the same of the journal's."""
    return (
        order.client_order_id,
        truth.symbols[order.contract_idx],
        "buy" if order.side == Side.BUY else "sell",
        order.price_ticks,
        order.filled_lots,
        order.open_lots,
    )


async def cleared_seq(connection: asyncpg.Connection) -> int:
    """Return how far clearing is."""
    return int(await connection.fetchval(_CLEARED))


async def tables_differ(connection: asyncpg.Connection, truth: Truth) -> list[str]:
    """Return where ledger and views, caught up, are not what the journal says."""
    found = [f"violation: {tuple(row)}" for row in await connection.fetch(_VIOLATIONS)]
    cash = {idx: micros for idx, micros in truth.cash_usd_micros.items() if micros}
    posted = {row[0]: row[1] for row in await connection.fetch(_CASH) if row[1]}
    if cash != posted:
        found.append(f"the ledger has the cash {posted}, the journal {cash}")
    lots = {key: qty for key, qty in truth.lots.items() if qty}
    shown = {(row[0], row[1]): row[2] for row in await connection.fetch(_LOTS) if row[2]}
    if lots != shown:
        found.append(f"the view has the positions {shown}, the journal {lots}")
    trades = [row[0] for row in await connection.fetch(_TRADES)]
    if len(trades) != len(set(trades)) or set(trades) != truth.trade_ids:
        found.append(f"{len(trades)} trades in the view, {len(truth.trade_ids)} in the journal")
    orders = {row[0]: tuple(row[1:]) for row in await connection.fetch(_ORDERS)}
    true = {o.order_id: (o.price_ticks, o.open_lots, o.filled_lots) for o in truth.orders.values()}
    differing = [i for i in orders.keys() | true.keys() if orders.get(i) != true.get(i)]
    if differing:
        one = differing[0]
        found.append(f"{len(differing)} orders, as {one}: {orders.get(one)}, not {true.get(one)}")
    return found
