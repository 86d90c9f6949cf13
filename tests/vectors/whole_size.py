"""Cases of kind `informational` that can be run: an iceberg needs the margin of its whole size."""

from exchange.rules.margin import margin_of
from matching.codes import Kind
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import Core, Market, Said

CENTS = 100  # the margin of a lot is a fraction of the case's money
ORDER = {"type": "limit", "tif": "GTC"}


def run(case: Json, core: Core) -> None:
    """Run a case; the matrix asks for as much of a lot as the source's exchange did."""
    known("setup", case["setup"], frozenset({"start"}))
    known("expect", case["expect"], frozenset())
    unknown = [step["op"] for step in case["steps"] if step["op"] not in STEPS]
    if unknown:
        raise Skipped(f"step {unknown[0]} not known here")
    first = case["steps"][0]
    market = Market(core, first["plain"]["price"])
    rate = CENTS * first["expect"]["source_margin"] // first["plain"]["size"]
    market.send(Kind.STAGE_SHOCKS, price_ticks=-rate, qty_lots=rate)
    market.send(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
    for user in STYLES:
        market.open(user, CENTS * case["setup"]["start"])
    for step in case["steps"]:
        STEPS[step["op"]](step, market)


STYLES = ("plain", "iceberg")


def _needs(market: Market) -> dict[str, tuple[int, int]]:
    """Return the requirement and the free money of both users."""
    found = {}
    for user in STYLES:
        margin = margin_of(market.mirror, market.account(user))
        found[user] = margin.initial_usd_micros, margin.free_usd_micros
    return found


def _done(said: Said) -> None:
    if said.refused is not None:
        raise Failed(f"refused: {said.refused}")


def _place(step: Json, market: Market) -> None:
    known("expect", step["expect"], frozenset({"same_margin", "source_margin", "free_after"}))
    for user in STYLES:
        _done(market.place({**step[user], **ORDER, "id": user, "user": user}, stp=0))  # type: ignore[arg-type]
    needs = _needs(market)
    same("same margin", step["expect"]["same_margin"], needs["plain"] == needs["iceberg"])
    for user, (required, free) in needs.items():
        same(f"margin of {user}", CENTS * step["expect"]["source_margin"], required)
        same(f"free of {user}", CENTS * step["expect"]["free_after"], free)


def _cancel(step: Json, market: Market) -> None:
    known("expect", step["expect"], frozenset({"margin", "free_after"}))
    for user in STYLES:
        _done(market.cancel(user, user))
    for user, (required, free) in _needs(market).items():
        same(f"margin of {user}", CENTS * step["expect"]["margin"], required)
        same(f"free of {user}", CENTS * step["expect"]["free_after"], free)


STEPS = {"place_and_compare": _place, "cancel_both": _cancel}
