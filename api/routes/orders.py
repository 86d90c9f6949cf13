"""Orders over REST."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from msgspec import UNSET

from api import answers, orders
from api.auth import Principal
from api.deps import (
    JsonBody,
    Page,
    Query,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    Trader,
    show_limit,
)
from api.edge import json_response, new_request_id
from api.errors import Problem, core_problem
from api.gateway import SEND_TIMEOUT_S
from api.replies import Reply
from api.routes.history import cursor_out, span_of
from api.routes.public import stamped
from api.schemas import OrderAmend, OrderBatch, OrderNew
from api.views import caught_up, find_order
from api.whole import send_whole
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Order
from matching.codes import Code
from matching.wire import unpack_text

router = APIRouter(tags=["orders"])

Answer = dict[str, Any]
OPEN, CLOSED, ALL = STATUSES = ("open", "closed", "all")


class OrdersQuery(Page):
    """Which orders: of one symbol; open ones unless `status` is closed or all."""

    symbol: str | None = None
    status: str | None = None


class CancelAllQuery(Query):
    """Which orders to cancel: of one symbol, of one side."""

    symbol: str | None = None
    side: str | None = None


def count_orders(request: Request, services: Services, who: Principal, count: int = 1) -> None:
    """Count new and amended orders against the account's rate."""
    buckets = services.limits.orders
    show_limit(request, buckets, buckets.take(who.account_idx, count))


def out(reply: Reply, answer: Answer) -> Answer:
    """Return an answer with the seq and the moment of its command."""
    return {"seq": reply.seq, **answers.times(reply.ts_ns), **answer}


async def read(services: Services, who: Principal, reply: Reply, how: orders.Read) -> Answer:
    """Return the answer to a reply; orders the mirror has forgotten come from the views."""
    try:
        answer = how(services.gateway.mirror, reply)
    except orders.KnownElsewhere as elsewhere:
        state = services.gateway.mirror
        order = await find_order(services.views, state, who.account_idx, elsewhere.order_id, "")
        answer = {"order": order, "trades": [], "duplicate": elsewhere.duplicate}
    return out(reply, answer)


@router.post("/orders", status_code=201, summary="Place an order")
async def place_order(
    request: Request,
    services: ServicesDep,
    who: Trader,
    order: Annotated[OrderNew, Depends(JsonBody(OrderNew))],
) -> Response:
    """Place an order; the answer comes when it is durable."""
    count_orders(request, services, who)
    row = orders.new_row(services.gateway, order, who.account_idx)
    answer = await read(services, who, await services.gateway.send(row), orders.placed)
    return json_response(answer, 200 if answer["duplicate"] else 201)


@router.get("/orders", summary="Orders")
async def list_orders(
    services: ServicesDep,
    who: Reader,
    query: Annotated[OrdersQuery, Depends(QueryOf(OrdersQuery))],
) -> Response:
    """Return open orders, oldest first; or ended ones too, newest first."""
    if query.status not in (None, *STATUSES):
        raise Problem("query_invalid", f"one of {', '.join(STATUSES)}", field="status")
    await services.gateway.barrier()
    state = services.gateway.mirror
    contract_idx = None
    if query.symbol is not None:
        contract_idx = orders.contract_of(state, query.symbol).contract_idx
    if query.status in (None, OPEN):
        open_orders = orders.open_orders(orders.account_of(state, who.account_idx))
        found, cursor = open_page(open_orders, contract_idx, query)
        answer = [orders.order_out(state, one) for one in found]
        return json_response(stamped(services, {"orders": answer, "next_cursor": cursor}))
    await caught_up(services.views, state.seq)
    is_closed = query.status == CLOSED
    page = await services.views.orders(
        who.account_idx,
        span_of(query),
        contract_idx=contract_idx,
        is_open=False if is_closed else None,
        but=waiting_ids(state, who) if is_closed else (),
    )
    answer = [orders.row_out(state, row) for row in page.rows]
    content = {"orders": answer, "next_cursor": cursor_out(page.cursor)}
    return json_response(stamped(services, content))


def waiting_ids(state: MirrorState, who: Principal) -> list[int]:
    """Return the orders that wait for a price: the views take them for ended ones."""
    return list(orders.account_of(state, who.account_idx).stops)


def open_page(
    open_orders: Iterable[Order], contract_idx: int | None, query: OrdersQuery
) -> tuple[list[Order], str | None]:
    """Return a page of open orders, oldest first, and its cursor."""
    after, size = query.place() or 0, query.size()
    page: list[Order] = []
    for one in open_orders:
        if one.order_id > after and contract_idx in (None, one.contract_idx):
            if len(page) == size:
                return page, str(page[-1].order_id)
            page.append(one)
    return page, None


def unset_of(text: str | None) -> Any:
    """Return a query's text as a body would have it: absent is UNSET."""
    return UNSET if text is None else text


@router.delete("/orders", summary="Cancel all orders")
async def cancel_all(
    services: ServicesDep,
    who: Trader,
    query: Annotated[CancelAllQuery, Depends(QueryOf(CancelAllQuery))],
) -> Response:
    """Cancel all open orders, of one symbol or side where given."""
    row = orders.cancel_all_row(
        services.gateway, who.account_idx, unset_of(query.symbol), unset_of(query.side)
    )
    reply = await send_whole(services.gateway, row)
    return json_response(await read(services, who, reply, orders.cancelled_all))


