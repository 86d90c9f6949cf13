"""Requests about the auctions of defaults."""

import uuid
from typing import Any
from urllib.parse import quote

from wellhead import default_auction_types as at
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number, decimal_text


def auctions(limit: int | None = None) -> Call[wt.Page[at.DefaultAuction]]:
    """Auctions that the account is, or was, asked to bid in, newest first."""
    return get_call("/default-auctions", page("auctions", at.DefaultAuction), limit=limit)


def auction(liquidation_id: str) -> Call[at.DefaultAuction]:
    """One auction with the account's own bids."""
    path = f"/default-auctions/{quote(liquidation_id, safe='')}"
    return get_call(path, member("auction", at.DefaultAuction))


def bid(
    liquidation_id: str, lot: int, premium: Number | None, share: Number | None = None, *,
    bid_id: str | None = None,
) -> Call[at.DefaultAuction]:  # fmt: skip
    """Put a sealed bid for a lot; the last one counts, a share of 0 passes."""
    body: Json = {"lot": lot, "bid_id": bid_id or uuid.uuid4().hex}
    given = {"premium": premium, "share": share}
    body |= {name: decimal_text(value, name) for name, value in given.items() if value is not None}
    path = target(f"/default-auctions/{quote(liquidation_id, safe='')}/bids")
    return Call("POST", path, member("auction", at.DefaultAuction), body=body, repeatable=True)


def record(liquidation_id: str) -> Call[dict[str, Any]]:
    """Return the public record of a liquidation's auction; anybody may ask."""
    path = f"/liquidations/{quote(liquidation_id, safe='')}/auction"
    names = ("auction", "result", "moves")
    return get_call(path, lambda said: {name: said.get(name) for name in names}, private=False)


# Of operators


def all_auctions(limit: int | None = None) -> Call[wt.Page[at.DefaultAuction]]:
    """All auctions, newest first."""
    return get_call("/admin/risk/auctions", page("auctions", at.DefaultAuction), limit=limit)


def bidders() -> Call[at.Bidders]:
    """Whom an operator admitted or excluded; members not named may bid."""
    return get_call("/admin/risk/bidders", whole(at.Bidders))


def admit(account_id: str, *, admitted: bool) -> Call[at.Bidders]:
    """Say that an account may bid in auctions to come, or may not."""
    body: Json = {"account_id": account_id, "admitted": admitted}
    path = target("/admin/risk/bidders")
    return Call("PUT", path, whole(at.Bidders), body=body, repeatable=True)
