"""Cases of kind `per_lot_margin`: so much for a lot bought, so much for a lot sold.

That rule is a scenario matrix of two rows, a fall and a rise, with the worst one
taken: the larger of what the buys and what the sells may lose.
"""

from exchange.rules.margin import Exposure, margin_of, requirement_usd_micros, scenario_losses
from matching.codes import Code, Kind, Side
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import SIDES, Core, Market

SETUP = frozenset({"margin", "balance", "position"})
TICKS = 1_000


def run(case: Json, core: Core) -> None:
    """Run a case: the engine accepts or refuses, the requirement is computed anew."""
    setup = case["setup"]
    known("setup", setup, SETUP)
    known("margin", setup["margin"], frozenset({"buy", "sell"}))
    known("expect", case.get("expect", {}), frozenset())
    if setup["position"] != 0:
        raise Skipped("a position before the first order")
    market = Market(core, mark_ticks=TICKS)
    shocks = {"price_ticks": -setup["margin"]["buy"], "qty_lots": setup["margin"]["sell"]}
    market.send(Kind.STAGE_SHOCKS, **shocks)
    market.send(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
    market.send(Kind.OPEN_ACCOUNT, account_idx=0)
    market.send(Kind.DEPOSIT, account_idx=0, amount_usd_micros=setup["balance"])
    for step in case["steps"]:
        known("step", step, frozenset({"op", "side", "size", "expect"}))
        if step["op"] != "order":
            raise Skipped(f"step {step['op']} not known here")
        known("expect", step["expect"], frozenset({"result", "required"}))
        _order(market, step)


def _order(market: Market, step: Json) -> None:
    side, lots = SIDES[step["side"]], step["size"]
    # Sells rest a tick above the buys: the two never meet, and no limit is worse than the mark.
    price = TICKS if side == Side.BUY else TICKS + 1
    required = _required_with(market, side, lots)
    said = market.send(Kind.PLACE, account_idx=0, side=side, price_ticks=price, qty_lots=lots)
    if said.refused not in (None, Code.MARGIN_INSUFFICIENT):
        raise Failed(f"refused for another reason: {said.refused}")
    same("result", step["expect"]["result"], "rejected" if said.refused else "accepted")
    same("required", step["expect"]["required"], required)
    if said.refused is None:
        same("requirement after", required, margin_of(market.mirror, 0).initial_usd_micros)


def _required_with(market: Market, side: Side, lots: int) -> int:
    """Return the requirement as it would be with one more order."""
    position, state = market.mirror.position(0, 0), market.mirror
    exposure = Exposure(
        contract_idx=0,
        qty_lots=position.qty_lots,
        buy_lots=position.buy_lots + (lots if side == Side.BUY else 0),
        sell_lots=position.sell_lots + (lots if side == Side.SELL else 0),
        shocks_usd_micros=state.shocks[0],
    )
    return requirement_usd_micros(
        scenario_losses([exposure], state.scenario_count), state.worst_count
    )
