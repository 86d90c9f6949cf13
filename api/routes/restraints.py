"""Limits by owner, what can be delivered, credit, and notices."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api.account_ids import account_by
from api.deps import Admin, JsonBody, Page, QueryOf, Reader, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.memberships import client_of, member_self
from api.restraining import (
    allow_credit,
    capacities_out,
    capacity_of,
    credit_in,
    credit_out,
    known_of,
    need_member_for,
    notices_out,
    owner_out,
    owners_out,
    ownership_out,
    restraints_of,
)
from api.routes.clients import Owner
from api.routes.public import stamped
from api.schemas_restraints import CapacityNew, CreditChange, OwnerChange
from exchange.io.restraints import OwnerRefused
from exchange.rules.layers import FUND_KIND, HOUSE_KIND
from exchange.rules.position_limits import ACCOUNTABLE_BPS, LIMIT_BPS

EXEMPT = frozenset({HOUSE_KIND, FUND_KIND})

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])
member = APIRouter(prefix="/member", tags=["member"])
admin = APIRouter(prefix="/admin", tags=["admin"])


@public.get("/capacity", summary="What can be delivered")
async def list_capacity(services: ServicesDep) -> Response:
    """Return the GPUs that can deliver, by model and hub, and what part of them limits are."""
    return await capacity_answer(services)


async def capacity_answer(services: Services) -> Response:
    """Return what limits are made of."""
    content = {
        "limit_bps": LIMIT_BPS,
        "accountable_bps": ACCOUNTABLE_BPS,
        "capacity": await capacities_out(services),
    }
    return json_response(stamped(services, content))


@private.get("/position-limits", summary="What the owner of the account holds, and may")
async def get_position_limits(services: ServicesDep, who: Reader) -> Response:
    """Return holdings of all accounts of the owner together, each with its limit."""
    await services.gateway.barrier()
    known = await known_of(services)
    found = await owner_out(services, known, known[0].head(who.account_idx))
    return json_response(stamped(services, {"position_limits": found}))


@private.get("/notices", summary="What the account was told")
async def list_notices(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return accountability, restraints and calls of the default fund, newest first."""
    return await notices_page(services, query, who.account_idx)


async def notices_page(services: Services, query: Page, account_idx: int | None) -> Response:
    """Return a page of notices of an account, or of all."""
    size = query.size()
    rows = await restraints_of(services).notices(
        account_idx, before_id=query.place(), limit=size + 1
    )
    shown = rows[:size]
    content = {
        "notices": await notices_out(services, shown),
        "next_cursor": str(shown[-1].notice_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


# For members


@member.get("/clients/{account_id}/credit", summary="What a client is trusted with")
async def get_client_credit(services: ServicesDep, who: Reader, account_id: str) -> Response:
    """Return the limits of a client's initial margin and turnover, and what it uses."""
    account = await client_of(services, who, account_id)
    await services.gateway.barrier()
    return json_response(stamped(services, await credit_out(services, account)))


@member.put("/clients/{account_id}/credit", summary="Trust a client with so much")
async def set_client_credit(
    services: ServicesDep,
    who: Owner,
    account_id: str,
    body: Annotated[CreditChange, Depends(JsonBody(CreditChange))],
) -> Response:
    """Set what the member trusts its client with; of it and an operator's the stricter holds."""
    credit = credit_in(body)  # what it says is judged before who asks
    need_member_for(credit, "client")
    account = await client_of(services, who, account_id)
    member_idx = await member_self(services, who)
    found = await allow_credit(services, who, account, member_idx, credit)
    return json_response(stamped(services, found))


# For operators


@admin.get("/position-limits", summary="Owners that are accountable or restrained")
async def list_position_limits(services: ServicesDep, who: Admin) -> Response:
    """Return owners with a holding from half of a limit on, and those that may only reduce."""
    await services.gateway.barrier()
    return json_response(stamped(services, {"owners": await owners_out(services)}))


@admin.get("/notices", summary="What accounts were told")
async def list_all_notices(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return notices of all accounts, newest first."""
    return await notices_page(services, query, None)


@admin.put("/capacity", summary="Say what can be delivered")
async def set_capacity(
    services: ServicesDep,
    who: Admin,
    body: Annotated[CapacityNew, Depends(JsonBody(CapacityNew))],
) -> Response:
    """Register the GPUs of an account, or say what was measured of everybody else."""
    account = None
    if body.account_id is not UNSET:
        account = await account_by(services, body.account_id)
    one = capacity_of(body, account, who.key_id, services.gateway.mirror.ts_ns)
    await restraints_of(services).set_capacity(one)
    return await capacity_answer(services)


@admin.get("/accounts/{account_id}/owner", summary="Whose an account is")
async def get_owner(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return the owner of an account, and all accounts of that owner."""
    account = await account_by(services, account_id)
    content = {"ownership": await ownership_out(services, account)}
    return json_response(stamped(services, content))


@admin.put("/accounts/{account_id}/owner", summary="Make an account a sub-account")
async def set_owner(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[OwnerChange, Depends(JsonBody(OwnerChange))],
) -> Response:
    """Make an account a sub-account of another one, or with null nobody's."""
    account = await account_by(services, account_id)
    owner = account if body.owner is None else await account_by(services, body.owner)
    for one in (account, owner):
        if one.kind in EXEMPT:
            raise Problem("owner_not_allowed", f"{one.account_id} is the house's", field="owner")
    try:
        await restraints_of(services).set_owner(
            account.account_idx, owner.account_idx, who.key_id, services.gateway.mirror.ts_ns
        )
    except OwnerRefused as error:
        raise Problem("owner_not_allowed", str(error), field="owner") from error
    content = {"ownership": await ownership_out(services, account)}
    return json_response(stamped(services, content))


@admin.get("/accounts/{account_id}/credit", summary="What an account is trusted with")
async def get_credit(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return the limits of an account's initial margin and turnover, and what it uses."""
    account = await account_by(services, account_id)
    await services.gateway.barrier()
    return json_response(stamped(services, await credit_out(services, account)))


@admin.put("/accounts/{account_id}/credit", summary="Trust an account with so much")
async def set_credit(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[CreditChange, Depends(JsonBody(CreditChange))],
) -> Response:
    """Set all that operators trust an account with; the stricter of it and its member's holds."""
    credit = credit_in(body)
    account = await account_by(services, account_id)
    need_member_for(credit, account.kind)
    found = await allow_credit(services, who, account, None, credit)
    return json_response(stamped(services, found))
