"""The calendar lives through days, restarts and lost commands, on a manual clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import numpy as np
import pytest

from exchange.io.batch import Batch
from exchange.io.clock import ManualClock
from exchange.io.errors import BusUnavailable
from exchange.io.price_data import load_price_data
from exchange.rules.addons import NO_ADDON, Addon
from exchange.rules.calendar import settlement_ns
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.final_settlement import DayPrint, FixedDays
from exchange.rules.mirror import Mirror
from exchange.rules.operations import addons_command
from exchange.rules.scenario_addons import AddonSet, markets_of
from exchange.rules.scenario_prices import settled_prices
from exchange.rules.scenarios import SCENARIO_COUNT
from exchange.rules.sessions import NO_CALLS
from exchange.rules.tenors import DAY, NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, ns_of
from exchange.services.calendar import FEW_SLOTS, RESEND_NS, Calendar, seq_before
from matching.codes import EventKind, Kind, TradingState
from matching.wire import EVENT
from tests.support.scenario_sets import built

MONDAY = date(2026, 11, 23)
REPLY = {
    Kind.TICK: EventKind.TICKED,
    Kind.LIST: EventKind.LISTED,
    Kind.SET_STATE: EventKind.STATE_SET,
    Kind.SET_BAND: EventKind.BAND_SET,
    Kind.STAGE_SHOCKS: EventKind.SHOCKS_STAGED,
    Kind.STAGE_ADDONS: EventKind.ADDONS_STAGED,
    Kind.SWAP_SCENARIOS: EventKind.SCENARIOS_SWAPPED,
    Kind.MARK: EventKind.MARKED,
    Kind.SETTLE: EventKind.SETTLED,
    Kind.SET_GUARD: EventKind.GUARD_SET,
    Kind.SET_LAST_TRADE: EventKind.LAST_TRADE_SET,
    Kind.COLLECT: EventKind.COLLECTED,
    Kind.CASCADE: EventKind.CASCADED,
    Kind.ACCRUE: EventKind.ACCRUED,
}


class Exchange:
    """A core that says yes to whatever the calendar sends, with a journal and a mirror."""

    def __init__(self, start_ns: int) -> None:
        self.clock = ManualClock(start_ns)
        self.batches: list[Batch] = []
        self.lost = 0  # how many of the next sends do not arrive
        self.refused = False  # whether sending fails
        self.start()

    def start(self) -> None:
        """Start a new process: everything known comes from the journal."""
        self.mirror = Mirror()
        for batch in self.batches:
            self.mirror.apply(batch.commands, batch.events)
        self.calendar = Calendar(
            self.mirror, self.send, self.clock, load_price_data(), times=NO_CALLS,
            days=constant_index(),
        )  # fmt: skip

    async def restart(self) -> None:
        self.start()
        await self.calendar.catch_up(self)

    async def send(self, rows: np.ndarray) -> None:
        if self.refused:
            raise BusUnavailable("nobody is there")
        if self.lost:
            self.lost -= 1
            return
        self.commit(rows)

    def commit(self, rows: np.ndarray) -> None:
        rows = rows.copy()
        rows["seq"] = np.arange(len(rows)) + self.mirror.seq + 1
        rows["ts_ns"] = self.clock.now_ns()
        events = np.zeros(len(rows), EVENT)
        for name in ("seq", "contract_idx", "price_ticks", "order_id"):
            events[name] = rows[name]
        for place in np.flatnonzero(rows["kind"] == Kind.COLLECT):
            listed = self.mirror.contracts[rows["contract_idx"][place]]
            events["price_ticks"][place] = listed.mark_ticks
            events["order_id"][place] = rows["state"][place]
        ends = rows["kind"] == Kind.SET_LAST_TRADE
        events["amount_usd_micros"][ends] = rows["expires_ns"][ends]
        events["kind"] = [REPLY[kind] for kind in rows["kind"].tolist()]
        self.say_worth(rows, events)
        events = self.with_ends(rows, events)
        batch = Batch(int(rows["seq"][0]), rows, events)
        self.batches.append(batch)
        self.mirror.apply(batch.commands, batch.events)
        self.calendar.observe(batch.commands, batch.events)

    def say_worth(self, rows: np.ndarray, events: np.ndarray) -> None:
        """Answer an ACCRUE as the core does."""
        for row, event in zip(rows, events, strict=True):
            if row["kind"] == Kind.ACCRUE:
                worth = int(row["amount_usd_micros"])
                tick_value = self.mirror.contracts[row["contract_idx"]].tick_value_usd_micros
                event["order_id"], event["maker_order_id"] = worth, row["order_id"]
                event["price_ticks"], event["side"] = worth // tick_value, row["state"]
                event["qty_lots"], event["leaves_lots"] = row["ref_id"], row["qty_lots"]

    def with_ends(self, rows: np.ndarray, events: np.ndarray) -> np.ndarray:
        """Let a TICK that comes first end the trading of what is over."""
        if rows["kind"][0] != Kind.TICK:
            return events
        over = [
            one.contract_idx
            for one in self.mirror.contracts
            if one.timed and not one.ended and one.last_trade_ns <= self.clock.now_ns()
        ]
        ends = np.zeros(len(over), EVENT)
        ends["seq"], ends["kind"] = rows["seq"][0], EventKind.TRADING_ENDED
        ends["contract_idx"] = over
        return np.concatenate([events[:1], ends, events[1:]])

    async def head(self) -> int:
        return self.mirror.seq

    async def append(self, batch: Batch) -> None:
        raise NotImplementedError

    async def read(self, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Batch]:
        for batch in self.batches:
            if batch.last_seq > after_seq and (until_seq is None or batch.first_seq <= until_seq):
                yield batch

    async def settle_down(self, steps: int = 20) -> None:
        """Step until nothing is left to do."""
        for number in range(1, steps + 1):
            if not await self.calendar.step():
                return
            if number % 8 == 0:  # what was staged twice within moments goes after a while
                self.clock.advance(RESEND_NS)
        raise AssertionError("the calendar never comes to rest")

    async def run_until(self, until_ns: int, every_ns: int = NS_PER_HOUR) -> None:
        while self.clock.now_ns() < until_ns:
            await self.settle_down()
            self.clock.advance(min(every_ns, until_ns - self.clock.now_ns()))
        await self.settle_down()

    def commands(self, kind: Kind) -> list[tuple[int, int]]:
        """Return (ts_ns, contract_idx) of every command of a kind."""
        rows = np.concatenate([batch.commands for batch in self.batches])
        rows = rows[rows["kind"] == kind]
        return list(zip(rows["ts_ns"].tolist(), rows["contract_idx"].tolist(), strict=True))

    def symbols(self, state: TradingState) -> set[str]:
        return {c.symbol for c in self.mirror.contracts if c.state == state}


def constant_index() -> FixedDays:
    """Return prints that never change, of every series and day there will be."""
    days = FixedDays()
    for series in LISTED_SERIES:
        for number in range(60):
            day = MONDAY + (number - 10) * DAY
            days.add(series.symbol, DayPrint(day, 2_000_000, f"{number:064x}"))
    return days


def symbols_of(day: date, but_ended_by_ns: int = 0) -> set[str]:
    listed = listed_contracts(day)
    return {c.symbol for c in listed if c.last_trade_ns > but_ended_by_ns}


@pytest.fixture
async def exchange() -> Exchange:
    exchange = Exchange(ns_of(MONDAY, 9))
    await exchange.settle_down()
    return exchange


async def test_CAL_001_first_start_lists_margins_and_opens_the_whole_catalogue(
    exchange: Exchange,
) -> None:
    assert exchange.symbols(TradingState.CONTINUOUS) == symbols_of(MONDAY)
    assert len(exchange.mirror.contracts) == 392
    march = exchange.mirror.contract("H100-USE-2027M03")
    assert march is not None
    assert march.tick_value_usd_micros == 744_000
    assert 2_500 < march.mark_ticks < 2_700
    assert march.band_bps == 600
    assert all(any(shocks) for shocks in exchange.mirror.shocks)


async def test_CAL_002_a_contract_is_never_open_before_it_has_margin(exchange: Exchange) -> None:
    swaps = exchange.commands(Kind.SWAP_SCENARIOS)
    kinds = np.concatenate([batch.commands["kind"] for batch in exchange.batches]).tolist()
    assert len(swaps) == 1
    assert kinds.index(Kind.SET_STATE) > kinds.index(Kind.SWAP_SCENARIOS)
    assert kinds.index(Kind.SWAP_SCENARIOS) > kinds.index(Kind.STAGE_SHOCKS)
    lists = np.concatenate([batch.commands for batch in exchange.batches])
    lists = lists[lists["kind"] == Kind.LIST]
    assert set(lists["state"].tolist()) == {TradingState.PRE_OPEN}


async def test_CAL_003_a_quiet_second_is_one_tick(exchange: Exchange) -> None:
    seq = exchange.mirror.seq
    for _ in range(5):
        exchange.clock.advance(NS_PER_SECOND)
        await exchange.settle_down()
    assert exchange.mirror.seq == seq + 5
    assert not await exchange.calendar.step()
    assert exchange.mirror.seq == seq + 5  # the same second again


async def test_CAL_004_every_contract_is_settled_once_a_day_at_1600(exchange: Exchange) -> None:
    await exchange.run_until(settlement_ns(MONDAY) - NS_PER_SECOND)
    assert exchange.commands(Kind.SETTLE) == []
    living = {c.contract_idx for c in exchange.mirror.contracts}
    await exchange.run_until(settlement_ns(MONDAY) + 2 * NS_PER_SECOND, NS_PER_SECOND)
    await exchange.run_until(ns_of(MONDAY, 23))
    settled = exchange.commands(Kind.SETTLE)
    assert sorted(contract_idx for _, contract_idx in settled) == sorted(living)
    assert {ts_ns for ts_ns, _ in settled} == {settlement_ns(MONDAY)}


async def test_VMAR_001_every_contract_is_collected_once_at_noon(exchange: Exchange) -> None:
    noon_ns = ns_of(MONDAY, 12)
    await exchange.run_until(noon_ns - NS_PER_SECOND)
    before = len(exchange.commands(Kind.COLLECT))
    living = {c.contract_idx for c in exchange.mirror.contracts}
    await exchange.run_until(noon_ns + 2 * NS_PER_SECOND, NS_PER_SECOND)
    await exchange.restart()  # it reads in the journal that all is paid
    await exchange.run_until(ns_of(MONDAY, 15))
    collected = exchange.commands(Kind.COLLECT)[before:]
    assert sorted(contract_idx for _, contract_idx in collected) == sorted(living)
    assert {ts_ns for ts_ns, _ in collected} == {noon_ns}
    batches = [batch for batch in exchange.batches if batch.ts_ns == noon_ns]
    of_noon = [batch for batch in batches if (batch.commands["kind"] == Kind.COLLECT).any()]
    assert len(of_noon) == 1  # one batch: collected whole, then paid, in one transaction


async def test_CAL_005_contracts_end_after_their_last_settlement_and_leave_no_margin(
    exchange: Exchange,
) -> None:
    ended = {"H100-GLB-2026M11D24", "H100-USE-2026M11D24"}
    await exchange.run_until(settlement_ns(MONDAY) - 1)
    assert exchange.symbols(TradingState.EXPIRED) == set()
    await exchange.run_until(settlement_ns(MONDAY))
    assert exchange.symbols(TradingState.HALT) == ended
    assert exchange.symbols(TradingState.EXPIRED) == set()
    delivered = MONDAY + DAY
    await exchange.run_until(ns_of(delivered + DAY, 12))
    for symbol in ended:
        contract = exchange.mirror.contract(symbol)
        assert contract is not None
        assert (contract.delivery.phase, contract.delivery.days_fixed) == (1, 1)
        assert contract.worth_usd_micros == 24 * 2_000_000
    await exchange.run_until(ns_of(delivered + 2 * DAY, 12))
    assert exchange.symbols(TradingState.EXPIRED) == ended
    for symbol in ended:
        contract_idx = exchange.mirror.symbols[symbol]
        assert exchange.mirror.shocks[contract_idx] == [0] * SCENARIO_COUNT


async def test_CAL_006_it_rolls_through_ten_days_and_a_month_end(exchange: Exchange) -> None:
    for number in range(1, 11):
        day = MONDAY + number * DAY
        await exchange.run_until(ns_of(day, 1))
        strip = {symbol for symbol in exchange.mirror.symbols if "2026M12D" in symbol}
        found = exchange.symbols(TradingState.CONTINUOUS)
        assert symbols_of(day) <= found <= symbols_of(day) | strip
        assert exchange.symbols(TradingState.PRE_OPEN) == set()
    december = exchange.mirror.contract("H100-EUW-2026M12")
    assert december is not None and december.delivery.phase == 1
    assert "H100-USE-2026M12" in exchange.symbols(TradingState.EXPIRED)  # its days follow it
    assert exchange.mirror.contract("H100-USE-2026M12D31") is not None
    assert "H100-EUW-2027M12" in exchange.symbols(TradingState.CONTINUOUS)
    assert len(exchange.commands(Kind.SETTLE)) == len(set(exchange.commands(Kind.SETTLE)))
    assert len(exchange.mirror.symbols) == len(exchange.mirror.contracts)


@pytest.mark.parametrize("hours", [0, 6, 7, 8, 15, 31, 24 * 4])
async def test_CAL_007_a_restart_at_any_time_repeats_nothing(
    exchange: Exchange, hours: int
) -> None:
    await exchange.run_until(exchange.clock.now_ns() + hours * NS_PER_HOUR)
    seq = exchange.mirror.seq
    await exchange.restart()
    exchange.clock.advance(NS_PER_SECOND)
    await exchange.settle_down()
    assert exchange.mirror.seq == seq + 1  # one tick


async def test_CAL_008_a_pause_of_days_is_made_up_for(exchange: Exchange) -> None:
    exchange.clock.advance(4 * NS_PER_DAY)
    await exchange.restart()
    await exchange.settle_down()
    friday = MONDAY + 4 * DAY
    assert exchange.symbols(TradingState.CONTINUOUS) == symbols_of(friday)
    before = {"H100-USE-2026M11D24", "H100-USE-2026M11D27"}
    assert before <= exchange.symbols(TradingState.HALT)  # in delivery: two days are fixed
    settled = [contract_idx for _, contract_idx in exchange.commands(Kind.SETTLE)]
    assert len(settled) == len(set(settled)) == 392  # those listed now were not due


async def test_CAL_009_a_lost_command_is_sent_again_after_a_while(exchange: Exchange) -> None:
    exchange.clock.advance(settlement_ns(MONDAY) - exchange.clock.now_ns())
    exchange.lost = 2  # the tick, and the settlements
    assert await exchange.calendar.step()
    assert await exchange.calendar.step()
    assert exchange.commands(Kind.SETTLE) == []  # not doubled while it may be under way
    exchange.clock.advance(RESEND_NS)
    await exchange.settle_down()
    assert len(exchange.commands(Kind.SETTLE)) == 392


async def test_CAL_010_when_nothing_can_be_sent_it_tries_again(exchange: Exchange) -> None:
    exchange.clock.advance(NS_PER_SECOND)
    exchange.refused = True
    with pytest.raises(BusUnavailable):
        await exchange.calendar.step()
    exchange.refused = False
    seq = exchange.mirror.seq
    await exchange.settle_down()
    assert exchange.mirror.seq == seq + 1


async def test_CAL_011_a_halted_contract_stays_halted(exchange: Exchange) -> None:
    contract = exchange.mirror.contracts[0]
    contract.state = TradingState.HALT
    exchange.clock.advance(NS_PER_SECOND)
    await exchange.settle_down()
    assert contract.state == TradingState.HALT


async def test_CAL_012_a_full_core_lists_what_fits_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = Exchange(ns_of(MONDAY, 9))
    exchange.calendar = Calendar(
        exchange.mirror,
        exchange.send,
        exchange.clock,
        load_price_data(),
        contracts_max=10,
        times=NO_CALLS,
    )
    await exchange.settle_down()
    exchange.clock.advance(NS_PER_SECOND)
    await exchange.settle_down()
    assert len(exchange.symbols(TradingState.CONTINUOUS)) == 10
    assert "no room for 382 contracts" in caplog.text


async def test_CAL_017_the_end_of_the_room_for_contracts_is_said_long_before_and_daily(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    def restarted(contracts_max: int) -> None:
        exchange.calendar = Calendar(
            exchange.mirror, exchange.send, exchange.clock, load_price_data(), contracts_max
        )

    for contracts_max, days, said in (
        (392 + FEW_SLOTS + 1, 1, 0),
        (392 + FEW_SLOTS, 1, 1),
        (392 + FEW_SLOTS, 3, 3),
    ):
        caplog.clear()
        restarted(contracts_max)
        for _ in range(days):
            for _ in range(3):
                exchange.clock.advance(NS_PER_SECOND)
                await exchange.calendar._every_second(exchange.clock.now_ns())
            exchange.clock.advance(NS_PER_DAY)
        assert caplog.text.count(f"room for {FEW_SLOTS} more contracts of {contracts_max}") == said


async def test_CAL_013_bands_narrow_when_delivery_comes_near(exchange: Exchange) -> None:
    march = exchange.mirror.contract("H100-USE-2027M03")
    assert march is not None and march.band_bps == 600
    exchange.clock.advance(10 * NS_PER_DAY)
    await exchange.settle_down()
    assert march.band_bps == 300


async def test_CAL_015_a_silent_exchange_is_not_flooded_with_ticks(exchange: Exchange) -> None:
    sent = 0

    async def swallow(rows: np.ndarray) -> None:
        nonlocal sent
        sent += len(rows)

    calendar = Calendar(exchange.mirror, swallow, exchange.clock, load_price_data(), times=NO_CALLS)
    for _ in range(20):
        exchange.clock.advance(NS_PER_SECOND)
        calendar._rest_until_ns = exchange.clock.now_ns() + NS_PER_SECOND
        await calendar.step()
    assert sent == 4  # one each time the last was given up for lost


async def test_CAL_016_a_band_set_by_hand_stays(exchange: Exchange) -> None:
    march = exchange.mirror.contract("H100-USE-2027M03")
    assert march is not None
    march.band_bps = 1_000
    exchange.clock.advance(10 * NS_PER_DAY)
    await exchange.settle_down()
    assert march.band_bps == 1_000


async def test_CAL_014_margin_follows_the_settlement_price(exchange: Exchange) -> None:
    contract_idx = exchange.mirror.symbols["H100-USE-2027M03"]
    contract = exchange.mirror.contracts[contract_idx]
    before = exchange.mirror.shocks[contract_idx]
    contract.mark_ticks *= 2
    exchange.clock.advance(settlement_ns(MONDAY) - exchange.clock.now_ns())
    await exchange.settle_down()
    after = exchange.mirror.shocks[contract_idx]
    assert len(after) == SCENARIO_COUNT
    assert 1.9 < min(after) / min(before) < 2.1


def swaps(exchange: Exchange) -> int:
    return len(exchange.commands(Kind.SWAP_SCENARIOS))


def is_live(exchange: Exchange) -> bool:
    mirror = exchange.mirror
    wanted = built().live_shocks(settled_prices(mirror))
    return len(wanted) > 100 and all(
        mirror.shocks[mirror.symbols[symbol]] == shocks for symbol, shocks in wanted.items()
    )


async def test_SCN_010_an_adopted_set_is_staged_whole_and_swapped_once(exchange: Exchange) -> None:
    before = swaps(exchange)
    exchange.calendar.adopt(built())
    await exchange.settle_down()
    assert (exchange.mirror.scenario_count, exchange.mirror.worst_count) == (128, 2)
    assert is_live(exchange)
    assert swaps(exchange) == before + 1


def liquid(exchange: Exchange) -> AddonSet:
    return AddonSet(built(), markets_of(exchange.mirror, {0: 60_000}))


async def test_SCN_020_add_ons_are_staged_with_their_set_and_swapped_once(
    exchange: Exchange,
) -> None:
    before, addons = swaps(exchange), liquid(exchange)
    exchange.calendar.adopt(built(), addons)
    await exchange.settle_down()
    mirror = exchange.mirror
    assert is_live(exchange) and swaps(exchange) == before + 1
    for row in addons.markets:
        contract_idx = mirror.symbols[row.symbol]
        assert mirror.addons[contract_idx] == addons.addon(row.symbol, 0) != NO_ADDON
    await exchange.restart()
    exchange.calendar.adopt(built(), addons)
    await exchange.settle_down()
    assert swaps(exchange) == before + 1  # nothing is left to do


async def test_SCN_021_an_add_on_by_hand_alone_is_swapped_in_and_left_alone(
    exchange: Exchange,
) -> None:
    own = Addon(spread_usd_micros=1)
    exchange.calendar.adopt(built(), liquid(exchange))
    await exchange.settle_down()
    before = swaps(exchange)
    exchange.commit(addons_command(0, own, by_hand=True))
    exchange.calendar.adopt(built(), liquid(exchange))
    await exchange.settle_down()
    assert exchange.mirror.addons[0] == own and swaps(exchange) == before + 1
    await exchange.restart()
    assert exchange.mirror.addons_by_hand == {0}
    exchange.commit(addons_command(0, own))  # given back
    exchange.calendar.adopt(built(), liquid(exchange))
    await exchange.settle_down()
    assert exchange.mirror.addons[0] != own


async def test_SCN_011_a_kill_between_stage_and_swap_does_no_harm(exchange: Exchange) -> None:
    live = [list(row) for row in exchange.mirror.shocks]
    rows: list[np.ndarray] = []
    agenda = exchange.calendar.agenda
    agenda.adopt(built())
    rows.append(agenda.margin(exchange.clock.now_ns()))
    for cut in (1, 700, len(rows[0]) - 1):  # killed before the swap, each time a little later
        exchange.commit(rows[0][:cut])
        await exchange.restart()
        assert exchange.mirror.shocks == live  # what is staged margins nobody
    before = swaps(exchange)
    exchange.calendar.adopt(built())
    await exchange.settle_down()
    assert is_live(exchange)
    assert swaps(exchange) == before + 1


async def test_SCN_012_a_new_contract_is_margined_by_the_same_set(exchange: Exchange) -> None:
    exchange.calendar.adopt(built())
    await exchange.settle_down()
    known = set(exchange.mirror.symbols)
    await exchange.run_until(exchange.clock.now_ns() + NS_PER_DAY)
    assert set(exchange.mirror.symbols) > known
    assert is_live(exchange)


async def test_the_search_by_time_finds_the_last_older_command(exchange: Exchange) -> None:
    await exchange.run_until(exchange.clock.now_ns() + NS_PER_DAY)
    head = await exchange.head()
    for hour in (0, 9, 10, 16, 23, 40):
        found = await seq_before(exchange, head, ns_of(MONDAY, hour))
        older = [b.last_seq for b in exchange.batches if b.ts_ns < ns_of(MONDAY, hour)]
        assert found == (older[-1] if older else 0)


async def test_it_runs_until_it_is_cancelled() -> None:
    exchange = Exchange(ns_of(MONDAY, 9))
    running = asyncio.create_task(exchange.calendar.run())
    while not exchange.symbols(TradingState.CONTINUOUS):
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
