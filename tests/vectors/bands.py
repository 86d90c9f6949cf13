"""Cases of kind `price_bands` that ask which prices there are at all: those on a tick."""

from decimal import Decimal

from exchange.rules.money import price_text, price_ticks_of
from tests.vectors.cases import Json, Skipped, known, same
from tests.vectors.market import Core


def run(case: Json, core: Core) -> None:
    """Run a case; its tick is ours.

    Errors:
        Skipped: it asks for something we do not have.
        Failed: another outcome.
    """
    known("setup", case["setup"], frozenset({"tick"}))
    known("expect", case.get("expect", {}), frozenset())
    for step in case["steps"]:
        if step["op"] != "validate_price":
            raise Skipped(f"step {step['op']} not known here")
        known("expect", step["expect"], frozenset({"result", "reason"}))
    ours = Decimal(price_text(1)) / case["setup"]["tick"]
    for step in case["steps"]:
        try:
            price_ticks_of(str(step["price"] * ours))
            result, reason = "accepted", ""
        except ValueError:
            result, reason = "rejected", "off_tick"
        same("result", step["expect"]["result"], result)
        same("reason", step["expect"].get("reason", ""), reason)
