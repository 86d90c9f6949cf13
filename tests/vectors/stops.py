"""Stops in the words of the cases: `stop`, `cancel_stop`, `cancel_all_stops`."""

from decimal import Decimal
from typing import Any

from matching.codes import TRAIL_IS_BPS, Code, Flag, Kind, OrderType, Side, Stp, Tif
from matching.limits import ACCOUNT_STOPS_MAX
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import SIDES, TIFS, Market, Said

STOP = frozenset({"op", "id", "user", "trigger", "order", "expires_at", "on_expiry", "oco",
                  "expect"})  # fmt: skip
TRIGGER = frozenset({"dir", "price", "trail"})
# By (waits for a rise, buys): what gives way to the price, and what waits for it to come.
TYPES = {
    (True, True): (OrderType.STOP, OrderType.STOP_LIMIT),
    (False, False): (OrderType.STOP, OrderType.STOP_LIMIT),
    (True, False): (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
    (False, True): (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
}
ENDED = {
    Code.CANCELLED_BY_USER: "cancelled",
    Code.CANCELLED_BY_MASS_CANCEL: "cancelled",
    Code.ORDER_EXPIRED: "expired",
}


def check_step(step: Json) -> None:
    """Skip a stop that asks for what we do not have."""
    known("step", step, STOP)
    known("trigger", step["trigger"], TRIGGER)
    if step.get("on_expiry") == "submit" and step["expect"]["result"] == "accepted":
        raise Skipped("a stop that is sent when it expires")


def place(market: Market, step: Json, stp: Stp) -> Said:
    """Place a stop; it has the case's id of the stop, and that of its order."""
    order, trigger = step["order"], step["trigger"]
    side = SIDES[order["side"]]
    limited = order["type"] == "limit"
    flags = Flag.REDUCE_ONLY * bool(order.get("reduce_only"))
    fields: dict[str, Any] = {"price_ticks": order["price"] if limited else 0}
    if "trail" in trigger:
        fields |= {"state": TRAIL_IS_BPS, "ref_id": int(Decimal(trigger["trail"]) * 10_000)}
    else:
        fields["amount_usd_micros"] = trigger["price"]
    fields["tif"] = TIFS[order["tif"]] if limited else Tif.GTC
    if "expires_at" in step:
        fields |= {"tif": Tif.GTD, "expires_ns": market.at(step["expires_at"])}
    if step.get("oco") in market.orders:
        flags |= Flag.LINKED
        fields["order_id"] = market.orders[step["oco"]]
    rises = {"rises_above": True, "falls_below": False}[trigger["dir"]]
    said = market.send(
        Kind.PLACE, account_idx=market.account(step["user"]), side=side, stp=stp, flags=flags,
        order_type=TYPES[rises, side == Side.BUY][limited], qty_lots=order["size"], **fields,
    )  # fmt: skip
    if said.refused is None:
        market.orders[step["id"]] = market.orders[order["id"]] = said.order_id
        market.names[said.order_id] = order["id"]
    return said


def leave_room(market: Market, users: set[str], count: int) -> None:
    """Give each user so many stops that are never reached that only `count` more may come."""
    for user in sorted(users):
        for _ in range(ACCOUNT_STOPS_MAX - count):
            said = market.send(
                Kind.PLACE, account_idx=market.account(user), side=Side.SELL, qty_lots=1,
                order_type=OrderType.STOP, amount_usd_micros=1,
            )  # fmt: skip
            same("a stop that is never reached", None, said.refused)


def cancel_all(market: Market, user: str) -> Said:
    """Cancel a user's stops, one by one: a mass cancellation would take the orders too."""
    said = Said()
    account_idx = market.account(user)
    for order_id in list(market.mirror.accounts[account_idx].stops):
        said = market.send(Kind.CANCEL, account_idx=account_idx, order_id=order_id)
    return said


def status(market: Market, name: str) -> str:
    """Return what became of a stop, in the words of the cases."""
    order = market.order(name)
    if order is None or order.stop is None:
        raise Failed(f"stop {name} was never accepted")
    if order.stop.waits:
        return "pending"
    if order.order_id in market.triggered:
        return "triggered"
    return ENDED.get(Code(order.code), "stopped")


def check_end(market: Market, expect: Json) -> None:
    """Compare the stops, and the last trades."""
    for name, wanted in expect.get("stops", {}).items():
        known(f"stop {name}", wanted, frozenset({"status"}))
        same(f"status of stop {name}", wanted["status"], status(market, name))
    if "trades_last" in expect:
        last = list(market.mirror.contracts[0].trades)[-len(expect["trades_last"]) :]
        trades = [{"price": trade.price_ticks, "size": trade.qty_lots} for trade in last]
        same("last trades", expect["trades_last"], trades)
