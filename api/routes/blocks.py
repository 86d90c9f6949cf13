"""Blocks, exchanges for physical, and requests for quotes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from msgspec import UNSET

from api import answers, codec, deals, orders
from api.auth import Principal
from api.deps import (
    Admin,
    JsonBody,
    Page,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    Trader,
    count_public,
)
from api.edge import json_response
from api.errors import Problem, core_problem
from api.replies import Reply
from api.routes.admin import account_by
from api.routes.orders import count_orders, out
from api.routes.public import stamped
from api.schemas_deals import BlockNew, BlockRule, RfqNew
from exchange.rules.deals import Deal
from matching.codes import Code, Kind

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["blocks"])

STATUSES = ("open", "closed", "all")


class BlocksQuery(Page):
    """Which blocks: open ones unless `status` is closed or all."""

    status: str | None = None


async def name_of(services: Services, deal: Deal, account_idx: int) -> str | None:
    """Return the public id of the other side, None where it stays unnamed."""
    whom = deals.other_side(deal, account_idx)
    account = None if whom is None else await services.accounts.by_idx(whom)
    return None if account is None else account.account_id


async def block_answer(services: Services, who: Principal, reply: Reply) -> tuple[Any, bool]:
    """Return the answer to a proposal, an acceptance or an end."""
    state = services.gateway.mirror
    deal, duplicate = deals.deal_of(state, reply)
    name = await name_of(services, deal, who.account_idx)
    block = deals.block_out(state, deal, who.account_idx, name)
    return out(reply, {"block": block, "duplicate": duplicate}), duplicate


@private.post("/blocks", status_code=201, summary="Propose a block")
async def propose_block(
    request: Request,
    services: ServicesDep,
    who: Trader,
    block: Annotated[BlockNew, Depends(JsonBody(BlockNew))],
) -> Response:
    """Propose a block or an EFP to one other account, or in answer to a request for quotes."""
    count_orders(request, services, who)
    services.gateway.check_open()
    if (block.counterparty is UNSET) == (block.rfq_id is UNSET):
        code = "field_missing" if block.rfq_id is UNSET else "field_invalid"
        raise Problem(code, "either counterparty or rfq_id", field="counterparty")
    whom_idx = deals.NOBODY
    if block.counterparty is not UNSET:
        try:
            whom_idx = (await account_by(services, block.counterparty)).account_idx
        except Problem:
            raise core_problem(Code.COUNTERPARTY_UNKNOWN) from None
    row = deals.propose_row(services.gateway.mirror, block, who.account_idx, whom_idx)
    reply = await services.gateway.send(row)
    answer, duplicate = await block_answer(services, who, reply)
    return json_response(answer, 200 if duplicate else 201)


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
    request: Request, services: ServicesDep, who: Trader, block_id: str
) -> Response:
    """Accept what was proposed: the margin of both sides is judged, and the trade is booked."""
    count_orders(request, services, who)
    services.gateway.check_open()
    deal_id = codec.order_id(block_id, "block_id")
    reply = await services.gateway.send(deals.named_row(Kind.ACCEPT, who.account_idx, deal_id))
    answer, _ = await block_answer(services, who, reply)
    return json_response(answer)


@private.delete("/blocks/{block_id}", summary="Decline or withdraw a block")
async def end_block(services: ServicesDep, who: Trader, block_id: str) -> Response:
    """Decline what was proposed to the account, or withdraw what it proposed."""
    services.gateway.check_open(reduces=True)
    deal_id = codec.order_id(block_id, "block_id")
    reply = await services.gateway.send(deals.named_row(Kind.DECLINE, who.account_idx, deal_id))
    answer, _ = await block_answer(services, who, reply)
    return json_response(answer)


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
    services.gateway.check_open()
    state = services.gateway.mirror
    reply = await services.gateway.send(deals.request_row(state, rfq, who.account_idx))
    deal, duplicate = deals.deal_of(state, reply)
    answer = out(reply, {"rfq": deals.rfq_out(state, deal), "duplicate": duplicate})
    return json_response(answer, 200 if duplicate else 201)


@public.get("/rfqs", summary="Open requests for quotes")
async def list_rfqs(services: ServicesDep) -> Response:
    """Return the open requests for quotes, oldest first, without who asks."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    found = [deals.rfq_out(state, deal) for deal in state.deals.requests()]
    return json_response(stamped(services, {"rfqs": found}))


@private.delete("/rfqs/{rfq_id}", summary="Withdraw a request for quotes")
async def withdraw_rfq(services: ServicesDep, who: Trader, rfq_id: str) -> Response:
    """Withdraw a request; what was proposed in answer stays until it ends."""
    services.gateway.check_open(reduces=True)
    deal_id = codec.order_id(rfq_id, "rfq_id")
    state = services.gateway.mirror
    known = state.deals.find(deal_id)
    if known is not None and not known.is_request:
        raise core_problem(Code.DEAL_UNKNOWN)
    reply = await services.gateway.send(deals.named_row(Kind.DECLINE, who.account_idx, deal_id))
    deal, _ = deals.deal_of(state, reply)
    return json_response(out(reply, {"rfq": deals.rfq_out(state, deal), "duplicate": False}))


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
    return json_response(stamped(services, {"instrument": answers.instrument(contract)}))
