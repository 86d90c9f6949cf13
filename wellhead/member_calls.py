"""Requests about members, their clients and ports."""

import uuid
from urllib.parse import quote

from wellhead import member_types as mt
from wellhead import protect_types as pt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number
from wellhead.protect_calls import limits_body


def _part(text: str) -> str:
    return quote(text, safe="")


def own_membership() -> Call[mt.Membership]:
    """Return whose client the account is."""
    return get_call("/membership", member("membership", mt.Membership))


# For a member


def clients(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[wt.Account]]:
    """Return the member's clients."""
    return get_call("/member/clients", page("clients", wt.Account), limit=limit, cursor=cursor)


def client(account_id: str) -> Call[mt.Client]:
    """Return one client: its money, requirement and positions."""
    return get_call(f"/member/clients/{_part(account_id)}", whole(mt.Client))


def kill_client(account_id: str) -> Call[mt.Stopped]:
    """Freeze a client and cancel everything it has."""
    path = target(f"/member/clients/{_part(account_id)}/kill")
    return Call("POST", path, member("killed", mt.Stopped), repeatable=True)


def client_limits(account_id: str) -> Call[pt.AllowedLimits]:
    """Return the limits that hold for a client, and who allows what."""
    return get_call(f"/member/clients/{_part(account_id)}/limits", whole(pt.AllowedLimits))


def limit_client(
    account_id: str,
    *,
    order_quantity: Number = 0,
    order_notional: Number | None = None,
    position: Number = 0,
    orders_per_second: int = 0,
    open_orders: int = 0,
) -> Call[pt.AllowedLimits]:
    """Set all that the member allows a client at once; 0 is none."""
    body = limits_body(order_quantity, order_notional, position, orders_per_second, open_orders)
    path = target(f"/member/clients/{_part(account_id)}/limits")
    return Call("PUT", path, whole(pt.AllowedLimits), body=body, repeatable=True)


def own_ports(limit: int | None = None) -> Call[wt.Page[mt.Port]]:
    """Return the clients that are proposed to the member."""
    return get_call("/member/ports", page("ports", mt.Port), limit=limit)


def accept(port_id: str) -> Call[mt.Port]:
    """Take a client."""
    path = target(f"/member/ports/{_part(port_id)}/accept")
    return Call("POST", path, member("port", mt.Port), repeatable=True)


def decline(port_id: str) -> Call[mt.Port]:
    """Do not take a client."""
    path = target(f"/member/ports/{_part(port_id)}/decline")
    return Call("POST", path, member("port", mt.Port), repeatable=True)


# For operators


def membership(account_id: str) -> Call[mt.Membership]:
    """Return whose client an account is, and has been."""
    path = f"/admin/accounts/{_part(account_id)}/member"
    return get_call(path, member("membership", mt.Membership))


def set_membership(account_id: str, to: str | None) -> Call[mt.Membership]:
    """Make an account a member's client, or nobody's."""
    path = target(f"/admin/accounts/{_part(account_id)}/member")
    parse = member("membership", mt.Membership)
    return Call("PUT", path, parse, body={"member": to}, repeatable=True)


def propose(
    account_id: str, to: str, reason: str, *, port_id: str | None = None,
    expires_ms: int | None = None,
) -> Call[mt.Port]:  # fmt: skip
    """Propose a client to another member."""
    body: Json = {"account_id": account_id, "to": to, "reason": reason}
    body["port_id"] = port_id or uuid.uuid4().hex
    if expires_ms is not None:
        body["expires_ms"] = expires_ms
    return Call("POST", target("/admin/ports"), member("port", mt.Port), body=body, repeatable=True)


def ports(limit: int | None = None) -> Call[wt.Page[mt.Port]]:
    """Return all ports."""
    return get_call("/admin/ports", page("ports", mt.Port), limit=limit)


def withdraw(port_id: str) -> Call[mt.Port]:
    """Withdraw a proposal that nobody has answered."""
    path = target(f"/admin/ports/{_part(port_id)}")
    return Call("DELETE", path, member("port", mt.Port), repeatable=True)
