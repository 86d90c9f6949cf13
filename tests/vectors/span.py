"""Cases of kind `span`: scan risk, spread charges and credits of published parameters."""

from collections.abc import Callable
from decimal import Decimal

from exchange.rules.money import BPS, USD_MICROS, usd_micros_of
from tests.vectors import span_rules as span
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import Core

SETUP = frozenset({"arrays", "risk_array", "price_scan", "spread_charge", "array_sign", "base"})
LONG = "loss of one long unit"


def run(case: Json, core: Core) -> None:
    """Run a case; no engine knows these rules, and none is asked."""
    setup = case["setup"]
    known("setup", setup, SETUP)
    known("expect", case["expect"], frozenset())
    if setup.get("array_sign", LONG) != LONG:
        raise Skipped(f"arrays are {setup['array_sign']}")
    for step in case["steps"]:
        if step["op"] not in STEPS:
            raise Skipped(f"step {step['op']} not known here")
        STEPS[step["op"]](setup, step, case.get("tolerance"))


def money(text: str) -> int:
    return usd_micros_of(text, signed=True)


def arrays_of(setup: Json) -> dict[str, list[int]]:
    named = setup.get("arrays", {"one": setup.get("risk_array", [])})
    return {name: [money(loss) for loss in losses] for name, losses in named.items()}


def expected(text: str) -> int:
    try:
        return money(text)
    except ValueError as error:
        raise Failed(f"no amount: {text}") from error


def _scan_portfolio(setup: Json, step: Json, tolerance: str | None) -> None:
    known("step", step, frozenset({"op", "positions", "expect", "charge", "total"}))
    scan = span.scan_risk(arrays_of(setup), step["positions"])
    same("scan risk", expected(step["expect"]), scan)
    if "charge" in step:
        charge = span.spread_charge(step["positions"].values(), money(setup["spread_charge"]))
        same("spread charge", money(step["charge"]), charge)
        same("total", money(step["total"]), scan + charge)


def _scan_risk(setup: Json, step: Json, tolerance: str | None) -> None:
    known("step", step, frozenset({"op", "position", "expect"}))
    scan = span.scan_risk(arrays_of(setup), {"one": step["position"]})
    same("scan risk", expected(step["expect"]), scan)


def _spread(step: Json, scan: int, charge: int) -> None:
    known("step", step, frozenset({"op", "legs", "expect"}))
    known("expect", step["expect"], frozenset({"scan", "spread_charge", "total"}))
    found = {"scan": scan, "spread_charge": charge, "total": scan + charge}
    for name, text in step["expect"].items():
        same(name, expected(text), found[name])


def _spread_margin(setup: Json, step: Json, tolerance: str | None) -> None:
    scan = span.scan_risk(arrays_of(setup), {"one": sum(step["legs"])})
    _spread(step, scan, span.spread_charge(step["legs"], money(setup["spread_charge"])))


def _spread_margin_linear(setup: Json, step: Json, tolerance: str | None) -> None:
    range_of = money(setup["price_scan"])
    scan = span.scan_risk({"one": [range_of, -range_of]}, {"one": sum(step["legs"])})
    _spread(step, scan, span.spread_charge(step["legs"], money(setup["spread_charge"])))


def _spread_credit(setup: Json, step: Json, tolerance: str | None) -> None:
    known("step", step, frozenset({"op", "legs", "expect"}))
    known("expect", step["expect"], frozenset({"gross", "net"}))
    legs = [
        span.Leg(money(leg["margin"]), leg["qty"], int(Decimal(leg["credit"]) * BPS))
        for leg in step["legs"]
    ]
    same("gross", expected(step["expect"]["gross"]), span.gross_margin(legs))
    same("net", expected(step["expect"]["net"]), span.credited_margin(legs))


def _extreme_ratio(setup: Json, step: Json, tolerance: str | None) -> None:
    known("step", step, frozenset({"op", "down", "up", "expect"}))
    scan = money(setup["price_scan"])
    share_bps = span.extreme_share_bps(money(step["down"]), money(step["up"]), scan)
    off = abs(expected(step["expect"]) * BPS // USD_MICROS - share_bps)
    if off > int(Decimal(tolerance or "0") * BPS):
        raise Failed(f"extreme ratio: expected {step['expect']}, was {share_bps} bps")


STEPS: dict[str, Callable[[Json, Json, str | None], None]] = {
    "scan_portfolio": _scan_portfolio,
    "scan_risk": _scan_risk,
    "spread_margin": _spread_margin,
    "spread_margin_linear": _spread_margin_linear,
    "spread_credit": _spread_credit,
    "extreme_ratio": _extreme_ratio,
}
