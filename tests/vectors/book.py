"""Cases of kind `book`: orders in, trades and a book out."""

from collections.abc import Callable
from typing import Any

from matching.codes import Code, Kind, Stp, TradingState
from tests.vectors import stops
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.fit import fitted
from tests.vectors.market import TIFS, Core, Market, Said

ORDER = frozenset({"id", "user", "side", "type", "price", "size", "tif", "expires_at",
                   "post_only", "reduce_only", "peak", "min_visible"})  # fmt: skip
PEGGED = frozenset({"id", "user", "side", "ref", "offset", "size", "peak", "min_visible"})
SETUP = frozenset({"mode", "orders", "positions", "last_price", "time", "max_stops_per_user"})
PLACED = frozenset({"result", "reason", "trades", "filled", "resting", "cancelled"})
CANCELLED = frozenset({"result", "reason", "removed"})
AMENDED = frozenset({"result", "reason", "trades", "remaining", "status"})
INDICATED = frozenset({"price", "volume"})
CHANGE = frozenset({"price", "size", "size_delta"})
END = frozenset({"book", "positions", "orders", "open_interest", "last_price", "stops",
                 "trades_last"})  # fmt: skip
ORDER_END = frozenset({"status", "remaining", "size", "visible", "hidden"})
ENDED = {Code.CANCELLED_BY_USER: "cancelled", Code.CANCELLED_BY_MASS_CANCEL: "cancelled",
         Code.AMENDED_BELOW_FILLED: "cancelled", Code.AUCTION_ENDED: "cancelled",
         Code.ORDER_EXPIRED: "expired"}  # fmt: skip
GIVEN_AT_TICKS = 1  # positions of the setup are traded at a price of no importance


def run(case: Json, core: Core) -> None:
    """Run a case.

    Errors:
        Skipped: it asks for something we do not have.
        Failed: another outcome.
    """
    known("setup", case["setup"], SETUP)
    _check_steps(case)
    case = fitted(case)
    setup = case["setup"]
    market = Market(core, mark_ticks=GIVEN_AT_TICKS)
    stp = Stp.CANCEL_NEWEST if "stp=cancel_aggressor" in case.get("policy", "") else Stp.NONE
    if any(step["op"] == "stop" for step in case["steps"]):
        market.cross("_a", "_b", 1, setup["last_price"])
        market.give_positions(setup.get("positions", {}), setup["last_price"])
    else:
        market.give_positions(setup.get("positions", {}), GIVEN_AT_TICKS)
    if setup["mode"] == "auction":
        market.send(Kind.SET_STATE, state=TradingState.AUCTION)
    elif setup["mode"] != "continuous":
        raise Skipped(f"mode {setup['mode']}")
    for order in setup.get("orders", []):
        said = market.place(order, stp)
        if said.refused is not None or said.trades:
            raise Failed(f"setup: {order['id']} does not rest: {said}")
    if "max_stops_per_user" in setup:
        users = {step["user"] for step in case["steps"] if step["op"] == "stop"}
        stops.leave_room(market, users, setup["max_stops_per_user"])
    market.pass_time(setup.get("time", 0))
    for number, step in enumerate(case["steps"]):
        try:
            STEPS[step["op"]](market, step, stp)
        except Failed as failed:
            raise Failed(f"step {number} ({step['op']}): {failed}") from failed
    check_end(market, case.get("expect", {}))


def _check_steps(case: Json) -> None:
    """Skip before anything ran when a step, a field or a word is not known."""
    for order in case["setup"].get("orders", []):
        _check_order(order)
    for step in case["steps"]:
        if step["op"] not in STEPS:
            raise Skipped(f"step {step['op']} not known here")
        if step["op"] == "stop":
            stops.check_step(step)
            _check_order(step["order"])
            continue
        known("step", step, frozenset({"op", "expect", "order", "user", "id", "change", "t"}))
        if step["op"] == "place_pegged":
            known("order", step["order"], PEGGED)
        elif "order" in step:
            _check_order(step["order"])
        known("change", step.get("change", {}), CHANGE)
    known("expect", case.get("expect", {}), END)


def _check_order(order: Json) -> None:
    known("order", order, ORDER)
    if order["tif"] not in TIFS:
        raise Skipped(f"time in force {order['tif']} not known here")


def _place(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], PLACED)
    said = market.place(step["order"], stp)
    _compare(market, step["expect"], said)


def _place_pegged(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], frozenset({"price"}))
    said = market.place_pegged(step["order"])
    same("result", None, said.refused)
    order = market.order(step["order"]["id"])
    same("price", step["expect"]["price"], order.price_ticks if order else None)


