"""The calendar in front of the real core: its commands are accepted, and money follows."""

from itertools import pairwise

import numpy as np
import pytest

from exchange.io.clock import ManualClock
from exchange.io.price_data import load_price_data
from exchange.rules.calendar import settlement_ns
from exchange.rules.combinations import listed_combinations
from exchange.rules.final_settlement import DayPrint
from exchange.rules.legs import Listed
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.sessions import NO_CALLS, CallTimes
from exchange.rules.settlement import PRICE_LIMITS, STEP_BPS
from exchange.rules.tenors import DAY, NS_PER_SECOND, ns_of
from exchange.services.calendar import RESEND_NS, Calendar
from matching.codes import EventKind, Kind, Side, Tif, TradingState
from matching.engine import Engine
from matching.state import Sizes
from tests.support.rows import command
from tests.unit.exchange.services.test_calendar import MONDAY

ALICE, BOB = 0, 1
NEAR, FAR = "H100-USE-2026M11D25", "H100-USE-2027M03"
THIN_LOTS, DEEP_LOTS = (-(-limit.depth_gpu_hours // 744) for limit in PRICE_LIMITS)


class Node:
    """Core, mirror and calendar on a manual clock."""

    def __init__(self, contracts_max: int = 512, times: CallTimes = NO_CALLS) -> None:
        sizes = Sizes(
            accounts=4, contracts=contracts_max, positions=64, orders=1 << 10, client_ids=64
        )
        self.engine = Engine(sizes)
        self.mirror = Mirror()
        self.clock = ManualClock(ns_of(MONDAY, 9))
        self.times, self.contracts_max = times, contracts_max
        self.start()
        self.events = np.zeros(0)

    def start(self) -> None:
        """Start the calendar, with nothing in its memory."""
        self.calendar = Calendar(
            self.mirror,
            self.send,
            self.clock,
            load_price_data(),
            self.contracts_max,
            times=self.times,
        )

    async def send(self, rows: np.ndarray) -> None:
        rows = rows.copy()
        rows["seq"] = np.arange(len(rows)) + self.engine.last_seq + 1
        rows["ts_ns"] = self.clock.now_ns()
        events = self.engine.apply(rows)
        assert EventKind.REFUSED not in events["kind"], events[events["kind"] == EventKind.REFUSED]
        self.mirror.apply(rows, events)
        self.calendar.observe(rows, events)
        self.events = events

    async def settle_down(self) -> None:
        for number in range(1, 25):
            if not await self.calendar.step():
                self.engine.check()
                return
            if number % 8 == 0:  # what was staged twice within moments goes after a while
                self.clock.advance(RESEND_NS)
        raise AssertionError("the calendar never comes to rest")

    async def go_to(self, ts_ns: int) -> None:
        self.clock.advance(ts_ns - self.clock.now_ns())
        await self.settle_down()

    def idx(self, symbol: str) -> int:
        return self.mirror.symbols[symbol]

    async def place(self, account: int, side: Side, symbol: str, price: int, lots: int) -> None:
        await self.send(
            command(
                Kind.PLACE, account_idx=account, contract_idx=self.idx(symbol), side=side,
                price_ticks=price, qty_lots=lots, tif=Tif.GTC,
            )
        )  # fmt: skip

    async def cancel_all(self, *accounts: int) -> None:
        for account in accounts:
            await self.send(command(Kind.MASS_CANCEL, account_idx=account, contract_idx=-1))

    async def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(NS_PER_SECOND)
            await self.calendar.step()

    async def walk(self, symbol: str, by_ticks: int, lots: int) -> None:
        """Let both accounts quote a close book somewhat off the mark, for a second."""
        mark = self.mark(symbol)
        await self.cancel_all(ALICE, BOB)
        await self.place(ALICE, Side.BUY, symbol, mark + by_ticks, lots)
        await self.place(BOB, Side.SELL, symbol, mark + by_ticks + 1, lots)
        self.clock.advance(NS_PER_SECOND)
        await self.calendar.step()

    def mark(self, symbol: str) -> int:
        return self.mirror.contracts[self.idx(symbol)].mark_ticks

    def cash(self, account: int) -> int:
        return int(self.engine.account_row(account)["cash_usd_micros"])


@pytest.fixture
async def node() -> Node:
    node = Node()
    for account in (ALICE, BOB):
        await node.send(command(Kind.OPEN_ACCOUNT, account_idx=account))
        await node.send(
            command(Kind.DEPOSIT, account_idx=account, amount_usd_micros=10**12, ref_id=1)
        )
    await node.settle_down()
    return node


async def test_the_core_takes_the_whole_catalogue_and_its_matrix(node: Node) -> None:
    assert len(node.mirror.contracts) == 392
    far = node.engine.contract_row(node.idx(FAR))
    assert far["state"] == TradingState.CONTINUOUS
    assert far["tick_value_usd_micros"] == 744_000
    assert far["mark_ticks"] == node.mirror.contracts[node.idx(FAR)].mark_ticks


async def test_an_open_position_needs_the_margin_of_the_matrix(node: Node) -> None:
    price = node.mirror.contracts[node.idx(FAR)].mark_ticks
    await node.place(ALICE, Side.BUY, FAR, price, 10)
    await node.place(BOB, Side.SELL, FAR, price, 10)
    shocks = node.mirror.shocks[node.idx(FAR)]
    worst = sorted(shocks)[:2]
    assert node.engine.requirement(ALICE) == -(-10 * -sum(worst) // 2)
    assert node.engine.requirement(BOB) == 10 * (sum(sorted(shocks)[-2:])) // 2


async def test_trades_settle_at_their_weighted_price_and_variation_is_paid(node: Node) -> None:
    mark = node.mirror.contracts[node.idx(FAR)].mark_ticks
    await node.go_to(settlement_ns(MONDAY) - 600 * NS_PER_SECOND)
    for price, lots in ((mark + 10, 10), (mark + 20, 30)):
        await node.place(ALICE, Side.BUY, FAR, price, lots)
        await node.place(BOB, Side.SELL, FAR, price, lots)
    await node.go_to(settlement_ns(MONDAY))
    contract = node.mirror.contracts[node.idx(FAR)]
    assert contract.settle_ticks == contract.mark_ticks == round(mark + 17.5)
    gained = 744_000 * (40 * contract.settle_ticks - 10 * (mark + 10) - 30 * (mark + 20))
    assert node.cash(ALICE) == 10**12 + gained
    assert node.cash(BOB) == 10**12 - gained
    assert node.engine.account_row(ALICE)["unsettled_usd_micros"] == 0


async def test_marks_follow_a_close_book_in_steps(node: Node) -> None:
    mark = node.mark(FAR)
    step = mark * STEP_BPS // 10_000
    await node.place(ALICE, Side.BUY, FAR, mark + 20, THIN_LOTS)
    await node.place(BOB, Side.SELL, FAR, mark + 30, THIN_LOTS)
    await node.pass_seconds(1)
    assert node.mark(FAR) == mark + step
    await node.pass_seconds(25 // step + 60)  # the last bit waits for a whole minute
    assert node.mark(FAR) in (mark + 24, mark + 25, mark + 26)


async def test_MARK_001_too_few_lots_move_no_mark(node: Node) -> None:
    mark = node.mark(FAR)
    await node.place(ALICE, Side.BUY, FAR, mark + 20, THIN_LOTS)
    await node.place(BOB, Side.SELL, FAR, mark + 30, THIN_LOTS - 1)
    await node.pass_seconds(61)
    assert node.mark(FAR) == mark


async def test_MARK_002_two_accounts_that_walk_a_thin_book_stop_at_the_limit(node: Node) -> None:
    start = node.mark(FAR)
    limit = start + start * PRICE_LIMITS[0].day_bps // 10_000
    seen = [start]
    for _ in range(90):
        await node.walk(FAR, 18, THIN_LOTS)
        seen.append(node.mark(FAR))
    steps = [after - before for before, after in pairwise(seen)]
    assert 0 < max(steps) <= limit * STEP_BPS // 10_000
    assert seen[-1] == max(seen) == limit
    await node.go_to(settlement_ns(MONDAY))
    assert node.mirror.contracts[node.idx(FAR)].settle_ticks == limit


async def test_MARK_003_two_accounts_that_trade_with_each_other_settle_within_the_limit(
    node: Node,
) -> None:
    start = node.mark(FAR)
    limit = start + start * PRICE_LIMITS[0].day_bps // 10_000
    contract = node.mirror.contracts[node.idx(FAR)]
    await node.go_to(settlement_ns(MONDAY) - 600 * NS_PER_SECOND)
    for _ in range(90):
        price = contract.mark_ticks * 104 // 100  # in the band, and no velocity guard calls
        await node.place(ALICE, Side.BUY, FAR, price, 10)
        await node.place(BOB, Side.SELL, FAR, price, 10)
        await node.pass_seconds(1)
    assert contract.last_trade_ticks > limit + 50
    assert contract.mark_ticks == limit
    await node.go_to(settlement_ns(MONDAY))
    assert contract.settle_ticks == contract.mark_ticks == limit


async def test_MARK_004_a_thin_book_takes_a_mark_no_farther_than_a_deep_one_did_but_back(
    node: Node,
) -> None:
    start = node.mark(FAR)
    for _ in range(90):
        await node.walk(FAR, 18, DEEP_LOTS)
    deep = node.mark(FAR)
    assert deep > start + 2 * start * PRICE_LIMITS[0].day_bps // 10_000
    for _ in range(3):
        await node.walk(FAR, 18, THIN_LOTS)
    assert node.mark(FAR) == deep
    for _ in range(90):
        await node.walk(FAR, -18, THIN_LOTS)
    assert node.mark(FAR) < start + 18


async def test_a_contract_ends_settled_with_orders_cancelled_and_margin_freed(node: Node) -> None:
    mark = node.mirror.contracts[node.idx(NEAR)].mark_ticks
    await node.place(ALICE, Side.BUY, NEAR, mark, 5)
    await node.place(BOB, Side.SELL, NEAR, mark, 5)
    await node.place(BOB, Side.SELL, NEAR, mark + 30, 3)
    assert node.engine.requirement(ALICE) > 0
    await node.go_to(settlement_ns(MONDAY + DAY))
    assert node.engine.depth(node.idx(NEAR), Side.SELL, 5) == []
    assert node.engine.position(ALICE, node.idx(NEAR))[0] == 5  # it delivers first
    print_of = DayPrint(MONDAY + 2 * DAY, 3_000_049, "0" * 64)
    node.calendar.agenda.days.add("H100-USE", print_of)
    before = node.cash(ALICE)
    for days in (3, 4):
        await node.go_to(ns_of(MONDAY + days * DAY, 12) + NS_PER_SECOND)
    assert node.cash(ALICE) - before == 5 * 24 * (3_000_000 - 1_000 * mark)
    assert node.engine.contract_row(node.idx(NEAR))["state"] == TradingState.EXPIRED
    assert node.engine.depth(node.idx(NEAR), Side.SELL, 5) == []
    assert node.engine.requirement(ALICE) == node.engine.requirement(BOB) == 0
    assert node.engine.position(ALICE, node.idx(NEAR)) == (0, 0, 0, 0)
    assert node.engine.account_row(ALICE)["gross_tick_value"] == 0


async def test_it_rolls_for_a_week_in_front_of_the_core(node: Node) -> None:
    for number in range(1, 8):
        await node.go_to(ns_of(MONDAY + number * DAY, 1))
    assert len(node.mirror.symbols) == len(node.mirror.contracts) > 392


async def test_combinations_are_listed_once_their_legs_are_open(node: Node) -> None:
    singles = len(node.mirror.contracts)
    node.calendar = Calendar(
        node.mirror,
        node.send,
        node.clock,
        load_price_data(),
        combinations=Listed.FRONT,
        times=NO_CALLS,
    )
    await node.settle_down()
    wanted = listed_combinations(Listed.FRONT, MONDAY)
    listed = node.mirror.contracts[singles:]
    assert [one.symbol for one in listed] == [one.symbol for one in wanted]
    for one, combination in zip(listed, wanted, strict=True):
        assert one.state == TradingState.CONTINUOUS
        assert [leg.symbol for leg, _ in one.legs] == [leg.symbol for leg, _ in combination.legs]
        assert one.last_trade_ns == combination.last_trade_ns
    spread = listed[0]
    price = spread.mark_ticks
    await node.place(ALICE, Side.BUY, spread.symbol, price, 10)
    await node.place(BOB, Side.SELL, spread.symbol, price, 10)
    near, far = (leg.contract_idx for leg, _ in spread.legs)
    assert node.engine.position(ALICE, near)[0] == 10
    assert node.engine.position(ALICE, far)[0] == -10
    alone = margin_of(node.mirror, ALICE)
    assert alone.initial_usd_micros < max(
        part.standalone_usd_micros for part in alone.contracts if part.contract_idx in (near, far)
    )
    node.engine.check()


async def test_a_combination_ends_with_its_first_leg(node: Node) -> None:
    node.calendar = Calendar(
        node.mirror,
        node.send,
        node.clock,
        load_price_data(),
        combinations=Listed.FRONT,
        times=NO_CALLS,
    )
    await node.settle_down()
    spread = next(one for one in node.mirror.contracts if "/" in one.symbol)
    await node.place(ALICE, Side.BUY, spread.symbol, spread.mark_ticks, 10)
    await node.go_to(spread.last_trade_ns + NS_PER_SECOND)
    assert spread.state == TradingState.EXPIRED
    assert not node.mirror.accounts[ALICE].orders
    assert spread.legs[1][0].state == TradingState.CONTINUOUS
