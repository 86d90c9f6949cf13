"""What a clearing member does: reads its clients, stops one, accepts one that is ported to it."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api import answers_account
from api.allowances import allow, limits_shown, tell_limits
from api.auth import Principal
from api.deps import Asker, JsonBody, Page, QueryOf, Reader, ServicesDep
from api.edge import json_response
from api.memberships import (
    client_of,
    end_port,
    member_self,
    members_of,
    need_fit,
    port_answered,
    port_found,
)
from api.protect import limits_in
from api.routes.account import margin_now
from api.routes.admin import account_out
from api.routes.kill import kill_account
from api.routes.members import port_number, ports_page
from api.routes.public import stamped
from api.schemas_protect import LimitsChange
from exchange.io.members import PortStatus
from exchange.io.registry import Scope

router = APIRouter(prefix="/member", tags=["member"])

SLOT_MAX: Final = (1 << 31) - 1
Owner = Annotated[Principal, Depends(Asker(Scope.TRADE))]


@router.get("/clients", summary="Clients of the member")
async def list_clients(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return the clients of the member that asks, in the order they were opened."""
    size, after = query.size(), query.place()  # what it says is judged before who asks
    member_idx = await member_self(services, who)
    after_idx = -1 if after is None else min(after, SLOT_MAX)
    found = await members_of(services).clients(member_idx, after_idx=after_idx, limit=size + 1)
    await services.gateway.barrier()
    page = []
    for account_idx in found[:size]:
        account = await services.accounts.by_idx(account_idx)
        assert account is not None, "accounts are never removed"
        page.append(account_out(services, account, who.account_id))
    cursor = str(found[size - 1]) if len(found) > size else None
    return json_response(stamped(services, {"clients": page, "next_cursor": cursor}))


@router.get("/clients/{account_id}", summary="One client of the member")
async def get_client(services: ServicesDep, who: Reader, account_id: str) -> Response:
    """Return a client's account, money, requirement and positions."""
    account = await client_of(services, who, account_id)
    await services.gateway.barrier()
    state = services.gateway.mirror
    margin = margin_now(state, account.account_idx)
    held = state.accounts[account.account_idx].positions.values()
    content = {
        "client": account_out(services, account, who.account_id),
        "balances": [answers_account.balance(margin)],
        "positions": [
            answers_account.position(state.contracts[one.contract_idx], one)
            for one in held
            if one.qty_lots or one.buy_lots or one.sell_lots or one.unsettled_usd_micros
        ],
    }
    return json_response(stamped(services, content))


@router.post("/clients/{account_id}/kill", summary="Stop a client")
async def kill_client(services: ServicesDep, who: Owner, account_id: str) -> Response:
    """Freeze a client and cancel everything it has; an operator alone lets it trade again."""
    account = await client_of(services, who, account_id)
    services.gateway.check_open(reduces=True)
    killed = await kill_account(services, account)
    return json_response(stamped(services, {"killed": killed}))


@router.get("/clients/{account_id}/limits", summary="What a client is allowed")
async def get_client_limits(services: ServicesDep, who: Reader, account_id: str) -> Response:
    """Return the limits that hold for a client, and who allows what."""
    account = await client_of(services, who, account_id)
    await services.gateway.barrier()
    return json_response(stamped(services, await limits_shown(services, account)))


@router.put("/clients/{account_id}/limits", summary="Limit a client")
async def set_client_limits(
    services: ServicesDep,
    who: Owner,
    account_id: str,
    body: Annotated[LimitsChange, Depends(JsonBody(LimitsChange))],
) -> Response:
    """Set all that the member allows its client; the stricter of it and of an operator's holds."""
    limits = limits_in(body)  # what it says is judged before who asks
    account = await client_of(services, who, account_id)
    member_idx = await member_self(services, who)
    return json_response(stamped(services, await allow(services, who, account, member_idx, limits)))


@router.get("/ports", summary="Ports to the member")
async def list_ports(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return the clients that are, or were, proposed to the member that asks, newest first."""
    query.size(), query.place()  # what it says is judged before who asks
    return await ports_page(services, query, await member_self(services, who))


@router.get("/ports/{port_id}", summary="One port to the member")
async def get_port(services: ServicesDep, who: Reader, port_id: str) -> Response:
    """Return a port, and who said what when."""
    member_idx = await member_self(services, who)
    return await port_answered(services, port_number(port_id), member_idx)


@router.post("/ports/{port_id}/accept", summary="Take a client")
async def accept_port(services: ServicesDep, who: Owner, port_id: str) -> Response:
    """Become the client's member, at once; said again it changes nothing."""
    member_idx, number = await member_self(services, who), port_number(port_id)
    one = await port_found(services, number, member_idx)
    if one.status == PortStatus.PROPOSED:
        need_fit(services, one.account_idx, member_idx)
    answer = await end_port(services, who, number, PortStatus.DONE, member_idx)
    if await members_of(services).knows_limits(one.account_idx):
        await tell_limits(services, one.account_idx)  # those of the member before hold no more
    return answer


@router.post("/ports/{port_id}/decline", summary="Do not take a client")
async def decline_port(services: ServicesDep, who: Owner, port_id: str) -> Response:
    """Leave the client where it is."""
    member_idx = await member_self(services, who)
    return await end_port(services, who, port_number(port_id), PortStatus.DECLINED, member_idx)
