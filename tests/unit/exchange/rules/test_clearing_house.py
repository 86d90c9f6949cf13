"""The clearing house: novation, orders, settlements, and batches cut anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.io.batch import Batch
from exchange.rules.clearing_house import STEP_COMMANDS, ClearingHouse
from exchange.rules.clearing_rows import PositionEventRow, TradeRow
from exchange.rules.mirror import Mirror
from exchange.rules.order_history import changed
from exchange.rules.records import MOVED
from exchange.rules.settlement_check import ClearingMismatch
from matching.codes import (
    Code,
    EventKind,
    Kind,
    LiquidationStep,
    MoveReason,
    OrderType,
    Side,
    Stp,
    Tif,
    TriggerBy,
)
from matching.wire_life import pack_children
from tests.support.flow import TICK_VALUE_USD_MICROS, Flow
from tests.support.rows import command


def market() -> tuple[Flow, ClearingHouse]:
    flow, house = Flow(1, accounts=3, contracts=1), ClearingHouse()
    take(house, flow.opening())
    return flow, house


def take(house: ClearingHouse, *batches: Batch):
    for batch in batches:
        house.apply(batch.commands, batch.events)
    return house.take()


def place(account_idx: int, side: int, price_ticks: int, qty_lots: int, **more) -> np.ndarray:
    return command(
        Kind.PLACE, account_idx=account_idx, contract_idx=0, side=side, price_ticks=price_ticks,
        qty_lots=qty_lots, **more,
    )  # fmt: skip


def test_a_trade_becomes_two_positions_against_the_house():
    flow, house = market()
    done = take(house, flow.batch([place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 3)]))
    (trade,), (bought, sold) = done.trades, done.position_events
    assert isinstance(trade, TradeRow) and isinstance(bought, PositionEventRow)
    assert (trade.leg, trade.price_ticks, trade.qty_lots, trade.taker_side) == (0, 2010, 3, 0)
    assert (bought.account_idx, bought.qty_lots, bought.is_maker) == (1, 3, False)
    assert (sold.account_idx, sold.qty_lots, sold.is_maker) == (0, -3, True)
    assert house.position(0, 0).qty_lots == -3
    assert house.position(1, 0).entry_usd_micros == 3 * 2010 * TICK_VALUE_USD_MICROS
    assert house.contracts[0].open_interest_lots == 3


def test_legs_number_the_trades_of_one_command():
    flow, house = market()
    rows = [place(0, Side.SELL, price, 1) for price in (2010, 2011, 2012)]
    done = take(house, flow.batch([*rows, place(1, Side.BUY, 2012, 3)]))
    assert [trade.leg for trade in done.trades] == [0, 1, 2]
    assert [event.leg for event in done.position_events] == [0, 0, 1, 1, 2, 2]


def test_closing_a_position_realises_against_the_average_entry():
    flow, house = market()
    take(house, flow.batch([place(0, Side.SELL, 2000, 4), place(1, Side.BUY, 2000, 4)]))
    done = take(house, flow.batch([place(2, Side.BUY, 2007, 4), place(1, Side.SELL, 2007, 1)]))
    sold = next(event for event in done.position_events if event.account_idx == 1)
    assert sold.realised_usd_micros == 7 * TICK_VALUE_USD_MICROS
    assert sold.position_lots == 3


def test_a_trade_with_oneself_is_shown_and_moves_nothing():
    flow, house = market()
    rows = [place(0, Side.SELL, 2000, 4), place(0, Side.BUY, 2000, 4, stp=Stp.NONE)]
    done = take(house, flow.batch(rows))
    assert [(e.qty_lots, e.position_lots) for e in done.position_events] == [(4, 0), (-4, 0)]
    assert house.contracts[0].open_interest_lots == 0
    assert house.position(0, 0).carry_usd_micros == 0


def test_an_order_of_an_earlier_transaction_is_known_by_its_change_alone():
    flow, house = market()
    (order,) = take(house, flow.batch([place(0, Side.SELL, 2000, 4)])).orders
    done = take(house, flow.batch([place(1, Side.BUY, 2000, 1)]))
    (change,) = done.order_changes
    after = changed(order, change)
    assert (after.open_lots, after.filled_lots, after.filled_tick_lots) == (3, 1, 2000)
    assert after.price_ticks == 2000 and after.updated_seq == done.last_seq


@pytest.mark.parametrize(
    ("more", "code", "filled"),
    [
        ({"tif": Tif.IOC}, Code.IOC_REMAINDER, 2),
        ({"tif": Tif.FOK}, Code.FOK_NOT_FILLABLE, 0),
    ],
)
def test_an_order_says_why_it_ended(more, code, filled):
    flow, house = market()
    done = take(
        house, flow.batch([place(0, Side.SELL, 2000, 2), place(1, Side.BUY, 2000, 5, **more)])
    )
    order = done.orders[1]
    assert (order.open_lots, order.filled_lots, order.code) == (0, filled, code)
    assert order.cancelled_lots == 5 - filled


def test_a_settlement_says_what_it_was_reached_from():
    flow, house = market()
    take(house, flow.batch([place(0, Side.SELL, 2004, 4), place(1, Side.BUY, 2004, 4)]))
    done = take(house, flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2010)]))
    (row,) = done.settlements
    assert (row.previous_ticks, row.last_trade_ticks, row.volume_lots) == (2000, 2004, 4)
    assert (row.open_interest_lots, row.paid_usd_micros) == (4, 24 * TICK_VALUE_USD_MICROS)
    assert house.contracts[0].volume_lots == 0
    amounts = {row.account_idx: row.amount_usd_micros for row in done.variations}
    assert amounts == {0: -24 * TICK_VALUE_USD_MICROS, 1: 24 * TICK_VALUE_USD_MICROS}


def test_what_a_settlement_triggers_is_traded_behind_it():
    flow, house = market()
    stop = place(
        0, Side.BUY, 0, 2, order_type=OrderType.STOP, state=TriggerBy.MARK,
        amount_usd_micros=2010,
    )  # fmt: skip
    take(house, flow.batch([place(1, Side.SELL, 2013, 5), stop]))
    settle = flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2010)])
    assert EventKind.TRADE in settle.events["kind"]
    done = take(house, settle)
    (row,) = done.settlements
    assert (row.volume_lots, row.open_interest_lots, row.paid_usd_micros) == (0, 0, 0)
    assert (house.contracts[0].volume_lots, house.contracts[0].open_interest_lots) == (2, 2)
    done = take(house, flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2014)]))
    amounts = {row.account_idx: row.amount_usd_micros for row in done.variations}
    assert amounts == {0: 2 * TICK_VALUE_USD_MICROS, 1: -2 * TICK_VALUE_USD_MICROS}


def settled(change) -> Batch:
    """Return a batch with a settlement whose events were changed."""
    flow = Flow(1, accounts=3, contracts=1)
    opening = flow.opening()
    batch = flow.batch(
        [
            place(0, Side.SELL, 2004, 4),
            place(1, Side.BUY, 2004, 4),
            command(Kind.SETTLE, contract_idx=0, price_ticks=2010),
            command(Kind.TICK),
        ]
    )
    house = ClearingHouse()
    take(house, opening)
    take(house, Batch(batch.first_seq, batch.commands, change(batch.events.copy())))


def variation_at(events: np.ndarray) -> int:
    return int(np.flatnonzero(events["kind"] == EventKind.VARIATION)[0])


def test_a_settlement_is_taken_as_the_core_made_it():
    settled(lambda events: events)


@pytest.mark.parametrize("field", ["amount_usd_micros", "qty_lots", "price_ticks", "account_idx"])
def test_a_changed_variation_stops_clearing(field):
    def change(events):
        events[field][variation_at(events)] += 1
        return events

    with pytest.raises(ClearingMismatch, match="settlement at seq"):
        settled(change)


@pytest.mark.parametrize("last", [False, True])
def test_a_variation_left_out_stops_clearing(last):
    with pytest.raises(ClearingMismatch, match="the core said 0"):
        settled(lambda events: np.delete(events, variation_at(events) + last))


def test_variation_outside_a_settlement_stops_clearing():
    def change(events):
        stray = events[variation_at(events)].copy()
        stray["seq"] = events["seq"][-1]
        return np.append(events, stray)

    with pytest.raises(ClearingMismatch, match="outside a settlement"):
        settled(change)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda events: events[events["seq"] != events["seq"][-1]], "no events after seq"),
        (lambda events: events[1:], "an event of seq"),
        (lambda events: events[::-1].copy(), "an event of seq"),
    ],
)
def test_events_that_are_not_those_of_the_commands_are_refused(change, complaint):
    with pytest.raises(ClearingMismatch, match=complaint):
        settled(change)


def test_a_batch_that_does_not_follow_is_refused():
    flow, house = market()
    flow.batch([command(Kind.TICK)])
    later = flow.batch([command(Kind.TICK)])
    with pytest.raises(ClearingMismatch):
        house.apply(later.commands, later.events)


@given(st.integers(0, 10_000), st.sets(st.integers(0, 19)))
@settings(max_examples=15)
def test_how_many_batches_are_taken_at_once_changes_nothing(seed, cuts):
    batches = list(Flow(seed, accounts=4).batches(20, 8))
    whole, parts = ClearingHouse(), ClearingHouse()
    once, taken = take(whole, *batches), []
    for place_of, batch in enumerate(batches):
        parts.apply(batch.commands, batch.events)
        if place_of in cuts:
            taken.append(parts.take())
    taken.append(parts.take())
    for name in ("trades", "position_events", "transfers", "postings", "variations", "settlements"):
        assert [row for done in taken for row in getattr(done, name)] == getattr(once, name)
    orders = {}
    for done in taken:
        orders |= {order.order_id: order for order in done.orders}
        for change in done.order_changes:
            orders[change.order_id] = changed(orders[change.order_id], change)
    assert list(orders.values()) == once.orders
    positions = {row[:2]: row for done in taken for row in done.positions}
    assert positions == {row[:2]: row for row in once.positions}
    assert parts.books.all_balances() == whole.books.all_balances()


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_the_house_holds_what_a_mirror_of_the_core_holds(seed):
    house, mirror = ClearingHouse(), Mirror()
    for batch in Flow(seed, accounts=4).batches(20, 12):
        mirror.apply(batch.commands, batch.events)
        house.apply(batch.commands, batch.events)
        for account in mirror.accounts:
            idx = account.account_idx
            assert house.books.cash_usd_micros(idx) == account.cash_usd_micros
            for contract_idx, held in account.positions.items():
                mine, contract = house.position(idx, contract_idx), mirror.contracts[contract_idx]
                assert mine.qty_lots == held.qty_lots
                assert mine.entry_usd_micros == held.entry_usd_micros
                value = contract.tick_value_usd_micros * contract.mark_ticks * held.qty_lots
                assert value - mine.carry_usd_micros == held.unsettled_usd_micros
        for contract, other in zip(house.contracts, mirror.contracts, strict=True):
            assert contract.open_interest_lots == other.open_interest_lots
    for order in house.take().orders:
        known = mirror.order(order.order_id)
        assert known is not None
        assert (order.open_lots, order.filled_lots, order.code, order.cancelled_lots) == (
            known.leaves_lots, known.filled_lots, known.code, known.cancelled_lots,
        )  # fmt: skip


def test_positions_of_an_expired_contract_are_paid_up_and_closed_without_a_trade():
    flow, house = market()
    rows = [place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 3), place(2, Side.BUY, 2010, 2)]
    settle = command(Kind.SETTLE, contract_idx=0, price_ticks=2020)
    late = [place(0, Side.BUY, 2015, 1), place(1, Side.SELL, 2015, 1)]
    take(house, flow.batch([*rows, settle, *late]))
    ending = [command(Kind.SET_STATE, contract_idx=0, state=5), command(Kind.CLOSE_OUT)]
    done = take(house, flow.batch(ending))
    assert done.trades == []
    closed = [(one.account_idx, one.qty_lots, one.order_id) for one in done.position_events]
    assert sorted(closed) == [(0, 4, -1), (1, -2, -1), (2, -2, -1)]
    paid = {one.account_idx: one.amount_usd_micros for one in done.variations}
    assert paid == {0: 5 * TICK_VALUE_USD_MICROS, 1: -5 * TICK_VALUE_USD_MICROS}
    (row,) = done.settlements
    assert (row.price_ticks, row.paid_usd_micros) == (2020, 5 * TICK_VALUE_USD_MICROS)
    assert house.contracts[0].open_interest_lots == 0
    for account_idx, realised in ((0, -45), (1, 25), (2, 20)):
        position = house.position(account_idx, 0)
        assert (position.qty_lots, position.entry_usd_micros, position.carry_usd_micros) == (0,) * 3
        assert position.realised_usd_micros == realised * TICK_VALUE_USD_MICROS
    again = take(house, flow.batch([command(Kind.CLOSE_OUT)]))
    assert not (again.settlements or again.position_events or again.variations)


def move(kind: Kind, giver: int, receiver: int, **fields) -> np.ndarray:
    return command(kind, account_idx=giver, ref_id=receiver, order_id=9, **fields)


def test_a_move_is_two_positions_at_a_price_and_no_kline():
    flow, house = market()
    take(house, flow.batch([place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 5)]))
    lots = {"side": Side.SELL, "price_ticks": 2_000, "qty_lots": 3, "state": MoveReason.TAKE_OVER}
    done = take(house, flow.batch([move(Kind.TRANSFER_POSITION, 1, 2, **lots)]))
    (moved,), (trade,), (gave, took) = done.position_moves, done.trades, done.position_events
    assert (moved.liquidation_id, moved.reason, moved.giver_idx, moved.receiver_idx) == (9, 2, 1, 2)
    assert (trade.block, trade.taker_order_id, done.klines) == (MOVED, 9, [])
    assert (gave.account_idx, gave.qty_lots, gave.position_lots) == (1, -3, 2)
    assert (took.account_idx, took.qty_lots, took.position_lots) == (2, 3, 3)
    assert gave.realised_usd_micros == -3 * 10 * TICK_VALUE_USD_MICROS
    settled = take(house, flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2_020)]))
    assert sum(row.amount_usd_micros for row in settled.variations) == 0
    assert house.position(2, 0).carry_usd_micros == 3 * 2_020 * TICK_VALUE_USD_MICROS


def test_moved_money_is_one_transfer_that_names_its_layer():
    flow, house = market()
    before = house.books.cash_usd_micros(2)
    paid = move(Kind.TRANSFER_CASH, 1, 2, amount_usd_micros=500, state=3)
    done = take(house, flow.batch([paid]))
    (use,), (transfer,) = done.waterfall_uses, done.transfers
    assert (use.layer, use.liquidation_id, use.amount_usd_micros) == (3, 9, 500)
    assert (transfer.reason, transfer.ref_id, len(done.postings)) == ("move", 9, 2)
    assert house.books.cash_usd_micros(2) == before + 500


def test_a_liquidation_begins_and_ends_in_the_journal():
    flow, house = market()
    judged = {"amount_usd_micros": 70, "qty_lots": 100, "expires_ns": 80, "state": 1}
    begins = command(Kind.SET_ACCOUNT, account_idx=1, order_id=LiquidationStep.BEGINS, **judged)
    (begun,) = take(house, flow.batch([begins])).liquidation_events
    assert begun.liquidation_id == begun.seq == house.seq
    assert (begun.equity_usd_micros, begun.initial_usd_micros) == (70, 100)
    ends = {"order_id": LiquidationStep.ENDS, "ref_id": begun.seq}
    (ended,) = take(
        house, flow.batch([command(Kind.SET_ACCOUNT, account_idx=1, **ends)])
    ).liquidation_events
    assert (ended.liquidation_id, ended.step) == (begun.seq, LiquidationStep.ENDS)
    plain = command(Kind.SET_ACCOUNT, account_idx=1)
    assert take(house, flow.batch([plain])).liquidation_events == []


def test_a_cascade_is_two_sides_in_every_contract_and_pays_nobody():
    flow, house = market()
    listing = command(
        Kind.LIST, symbol="NEXT", contract_idx=len(house.contracts), price_ticks=2_000,
        amount_usd_micros=house.contracts[0].tick_value_usd_micros, qty_lots=1_000, state=2,
    )  # fmt: skip
    child_idx = len(house.contracts)
    rows = [place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 3), place(2, Side.BUY, 2010, 2)]
    settle = command(Kind.SETTLE, contract_idx=0, price_ticks=2020)
    take(house, flow.batch([*rows, listing, settle]))
    end = command(Kind.SET_STATE, contract_idx=0, state=5)
    moving = command(Kind.CASCADE, contract_idx=0, **pack_children([child_idx]))
    done = take(house, flow.batch([end, moving]))
    assert done.variations == []
    assert [(one.contract_idx, one.qty_lots, one.block) for one in done.trades] == [
        (0, 3, 4), (child_idx, 3, 4), (0, 2, 4), (child_idx, 2, 4),
    ]  # fmt: skip
    assert len(done.position_events) == 8
    assert house.contracts[0].open_interest_lots == 0
    assert house.contracts[child_idx].open_interest_lots == 5
    for account_idx, lots in ((0, -5), (1, 3), (2, 2)):
        assert house.position(account_idx, 0).qty_lots == 0
        assert house.position(account_idx, child_idx).qty_lots == lots
    paid = take(house, flow.batch([command(Kind.SETTLE, contract_idx=child_idx, price_ticks=2021)]))
    amounts = {one.account_idx: one.amount_usd_micros for one in paid.variations}
    assert amounts == {0: -5 * TICK_VALUE_USD_MICROS, 1: 3 * TICK_VALUE_USD_MICROS,
                       2: 2 * TICK_VALUE_USD_MICROS}  # fmt: skip


def test_days_of_delivery_are_paid_in_parts_of_a_tick():
    flow, house = market()
    rows = [place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 5)]
    settle = command(Kind.SETTLE, contract_idx=0, price_ticks=2020)
    ends = command(Kind.SET_LAST_TRADE, contract_idx=0, expires_ns=flow.ts_ns + 1)
    take(house, flow.batch([*rows, settle, ends]))
    take(house, flow.batch([command(Kind.TICK)]))
    worth = 2020 * TICK_VALUE_USD_MICROS
    rows = [
        command(Kind.ACCRUE, contract_idx=0, order_id=place, amount_usd_micros=worth + more,
                ref_id=place, qty_lots=2, state=place - 1)
        for place, more in ((1, 11), (2, 5))
    ]  # fmt: skip
    done = take(house, flow.batch(rows))
    assert [one.amount_usd_micros for one in done.variations] == [-55, 55, 30, -30]
    assert [(one.ordinal, one.is_final, one.worth_usd_micros) for one in done.accruals] == [
        (1, False, worth + 11), (2, True, worth + 5),
    ]  # fmt: skip
    for account_idx in (0, 1):  # all is paid, the part of a tick too
        assert house.equity_usd_micros(account_idx) == house.books.cash_usd_micros(account_idx)
    assert done.settlements == []
    closed = take(house, flow.batch([command(Kind.SET_STATE, contract_idx=0, state=5),
                                     command(Kind.CLOSE_OUT)]))  # fmt: skip
    assert closed.variations == []
    gained = 5 * (10 * TICK_VALUE_USD_MICROS + 5)
    for account_idx, realised in ((0, -gained), (1, gained)):
        position = house.position(account_idx, 0)
        assert (position.qty_lots, position.entry_usd_micros, position.carry_usd_micros) == (0,) * 3
        assert position.realised_usd_micros == realised


def test_a_batch_taken_in_steps_is_the_batch_taken_whole():
    flow = Flow(5)
    batches = list(flow.batches(60))
    whole, stepped = ClearingHouse(), ClearingHouse()
    pauses = 0
    for batch in batches:
        whole.apply(batch.commands, batch.events)
        pauses += sum(1 for _ in stepped.steps(batch.commands, batch.events))
    assert pauses == stepped.seq // STEP_COMMANDS > 0
    assert vars(stepped.take()) == vars(whole.take())


def test_CORR_004_a_correction_pays_also_who_has_closed_since_and_says_the_price_that_is_right():
    flow, house, mirror = Flow(1, accounts=3, contracts=1), ClearingHouse(), Mirror()
    batches = [
        flow.opening(),
        flow.batch([place(0, Side.SELL, 2010, 5), place(1, Side.BUY, 2010, 5)]),
        flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2020)]),
        flow.batch([place(1, Side.SELL, 2016, 5), place(2, Side.BUY, 2016, 5)]),
    ]
    take(house, *batches)
    fixed = {"contract_idx": 0, "state": 4, "price_ticks": 2015, "qty_lots": 2020,
             "expires_ns": 77, "ref_id": 12, "order_id": 0, "client_a": 5}  # fmt: skip
    late = flow.batch([command(Kind.COLLECT, amount_usd_micros=1, **fixed)])
    assert late.events[0]["code"] == Code.SETTLEMENT_FINAL
    good = flow.batch([command(Kind.COLLECT, amount_usd_micros=1 << 62, **fixed)])
    again = flow.batch([command(Kind.COLLECT, amount_usd_micros=1 << 62, **fixed)])
    assert again.events[0]["code"] == Code.SETTLEMENT_MOVED
    done = take(house, late, good, again)
    (row,) = done.settlements
    assert (row.cycle, row.price_ticks, row.previous_ticks, row.due_ns) == (4, 2015, 2020, 77)
    assert (row.rule, row.source, row.run[:2]) == (12, 0, "05")
    assert house.contracts[0].settle_ticks == 2015
    assert sum(one.amount_usd_micros for one in done.variations) == 0
    paid = {one.account_idx: one.amount_usd_micros for one in done.variations}
    assert paid[1] == 5 * (2016 - 2020) * TICK_VALUE_USD_MICROS  # it holds nothing any more
    for batch in (*batches, late, good, again):
        mirror.apply(batch.commands, batch.events)
    assert mirror.contracts[0].settle_ticks == 2015
    assert [account.cash_usd_micros for account in mirror.accounts] == [
        50_000_000_000_000 + 5 * gain * TICK_VALUE_USD_MICROS for gain in (2010 - 2020, 6, 4)
    ]