def _cancel(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], CANCELLED)
    said = market.cancel(step["user"], step["id"])
    _compare(market, step["expect"], said)
    if "removed" in step["expect"]:
        same("removed", step["expect"]["removed"], said.cancelled)


def _amend(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], AMENDED)
    said = market.amend(step["user"], step["id"], step["change"])
    _compare(market, step["expect"], said)
    if "remaining" in step["expect"]:
        same("remaining", step["expect"]["remaining"], said.resting)
    if "status" in step["expect"]:
        same("status", step["expect"]["status"], _status(market, step["id"]))


def _time(market: Market, step: Json, stp: Stp) -> None:
    known("step", step, frozenset({"op", "t"}))
    market.pass_time(step["t"])


def _start(market: Market, step: Json, stp: Stp) -> None:
    market.send(Kind.SET_STATE, state=TradingState.AUCTION)


def _indicative(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], INDICATED)
    price_ticks, lots = market.indicative()
    same("price", step["expect"]["price"], price_ticks)
    same("volume", step["expect"]["volume"], lots)


def _uncross(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], INDICATED | {"trades"})
    price_ticks, said = market.uncross()
    names = market.names
    trades = [
        {"buy": names.get(buy, "?"), "sell": names.get(sell, "?"), "size": lots}
        for buy, sell, lots in said.met
    ]
    same("price", step["expect"]["price"], price_ticks)
    same("volume", step["expect"]["volume"], sum(lots for _, _, lots in said.met))
    same("trades", step["expect"].get("trades", trades), trades)


def _stop(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], frozenset({"result", "reason"}))
    _compare(market, step["expect"], stops.place(market, step, stp))


def _cancel_all_stops(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], frozenset({"result"}))
    _compare(market, step["expect"], stops.cancel_all(market, step["user"]))


def _check(market: Market, step: Json, stp: Stp) -> None:
    known("expect", step["expect"], END)
    check_end(market, step["expect"])


STEPS: dict[str, Callable[[Market, Json, Stp], None]] = {
    "place": _place,
    "place_pegged": _place_pegged,
    "cancel": _cancel,
    "amend": _amend,
    "time": _time,
    "check": _check,
    "auction_start": _start,
    "indicative": _indicative,
    "uncross": _uncross,
    "stop": _stop,
    "cancel_stop": _cancel,
    "cancel_all_stops": _cancel_all_stops,
}


def _compare(market: Market, expect: Json, said: Said) -> None:
    """Compare what every reply to an order has."""
    same("result", expect["result"], "accepted" if said.refused is None else "rejected")
    if "reason" in expect and expect["reason"] not in said.reasons():
        raise Failed(f"reason: expected {expect['reason']}, was {said.reasons()}")
    if "trades" in expect:
        trades = [
            {"maker": market.names.get(maker, "?"), "price": price, "size": lots}
            for maker, price, lots in said.trades
        ]
        same("trades", expect["trades"], trades)
    for name in ("filled", "resting", "cancelled"):
        if name in expect:
            same(name, expect[name], getattr(said, name))


def _status(market: Market, name: str) -> str:
    order = market.order(name)
    if order is None:
        return "unknown"
    if order.status == "open":
        return "active"
    if order.status == "filled":
        return "filled"
    return ENDED.get(Code(order.code), "stopped")


def check_end(market: Market, expect: Json) -> None:
    """Compare the state: book, positions, orders, open interest, last price."""
    contract = market.mirror.contracts[0]
    for side, levels in expect.get("book", {}).items():
        same(side, levels, market.book().get(side))
    for user, lots in expect.get("positions", {}).items():
        same(f"position of {user}", lots, market.position(user))
    for name, wanted in expect.get("orders", {}).items():
        known(f"order {name}", wanted, ORDER_END)
        _compare_order(market, name, wanted)
    stops.check_end(market, expect)
    if "open_interest" in expect:
        same("open interest", expect["open_interest"], contract.open_interest_lots)
    if "last_price" in expect:
        same("last price", expect["last_price"], contract.last_trade_ticks)


def _compare_order(market: Market, name: str, wanted: Json) -> None:
    order: Any = market.order(name)
    if order is None:
        raise Failed(f"order {name} was never accepted")
    is_now = {
        "status": _status(market, name),
        "remaining": order.leaves_lots,
        "size": order.qty_lots,
        "visible": order.visible_lots,
        "hidden": order.leaves_lots - order.visible_lots,
    }
    for field, value in wanted.items():
        same(f"{field} of {name}", value, is_now[field])
