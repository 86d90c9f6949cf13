"""The operator's emergency stops: kill, halt, resume, and limits of accounts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import codec, protect
from api.allowances import allow, limits_shown
from api.auth import is_key_id
from api.deps import Admin, JsonBody, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem
from api.keys import key_out
from api.orders import ALL_CONTRACTS
from api.replies import Reply
from api.routes.admin import account_by
from api.routes.orders import out
from api.routes.public import stamped
from api.schemas_protect import Kill, LimitsChange
from api.whole import send_whole
from exchange.io.registry import Account
from exchange.rules.layers import FUND_KIND
from matching.codes import Kind
from matching.limits import SWEEP_ORDERS_MAX

router = APIRouter(prefix="/admin", tags=["admin"])
PAGE = 1000


async def kill_account(services: Services, account: Account) -> dict[str, Any]:
    """Freeze an account and cancel everything it has."""
    if account.kind == FUND_KIND:
        raise Problem("field_invalid", "shares of the default fund are held by the exchange alone")
    row = codec.words_row(Kind.KILL_ACCOUNT, account.account_idx)
    reply = await send_whole(services.gateway, row)
    reply.raise_refused()
    return {"account_id": account.account_id, "cancelled_count": reply.events[0][10]}


async def accounts_of(services: Services, member: str) -> list[Account]:
    """Return the accounts of a member: today those of one name.

    Errors:
        Problem: `account_unknown`: there are none.
    """
    found: list[Account] = []
    after_idx = -1
    while page := await services.accounts.list(after_idx=after_idx, limit=PAGE):
        found += [account for account in page if account.name == member]
        after_idx = page[-1].account_idx
    if not found:
        raise Problem("account_unknown", "no account has this name", status=404)
    return found


async def kill_key(services: Services, key_id: str) -> dict[str, Any]:
    """Revoke a key, close its connections, and cancel the orders of its account."""
    if not is_key_id(key_id):
        raise Problem("key_unknown", "there is no such key")
    key = await services.keys.revoke(key_id)
    for close in services.key_closers:
        close(key_id)
    row = codec.cancel_all_row(key.account_idx, ALL_CONTRACTS, None)
    reply = await send_whole(services.gateway, row)
    reply.raise_refused()
    return {"key": key_out(key), "cancelled_count": reply.events[0][10]}


async def set_halt(services: Services, *, halted: bool) -> Reply:
    """Halt the exchange or let it go on."""
    services.gateway.check_open(reduces=True)
    row = codec.words_row(Kind.HALT_EXCHANGE, 0, state=int(halted))
    reply = await services.gateway.send(row)
    reply.raise_refused()
    return reply


async def kill_exchange(services: Services) -> dict[str, Any]:
    """Halt the exchange, then cancel every order, a chunk a command, until none is left."""
    await set_halt(services, halted=True)
    row = codec.words_row(Kind.SWEEP, 0, contract_idx=ALL_CONTRACTS, qty_lots=SWEEP_ORDERS_MAX)
    count = chunks = 0
    while True:
        reply = await services.gateway.send(row)
        reply.raise_refused()
        count, chunks = count + reply.events[0][10], chunks + 1
        if reply.events[0][10] < SWEEP_ORDERS_MAX:
            return {"halted": True, "cancelled_count": count, "commands": chunks}


@router.post("/kill", summary="Kill an account, a key, a member or the exchange")
async def kill(
    services: ServicesDep, who: Admin, body: Annotated[Kill, Depends(JsonBody(Kill))]
) -> Response:
    """Stop one of them: nothing of it is accepted after the answer, and nothing of it rests."""
    given = (body.account_id, body.key, body.member, body.exchange)
    if sum(one is not UNSET for one in given) != 1 or body.exchange is False:
        raise Problem("field_invalid", "exactly one of account_id, key, member, exchange")
    services.gateway.check_open(reduces=True)
    content: dict[str, Any] = {}
    if body.account_id is not UNSET:
        account = await account_by(services, body.account_id)
        content = {"accounts": [await kill_account(services, account)]}
    elif body.member is not UNSET:
        accounts = await accounts_of(services, body.member)
        content = {"accounts": [await kill_account(services, one) for one in accounts]}
    elif body.key is not UNSET:
        content = await kill_key(services, body.key)
    else:
        content = await kill_exchange(services)
    return json_response(stamped(services, {"killed": content}))


@router.post("/halt", summary="Halt the whole exchange")
async def halt(services: ServicesDep, who: Admin) -> Response:
    """Take no orders in any contract; cancels are allowed."""
    return json_response(out(await set_halt(services, halted=True), {"halted": True}))


@router.post("/resume", summary="Let a halted exchange go on")
async def resume(services: ServicesDep, who: Admin) -> Response:
    """Take orders again."""
    return json_response(out(await set_halt(services, halted=False), {"halted": False}))


@router.put("/accounts/{account_id}/limits", summary="Set an account's own limits")
async def set_limits(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[LimitsChange, Depends(JsonBody(LimitsChange))],
) -> Response:
    """Set all that an operator allows at once; the stricter of it and of the member's holds."""
    limits = protect.limits_in(body)  # what it says is judged before anything is looked up
    account = await account_by(services, account_id)
    content = await allow(services, who, account, None, limits)
    return json_response(stamped(services, content))


@router.get("/accounts/{account_id}/limits", summary="An account's own limits")
async def get_limits(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return the limits that hold, and who allows what."""
    account = await account_by(services, account_id)
    await services.gateway.barrier()
    return json_response(stamped(services, await limits_shown(services, account)))
