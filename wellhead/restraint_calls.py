"""Requests about limits by owner, what can be delivered, credit and notices."""

from urllib.parse import quote

from wellhead import restraint_types as rt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number, decimal_text


def _part(text: str) -> str:
    return quote(text, safe="")


def capacity() -> Call[rt.Supply]:
    """What can be delivered, and so what limits are; anybody may ask."""
    return get_call("/capacity", whole(rt.Supply), private=False)


def position_limits() -> Call[rt.OwnerHoldings]:
    """What the owner of the account holds in all its accounts, and may."""
    return get_call("/position-limits", member("position_limits", rt.OwnerHoldings))


def notices(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[rt.Notice]]:
    """What the account was told, newest first."""
    return get_call("/notices", page("notices", rt.Notice), limit=limit, cursor=cursor)


def _credit_body(initial_margin: Number | None, turnover_gpu_hours: int) -> Json:
    body: Json = {"turnover_gpu_hours": turnover_gpu_hours}
    if initial_margin is not None:
        body["initial_margin"] = decimal_text(initial_margin, "initial_margin")
    return body


def client_credit(account_id: str) -> Call[rt.AllowedCredit]:
    """Return what a client is trusted with, and uses; for its member."""
    return get_call(f"/member/clients/{_part(account_id)}/credit", whole(rt.AllowedCredit))


def trust_client(
    account_id: str, *, initial_margin: Number | None = None, turnover_gpu_hours: int = 0
) -> Call[rt.AllowedCredit]:
    """Set all that the member trusts a client with at once; None and 0 are no limit."""
    path = target(f"/member/clients/{_part(account_id)}/credit")
    body = _credit_body(initial_margin, turnover_gpu_hours)
    return Call("PUT", path, whole(rt.AllowedCredit), body=body, repeatable=True)


# For operators


def all_position_limits() -> Call[list[rt.OwnerHoldings]]:
    """Return owners that are accountable, beyond a limit, or restrained."""
    return get_call("/admin/position-limits", member("owners", list[rt.OwnerHoldings]))


def all_notices(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[rt.Notice]]:
    """What accounts were told, newest first."""
    return get_call("/admin/notices", page("notices", rt.Notice), limit=limit, cursor=cursor)


def set_capacity(
    sku: str, hub: str, gpus: int, source: str, *, account_id: str | None = None
) -> Call[rt.Supply]:
    """Register the GPUs of an account, or say what was measured of everybody else."""
    body: Json = {"sku": sku, "hub": hub, "gpus": gpus, "source": source}
    if account_id is not None:
        body["account_id"] = account_id
    return Call("PUT", target("/admin/capacity"), whole(rt.Supply), body=body, repeatable=True)


def owner(account_id: str) -> Call[rt.Owner]:
    """Return whose an account is."""
    path = f"/admin/accounts/{_part(account_id)}/owner"
    return get_call(path, member("ownership", rt.Owner))


def set_owner(account_id: str, to: str | None) -> Call[rt.Owner]:
    """Make an account a sub-account of another, or nobody's."""
    path = target(f"/admin/accounts/{_part(account_id)}/owner")
    parse = member("ownership", rt.Owner)
    return Call("PUT", path, parse, body={"owner": to}, repeatable=True)


def credit(account_id: str) -> Call[rt.AllowedCredit]:
    """Return what an account is trusted with, and uses."""
    return get_call(f"/admin/accounts/{_part(account_id)}/credit", whole(rt.AllowedCredit))


def trust(
    account_id: str, *, initial_margin: Number | None = None, turnover_gpu_hours: int = 0,
    clients_margin: Number | None = None,
) -> Call[rt.AllowedCredit]:  # fmt: skip
    """Set all that operators trust an account with at once; None and 0 are no limit.

    Args:
        clients_margin: of a member: initial margin of all its clients together, USD.
    """
    path = target(f"/admin/accounts/{_part(account_id)}/credit")
    body = _credit_body(initial_margin, turnover_gpu_hours)
    if clients_margin is not None:
        body["clients_margin"] = decimal_text(clients_margin, "clients_margin")
    return Call("PUT", path, whole(rt.AllowedCredit), body=body, repeatable=True)
