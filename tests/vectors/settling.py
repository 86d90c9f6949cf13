"""Cases of kind `settlement_price`: from trades, from spreads, from what is left.

And of kind `lifecycle`: what a contract takes after the end of trading.
"""

from exchange.rules.money import scaled_of, scaled_text
from exchange.rules.settlement import Quoted, Traded, settlement_price
from exchange.rules.settlement_curve import (
    SpreadTraded,
    from_spreads_ticks,
    from_what_is_left_ticks,
)
from matching.codes import Code, Kind, Side, TradingState
from tests.vectors import foreign
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import Core, Market

DIGITS = 2  # a tick of the cases is a cent
STATES = {
    "terminated": TradingState.HALT,
    "settled": TradingState.EXPIRED,
}
REASONS = {Code.CONTRACT_HALTED: "trading_not_allowed", Code.CONTRACT_EXPIRED: "unknown_market"}


def run_price(case: Json, core: Core) -> None:
    """Run a case of one settlement price."""
    setup = case["setup"]
    known("setup", setup, frozenset({"tick", "month", "settled"}))
    known("expect", case["expect"], frozenset({"settle"}))
    if setup["tick"] != "0.01":
        raise Skipped(f"a tick of {setup['tick']}")
    for step in case["steps"]:
        if step["op"] not in ("vwap_window", "spreads", "fallback"):
            raise Skipped(f"step {step['op']} not known here")
    (step,) = case["steps"]
    if step["op"] == "vwap_window":
        known("step", step, frozenset({"op", "volume", "vwap"}))
        traded = Traded(step["volume"], step["volume"] * _ticks(step["vwap"]), 0)
        found = {setup["month"]: _text(settlement_price(Quoted(0, 0), traded, 0).ticks)}
        same("settlement prices", case["expect"]["settle"], found)
    elif step["op"] == "spreads":
        known("step", step, frozenset({"op", "month", "spreads"}))
        found = {step["month"]: _text(_from_spreads(setup["settled"], step["spreads"]))}
        same("settlement prices", case["expect"]["settle"], found)
    else:
        words = {"op", "vwap", "last", "prior", "preceding_change", "bid", "ask"}
        known("step", step, frozenset(words))
        if step["vwap"] is not None:
            raise Skipped("a window with trades")
        same("settlement price", case["expect"]["settle"], _text(_from_what_is_left(step)))


def _from_spreads(settled: Json, spreads: list[Json]) -> int | None:
    traded = []
    for spread in spreads:
        known("spread", spread, frozenset({"near", "price", "volume", "months"}))
        near_ticks = _ticks(settled[spread["near"]])
        traded.append(
            SpreadTraded(near_ticks, _ticks(spread["price"]), spread["volume"], spread["months"])
        )
    return from_spreads_ticks(traded)


def _from_what_is_left(step: Json) -> int | None:
    names = {"last": "last_ticks", "prior": "prior_ticks", "bid": "bid_ticks", "ask": "ask_ticks"}
    known_ticks = {
        ours: None if step.get(theirs) is None else _ticks(step[theirs])
        for theirs, ours in names.items()
    }
    change = _ticks(step.get("preceding_change", "0"))
    return from_what_is_left_ticks(preceding_change_ticks=change, **known_ticks)


def _ticks(text: str) -> int:
    return scaled_of(text, DIGITS, signed=True)


def _text(ticks: int | None) -> str:
    return "none" if ticks is None else scaled_text(ticks, DIGITS, DIGITS)


def run_lifecycle(case: Json, core: Core) -> None:
    """Run a case of a contract's end, on the core."""
    setup = case["setup"]
    if "oracle" in setup:
        foreign.run(case, core)
        return
    known("setup", setup, frozenset({"state", "positions"}))
    known("expect", case["expect"], frozenset())
    for step in case["steps"]:
        if step["op"] not in ("terminate", "final_settle", "place"):
            raise Skipped(f"step {step['op']} not known here")
    market = Market(core, mark_ticks=1000)
    positions = setup.get("positions", {})
    market.give_positions(positions, 1000)
    for step in case["steps"]:
        known("step", step, frozenset({"op", "user", "price", "expect"}))
        if step["op"] == "place":
            _place(market, step)
            continue
        known("expect", step["expect"], frozenset({"state"}))
        if step["op"] == "final_settle":
            market.send(Kind.SETTLE, price_ticks=step["price"])
        wanted = STATES["terminated" if step["op"] == "terminate" else "settled"]
        market.send(Kind.SET_STATE, state=wanted)
        state = market.mirror.contracts[0].state
        name = next((word for word, value in STATES.items() if value == state), "active")
        same("state", step["expect"]["state"], name)
        if step["op"] == "terminate":
            held = {user: market.position(user) for user in positions}
            same("positions", positions, held)


def _place(market: Market, step: Json) -> None:
    known("expect", step["expect"], frozenset({"result", "reason"}))
    account_idx = market.account(step["user"])
    said = market.send(
        Kind.PLACE, account_idx=account_idx, side=Side.BUY, price_ticks=1000, qty_lots=1
    )
    if said.refused is None:
        raise Failed("an order was taken")
    found = {"result": "rejected", "reason": REASONS.get(said.refused, said.refused.name)}
    same("answer", step["expect"], found)
