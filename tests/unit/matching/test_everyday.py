"""The straight line for plain orders does what the general way does, which a client id forces."""

from collections import Counter

import pytest

from matching._jit import entry_kernel
from matching._memory import handle_of
from matching._pointer import Pointer
from matching.apply import Batch, view_batch
from matching.codes import (
    AccountState,
    Code,
    EventKind,
    Flag,
    Kind,
    OrderType,
    Side,
    Tif,
    TradingState,
)
from matching.engine import Engine
from matching.everyday import FREE_BITS, cancel_everyday, place_everyday
from matching.state import view_state
from matching.wire import new_commands
from tests.support.rows import command
from tests.unit.matching.small import CASH_USD_MICROS, SIZES, Market, codes, random_run


def with_client_id(row, number):
    """Return a copy of a new order that carries an id of its own; anything else as it is."""
    row = row.copy()
    if row["kind"][0] == Kind.PLACE and row["client_a"][0] == 0:
        row["client_a"], row["client_d"] = number, -1
    return row


@pytest.mark.parametrize("seed", range(4))
def test_both_ways_tell_the_same(seed: int):
    plain, general, seen = Engine(SIZES), Engine(SIZES), Counter()
    for number, row in enumerate(random_run(500, seed, cash_usd_micros=30_000_000_000), 1):
        events = plain.apply(row)
        assert events.tolist() == general.apply(with_client_id(row, number)).tolist()
        seen.update((EventKind(e["kind"]), Code(e["code"])) for e in events)
    assert seen[EventKind.ACCEPTED, Code.OK] > 50
    assert seen[EventKind.REFUSED, Code.MARGIN_INSUFFICIENT] > 0
    plain.check()
    general.check()
    for account_idx in range(4):
        assert plain.account_row(account_idx) == general.account_row(account_idx)
        for contract_idx in range(2):
            pair = account_idx, contract_idx
            assert plain.position(*pair) == general.position(*pair)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"side": 2}, Code.SIDE_INVALID),
        ({"side": -1}, Code.SIDE_INVALID),
        ({"tif": -1}, Code.TIF_INVALID),
        ({"order_type": 10}, Code.ORDER_TYPE_INVALID),
        ({"stp": 5}, Code.STP_INVALID),
        ({"stp": -1}, Code.STP_INVALID),
        ({"flags": -1}, Code.FLAGS_INVALID),
        ({"qty_lots": 0}, Code.QTY_NOT_POSITIVE),
        ({"qty_lots": 1001}, Code.QTY_TOO_LARGE),
        ({"price_ticks": 0}, Code.PRICE_INVALID),
        ({"price_ticks": 1 << 12}, Code.PRICE_INVALID),
        ({"expires_ns": 1}, Code.EXPIRY_INVALID),
        ({"account_idx": 4}, Code.ACCOUNT_UNKNOWN),
        ({"account_idx": -1}, Code.ACCOUNT_UNKNOWN),
        ({"contract_idx": 1}, Code.CONTRACT_UNKNOWN),
        ({"contract_idx": -1}, Code.CONTRACT_UNKNOWN),
    ],
)
def test_one_word_amiss_is_refused_with_its_reason(fields: dict[str, int], code: Code):
    market = Market()
    market.rested(0, Side.BUY, 1, 1990)  # the account has a position slot from here on
    before = market.engine.depth(0, Side.BUY, 2)
    words = {"account_idx": 0, "side": Side.BUY, "qty_lots": 1, "price_ticks": 1990}
    assert codes(market.do(Kind.PLACE, **words | fields)) == [code]
    assert market.engine.depth(0, Side.BUY, 2) == before


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (AccountState.FROZEN, Code.ACCOUNT_FROZEN),
        (AccountState.REDUCE_ONLY, Code.ACCOUNT_REDUCE_ONLY),
    ],
)
def test_an_account_that_may_not_is_refused(state: AccountState, code: Code):
    market = Market()
    market.rested(0, Side.BUY, 1, 1990)
    market.do(Kind.SET_ACCOUNT, account_idx=0, state=state)
    assert codes(market.order(0, Side.BUY, 1, 1990)) == [code]
    assert market.engine.depth(0, Side.BUY, 2) == [(1990, 1, 1)]


@pytest.mark.parametrize("state", [s for s in TradingState if s != TradingState.CONTINUOUS])
def test_a_contract_that_does_not_trade_goes_the_general_way(state: TradingState):
    market, general = Market(), Market()
    for one in (market, general):
        one.rested(0, Side.BUY, 1, 1990)
        one.do(Kind.SET_STATE, contract_idx=0, state=state)
    plain = market.order(0, Side.BUY, 1, 1990)
    assert plain.tolist() == general.order(0, Side.BUY, 1, 1990, client_a=1).tolist()


def test_the_last_slot_is_taken_and_no_other():
    market = Market()
    for place in range(SIZES.orders - 1):
        market.rested(place % 4, Side.BUY, 1, 1990)
    assert codes(market.order(0, Side.BUY, 1, 1990)) == [Code.BOOK_FULL]
    market.engine.check()


