"""Quotes, and what protects who makes them, over REST."""

import asyncio
import re
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from api import orders, protect
from api.deps import JsonBody, Reader, ServicesDep, Trader
from api.edge import json_response
from api.errors import Problem
from api.routes.orders import count_orders, finish, in_time, out, results_of
from api.routes.public import stamped
from api.schemas_protect import CancelAfter, MmpChange, QuoteMass
from matching.codes import Timer
from matching.limits import QUOTE_GROUPS

router = APIRouter(tags=["orders"])

_GROUP: Final = re.compile(r"[0-9]", re.ASCII)


def group_of(text: str) -> int:
    """Return a quote group named in a path."""
    if not _GROUP.fullmatch(text) or int(text) >= QUOTE_GROUPS:
        raise Problem("field_invalid", f"a group is 0 to {QUOTE_GROUPS - 1}", field="group")
    return int(text)


@router.post("/quotes", summary="Quote up to 64 contracts")
async def quote_mass(
    request: Request,
    services: ServicesDep,
    who: Trader,
    body: Annotated[QuoteMass, Depends(JsonBody(QuoteMass))],
) -> Response:
    """Replace the account's quotes of these contracts; each has its own result."""
    makers = protect.quote_makers(services.gateway, body, who.account_idx)
    if count := protect.quotes_counted(body):
        count_orders(request, services, who, count)
    done: asyncio.Future[list[orders.Outcome]] = asyncio.get_running_loop().create_future()
    orders.Batch(services.gateway, makers, partial(finish, done))
    results = await results_of(services, who, await in_time(done))
    return json_response(stamped(services, {"results": results}))


@router.post("/orders/cancel_all_after", summary="Cancel everything unless this is sent again")
async def cancel_all_after(
    services: ServicesDep,
    who: Trader,
    body: Annotated[CancelAfter, Depends(JsonBody(CancelAfter))],
) -> Response:
    """Arm the account's timer, put it off, or disarm it with 0."""
    row = protect.cancel_after_row(services.gateway, who.account_idx, body.timeout_ms, Timer.MEMBER)
    reply = await services.gateway.send(row)
    return json_response(out(reply, protect.timer_set(services.gateway.mirror, reply)))


@router.get("/protections", summary="Own limits, timer and quote groups")
async def get_protections(services: ServicesDep, who: Reader) -> Response:
    """Return everything that protects the account, and whether the exchange is halted."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    account = orders.account_of(state, who.account_idx)
    return json_response(stamped(services, protect.protections_out(state, account)))


@router.put("/quotes/groups/{group}", summary="Protect a quote group")
async def set_mmp(
    services: ServicesDep,
    who: Trader,
    group: str,
    body: Annotated[MmpChange, Depends(JsonBody(MmpChange))],
) -> Response:
    """Set the window and the limits of a quote group; a window of 0 is no protection."""
    row = protect.mmp_row(services.gateway, who.account_idx, group_of(group), body)
    reply = await services.gateway.send(row)
    return json_response(out(reply, protect.mmp_set(services.gateway.mirror, reply)))


@router.post("/quotes/groups/{group}/reset", summary="Let a quote group quote again")
async def reset_mmp(services: ServicesDep, who: Trader, group: str) -> Response:
    """Begin a new window after a limit was reached."""
    row = protect.mmp_reset_row(services.gateway, who.account_idx, group_of(group))
    reply = await services.gateway.send(row)
    return json_response(out(reply, protect.mmp_set(services.gateway.mirror, reply)))
