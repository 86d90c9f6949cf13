"""Cases of kind `mtm`: trades and marks, and the variation margin that each user gets."""

from matching.codes import Kind
from tests.vectors.cases import Json, Skipped, known, same
from tests.vectors.market import Core, Market

TRADE = frozenset({"op", "buyer", "seller", "qty", "price", "mark", "expect"})


def run(case: Json, core: Core) -> None:
    """Run a case; each trade is followed by a settlement at the step's mark."""
    known("setup", case["setup"], frozenset({"mark", "positions"}))
    market = Market(core, mark_ticks=case["setup"]["mark"])
    market.give_positions(case["setup"].get("positions", {}), case["setup"]["mark"])
    market.send(Kind.SETTLE, price_ticks=case["setup"]["mark"])
    for step in case["steps"]:
        if step["op"] != "trade":
            raise Skipped(f"step {step['op']} not known here")
        known("step", step, TRADE)
        known("expect", step["expect"], frozenset({"vm"}))
        market.cross(step["buyer"], step["seller"], step["qty"], step["price"])
        said = market.send(Kind.SETTLE, price_ticks=step["mark"])
        assert sum(said.variations.values()) == 0
        for user, amount in step["expect"]["vm"].items():
            paid = said.variations.get(market.account(user), 0)
            same(f"variation margin of {user}", amount, paid)
    known("expect", case["expect"], frozenset({"positions"}))
    for user, lots in case["expect"].get("positions", {}).items():
        same(f"position of {user}", lots, market.position(user))