def test_a_plain_order_that_meets_another_trades():
    market = Market()
    market.rested(0, Side.BUY, 2, 1990)
    market.rested(1, Side.SELL, 2, 2010)
    kinds = [event["kind"] for event in market.order(0, Side.BUY, 3, 2010)]
    assert kinds == [EventKind.ACCEPTED, EventKind.TRADE]
    assert market.engine.depth(0, Side.BUY, 2) == [(2010, 1, 1), (1990, 2, 1)]
    assert market.order(0, Side.BUY, 1, 1980, tif=Tif.IOC)[-1]["code"] == Code.IOC_REMAINDER


@entry_kernel
def straight(state, batch):
    """Return whether the straight line takes the first command; it is entered then."""
    return place_everyday(view_state(state), view_batch(batch).commands[0])


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, True),
        ({"stp": 4}, True),
        ({"client_a": 1}, False),
        ({"client_d": 1}, False),
        ({"tif": Tif.IOC}, True),
        ({"tif": Tif.FOK}, False),
        ({"tif": Tif.GFN}, False),
        ({"flags": 1}, False),
        ({"state": 1}, True),  # says nothing of a limit order
        ({"price_ticks": 2000}, True),  # meets the sell
        ({"account_idx": 1}, False),  # has no position slot yet
        ({"account_idx": 3, "side": Side.SELL, "price_ticks": 1995}, False),  # has no money to lose
    ],
)
def test_a_plain_order_takes_the_straight_line(fields: dict[str, int], taken: bool):
    market = Market()
    market.rested(0, Side.BUY, 1, 1990)
    market.rested(2, Side.SELL, 1, 2000)
    market.rested(3, Side.BUY, 1, 1990)
    market.do(Kind.WITHDRAW, account_idx=3, amount_usd_micros=CASH_USD_MICROS)
    words = {"account_idx": 0, "side": Side.BUY, "qty_lots": 1, "price_ticks": 1990}
    row = command(Kind.PLACE, **words | fields)
    batch = Pointer(Batch, new_commands(1))
    assert straight(handle_of(market.engine.state).value, batch.at(row)) == taken


@pytest.mark.parametrize(
    ("name", "value", "free"),
    [
        ("side", 1, True),
        ("tif", Tif.IOC, True),
        ("stp", 7, True),
        ("state", -1, True),
        ("side", 2, False),
        ("side", -2, False),
        ("tif", 2, False),
        ("stp", 8, False),
        ("kind", 1, False),
        ("order_type", 1, False),
        ("flags", 1, False),
        ("flags", -(1 << 15), False),
    ],
)
def test_the_bits_that_a_plain_order_may_have(name: str, value: int, free: bool):
    row = new_commands(1)
    row[name] = value
    word = int(row.view("<i8")[2])  # behind seq and ts_ns
    assert (word & FREE_BITS == word) == free
    assert free or word & FREE_BITS == 0


@entry_kernel
def cancelled_straight(state, batch):
    """Return whether the straight line takes the first command; it is carried out then."""
    return cancel_everyday(view_state(state), view_batch(batch).commands[0])


@pytest.mark.parametrize(
    ("account_idx", "fields", "taken"),
    [
        (0, {}, True),
        (0, {"client_a": 7, "client_d": -1}, True),  # named by the exchange's id
        (1, {}, False),  # of another account
        (4, {}, False),
        (-1, {}, False),
        (0, {"order_id": 0}, False),
        (0, {"order_id": -1}, False),
        (0, {"order_id": (1 << 62) + (1 << 20) - 1}, False),  # a slot that was never used
    ],
)
def test_a_plain_cancellation_takes_the_straight_line(
    account_idx: int, fields: dict[str, int], taken: bool
):
    market = Market()
    words = {"order_id": market.rested(0, Side.BUY, 1, 1990)} | fields
    row = command(Kind.CANCEL, account_idx=account_idx, **words)
    batch = Pointer(Batch, new_commands(1))
    assert cancelled_straight(handle_of(market.engine.state).value, batch.at(row)) == taken
    assert market.engine.depth(0, Side.BUY, 1) == ([] if taken else [(1990, 1, 1)])


@pytest.mark.parametrize(
    "fields",
    [
        {"amount_usd_micros": 1 << 32},  # shows one lot
        {"flags": Flag.POST_ONLY},
        {"order_type": OrderType.STOP_LIMIT, "amount_usd_micros": 2010},
    ],
)
def test_an_order_with_anything_of_its_own_is_cancelled_the_general_way(fields: dict[str, int]):
    market = Market()
    order_id = int(market.order(0, Side.BUY, 2, 1990, **fields)[0]["order_id"])
    row = command(Kind.CANCEL, account_idx=0, order_id=order_id)
    batch = Pointer(Batch, new_commands(1))
    assert not cancelled_straight(handle_of(market.engine.state).value, batch.at(row))
    events = market.do(Kind.CANCEL, account_idx=0, order_id=order_id)
    assert [event["kind"] for event in events] == [EventKind.CANCELLED]
