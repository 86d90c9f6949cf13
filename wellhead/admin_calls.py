"""Requests of an operator: accounts, keys, money in and out, contracts."""

import secrets
from collections.abc import Sequence
from urllib.parse import quote

from wellhead import margin_types as mt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number, decimal_text


def _account(account_id: str, tail: str = "") -> str:
    return f"/admin/accounts/{quote(account_id, safe='')}{tail}"


def accounts(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[wt.Account]]:
    """All accounts."""
    return get_call("/admin/accounts", page("accounts", wt.Account), limit=limit, cursor=cursor)


def account(account_id: str) -> Call[wt.Account]:
    """One account."""
    return get_call(_account(account_id), member("account", wt.Account))


def create_account(
    name: str,
    account_id: str | None = None,
    kind: str | None = None,
    clearing_member: str | None = None,
) -> Call[wt.Account]:
    """Open an account; the same again returns the same account."""
    body: Json = {"name": name, "account_id": account_id, "kind": kind}
    body["member"] = clearing_member
    body = {k: v for k, v in body.items() if v is not None}
    repeatable = account_id is not None
    path = target("/admin/accounts")
    return Call("POST", path, member("account", wt.Account), body=body, repeatable=repeatable)


def set_account_state(account_id: str, state: str) -> Call[wt.Account]:
    """Make an account active, reduce_only or frozen."""
    parse = member("account", wt.Account)
    return Call("PATCH", target(_account(account_id)), parse, body={"state": state})


def set_level(account_id: str, level_bps: int) -> Call[mt.Level]:
    """Hold an account at a level of the member's requirement, 10000 to 15000."""
    path = target(_account(account_id, "/level"))
    return Call("PUT", path, whole(mt.Level), body={"level_bps": level_bps}, repeatable=True)


def set_profile(account_id: str, profile: str) -> Call[mt.Profile]:
    """Set an account's wrong-way rule: none, neocloud or miner."""
    path = target(_account(account_id, "/profile"))
    return Call("PUT", path, whole(mt.Profile), body={"profile": profile}, repeatable=True)


def set_cover(account_id: str, symbol: str, quantity: Number) -> Call[mt.Cover]:
    """Say how many lots of a contract an account's pledged capacity covers, 0 for none."""
    body: Json = {"symbol": symbol, "quantity": decimal_text(quantity, "quantity")}
    path = target(_account(account_id, "/cover"))
    return Call("PUT", path, whole(mt.Cover), body=body, repeatable=True)


def _transfer(account_id: str, tail: str, amount: Number, key: str | None) -> Call[wt.Transfer]:
    body = {
        "amount": decimal_text(amount, "amount"),
        "transfer_id": key or f"wh-{secrets.token_hex(12)}",
    }
    path = target(_account(account_id, tail))
    return Call("POST", path, member("transfer", wt.Transfer), body=body, repeatable=True)


def deposit(account_id: str, amount: Number, transfer_id: str | None = None) -> Call[wt.Transfer]:
    """Book money in; the same `transfer_id` again moves nothing."""
    return _transfer(account_id, "/deposits", amount, transfer_id)


def withdraw(account_id: str, amount: Number, transfer_id: str | None = None) -> Call[wt.Transfer]:
    """Book money out; the same `transfer_id` again moves nothing."""
    return _transfer(account_id, "/withdrawals", amount, transfer_id)


def create_key(
    account_id: str,
    scopes: Sequence[str] = ("read",),
    label: str | None = None,
    ip_allow: Sequence[str] = (),
    expires_at: int | None = None,
) -> Call[wt.ApiKey]:
    """Make a key for an account; the answer holds its secret, once."""
    body: Json = {"scopes": list(scopes), "label": label, "expires_at": expires_at}
    body["ip_allow"] = list(ip_allow) or None
    body = {k: v for k, v in body.items() if v is not None}
    return Call("POST", target(_account(account_id, "/keys")), member("key", wt.ApiKey), body=body)


def account_keys(account_id: str) -> Call[wt.Page[wt.ApiKey]]:
    """All keys of an account, without secrets."""
    return get_call(_account(account_id, "/keys"), page("keys", wt.ApiKey))


def revoke_key(key: str) -> Call[wt.ApiKey]:
    """Revoke a key for ever; doing it again changes nothing."""
    path = target(f"/admin/keys/{quote(key, safe='')}")
    return Call("DELETE", path, member("key", wt.ApiKey), repeatable=True)


def set_contract(
    symbol: str,
    state: str | None = None,
    band_bps: int | None = None,
    protection_bps: int | None = None,
) -> Call[wt.Instrument]:
    """Change a contract's trading state, price band or protection of market orders."""
    body: Json = {"state": state, "band_bps": band_bps, "protection_bps": protection_bps}
    body = {k: v for k, v in body.items() if v is not None}
    path = target(f"/admin/contracts/{quote(symbol, safe='')}")
    return Call("PATCH", path, member("instrument", wt.Instrument), body=body)


def _contract(symbol: str, tail: str) -> str:
    return target(f"/admin/contracts/{quote(symbol, safe='')}/{tail}")


def begin_auction(
    symbol: str,
    phase: str | None = None,
    ends_after_ms: int | None = None,
    window_ms: int | None = None,
) -> Call[wt.Instrument]:
    """Begin a call auction; without an end it lasts until `end_auction`."""
    body: Json = {"phase": phase, "ends_after_ms": ends_after_ms, "window_ms": window_ms}
    body = {k: v for k, v in body.items() if v is not None}
    return Call(
        "POST", _contract(symbol, "auction"), member("instrument", wt.Instrument), body=body
    )


def end_auction(symbol: str) -> Call[wt.Instrument]:
    """End a call auction now: what crosses trades at one price."""
    return Call("DELETE", _contract(symbol, "auction"), member("instrument", wt.Instrument))


def set_guards(symbol: str, **guards: int) -> Call[wt.Instrument]:
    """Set how far a price may move before an auction begins, by the names of the API."""
    parse = member("instrument", wt.Instrument)
    return Call("PUT", _contract(symbol, "guards"), parse, body=dict(guards))


def set_index(symbol: str, price: Number) -> Call[wt.Instrument]:
    """Set what the underlying of a contract costs outside."""
    parse = member("instrument", wt.Instrument)
    body: Json = {"price": decimal_text(price, "price")}
    return Call("PUT", _contract(symbol, "index"), parse, body=body, repeatable=True)


def set_implied(symbol: str, *, implied: bool) -> Call[wt.Instrument]:
    """Let a combination's orders trade with those of its legs, or no longer."""
    body, parse = {"implied": implied}, member("instrument", wt.Instrument)
    return Call("PUT", _contract(symbol, "implied"), parse, body=body, repeatable=True)


def set_last_trade(symbol: str, last_trade: int = 0) -> Call[wt.Instrument]:
    """Set when trading of a contract ends, in ms; 0: not by itself."""
    body, parse = {"last_trade": last_trade}, member("instrument", wt.Instrument)
    return Call("PUT", _contract(symbol, "last-trade"), parse, body=body, repeatable=True)


def close_out(symbol: str) -> Call[wt.Instrument]:
    """Close all positions of an expired contract at its mark; none are left to close again."""
    parse = member("instrument", wt.Instrument)
    return Call("POST", _contract(symbol, "close-out"), parse, repeatable=True)
