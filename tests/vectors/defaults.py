"""Cases of defaults: layers of a loss, the size of the fund, losses that are shared.

Kinds `waterfall`, `loss_socialisation`, `final_settlement`, `collection` and `house_pnl`.
"""

from exchange.rules.default_fund import cover_loss
from exchange.rules.entry import after_fill
from exchange.rules.waterfall import LayerName, assessments_of, bear, faults
from tests.vectors.cases import Failed, Json, Skipped, known, near, same
from tests.vectors.loss_sharing import settle_shared
from tests.vectors.market import Core

CENTS = 100  # 2.75 times a contribution is no whole amount of the cases
# What our layers are called in the cases.
LAYER_WORDS = {
    LayerName.DEFAULTER_MARGIN: "defaulter_margin",
    LayerName.DEFAULTER_FUND: "defaulter_guarantee",
    LayerName.HOUSE_FIRST: "house",
    LayerName.FUND_OF_OTHERS: "others_guarantee",
    LayerName.ASSESSMENTS: "assessments",
}


def run_waterfall(case: Json, core: Core) -> None:
    """Run a case of layers, or of the size of the fund."""
    known("expect", case["expect"], frozenset())
    for step in case["steps"]:
        if step["op"] == "cover_n":
            _cover(case["setup"], step)
        elif step["op"] == "default_loss":
            _default(case["setup"], step)
        else:
            raise Skipped(f"step {step['op']} not known here")


def _cover(setup: Json, step: Json) -> None:
    known("setup", setup, frozenset({"margin"}))
    known("step", step, frozenset({"op", "n", "losses", "expect"}))
    known("expect", step["expect"], frozenset({*step["losses"], "fund"}))
    covers = [
        cover_loss(name, losses, setup["margin"], step["n"])
        for name, losses in step["losses"].items()
    ]
    for cover in covers:
        same(cover.scenario, step["expect"][cover.scenario], cover.total_usd_micros)
    same("fund", step["expect"]["fund"], max(cover.total_usd_micros for cover in covers))


def _default(setup: Json, step: Json) -> None:
    words = {"defaulter", "margin", "guarantee", "house", "assessment_multiple"}
    known("setup", setup, frozenset(words))
    known("step", step, frozenset({"op", "amount", "expect"}))
    known("expect", step["expect"], frozenset({"used", "uncovered"}))
    if setup["assessment_multiple"] != "2.75":
        raise Skipped(f"assessments of {setup['assessment_multiple']}")
    who = setup["defaulter"]
    paid = {name: CENTS * amount for name, amount in setup["guarantee"].items()}
    others = {name: amount for name, amount in paid.items() if name != who}
    parts = {
        LayerName.DEFAULTER_MARGIN: {who: CENTS * setup["margin"][who]},
        LayerName.DEFAULTER_FUND: {who: paid[who]},
        LayerName.HOUSE_FIRST: {"house": CENTS * setup["house"]},
        LayerName.FUND_OF_OTHERS: others,
        LayerName.ASSESSMENTS: assessments_of(others),
    }
    waterfall = bear(CENTS * step["amount"], parts)
    same("faults", [], faults(waterfall, parts))
    used = [
        [word, _whole(waterfall.used_of(layer))]
        for layer, word in LAYER_WORDS.items()
        if waterfall.used_of(layer)
    ]
    same("used", step["expect"]["used"], used)
    same("uncovered", step["expect"]["uncovered"], _whole(waterfall.uncovered_usd_micros))


def _whole(cents: int) -> int:
    if cents % CENTS:
        raise Failed(f"{cents} is not a whole amount")
    return cents // CENTS


def run_sharing(case: Json, core: Core) -> None:
    """Run a case of a settlement whose losers cannot pay."""
    setup, (step, *more) = case["setup"], case["steps"]
    prices = {"settle_mark": "mark", "final_settle": "price"}
    for other in (step, *more):
        if other["op"] not in prices:
            raise Skipped(f"step {other['op']} not known here")
    if more:
        raise Skipped("more than one settlement")
    known("setup", setup, frozenset({"mark", "positions", "funds", "equity", "insurance"}))
    known("step", step, frozenset({"op", "mark", "price"}))
    equity = setup["funds"] if "funds" in setup else setup["equity"]
    move = step[prices[step["op"]]] - setup["mark"]
    variations = {user: lots * move for user, lots in setup["positions"].items()}
    shared = settle_shared(variations, equity, setup["insurance"])
    total = sum(shared.equity.values()) + shared.insurance_usd_micros
    same("money", sum(equity.values()) + setup["insurance"], total)
    found = {
        "taken": shared.taken,
        "shortfall": shared.shortfall_usd_micros,
        "insurance_used": shared.insurance_used_usd_micros,
        "haircut": shared.haircut,
        "equity": shared.equity,
        "insurance": shared.insurance_usd_micros,
    }
    known("expect", case["expect"], frozenset(found))
    for name, expected in case["expect"].items():
        near(name, expected, found[name], case.get("tolerance") or 0)


def run_collection(case: Json, core: Core) -> None:
    """Run a case of a party that is closed out: what it has left goes to the insurance fund."""
    setup = case["setup"]
    for step in case["steps"]:
        if step["op"] != "seize":
            raise Skipped(f"step {step['op']} not known here")
        known("step", step, frozenset({"op", "user", "position", "expect"}))
    known("setup", setup, frozenset({"accounts", "insurance", "mark", "positions"}))
    known("expect", case["expect"], frozenset({"insurance", "equity"}))
    equity = {user: sum(purses.values()) for user, purses in setup["accounts"].items()}
    insurance, house = setup["insurance"], 0
    for step in case["steps"]:
        known("expect", step["expect"], frozenset({"to_insurance", "house_position"}))
        # Taken over at bankruptcy price: the position takes all equity with it.
        seized, equity[step["user"]] = equity[step["user"]], 0
        insurance, house = insurance + seized, house + step["position"]
        same("to insurance", step["expect"]["to_insurance"], seized)
        same("position of the house", step["expect"]["house_position"], house)
    same("insurance", case["expect"]["insurance"], insurance)
    for user, amount in case["expect"]["equity"].items():
        same(f"equity of {user}", amount, equity[user])


def run_house(case: Json, core: Core) -> None:
    """Run a case of positions that the house takes over, and of what they earn."""
    known("setup", case["setup"], frozenset())
    known("expect", case["expect"], frozenset())
    lots = entry = realised = 0
    for step in case["steps"]:
        known("step", step, frozenset({"op", "qty", "mark", "price", "expect"}))
        known("expect", step["expect"], frozenset({"position", "realised", "unrealised"}))
        if step["op"] == "take_over":
            mark = step["mark"]
            value = step["qty"] * mark
            lots, entry, realised = after_fill(lots, entry, realised, step["qty"], value)
        elif step["op"] == "mark":
            mark = step["price"]
        else:
            raise Skipped(f"step {step['op']} not known here")
        found = {"position": lots, "realised": realised, "unrealised": lots * mark - entry}
        for name, expected in step["expect"].items():
            same(name, expected, found[name])
    if not case["steps"]:
        raise Failed("nothing to run")
