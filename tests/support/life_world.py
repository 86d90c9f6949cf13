"""A whole curve that lives for years in seconds: the real core, the real agenda, and crashes."""

from collections import deque
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from random import Random
from typing import Final

import numpy as np

from exchange.io.batch import Batch
from exchange.io.price_data import load_price_data
from exchange.rules.agenda import Agenda
from exchange.rules.calendar import listed_periods
from exchange.rules.cascades import following
from exchange.rules.contracts import Contract, parse_series, parse_symbol
from exchange.rules.final_settlement import DayPrint, FixedDays
from exchange.rules.mirror_saved import mirror_from_saved
from exchange.rules.operations import tick_command
from exchange.rules.reference import References
from exchange.rules.sessions import NO_CALLS
from exchange.rules.tape import Tape
from exchange.rules.tenors import DAY, NS_PER_SECOND, Tenor, ns_of
from matching import saved
from matching.codes import Code, EventKind, Kind, Side, Tif, TradingState
from matching.engine import Engine
from matching.state import Sizes
from tests.support.rows import command

HOURS: Final = (12, 16)  # of a day, at which something falls due
BIT_USD_MICROS: Final = 8  # a shock: margin is not what is tested here, but there is some
CASH_USD_MICROS: Final = 10**15
CURVE: Final = (Tenor.MONTH, Tenor.QUARTER, Tenor.CALENDAR)


class Bits:
    """Scenarios that never change, so that a matrix is staged once a contract."""

    count, worst_count = 8, 1

    def shocks(self, contract: Contract, price_ticks: int, on: date) -> list[int]:
        return [BIT_USD_MICROS, -BIT_USD_MICROS] * 4


class LeanAgenda(Agenda):
    """Swaps the matrix only when contracts that are about to be held have none yet.

    Prices of new contracts are those of the first day.
    """

    def references(self, on: date) -> References:
        return super().references(self._references.on if self._references else on)

    def margin(self, now_ns: int) -> np.ndarray:
        waits = any(
            child.symbol in self._mirror.symbols
            and not any(self._mirror.shocks[self._mirror.symbols[child.symbol]])
            for listed, contract in self._living()
            if 0 < listed.last_trade_ns <= now_ns and listed.delivery.phase == 0
            for child in following(contract)
        )
        first = self._mirror.scenario_count == 0 and bool(self._mirror.contracts)
        return super().margin(now_ns) if waits or first else command(Kind.TICK)[:0]


