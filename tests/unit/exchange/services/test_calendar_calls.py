"""Calls and guards by rule, in front of the real core: openings, closings, settlements, ends."""

import numpy as np
import pytest

from exchange.rules.calendar import settlement_ns
from exchange.rules.contracts import parse_symbol
from exchange.rules.operations import guard_command
from exchange.rules.records import Contract
from exchange.rules.sessions import CALLS, GUARD_ROW, GUARD_ROWS
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND, Tenor
from matching.codes import CallPhase, EventKind, Kind, Side, TradingState
from tests.support.rows import command
from tests.unit.exchange.services.test_calendar import MONDAY
from tests.unit.exchange.services.test_calendar_with_core import ALICE, BOB, Node

OPENING_S = CALLS.opening_s + CALLS.opening_window_ns // NS_PER_SECOND + 1
DUE_NS = settlement_ns(MONDAY)


@pytest.fixture
async def opening() -> Node:
    """Return an exchange whose contracts were listed just now."""
    node = Node(contracts_max=24, times=CALLS)
    for account in (ALICE, BOB):
        await node.send(command(Kind.OPEN_ACCOUNT, account_idx=account))
        await node.send(command(Kind.DEPOSIT, account_idx=account, amount_usd_micros=10**12))
    await node.settle_down()
    return node


@pytest.fixture
async def node(opening: Node) -> Node:
    """Return an exchange whose contracts trade."""
    await opening.pass_seconds(OPENING_S)
    return opening


def one(node: Node) -> Contract:
    """Return a contract that is listed for months to come."""
    return next(c for c in node.mirror.contracts if c.last_trade_ns > DUE_NS + 30 * NS_PER_DAY)


def states(node: Node) -> set[int]:
    return {contract.state for contract in node.mirror.contracts}


async def trade(node: Node, contract: Contract, price: int, lots: int) -> None:
    await node.place(ALICE, Side.BUY, contract.symbol, price, lots)
    await node.place(BOB, Side.SELL, contract.symbol, price, lots)


async def until(node: Node, ts_ns: int) -> None:
    """Go there, and let the calendar do what is due."""
    await node.go_to(ts_ns)


async def test_CAL_018_new_contracts_open_with_a_call_that_ends_by_itself(opening: Node) -> None:
    assert states(opening) == {TradingState.AUCTION}
    assert {c.call.phase for c in opening.mirror.contracts} == {CallPhase.OPENING}
    contract = opening.mirror.contracts[0]
    mark = contract.mark_ticks
    await opening.place(ALICE, Side.BUY, contract.symbol, mark + 5, 3)
    await opening.place(BOB, Side.SELL, contract.symbol, mark - 5, 3)
    await opening.pass_seconds(OPENING_S)
    assert states(opening) == {TradingState.CONTINUOUS}
    assert opening.engine.position(ALICE, contract.contract_idx)[0] == 3


async def test_CAL_019_listings_are_guarded_and_end_in_the_core_by_rows_of_data(node: Node) -> None:
    for contract in node.mirror.contracts:
        row, call = GUARD_ROW[parse_symbol(contract.symbol).period.tenor], contract.call
        assert (call.velocity_bps, call.velocity_ns) == (500, 10 * NS_PER_SECOND)
        assert (call.daily_bps, call.daily_next_bps) == (2_000, 4_000)
        assert call.call_ns == 120 * NS_PER_SECOND
        assert (row.velocity_bps, row.daily_bps) == (call.velocity_bps, call.daily_bps)
        assert contract.timed
    assert {row.tenor for row in GUARD_ROWS} == set(Tenor)


async def test_CAL_020_guards_that_somebody_set_or_took_away_stay(node: Node) -> None:
    contract = node.mirror.contracts[0]
    nothing = guard_command(
        contract.contract_idx, velocity_bps=0, velocity_ns=0, daily_bps=(0, 0), call_ns=0,
        window_ns=0,
    )  # fmt: skip
    await node.send(nothing)
    node.start()
    await node.pass_seconds(12)
    assert (contract.call.velocity_bps, contract.call.daily_bps) == (0, 0)


