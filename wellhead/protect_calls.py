"""Requests that quote, and that protect: timers, quote groups, limits, kills and halts."""

from collections.abc import Iterable
from urllib.parse import quote

from wellhead import protect_types as wt
from wellhead.calls import Call, Json, get_call, member, target, whole
from wellhead.order_fields import Number, decimal_text


def quote_of(
    symbol: str,
    bid: tuple[Number, Number] | None = None,
    ask: tuple[Number, Number] | None = None,
) -> Json:
    """Return one quote; a side is (price, quantity), None withdraws it."""
    found: Json = {"symbol": symbol}
    for name, side in (("bid", bid), ("ask", ask)):
        if side is not None:
            found[f"{name}_price"] = decimal_text(side[0], "price")
            found[f"{name}_quantity"] = decimal_text(side[1], "quantity")
    return found


def mass(quotes: Iterable[Json], group: int, *, post_only: bool) -> Json:
    """Return the fields of a message of quotes."""
    return {"quotes": list(quotes), "group": group, "post_only": post_only}


def quote_mass(
    quotes: Iterable[Json], group: int = 0, *, post_only: bool = True
) -> Call[list[Json]]:
    """Replace quotes of up to 64 contracts; the same again changes nothing."""
    body = mass(quotes, group, post_only=post_only)
    parse = member("results", list)
    return Call("POST", target("/quotes"), parse, body=body, repeatable=True)


def cancel_all_after(timeout_ms: int) -> Call[wt.CancelTimer]:
    """Cancel everything after so long unless this is sent again; 0 disarms."""
    path, body = target("/orders/cancel_all_after"), {"timeout_ms": timeout_ms}
    return Call("POST", path, whole(wt.CancelTimer), body=body, repeatable=True)


def protections() -> Call[wt.Protections]:
    """What protects the account."""
    return get_call("/protections", whole(wt.Protections))


def set_quote_group(
    group: int, window_ms: int, quantity: Number = 0, delta: Number = 0, fills: int = 0
) -> Call[wt.QuoteGroup]:
    """Protect a quote group."""
    body: Json = {"window_ms": window_ms, "fills": fills}
    body["quantity"], body["delta"] = decimal_text(quantity, "lots"), decimal_text(delta, "lots")
    path, parse = target(f"/quotes/groups/{group}"), member("group", wt.QuoteGroup)
    return Call("PUT", path, parse, body=body, repeatable=True)


def reset_quote_group(group: int) -> Call[wt.QuoteGroup]:
    """Let a quote group quote again after a limit was reached."""
    path = target(f"/quotes/groups/{group}/reset")
    return Call("POST", path, member("group", wt.QuoteGroup))


# The operator


def kill(
    *,
    account_id: str | None = None,
    key: str | None = None,
    member_name: str | None = None,
    exchange: bool = False,
) -> Call[wt.Killed]:
    """Kill exactly one of them; harmless to repeat."""
    given = {"account_id": account_id, "key": key, "member": member_name}
    body: Json = {name: value for name, value in given.items() if value is not None}
    if exchange:
        body["exchange"] = True
    path = target("/admin/kill")
    return Call("POST", path, member("killed", wt.Killed), body=body, repeatable=True)


def halt() -> Call[wt.Halt]:
    """Halt the whole exchange; cancels are allowed."""
    return Call("POST", target("/admin/halt"), whole(wt.Halt), repeatable=True)


def resume() -> Call[wt.Halt]:
    """Let a halted exchange go on."""
    return Call("POST", target("/admin/resume"), whole(wt.Halt), repeatable=True)


def limits_body(
    order_quantity: Number,
    order_notional: Number | None,
    position: Number,
    orders_per_second: int,
    open_orders: int,
) -> Json:
    """Return limits as a body has them."""
    body: Json = {
        "order_quantity": decimal_text(order_quantity, "order_quantity"),
        "position": decimal_text(position, "position"),
        "orders_per_second": orders_per_second,
        "open_orders": open_orders,
    }
    if order_notional is not None:
        body["order_notional"] = decimal_text(order_notional, "order_notional")
    return body


def account_limits(account_id: str) -> Call[wt.AllowedLimits]:
    """Return the limits of an account that hold, and who allows what."""
    path = f"/admin/accounts/{quote(account_id, safe='')}/limits"
    return get_call(path, whole(wt.AllowedLimits))


def set_limits(
    account_id: str,
    *,
    order_quantity: Number = 0,
    order_notional: Number | None = None,
    position: Number = 0,
    orders_per_second: int = 0,
    open_orders: int = 0,
) -> Call[wt.OwnLimits]:
    """Set all that an operator allows an account at once; 0 is none."""
    body = limits_body(order_quantity, order_notional, position, orders_per_second, open_orders)
    path = target(f"/admin/accounts/{quote(account_id, safe='')}/limits")
    return Call("PUT", path, member("limits", wt.OwnLimits), body=body, repeatable=True)