def finish(done: asyncio.Future[list[orders.Outcome]], outcomes: list[orders.Outcome]) -> None:
    """Hand outcomes over, if anyone still waits for them."""
    if not done.done():
        done.set_result(outcomes)


async def in_time(done: asyncio.Future[list[orders.Outcome]]) -> list[orders.Outcome]:
    """Wait for the outcomes of a batch.

    Errors:
        Problem: `outcome_unknown`.
    """
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return await done
    except TimeoutError:
        raise Problem("outcome_unknown", "no answer in time: look the orders up") from None


@router.post("/orders/batch", summary="Several order requests at once")
async def batch(
    request: Request,
    services: ServicesDep,
    who: Trader,
    body: Annotated[OrderBatch, Depends(JsonBody(OrderBatch))],
) -> Response:
    """Carry out requests one after the other; each has its own result."""
    count = sum(map(orders.takes_tokens, body.requests))
    if count:
        count_orders(request, services, who, count)
    done: asyncio.Future[list[orders.Outcome]] = asyncio.get_running_loop().create_future()
    makers = orders.item_makers(services.gateway, body.requests, who.account_idx)
    orders.Batch(services.gateway, makers, partial(finish, done))
    results = await results_of(services, who, await in_time(done))
    return json_response(stamped(services, {"results": results}))


async def results_of(
    services: Services, who: Principal, outcomes: list[orders.Outcome]
) -> list[Answer]:
    """Return the result of each request of a batch."""
    results: list[Answer] = []
    for outcome in outcomes:
        if isinstance(outcome, Problem):  # no reply of the core, so no seq
            results.append({"ok": False, "error": outcome.to_dict(new_request_id())})
            continue
        reply, how = outcome
        try:
            results.append({"ok": True, **await read(services, who, reply, how)})
        except Problem as problem:
            error = problem.to_dict(new_request_id())
            results.append({"ok": False, **out(reply, {"error": error})})
    return results


# One order, by either id


async def find(services: Services, who: Principal, order_id: int, words: orders.Words) -> Response:
    """Answer with an order of the account."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    one = state.order(order_id) if order_id else state.order_by_client(who.account_idx, words)
    if one is not None:
        if one.account_idx != who.account_idx:
            raise core_problem(Code.ORDER_UNKNOWN)
        return json_response(stamped(services, {"order": orders.order_out(state, one)}))
    client_id = unpack_text(*words)
    answer = await find_order(services.views, state, who.account_idx, order_id, client_id)
    return json_response(stamped(services, {"order": answer}))


async def amend(
    request: Request,
    services: Services,
    who: Principal,
    change: OrderAmend,
    order_id: int,
    words: orders.Words,
) -> Response:
    """Amend an order and answer."""
    count_orders(request, services, who)
    row = orders.amend_row(services.gateway, change, who.account_idx, order_id, words)
    reply = await services.gateway.send(row)
    how = partial(orders.amended, order_id=order_id, words=words)
    return json_response(await read(services, who, reply, how))


async def cancel(
    services: Services, who: Principal, order_id: int, words: orders.Words
) -> Response:
    """Cancel an order and answer."""
    row = orders.cancel_row(services.gateway, who.account_idx, order_id, words)
    reply = await services.gateway.send(row)
    how = partial(orders.cancelled, order_id=order_id, words=words)
    return json_response(await read(services, who, reply, how))


AmendBody = Annotated[OrderAmend, Depends(JsonBody(OrderAmend))]
_CLIENT = "/orders/by-client-id/{client_order_id}"


@router.get(_CLIENT, summary="An order by its client order id")
async def get_by_client_id(services: ServicesDep, who: Reader, client_order_id: str) -> Response:
    """Return an order."""
    return await find(services, who, *orders.ids_of(UNSET, client_order_id))


@router.patch(_CLIENT, summary="Amend an order by its client order id")
async def amend_by_client_id(
    request: Request, services: ServicesDep, who: Trader, client_order_id: str, change: AmendBody
) -> Response:
    """Change price or quantity of an order."""
    ids = orders.ids_of(UNSET, client_order_id)
    return await amend(request, services, who, change, *ids)


@router.delete(_CLIENT, summary="Cancel an order by its client order id")
async def cancel_by_client_id(services: ServicesDep, who: Trader, client_order_id: str) -> Response:
    """Cancel an order."""
    return await cancel(services, who, *orders.ids_of(UNSET, client_order_id))


@router.get("/orders/{order_id}", summary="An order")
async def get_order(services: ServicesDep, who: Reader, order_id: str) -> Response:
    """Return an order."""
    return await find(services, who, *orders.ids_of(order_id, UNSET))


@router.patch("/orders/{order_id}", summary="Amend an order")
async def amend_order(
    request: Request, services: ServicesDep, who: Trader, order_id: str, change: AmendBody
) -> Response:
    """Change price or quantity of an order."""
    return await amend(request, services, who, change, *orders.ids_of(order_id, UNSET))


@router.delete("/orders/{order_id}", summary="Cancel an order")
async def cancel_order(services: ServicesDep, who: Trader, order_id: str) -> Response:
    """Cancel an order."""
    return await cancel(services, who, *orders.ids_of(order_id, UNSET))