async def test_CAL_021_contracts_of_an_older_journal_get_guards_and_ends_once(node: Node) -> None:
    for contract in node.mirror.contracts:  # as a mirror of such a journal holds them
        contract.call.guard_set, contract.timed = False, False
    node.start()
    seen: list[np.ndarray] = []
    real = node.send

    async def send(rows: np.ndarray) -> None:
        seen.append(rows)
        await real(rows)

    node.calendar._send = send
    await node.settle_down()
    node.clock.advance(12 * NS_PER_SECOND)
    await node.settle_down()
    kinds = np.concatenate(seen)["kind"].tolist()
    count = len(node.mirror.contracts)
    assert kinds.count(Kind.SET_GUARD) == kinds.count(Kind.SET_LAST_TRADE) == count


async def test_CAL_022_who_traded_too_little_has_a_closing_call_and_settles_at_its_price(
    node: Node,
) -> None:
    busy, quiet = node.mirror.contracts[0], one(node)
    await until(node, DUE_NS - 600 * NS_PER_SECOND)
    mark = quiet.mark_ticks
    await trade(node, busy, busy.mark_ticks, 10)
    await until(node, CALLS.closing_begins_ns(DUE_NS))
    ends_today = busy.last_trade_ns == DUE_NS
    assert (busy.call.phase == CallPhase.CLOSING) == ends_today
    assert quiet.call.phase == CallPhase.CLOSING
    assert quiet.call.ends_after_ns == CALLS.closing_ends_after_ns(DUE_NS)
    await node.place(ALICE, Side.BUY, quiet.symbol, mark + 9, 2)
    await node.place(BOB, Side.SELL, quiet.symbol, mark + 9, 2)
    await node.pass_seconds((DUE_NS - node.clock.now_ns()) // NS_PER_SECOND - 1)
    assert quiet.state == TradingState.CONTINUOUS
    assert quiet.settle_ticks == mark
    await until(node, DUE_NS)
    assert quiet.settle_ticks == mark + 9
    await node.pass_seconds(30)
    assert quiet.state == TradingState.CONTINUOUS


async def test_CAL_023_a_closing_call_that_an_operator_ends_is_not_begun_again(node: Node) -> None:
    contract = one(node)
    await until(node, CALLS.closing_begins_ns(DUE_NS))
    await node.send(command(Kind.END_CALL, contract_idx=contract.contract_idx))
    await node.pass_seconds(12)
    assert contract.state == TradingState.CONTINUOUS


@pytest.mark.parametrize("down_s", [1, 20, 7200])
async def test_CAL_024_an_exchange_killed_in_a_closing_call_settles_at_its_price(
    node: Node, down_s: int
) -> None:
    contract, mark = one(node), one(node).mark_ticks
    await until(node, CALLS.closing_begins_ns(DUE_NS))
    await node.place(ALICE, Side.BUY, contract.symbol, mark + 9, 2)
    await node.place(BOB, Side.SELL, contract.symbol, mark + 9, 2)
    tape = node.calendar.tape
    node.start()
    node.calendar.tape = node.calendar.agenda._tape = tape  # as it is learned from the journal
    node.clock.advance(down_s * NS_PER_SECOND)
    await node.pass_seconds(45)
    assert contract.settle_ticks == mark + 9
    assert contract.state == TradingState.CONTINUOUS


async def test_CAL_025_nothing_trades_after_the_last_moment_and_nothing_is_left(node: Node) -> None:
    ending = next(c for c in node.mirror.contracts if c.last_trade_ns == DUE_NS)
    await trade(node, ending, ending.mark_ticks, 4)
    await until(node, CALLS.closing_begins_ns(DUE_NS))
    assert ending.call.phase == CallPhase.CLOSING
    node.clock.advance(DUE_NS - node.clock.now_ns())
    kinds: list[int] = []
    real = node.send

    async def send(rows: np.ndarray) -> None:
        await real(rows)
        mine = node.events[node.events["contract_idx"] == ending.contract_idx]
        kinds.extend(int(kind) for kind in mine["kind"])

    node.calendar._send = send
    await node.settle_down()
    order = [EventKind.TRADING_ENDED, EventKind.SETTLED, EventKind.ACCRUED]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)
    assert kinds.count(EventKind.ACCRUED) == 1
    assert ending.state == TradingState.HALT and ending.delivery.phase == 1