class World:
    """Accounts that trade a curve with one another until all of it is over."""

    def __init__(self, seed: int, series: dict[str, tuple[Tenor, ...]], start: date) -> None:
        self.random = Random(seed)
        self.series = series
        self.day = start
        self.now_ns = ns_of(start, 9)
        self.sizes = Sizes(
            price_bits=13, accounts=4, contracts=2048, positions=1 << 14, orders=64,
            client_ids=8, scenarios=8, deals=2, command_events=40,
        )  # fmt: skip
        self.engine = Engine(self.sizes)
        self.days = FixedDays()
        self.prints: dict[tuple[str, date], int] = {}
        self.recent: deque[Batch] = deque(maxlen=400)
        self.trades: list[tuple[int, str, int, int]] = []  # account, symbol, lots, ticks
        self.crashes = self.repeats = 0
        self.price = dict.fromkeys(series, 2_800_000)
        self.restart()
        for idx in range(4):
            self.send(command(Kind.OPEN_ACCOUNT, account_idx=idx))
            self.send(
                command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=CASH_USD_MICROS, ref_id=1)
            )

    def restart(self) -> None:
        """Start again from what is saved, with nothing in memory."""
        blob = self.engine.save()
        self.engine = Engine.restore(blob, self.sizes)
        self.mirror = mirror_from_saved(saved.unpack(blob))
        self.tape = Tape()
        for batch in self.recent:
            self.tape.observe(batch.commands, batch.events)
        self.agenda = LeanAgenda(
            self.mirror, self.tape, load_price_data(), 2048, times=NO_CALLS, days=self.days
        )
        self.agenda.adopt(Bits())

    def send(self, rows: np.ndarray) -> np.ndarray:
        rows = rows.copy()
        rows["seq"] = np.arange(len(rows)) + self.engine.last_seq + 1
        self.now_ns += 1
        rows["ts_ns"] = self.now_ns
        events = self.engine.apply(rows)
        batch = Batch(int(rows["seq"][0]), rows, events)
        self.mirror.apply(rows, events)
        self.tape.observe(rows, events)
        if (events["kind"] == EventKind.SETTLED).any():
            self.recent.append(batch)
        return events

    def settle_down(self) -> None:
        """Do all that is due; sometimes die in the middle of it, or say it twice."""
        for _ in range(200):
            rows = self.agenda.plan(self.now_ns)
            if len(rows) == 0:
                return
            fate = self.random.random()
            if fate < 0.02:
                self.crashes += 1
                self.send(rows[: self.random.randrange(1, len(rows) + 1)])
                self.restart()
            elif fate < 0.10:
                self.repeats += 1
                self.send(rows)
                self.send(rows)
            else:
                self.send(rows)
        raise AssertionError("the agenda never comes to rest")

    def live(self, until: date, trading_until: date) -> None:
        """Let days pass. The exchange is up around the turn of each month, else now and then."""
        while self.day < until:
            turn = self.day.day < 3 or self.day.day > 26
            up = self.random.random() < (0.4 if turn else 0.03)
            if up or self.day >= trading_until:
                for hour in HOURS:
                    self._visit(hour, trading_until)
            else:
                self._publish(12)
            self.day += DAY

    def _visit(self, hour: int, trading_until: date) -> None:
        self.now_ns = max(self.now_ns, ns_of(self.day, hour)) + NS_PER_SECOND
        self._publish(hour)
        for _ in range(2):  # trading ends with a tick, then there is more to do
            self.send(tick_command())
            self.settle_down()
        if hour == HOURS[0] and self.day < trading_until:
            self._trade(trading_until)

    def _publish(self, hour: int) -> None:
        """Print the index of yesterday; seldom a day or two late."""
        if hour != 12:
            return
        for name in self.series:
            self.price[name] += self.random.randint(-40_000, 40_000)
            self.price[name] = min(7_000_000, max(900_000, self.price[name]))
            self.prints[name, self.day - DAY] = self.price[name]
        late = self.random.random() < 0.05
        for (name, day), price in list(self.prints.items())[-8:]:
            if not late or day < self.day - 2 * DAY:
                self.days.add(name, DayPrint(day, price, f"{price:064x}"))

    def _trade(self, until: date) -> None:
        """Let two accounts trade something that will be over by then, and marks move."""
        rng = self.random
        open_ones = [
            listed
            for listed, contract in self.agenda._living()
            if listed.state == TradingState.CONTINUOUS and contract.period.end <= until
        ]
        if not open_ones or rng.random() < 0.4:
            return
        for listed in rng.sample(open_ones, min(3, len(open_ones))):
            ticks = max(1, listed.mark_ticks + rng.randint(-30, 30))
            self.send(command(Kind.MARK, contract_idx=listed.contract_idx, price_ticks=ticks))
        chosen = rng.choice(open_ones)
        if rng.random() < 0.6:  # mostly what becomes something else
            chosen = max(
                rng.sample(open_ones, min(4, len(open_ones))),
                key=lambda one: parse_symbol(one.symbol).period.days,
            )
        self.trade(chosen.symbol, rng.randint(1, 9), chosen.mark_ticks + rng.randint(-5, 5))

    def trade(self, symbol: str, lots: int, ticks: int) -> None:
        """Let one account buy of another."""
        contract_idx = self.mirror.symbols[symbol]
        buyer, seller = self.random.sample(range(4), 2)
        for account_idx, side in ((buyer, Side.BUY), (seller, Side.SELL)):
            events = self.send(
                command(
                    Kind.PLACE, account_idx=account_idx, contract_idx=contract_idx, side=side,
                    price_ticks=ticks, qty_lots=lots, tif=Tif.GTC,
                )
            )  # fmt: skip
            assert events[0]["kind"] == EventKind.ACCEPTED, Code(int(events[0]["code"]))
        self.trades.append((buyer, symbol, lots, ticks))
        self.trades.append((seller, symbol, -lots, ticks))

    # What must come out of it, by other means

    def due_usd_micros(self, account_idx: int) -> int:
        """Return q (F - p) of everything an account traded, in whole micro-dollars."""
        total = 0
        for who, symbol, lots, ticks in self.trades:
            if who == account_idx:
                contract = parse_symbol(symbol)
                paid = contract.tick_value_usd_micros * ticks
                total += lots * (self._final(contract.series.symbol, contract) - paid)
        return total

    def _final(self, name: str, contract: Contract) -> int:
        """Return what a lot of a period is worth at last: parts that deliver, each by its mean."""
        period, worth = contract.period, 0
        start = period.start
        while start < period.end:
            end = period.end
            if period.tenor in CURVE and Tenor.DAY in self.series[name]:
                end = start + DAY
            elif period.tenor in CURVE:
                end = (start.replace(day=1) + 32 * DAY).replace(day=1)
            count = (end - start).days
            total = sum(self.prints[name, start + n * DAY] for n in range(count))
            mean = (Decimal(total) / count / 1_000_000).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
            worth += int(mean * 1_000_000) * 24 * count
            start = end
        return worth


@lru_cache(maxsize=8192)
def listed_on(series: tuple[tuple[str, tuple[Tenor, ...]], ...], on: date) -> list[Contract]:
    """Return the catalogue of a day, of some series alone."""
    return [
        Contract(parse_series(name), period)
        for name, tenors in series
        for tenor in tenors
        for period in listed_periods(tenor, on)
    ]
