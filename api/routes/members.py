"""Members for operators: whose client an account is, and clients proposed to another member."""

import re
import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api.account_ids import account_by
from api.allowances import tell_limits
from api.auth import Principal
from api.deps import Admin, JsonBody, Page, QueryOf, Reader, Services, ServicesDep, whole
from api.edge import json_response
from api.errors import Problem
from api.memberships import (
    end_port,
    join,
    member_by,
    members_of,
    membership_out,
    need_client,
    need_fit,
    port_answered,
    port_out,
)
from api.routes.admin import printable
from api.routes.public import stamped
from api.schemas_members import MemberChange, PortNew
from exchange.io.members import HasNoMember, PortGoing, PortStatus, Proposal

private = APIRouter(tags=["account"])
admin = APIRouter(prefix="/admin", tags=["admin"])

NS_PER_MS: Final = 1_000_000
EXPIRES_MS: Final = 4 * 3_600_000  # unless it is said
EXPIRES_MS_MAX: Final = 7 * 86_400_000
NEWEST: Final = (1 << 63) - 1
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


@private.get("/membership", summary="Whose client the account is")
async def get_own_membership(services: ServicesDep, who: Reader) -> Response:
    """Return the clearing member of the account, and those it has had."""
    account = await account_by(services, who.account_id)
    content = {"membership": await membership_out(services, account)}
    return json_response(stamped(services, content))


@admin.get("/accounts/{account_id}/member", summary="Whose client an account is")
async def get_membership(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return the clearing member of an account, and those it has had."""
    account = await account_by(services, account_id)
    content = {"membership": await membership_out(services, account)}
    return json_response(stamped(services, content))


@admin.put("/accounts/{account_id}/member", summary="Make an account a member's client")
async def set_membership(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[MemberChange, Depends(JsonBody(MemberChange))],
) -> Response:
    """Give an account without a member one, or end its membership with null."""
    account = await account_by(services, account_id)
    member = None
    if body.member is not None:
        member = await member_by(services, body.member, "member")
    await join(services, who, account, member)
    if await members_of(services).knows_limits(account.account_idx):
        await tell_limits(services, account.account_idx)
    content = {"membership": await membership_out(services, account)}
    return json_response(stamped(services, content))


def key_of(body: PortNew) -> str:
    """Return the asker's name for a port, a new one if it gave none."""
    key = uuid.uuid4().hex if body.port_id is UNSET else body.port_id
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 64 of A-Z a-z 0-9 . _ : -", field="port_id")
    return key


async def proposal_of(services: Services, body: PortNew) -> Proposal:
    """Return what a body asks for.

    Errors:
        Problem: it makes no sense, or not now.
    """
    key, reason = key_of(body), printable(body.reason, "reason")
    expires_ms = EXPIRES_MS if body.expires_ms is UNSET else body.expires_ms
    if not 1 <= expires_ms <= EXPIRES_MS_MAX:
        raise Problem("field_invalid", "1 ms to 7 days", field="expires_ms")
    client = await account_by(services, body.account_id)
    need_client(client.kind)
    to = await member_by(services, body.to, "to")
    expires_ns = services.gateway.mirror.ts_ns + expires_ms * NS_PER_MS
    return Proposal(client.account_idx, to.account_idx, key, reason, expires_ns)


@admin.post("/ports", status_code=201, summary="Propose a client to another member")
async def propose_port(
    services: ServicesDep, who: Admin, body: Annotated[PortNew, Depends(JsonBody(PortNew))]
) -> Response:
    """Propose a client of a failing member to another one, which accepts in time or does not."""
    asked = await proposal_of(services, body)
    return await proposed(services, who, asked)


async def proposed(services: Services, who: Principal, asked: Proposal) -> Response:
    """Write a proposal and return it.

    Errors:
        Problem: there is nothing to port, or it is under way, or not now.
    """
    need_fit(services, asked.account_idx, asked.to_idx)
    now_ns = services.gateway.mirror.ts_ns
    try:
        one, again = await members_of(services).propose(asked, who.key_id, now_ns)
    except HasNoMember as error:
        raise Problem("client_has_no_member", str(error), field="account_id") from error
    except PortGoing as error:
        raise Problem("port_going", str(error), field="account_id") from error
    return await port_answered(services, one.port_id, None, created=not again)


@admin.get("/ports", summary="Ports")
async def list_all_ports(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return all ports, newest first."""
    return await ports_page(services, query, None)


async def ports_page(services: Services, query: Page, to_idx: int | None) -> Response:
    """Return a page of ports, of those for a member when it is named."""
    size, now_ns = query.size(), services.gateway.mirror.ts_ns
    rows = await members_of(services).ports(to_idx, now_ns, before_id=query.place(), limit=size + 1)
    shown = rows[:size]
    content = {
        "ports": [await port_out(services, one) for one in shown],
        "next_cursor": str(shown[-1].port_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


def port_number(text: str) -> int:
    """Return the number in a path."""
    return whole(text, "port_id", 0, 1, NEWEST)


@admin.get("/ports/{port_id}", summary="One port")
async def get_any_port(services: ServicesDep, who: Admin, port_id: str) -> Response:
    """Return a port, and who said what when."""
    return await port_answered(services, port_number(port_id), None)


@admin.delete("/ports/{port_id}", summary="Withdraw a port")
async def withdraw_port(services: ServicesDep, who: Admin, port_id: str) -> Response:
    """Withdraw a proposal that nobody has answered; the client stays where it is."""
    return await end_port(services, who, port_number(port_id), PortStatus.WITHDRAWN, None)
