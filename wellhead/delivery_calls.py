"""Requests about physical delivery: receipts, and proofs of what happened to them."""

from typing import Any
from urllib.parse import quote

from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target

_PATH = "/delivery/receipts"


class Receipt(wt.Answer, frozen=True, kw_only=True):
    """A receipt; accounts are numbers."""

    receipt_id: str
    status: str
    sku: str
    hub: str
    grade: str
    nodes: list[str]
    gpus_per_node: int
    start_ts: int
    end_ts: int
    gpu_hours: int
    bond: str
    bond_left: str
    issuer: int
    holder: int
    ask: str | None = None
    missed_hours: int = 0
    penalty: str = "0"
    claimed: str = "0"


def receipts(
    status: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[Receipt]]:
    """Own receipts, what changed last first."""
    return get_call(_PATH, page("receipts", Receipt), status=status, limit=limit, cursor=cursor)


def offers(
    sku: str | None = None, hub: str | None = None, limit: int | None = None
) -> Call[wt.Page[Receipt]]:
    """Receipts that anybody may buy."""
    parse = page("receipts", Receipt)
    return get_call("/delivery/offers", parse, private=False, sku=sku, hub=hub, limit=limit)


def receipt(receipt_id: str) -> Call[Receipt]:
    """One receipt; the whole answer has its events and its metering."""
    return get_call(f"{_PATH}/{quote(receipt_id, safe='')}", member("receipt", Receipt))


def issue(wish: Json) -> Call[Receipt]:
    """Issue a receipt; with a `receipt_key` it is issued once."""
    parse = member("receipt", Receipt)
    return Call("POST", target(_PATH), parse, body=wish, repeatable="receipt_key" in wish)


def act(receipt_id: str, action: str, **more: Any) -> Call[Receipt]:
    """Transfer, offer, withdraw, buy, pledge, unpledge, split or redeem a receipt."""
    body = {"action": action} | {name: value for name, value in more.items() if value is not None}
    path = target(f"{_PATH}/{quote(receipt_id, safe='')}/actions")
    return Call("POST", path, member("receipt", Receipt), body=body)


def proofs(receipt_id: str) -> Call[list[Json]]:
    """Everything that happened to a receipt, as it is hashed, with the ways to signed roots."""
    path = f"/proofs/receipts/{quote(receipt_id, safe='')}"
    return get_call(path, lambda answer: list(answer["proofs"]), private=False)
