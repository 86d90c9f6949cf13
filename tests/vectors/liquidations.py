"""Cases of liquidation: bankruptcy prices, deleveraging, rank, and what the house sells.

Kinds `dydx`, `adl_queue` and `disposal`. Decimals become whole numbers of millionths;
a lot is a millionth of the case's unit, so that every size of a case is whole.
"""

from decimal import Decimal
from typing import Any

from exchange.rules.adl import (
    SCORE_ONE,
    Candidate,
    Closing,
    may_deleverage,
    plan,
    score,
)
from exchange.rules.disposal import DisposalRule, disposal_lots
from exchange.rules.liquidation import equity_share_usd_micros
from exchange.rules.money import BPS, scaled_text
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import Core

DIGITS = 9  # of money
UNIT = 10**DIGITS
LOT = 10**3  # lots in one unit: the smallest size of the cases


def run_dydx(case: Json, core: Core) -> None:
    """Run a case of bankruptcy prices and deleveraging."""
    known("setup", case["setup"], frozenset({"instruments"}))
    known("expect", case["expect"], frozenset())
    for step in case["steps"]:
        runner = _OPS.get(step["op"])
        if runner is None:
            raise Skipped(f"step {step['op']} not known here")
        runner(case["setup"]["instruments"], step)


class _Account:
    """An account of a case, in whole numbers."""

    def __init__(self, instruments: Json, account: Json, prices: Json) -> None:
        known("account", account, frozenset({"cash", "positions"}))
        self.lots = {name: _scaled(text, LOT) for name, text in account["positions"].items()}
        self.prices = {
            name: _scaled(prices.get(name, instruments[name]["price"]), UNIT // LOT)
            for name in self.lots
        }
        self.maintenance = {
            name: abs(lots) * self.prices[name] * _scaled(instruments[name]["mmf"], BPS) // BPS
            for name, lots in self.lots.items()
        }
        held = sum(lots * self.prices[name] for name, lots in self.lots.items())
        self.equity = _scaled(account["cash"], UNIT) + held

    def closing_cash(self, name: str, delta_lots: int) -> int:
        """Return what a change of lots brings at the bankruptcy price."""
        part = self.maintenance[name] * abs(delta_lots) // abs(self.lots[name])
        value = -delta_lots * self.prices[name]
        return value - equity_share_usd_micros(self.equity, part, sum(self.maintenance.values()))


def _bankruptcy(instruments: Json, step: Json) -> None:
    known("step", step, frozenset({"op", "account", "instrument", "delta", "expect"}))
    account = _Account(instruments, step["account"], {})
    cash = account.closing_cash(step["instrument"], _scaled(step["delta"], LOT))
    same("cash", step["expect"], scaled_text(cash, DIGITS))


def _can_adl(instruments: Json, step: Json) -> None:
    known("step", step, frozenset({"op", "account", "price_override", "expect"}))
    account = _Account(instruments, step["account"], step["price_override"])
    same("may be deleveraged", step["expect"], may_deleverage(account.equity))


def _deleverage(instruments: Json, step: Json) -> None:
    known("step", step, frozenset({"op", "account", "instrument", "counterparty", "expect"}))
    known("expect", step["expect"], frozenset({"result", "price", "reason"}))
    name = step["instrument"]
    account = _Account(instruments, step["account"], {})
    other = _Account(instruments, step["counterparty"], {})
    lots = account.lots[name]
    price = -account.closing_cash(name, -lots) // lots  # of one lot
    closing = Closing(
        liquidation_id=1, round_no=1, symbol=name, qty_lots=lots, price_ticks=abs(price),
        mark_ticks=account.prices[name], tick_value_usd_micros=1, state_seq=1,
    )  # fmt: skip
    value = other.lots[name] * other.prices[name]
    candidate = Candidate(
        account_id=2, qty_lots=other.lots[name], entry_usd_micros=value, value_usd_micros=value,
        equity_usd_micros=other.equity,
    )  # fmt: skip
    _, shares = plan(closing, [candidate])
    if shares.get(2) == abs(lots):
        found = {"result": "closed", "price": scaled_text(abs(price) * LOT, DIGITS)}
    else:
        found = {"result": "skipped", "reason": "counterparty_cannot_take_price"}
    same("deleveraging", step["expect"], found)


_OPS = {"bankruptcy": _bankruptcy, "can_adl": _can_adl, "deleverage": _deleverage}


def run_queue(case: Json, core: Core) -> None:
    """Run a case of ranks."""
    known("setup", case["setup"], frozenset())
    known("expect", case["expect"], frozenset())
    for step in case["steps"]:
        if step["op"] != "adl_score":
            raise Skipped(f"step {step['op']} not known here")
        known("step", step, frozenset({"op", "pnl_pct", "leverage", "expect"}))
        found = score(_scaled(step["pnl_pct"], UNIT), UNIT, _scaled(step["leverage"], UNIT), UNIT)
        same("score", step["expect"], scaled_text(found, len(str(SCORE_ONE)) - 1))


def run_disposal(case: Json, core: Core) -> None:
    """Run a case of a position that the house sells step by step."""
    setup = case["setup"]
    words = {"position", "fraction", "full_size", "book_volume", "max_book_fraction", "bid", "mark"}
    known("setup", setup, frozenset(words))
    known("expect", case["expect"], frozenset())
    rule = DisposalRule(
        share_bps=_scaled(setup["fraction"], BPS),
        whole_lots=setup["full_size"],
        book_bps=_scaled(setup["max_book_fraction"], BPS),
    )
    lots, realised, continuous = setup["position"], 0, True
    for step in case["steps"]:
        known("step", step, frozenset({"op", "expect"}))
        if step["op"] in ("auction", "continuous"):
            continuous = step["op"] == "continuous"
            continue
        if step["op"] != "step":
            raise Skipped(f"step {step['op']} not known here")
        known("expect", step["expect"], frozenset({"size", "left", "realised"}))
        size = disposal_lots(lots, setup["book_volume"], continuous=continuous, rule=rule)
        lots -= size if lots > 0 else -size
        realised += size * (setup.get("bid", 0) - setup.get("mark", 0))
        found = {"size": size, "left": lots, "realised": realised}
        for name, expected in step["expect"].items():
            same(name, expected, found[name])


def _scaled(text: Any, scale: int) -> int:
    value = Decimal(text) * scale
    if value != int(value):
        raise Failed(f"{text} is finer than a case may be")
    return int(value)
