"""Blocks, exchanges for physical, and requests for quotes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import codec, dealing, deals, orders
from api.dealing import Dealt, name_of
from api.deps import (
    Admin,
    JsonBody,
    Page,
    Query,
    QueryOf,
    Reader,
    ServicesDep,
    Trader,
    count_public,
)
from api.edge import json_response
from api.errors import Problem
from api.instruments import instrument_out
from api.no_fields import no_fields
from api.routes.orders import count_orders, out
from api.routes.public import stamped
from api.schemas_deals import BlockNew, BlockRule, RfqNew

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["blocks"])

STATUSES = ("open", "closed", "all")


class BlocksQuery(Page):
    """Which blocks: open ones unless `status` is closed or all."""

    status: str | None = None


def answered(dealt: Dealt, *, created: bool = False) -> Response:
    """Return what came of a request about a deal; 201 for a new one."""
    status = 201 if created and not dealt.duplicate else 200
    return json_response(out(dealt.reply, dealt.answer), status)


@private.post("/blocks", status_code=201, summary="Propose a block")
async def propose_block(
    request: Request,
    services: ServicesDep,
    who: Trader,
    block: Annotated[BlockNew, Depends(JsonBody(BlockNew))],
) -> Response:
    """Propose a block or an EFP to one other account, or in answer to a request for quotes."""
    count_orders(request, services, who)
    return answered(await dealing.propose(services, who, block), created=True)


@private.get("/blocks", summary="Blocks")
async def list_blocks(
    services: ServicesDep,
    who: Reader,
    query: Annotated[BlocksQuery, Depends(QueryOf(BlocksQuery))],
) -> Response:
    """Return what the account proposed or was proposed, newest first; ended ones for a while."""
    if query.status not in (None, *STATUSES):
        raise Problem("query_invalid", f"one of {', '.join(STATUSES)}", field="status")
    await services.gateway.barrier()
    state, before, size = services.gateway.mirror, query.place(), query.size()
    orders.account_of(state, who.account_idx)
    wanted = query.status or "open"
    found = [
        deal
        for deal in state.deals.of_account(who.account_idx)
        if not deal.is_request
        and (before is None or deal.deal_id < before)
        and (wanted == "all" or deal.is_open == (wanted == "open"))
    ]
    page = found[:size]
    names = [await name_of(services, deal, who.account_idx) for deal in page]
    content = {
        "blocks": [
            deals.block_out(state, deal, who.account_idx, name)
            for deal, name in zip(page, names, strict=True)
        ],
        "next_cursor": str(page[-1].deal_id) if len(found) > size else None,
    }
    return json_response(stamped(services, content))


@private.post("/blocks/{block_id}/accept", summary="Accept a block")
async def accept_block(
    request: Request,
    services: ServicesDep,
    who: Trader,
    block_id: str,
    nothing: Annotated[None, Depends(no_fields)],
) -> Response:
    """Accept what was proposed: the margin of both sides is judged, and the trade is booked."""
    count_orders(request, services, who)
    return answered(await dealing.accept(services, who, block_id))


@private.delete("/blocks/{block_id}", summary="Decline or withdraw a block")
async def end_block(services: ServicesDep, who: Trader, block_id: str) -> Response:
    """Decline what was proposed to the account, or withdraw what it proposed."""
    return answered(await dealing.decline(services, who, block_id))


# Requests for quotes


@private.post("/rfqs", status_code=201, summary="Ask for quotes")
async def request_quotes(
    request: Request,
    services: ServicesDep,
    who: Trader,
    rfq: Annotated[RfqNew, Depends(JsonBody(RfqNew))],
) -> Response:
    """Ask everybody for quotes; nobody is told who asks."""
    count_orders(request, services, who)
    return answered(await dealing.ask(services, who, rfq), created=True)


@public.get("/rfqs", summary="Open requests for quotes")
async def list_rfqs(
    services: ServicesDep, query: Annotated[Query, Depends(QueryOf(Query))]
) -> Response:
    """Return the open requests for quotes, oldest first, without who asks."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    found = [deals.rfq_out(state, deal) for deal in state.deals.requests()]
    return json_response(stamped(services, {"rfqs": found}))


@private.delete("/rfqs/{rfq_id}", summary="Withdraw a request for quotes")
async def withdraw_rfq(services: ServicesDep, who: Trader, rfq_id: str) -> Response:
    """Withdraw a request; what was proposed in answer stays until it ends."""
    return answered(await dealing.withdraw(services, who, rfq_id))


@private.put("/admin/contracts/{symbol}/blocks", summary="Set what a contract takes as a block")
async def set_blocks(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    rule: Annotated[BlockRule, Depends(JsonBody(BlockRule))],
) -> Response:
    """Set the least quantity of a block, "0" for none, and how far beyond the day's range."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    least_lots = codec.qty_lots(rule.min_quantity, "min_quantity")
    services.gateway.check_open(reduces=True)
    row = deals.blocks_row(contract.contract_idx, least_lots, rule.range_bps)
    (await services.gateway.send(row)).raise_refused()
    return json_response(stamped(services, {"instrument": instrument_out(services, contract)}))
