"""Members, their clients and ports, as routes find and show them."""

from typing import Any

from fastapi import Response

from api import answers
from api.account_ids import account_by
from api.auth import Principal
from api.deps import Services
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from exchange.io.members import HasMember, Members, Port, PortStatus
from exchange.io.registry import Account
from exchange.rules.membership import hindrance, is_member, may_be_client
from matching.codes import AccountState


def members_of(services: Services) -> Members:
    """Return the door to memberships and ports."""
    if services.members is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.members


async def member_by(services: Services, account_id: str, field: str) -> Account:
    """Return the member with this public id.

    Errors:
        Problem: there is no such account, or it is no clearing member.
    """
    account = await account_by(services, account_id)
    if not is_member(account.kind):
        raise Problem("member_not_allowed", "only an account of kind member has clients",
                      field=field)  # fmt: skip
    return account


def need_client(kind: str) -> None:
    """Raise `client_not_allowed` unless an account of this kind can have a member."""
    if not may_be_client(kind):
        raise Problem("client_not_allowed", f"an account of kind {kind} clears for itself")


async def member_self(services: Services, who: Principal) -> int:
    """Return the slot of the member that asks.

    Errors:
        Problem: `not_a_member`.
    """
    account = await services.accounts.by_idx(who.account_idx)
    if account is None or not is_member(account.kind):
        raise Problem("not_a_member", "only a clearing member has clients")
    return account.account_idx


async def client_of(services: Services, who: Principal, account_id: str) -> Account:
    """Return a client of the member that asks; all other accounts are unknown to it."""
    member_idx = await member_self(services, who)
    account = None
    try:
        account = await account_by(services, account_id)
    except Problem as problem:
        if problem.code != "account_unknown":
            raise
    if account is None or member_idx != await members_of(services).member_idx(account.account_idx):
        raise Problem("client_unknown", "the member has no such client")
    return account


async def join(
    services: Services, who: Principal, account: Account, member: Account | None
) -> None:
    """Make an account a member's client, or nobody's.

    Errors:
        Problem: it clears for itself, or is another member's client.
    """
    need_client(account.kind)
    if account.account_idx in services.gateway.mirror.liquidations:
        # Its member answers for what it may lack (GUAR_003).
        raise Problem("port_not_now", "the account is being closed out: its membership stays")
    member_idx = None if member is None else member.account_idx
    now_ns = services.gateway.mirror.ts_ns
    try:
        await members_of(services).join(account.account_idx, member_idx, who.key_id, now_ns)
    except HasMember as error:
        raise Problem("client_has_member", str(error), field="member") from error


async def membership_out(services: Services, account: Account) -> dict[str, Any]:
    """Return whose client an account is, and has been."""
    rows = await members_of(services).history(account.account_idx)
    history = [
        {
            "member": row.member_id,
            "port_id": None if row.port_id is None else str(row.port_id),
            "by": row.who,
            "ts": answers.millis(row.ts_ns),
        }
        for row in rows
    ]
    return {
        "account_id": account.account_id,
        "member": rows[-1].member_id if rows else None,
        "history": history,
    }


async def port_out(services: Services, one: Port) -> dict[str, Any]:
    """Return a port."""
    names = []
    for account_idx in (one.account_idx, one.from_idx, one.to_idx):
        account = await services.accounts.by_idx(account_idx)
        assert account is not None, "accounts are never removed"
        names.append(account.account_id)
    return {
        "port_id": str(one.port_id),
        "key": one.client_key,
        "account_id": names[0],
        "from_member": names[1],
        "to_member": names[2],
        "reason": one.reason,
        "status": one.status,
        "created_ts": answers.millis(one.created_ns),
        "expires_ts": answers.millis(one.expires_ns),
        "updated_ts": answers.millis(one.updated_ns),
    }


async def port_found(services: Services, port_id: int, to_idx: int | None) -> Port:
    """Return a port; with `to_idx` only one for this member.

    Errors:
        Problem: `port_unknown`.
    """
    now_ns = services.gateway.mirror.ts_ns
    one = await members_of(services).port(port_id, to_idx, now_ns)
    if one is None:
        raise Problem("port_unknown", "there is no such port")
    return one


async def port_answered(
    services: Services, port_id: int, to_idx: int | None, *, created: bool = False
) -> Response:
    """Return a port with its trail."""
    one = await port_found(services, port_id, to_idx)
    trail = [
        {"status": status, "by": by, "ts": answers.millis(ts_ns)}
        for status, by, ts_ns in await members_of(services).events(port_id)
    ]
    content = {"port": await port_out(services, one), "trail": trail}
    return json_response(stamped(services, content), 201 if created else 200)


async def end_port(
    services: Services, who: Principal, port_id: int, status: PortStatus, to_idx: int | None
) -> Response:
    """End a proposal; said again it changes nothing.

    Errors:
        Problem: it is unknown, or has ended otherwise.
    """
    rows, now_ns = members_of(services), services.gateway.mirror.ts_ns
    if not await rows.answer(port_id, status, to_idx, who.key_id, now_ns):
        one = await port_found(services, port_id, to_idx)
        if one.status != status.value:
            raise Problem("port_ended", f"it is {one.status}: only what is proposed is answered")
    return await port_answered(services, port_id, to_idx)


def need_fit(services: Services, client_idx: int, to_idx: int) -> None:
    """Raise `port_not_now` while the client or the receiving member is in no state for it."""
    state = services.gateway.mirror
    frozen = [one.account_idx for one in (state.accounts[to_idx],)
              if one.state == AccountState.FROZEN]  # fmt: skip
    why = hindrance(client_idx, to_idx, state.liquidations, frozen)
    if why is not None:
        raise Problem("port_not_now", why)
