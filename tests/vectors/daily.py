"""Cases of kinds `margin_account` and `collection`: settlements, calls, and whose money pays."""

from decimal import Decimal
from typing import NamedTuple

from exchange.rules.margin import call_usd_micros
from matching.codes import Kind
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.defaults import run_collection as run_seizure
from tests.vectors.market import Core, Market

ACCOUNT = frozenset(
    {"position", "contract_size", "entry", "initial_margin", "maintenance_margin",
     "opening_balance", "call_rule"}
)  # fmt: skip
RULE = "to_initial_when_below_maintenance"
OTHERS = "the others"


class Day:
    """One holder's account at the engine, from day to day; money is scaled to whole numbers."""

    def __init__(self, case: Json, core: Core) -> None:
        setup = case["setup"]
        prices = [setup["entry"], *(step["price"] for step in case["steps"] if "price" in step)]
        self.scale = 10 ** max(-int(Decimal(price).as_tuple().exponent) for price in prices)
        self.market = Market(core, self.ticks(setup["entry"]), setup["contract_size"])
        self.market.open("holder", setup["opening_balance"] * self.scale)
        self.initial = setup["initial_margin"] * self.scale
        self.maintenance = setup["maintenance_margin"] * self.scale
        self.trade(setup["position"], setup["entry"])
        self.vm = self.calls = 0

    def ticks(self, price: str) -> int:
        return int(Decimal(price) * self.scale)

    @property
    def balance(self) -> int:
        return self.market.mirror.accounts[self.market.account("holder")].cash_usd_micros

    def trade(self, lots: int, price: str) -> None:
        users = ("holder", OTHERS) if lots > 0 else (OTHERS, "holder")
        self.market.cross(*users, abs(lots), self.ticks(price))

    def settle(self, price: str) -> dict[str, int]:
        """Settle at a price, call if the rule says so, and pay the call."""
        market, before = self.market, self.balance
        holder = market.account("holder")
        said = market.send(Kind.SETTLE, price_ticks=self.ticks(price))
        if sum(said.variations.values()) != 0:
            raise Failed("variation margin does not sum to zero")
        found = {"vm": said.variations.get(holder, 0), "balance": self.balance}
        same("cash and variation margin", self.balance - before, found["vm"])
        called = call_usd_micros(self.balance, self.initial, self.maintenance)
        if called:
            market.send(Kind.DEPOSIT, account_idx=holder, amount_usd_micros=called)
        self.vm, self.calls = self.vm + found["vm"], self.calls + called
        return found | {"margin_call": called, "balance_after_call": self.balance}


def run_account(case: Json, core: Core) -> None:
    """Run a case of `margin_account`."""
    known("setup", case["setup"], ACCOUNT)
    if case["setup"]["call_rule"] != RULE:
        raise Skipped(f"another rule of calls: {case['setup']['call_rule']}")
    unknown = [step["op"] for step in case["steps"] if step["op"] not in ("settle", "close")]
    if unknown:
        raise Skipped(f"step {unknown[0]} not known here")
    day = Day(case, core)
    for step in case["steps"]:
        known("step", step, frozenset({"op", "day", "price", "expect"}))
        if step["op"] == "close":
            day.trade(-case["setup"]["position"], step["price"])
        found = day.settle(step["price"])
        known("expect", step["expect"], frozenset(found))
        for name, amount in step["expect"].items():
            same(f"day {step['day']}: {name}", amount * day.scale, found[name])
    ended = {"total_vm": day.vm, "total_calls": day.calls, "final_balance": day.balance}
    known("expect", case["expect"], frozenset(ended))
    for name, amount in case["expect"].items():
        same(name, amount * day.scale, ended[name])


def run_collection(case: Json, core: Core) -> None:
    """Run a case of `collection`: a mark is settled, and the losers' money is taken in layers."""
    setup = case["setup"]
    if any(step["op"] == "seize" for step in case["steps"]):
        run_seizure(case, core)
        return
    known("setup", setup, frozenset({"accounts", "insurance", "mark", "positions"}))
    market = Market(core, setup["mark"])
    for user, money in setup["accounts"].items():
        known("account", money, frozenset({"margin", "general"}))
        market.open(user, money["margin"] + money["general"])
    market.give_positions(setup["positions"], setup["mark"])
    for step in case["steps"]:
        if step["op"] != "settle_mark":
            raise Skipped(f"step {step['op']} not known here")
        known("step", step, frozenset({"op", "mark", "losers", "expect"}))
        known("expect", step["expect"], frozenset({"taken", "paid"}))
        said = market.send(Kind.SETTLE, price_ticks=step["mark"])
        _judge_taken(setup, step, market, said.variations)
        for user, amount in step["expect"].get("paid", {}).items():
            same(f"paid to {user}", amount, said.variations[market.account(user)])
    known("expect", case["expect"], frozenset({"equity"}))
    for user, amount in case["expect"]["equity"].items():
        equity = market.mirror.accounts[market.account(user)].cash_usd_micros
        same(f"equity of {user}", amount, equity)


class Taken(NamedTuple):
    """Whose money paid for a loss."""

    margin: int
    general: int
    insurance: int


def taken_of(loss: int, cash_before: int, margin: int, insurance: int) -> Taken:
    """Return how the cash that the core took is split: an account of ours has one balance.

    Its margin is the part that is not free, and goes first; the insurance pays below zero.
    """
    own = min(loss, cash_before)
    return Taken(min(own, margin), own - min(own, margin), min(loss - own, insurance))


def _judge_taken(setup: Json, step: Json, market: Market, variations: dict[int, int]) -> None:
    same("losers", sorted(step["losers"]), sorted(step["expect"]["taken"]))
    for user, parts in step["expect"]["taken"].items():
        money = setup["accounts"][user]
        loss = -variations[market.account(user)]
        cash_before = market.mirror.accounts[market.account(user)].cash_usd_micros + loss
        same(f"money of {user}", money["margin"] + money["general"], cash_before)
        taken = taken_of(loss, cash_before, money["margin"], setup["insurance"])
        known("taken", parts, frozenset(taken._fields))
        for name, amount in parts.items():
            same(f"{name} of {user}", amount, getattr(taken, name))
