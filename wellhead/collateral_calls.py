"""Requests about collateral beside cash, withdrawals of assets, and cash between own accounts."""

import secrets
from urllib.parse import quote

from wellhead import money_types as mt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number, decimal_text

WITHDRAWAL, ADDRESSES = member("withdrawal", mt.Withdrawal), page("addresses", mt.Address)


def collateral() -> Call[mt.Collateral]:
    """What the account has beside cash, and the rules of all assets."""
    return get_call("/collateral", whole(mt.Collateral))


def withdraw(
    asset: str, amount: Number, address: str, withdrawal_id: str | None = None
) -> Call[mt.Withdrawal]:
    """Reserve units for a withdrawal; the same `withdrawal_id` again moves nothing."""
    body: Json = {"asset": asset, "amount": decimal_text(amount, "amount"), "address": address}
    body["withdrawal_id"] = withdrawal_id or f"wd-{secrets.token_hex(12)}"
    return Call("POST", target("/withdrawals"), WITHDRAWAL, body=body, repeatable=True)


def withdrawals(
    limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[mt.Withdrawal]]:
    """The account's withdrawals, newest first."""
    return get_call("/withdrawals", page("withdrawals", mt.Withdrawal), limit=limit, cursor=cursor)


def addresses() -> Call[wt.Page[mt.Address]]:
    """Where withdrawals may go to."""
    return get_call("/withdrawal-addresses", ADDRESSES)


def add_address(asset: str, address: str, label: str | None = None) -> Call[wt.Page[mt.Address]]:
    """Add an address, usable in 24 hours."""
    body: Json = {"asset": asset, "address": address}
    if label is not None:
        body["label"] = label
    return Call("POST", target("/withdrawal-addresses"), ADDRESSES, body=body, repeatable=True)


def remove_address(asset: str, address: str) -> Call[wt.Page[mt.Address]]:
    """Remove an address."""
    body: Json = {"asset": asset, "address": address}
    return Call("DELETE", target("/withdrawal-addresses"), ADDRESSES, body=body)


def transfer(to: str, amount: Number, transfer_id: str | None = None) -> Call[wt.Transfer]:
    """Send cash to another account of the same member."""
    body: Json = {"to": to, "amount": decimal_text(amount, "amount")}
    body["transfer_id"] = transfer_id or f"wh-{secrets.token_hex(12)}"
    parse = member("transfer", wt.Transfer)
    return Call("POST", target("/transfers"), parse, body=body, repeatable=True)


# Of operators and custodians


def deposit(
    account_id: str, asset: str, amount: Number, transfer_id: str | None = None
) -> Call[mt.AssetMoved]:
    """Confirm that the custodian has units of an asset."""
    body: Json = {"asset": asset, "amount": decimal_text(amount, "amount")}
    body["transfer_id"] = transfer_id or f"ad-{secrets.token_hex(12)}"
    path = target(f"/admin/accounts/{quote(account_id, safe='')}/assets")
    return Call("POST", path, member("transfer", mt.AssetMoved), body=body, repeatable=True)


def open_withdrawals(limit: int | None = None) -> Call[wt.Page[mt.Withdrawal]]:
    """Withdrawals of all accounts that wait for a decision."""
    return get_call("/admin/withdrawals", page("withdrawals", mt.Withdrawal), limit=limit)


def decide(request_id: str, action: str) -> Call[mt.Withdrawal]:
    """Approve, pay or return a withdrawal."""
    path = target(f"/admin/withdrawals/{quote(request_id, safe='')}")
    return Call("POST", path, WITHDRAWAL, body={"action": action}, repeatable=True)


def price(asset: str, usd: Number, source: str | None = None) -> Call[mt.AssetPrice]:
    """Say what one whole of an asset is worth now."""
    body: Json = {"price": decimal_text(usd, "price")}
    if source is not None:
        body["source"] = source
    path = target(f"/admin/assets/{quote(asset, safe='')}/price")
    return Call("POST", path, member("price", mt.AssetPrice), body=body)
