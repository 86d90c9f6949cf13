"""Cases of kind `lifecycle` with an oracle: only a contract's own index settles it.

What a case calls the oracle of a market is here the calendar and the final prints of its series;
another oracle is another series, with a contract of its own on the same core.
"""

from collections.abc import Iterator

import numpy as np

from exchange.rules.agenda_life import deliveries, expiries
from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.final_settlement import HOURS_A_DAY, DayPrint, FixedDays, accrues_ns, final_ns
from exchange.rules.operations import last_trade_command
from matching.codes import Kind, TradingState
from matching.limits import QTY_LOTS_MAX
from tests.support.rows import stamped
from tests.vectors.cases import Json, Skipped, known, same
from tests.vectors.market import Core, Market

SYMBOLS = ("H100-USE-2027M03D17", "H100-EUW-2027M03D17")  # of the market, of another one
UNIT_USD_MICROS = 10_000  # a price of the cases is so many cents
TICK_VALUE_USD_MICROS = 24_000  # 24 GPU-hours at $0.001
CONTRACTS = len(SYMBOLS)
STEPS_MAX = 4  # begins, fixes its day, is final, expires
NAMES = {TradingState.HALT: "terminated", TradingState.EXPIRED: "settled"}


def run(case: Json, core: Core) -> None:
    """Run a case: after each word of an oracle everything that is due is done."""
    known("setup", case["setup"], frozenset({"state", "oracle"}))
    known("expect", case["expect"], frozenset())
    for step in case["steps"]:
        if step["op"] != "oracle":
            raise Skipped(f"step {step['op']} not known here")
    house = House(Market(core, mark_ticks=2_000, tick_value=TICK_VALUE_USD_MICROS))
    for step in case["steps"]:
        known("step", step, frozenset({"op", "source", "terminated", "price", "expect"}))
        known("expect", step["expect"], frozenset({"state"}))
        place = int(step["source"] != case["setup"]["oracle"])
        if step.get("terminated"):
            house.end(place)
        else:
            house.print(place, step["price"])
        house.settle_down()
        same("state", step["expect"]["state"], house.state(0))
        if house.state(0) == "settled":
            worth = HOURS_A_DAY * UNIT_USD_MICROS * step["price"]
            same("worth of a lot", worth, house.market.mirror.contracts[0].worth_usd_micros)


class House:
    """Two contracts on one core, and what the calendar does about them."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.contracts = [parse_symbol(symbol) for symbol in SYMBOLS]
        self.days = FixedDays()
        market.send(
            Kind.LIST, contract_idx=1, symbol="OTHER", price_ticks=2_000,
            amount_usd_micros=TICK_VALUE_USD_MICROS, qty_lots=QTY_LOTS_MAX,
            state=TradingState.CONTINUOUS,
        )  # fmt: skip

    def end(self, place: int) -> None:
        """Let the trading of a contract end now."""
        market = self.market
        self.send(last_trade_command(place, market.now_ns + 1))
        market.now_ns += 2
        market.send(Kind.TICK)

    def print(self, place: int, price: int) -> None:
        """Publish the final print of the day for a series."""
        contract = self.contracts[place]
        one = DayPrint(contract.period.start, price * UNIT_USD_MICROS, "0" * 64)
        self.days.add(contract.series.symbol, one)

    def settle_down(self) -> None:
        """Do all that is due by the day's finality, until nothing is."""
        for now_ns in self._moments(self.contracts[0]):
            self.market.now_ns = max(self.market.now_ns, now_ns)
            for _ in range(STEPS_MAX):
                for row in self._due():
                    self.send(row)

    def _moments(self, contract: Contract) -> Iterator[int]:
        yield accrues_ns(contract.period.start)
        yield final_ns(contract.period, self.market.now_ns)

    def _due(self) -> list[np.ndarray]:
        mirror = self.market.mirror
        pairs = [
            (listed, contract)
            for listed, contract in zip(mirror.contracts, self.contracts, strict=True)
            if listed.ended and listed.state != TradingState.EXPIRED
        ]
        now_ns = self.market.now_ns
        due = list(deliveries(mirror, pairs, self.days, CONTRACTS, now_ns))
        return [*due, *expiries(mirror, pairs, CONTRACTS)]

    def send(self, row: np.ndarray) -> None:
        """Send a command of the product."""
        batch = stamped([row], self.market.mirror.seq + 1, self.market.now_ns)
        self.market.mirror.apply(batch, self.market.core.apply(batch))

    def state(self, place: int) -> str:
        """Return what a case calls the state of a contract."""
        return NAMES.get(self.market.mirror.contracts[place].state, "active")
