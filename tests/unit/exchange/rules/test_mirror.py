"""The mirror, fed with event rows written by hand."""

import pytest

from exchange.rules.closed import ClosedOrders
from exchange.rules.mirror import Mirror
from matching.codes import Code, EventKind, Kind, OrderType, Side, Stp, Tif, TradingState
from tests.support.rows import command, events, stamped

SYMBOL = "H100-USE-2027M03"
TICK_VALUE = 730_000
ALICE, BOB = 0, 1


def setup_commands():
    return [
        command(Kind.OPEN_ACCOUNT, account_idx=ALICE),
        command(Kind.OPEN_ACCOUNT, account_idx=BOB),
        command(Kind.DEPOSIT, account_idx=ALICE, amount_usd_micros=1_000, ref_id=7),
        command(
            Kind.LIST, symbol=SYMBOL, price_ticks=2_000, amount_usd_micros=TICK_VALUE,
            qty_lots=1_000, order_id=1_000, state=TradingState.CONTINUOUS, expires_ns=99,
        ),
    ]  # fmt: skip


def setup_events():
    return [
        {"seq": 1, "kind": EventKind.ACCOUNT_OPENED, "account_idx": ALICE},
        {"seq": 2, "kind": EventKind.ACCOUNT_OPENED, "account_idx": BOB},
        {"seq": 3, "kind": EventKind.CASH_MOVED, "account_idx": ALICE, "amount_usd_micros": 1_000},
        {"seq": 4, "kind": EventKind.LISTED, "contract_idx": 0, "price_ticks": 2_000},
    ]


def started() -> Mirror:
    mirror = Mirror()
    mirror.apply(stamped(setup_commands()), events(*setup_events()))
    return mirror


def feed(mirror: Mirror, rows, *replies):
    """Apply commands as one batch; replies are (offset of the command, event fields)."""
    first = mirror.seq + 1
    batch = stamped(rows, first, mirror.ts_ns + 1)
    return mirror.apply(batch, events(*({**row, "seq": first + at} for at, row in replies)))


def placed(mirror: Mirror, order_id, account_idx, side, price, qty, leaves=None, client="", **more):
    """Feed one accepted order."""
    row = command(
        Kind.PLACE, client=client, account_idx=account_idx, side=side, price_ticks=price,
        qty_lots=qty, **more,
    )  # fmt: skip
    return feed(mirror, [row], (0, accepted(order_id, account_idx, side, price, qty, leaves)))


def accepted(order_id, account_idx, side, price, qty, leaves=None):
    return {
        "kind": EventKind.ACCEPTED, "order_id": order_id, "account_idx": account_idx, "side": side,
        "price_ticks": price, "qty_lots": qty, "leaves_lots": qty if leaves is None else leaves,
    }  # fmt: skip


def trade(order_id, account_idx, side, maker_id, maker_idx, price, qty, maker_leaves):
    return {
        "kind": EventKind.TRADE, "order_id": order_id, "account_idx": account_idx, "side": side,
        "maker_order_id": maker_id, "maker_account_idx": maker_idx, "price_ticks": price,
        "qty_lots": qty, "leaves_lots": maker_leaves,
    }  # fmt: skip


def cancelled(order_id, account_idx, side, price, qty, leaves, code):
    return {
        "kind": EventKind.CANCELLED, "order_id": order_id, "account_idx": account_idx,
        "side": side, "price_ticks": price, "qty_lots": qty, "leaves_lots": leaves, "code": code,
    }  # fmt: skip


def test_setup_gives_accounts_money_and_the_contract_with_its_band():
    mirror = started()
    assert (mirror.seq, len(mirror.accounts)) == (4, 2)
    assert mirror.accounts[ALICE].cash_usd_micros == 1_000
    assert mirror.accounts[ALICE].last_ref_id == 7
    contract = mirror.contract(SYMBOL)
    assert contract is not None
    assert (contract.mark_ticks, contract.settle_ticks) == (2_000, 2_000)
    assert (contract.band_low_ticks, contract.band_high_ticks) == (1_800, 2_200)
    assert (contract.state, contract.last_trade_ns) == (TradingState.CONTINUOUS, 99)
    assert mirror.contract("NONE") is None


def test_a_resting_order_is_open_in_book_position_and_by_both_ids():
    mirror = started()
    changes = placed(
        mirror, 50, ALICE, Side.BUY, 1_990, 5, client="a-1", flags=1, tif=Tif.GTD, expires_ns=77
    )
    order = mirror.order(50)
    assert order is not None and order.status == "open"
    assert (order.client_order_id, order.flags, order.tif, order.expires_ns) == ("a-1", 1, 3, 77)
    assert (order.created_ns, order.updated_ns, order.updated_seq) == (
        mirror.ts_ns,
        mirror.ts_ns,
        5,
    )
    assert mirror.order_by_client(ALICE, order.client_words) is order
    assert mirror.order_by_client(BOB, order.client_words) is None
    assert mirror.depth(0, Side.BUY, 5) == [(1_990, 5, 1)]
    assert mirror.position(ALICE, 0).buy_lots == 5
    assert changes.levels == {(0, Side.BUY, 1_990)}
    assert list(changes.orders) == [50]


def test_depth_is_best_first_on_both_sides():
    mirror = started()
    for order_id, price in ((50, 1_990), (51, 1_995), (52, 1_980), (53, 1_995)):
        placed(mirror, order_id, ALICE, Side.BUY, price, 2)
    for order_id, price in ((60, 2_010), (61, 2_005)):
        placed(mirror, order_id, BOB, Side.SELL, price, 3)
    assert mirror.depth(0, Side.BUY, 2) == [(1_995, 4, 2), (1_990, 2, 1)]
    assert mirror.depth(0, Side.SELL, 9) == [(2_005, 3, 1), (2_010, 3, 1)]
    assert mirror.depth(0, Side.SELL, 0) == []
    books = mirror.contracts[0].books
    assert [book.best_ticks() for book in books] == [1_995, 2_005]
    assert Mirror().contracts == []


def test_a_trade_moves_both_orders_positions_and_unsettled_gains():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 1_990, 5)
    changes = feed(
        mirror,
        [command(Kind.PLACE, account_idx=BOB, side=Side.BUY, price_ticks=1_995, qty_lots=3)],
        (0, accepted(51, BOB, Side.BUY, 1_995, 3, leaves=0)),
        (0, trade(51, BOB, Side.BUY, 50, ALICE, 1_990, 3, 2)),
    )
    assert mirror.depth(0, Side.SELL, 5) == [(1_990, 2, 1)]
    taker, maker = mirror.order(51), mirror.order(50)
    assert taker is not None and maker is not None
    assert (taker.status, taker.filled_lots, taker.filled_tick_lots) == ("filled", 3, 5_970)
    assert (maker.status, maker.filled_lots, maker.leaves_lots) == ("open", 3, 2)
    bob = mirror.position(BOB, 0)
    assert (bob.qty_lots, bob.unsettled_usd_micros) == (3, 3 * 10 * TICK_VALUE)
    assert bob.entry_usd_micros == 3 * 1_990 * TICK_VALUE
    alice = mirror.position(ALICE, 0)
    assert (alice.qty_lots, alice.sell_lots, alice.unsettled_usd_micros) == (
        -3,
        2,
        -30 * TICK_VALUE,
    )
    assert mirror.accounts[BOB].unsettled_usd_micros == 30 * TICK_VALUE
    assert mirror.contracts[0].open_interest_lots == 3
    assert mirror.contracts[0].last_trade_ticks == 1_990
    assert [t.trade_id for t in changes.trades] == ["6-0"]
    assert mirror.contracts[0].trades[-1] == changes.trades[0]
    assert changes.accounts == {ALICE, BOB}
    assert set(changes.orders) == {50, 51}


def test_two_trades_of_one_command_have_their_own_legs():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 1_990, 1)
    placed(mirror, 51, ALICE, Side.SELL, 1_991, 1)
    changes = feed(
        mirror,
        [command(Kind.PLACE, account_idx=BOB, side=Side.BUY, price_ticks=1_995, qty_lots=2)],
        (0, accepted(52, BOB, Side.BUY, 1_995, 2, leaves=0)),
        (0, trade(52, BOB, Side.BUY, 50, ALICE, 1_990, 1, 0)),
        (0, trade(52, BOB, Side.BUY, 51, ALICE, 1_991, 1, 0)),
    )
    assert [t.trade_id for t in changes.trades] == ["7-0", "7-1"]
    assert mirror.orders == {}
    assert mirror.depth(0, Side.SELL, 5) == []


def test_a_self_trade_leaves_position_and_entry_alone():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 1_990, 1)
    feed(
        mirror,
        [command(Kind.PLACE, account_idx=ALICE, side=Side.BUY, price_ticks=1_995, qty_lots=1)],
        (0, accepted(52, ALICE, Side.BUY, 1_995, 1, leaves=0)),
        (0, trade(52, ALICE, Side.BUY, 50, ALICE, 1_990, 1, 0)),
    )
    position = mirror.position(ALICE, 0)
    assert (position.qty_lots, position.sell_lots, position.entry_usd_micros) == (0, 0, 0)
    assert mirror.contracts[0].open_interest_lots == 0


def test_the_remainder_of_an_ioc_is_cancelled_and_kept_among_the_closed():
    mirror = started()
    feed(
        mirror,
        [command(
            Kind.PLACE, client="x", account_idx=BOB, side=Side.BUY, price_ticks=0, qty_lots=4,
            order_type=OrderType.MARKET, tif=Tif.IOC,
        )],
        (0, accepted(52, BOB, Side.BUY, 2_200, 4, leaves=0)),
        (0, cancelled(52, BOB, Side.BUY, 2_200, 4, 0, Code.IOC_REMAINDER)),
    )  # fmt: skip
    order = mirror.order(52)
    assert order is not None
    assert (order.status, order.code, order.cancelled_lots) == ("cancelled", Code.IOC_REMAINDER, 4)
    assert mirror.order_by_client(BOB, order.client_words) is order
    assert mirror.orders == {}


def test_a_user_cancel_removes_the_order_everywhere():
    mirror = started()
    placed(mirror, 50, ALICE, Side.BUY, 1_990, 5, client="a")
    changes = feed(
        mirror,
        [command(Kind.CANCEL, account_idx=ALICE, order_id=50)],
        (0, cancelled(50, ALICE, Side.BUY, 1_990, 5, 0, Code.CANCELLED_BY_USER)),
    )
    assert mirror.orders == {} and mirror.by_client == {} and mirror.accounts[ALICE].orders == {}
    assert mirror.depth(0, Side.BUY, 5) == []
    assert mirror.position(ALICE, 0).buy_lots == 0
    assert changes.orders[50].status == "cancelled"


def test_decrement_takes_lots_from_maker_and_taker():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 1_990, 5)
    feed(
        mirror,
        [command(
            Kind.PLACE, account_idx=ALICE, side=Side.BUY, price_ticks=1_990, qty_lots=3,
            stp=Stp.DECREMENT,
        )],
        (0, accepted(51, ALICE, Side.BUY, 1_990, 3, leaves=0)),
        (0, cancelled(50, ALICE, Side.SELL, 1_990, 3, 2, Code.SELF_TRADE_PREVENTED)),
        (0, cancelled(51, ALICE, Side.BUY, 1_990, 3, 0, Code.SELF_TRADE_PREVENTED)),
    )  # fmt: skip
    maker, taker = mirror.order(50), mirror.order(51)
    assert maker is not None and taker is not None
    assert (maker.status, maker.leaves_lots, maker.cancelled_lots) == ("open", 2, 3)
    assert (taker.status, taker.code) == ("cancelled", Code.SELF_TRADE_PREVENTED)
    assert mirror.depth(0, Side.SELL, 5) == [(1_990, 2, 1)]


def test_an_amended_order_moves_to_its_new_level_and_may_trade():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 2_010, 2)
    placed(mirror, 51, BOB, Side.BUY, 1_990, 5)
    amend = {
        "kind": EventKind.AMENDED, "order_id": 51, "account_idx": BOB, "side": Side.BUY,
        "price_ticks": 2_010, "qty_lots": 6, "leaves_lots": 4,
    }  # fmt: skip
    changes = feed(
        mirror,
        [command(Kind.AMEND, account_idx=BOB, order_id=51, price_ticks=2_010, qty_lots=6)],
        (0, amend),
        (0, trade(51, BOB, Side.BUY, 50, ALICE, 2_010, 2, 0)),
    )
    order = mirror.order(51)
    assert order is not None
    assert (order.qty_lots, order.filled_lots, order.leaves_lots) == (6, 2, 4)
    assert mirror.depth(0, Side.BUY, 5) == [(2_010, 4, 1)]
    assert changes.levels == {(0, 0, 1_990), (0, 0, 2_010), (0, 1, 2_010)}


def test_an_order_amended_below_its_fills_ends():
    mirror = started()
    placed(mirror, 51, BOB, Side.BUY, 1_990, 5)
    reply = {
        "kind": EventKind.AMENDED, "order_id": 51, "account_idx": BOB, "side": Side.BUY,
        "price_ticks": 1_990, "qty_lots": 0, "leaves_lots": 0,
    }  # fmt: skip
    feed(
        mirror,
        [command(Kind.AMEND, account_idx=BOB, order_id=51, qty_lots=-1)],
        (0, reply),
        (0, cancelled(51, BOB, Side.BUY, 1_990, 5, 0, Code.AMENDED_BELOW_FILLED)),
    )
    order = mirror.order(51)
    assert order is not None and order.status == "cancelled"
    assert mirror.depth(0, Side.BUY, 5) == []


def test_mark_and_settle_move_unsettled_gains_into_cash():
    mirror = started()
    placed(mirror, 50, ALICE, Side.SELL, 2_000, 2)
    feed(
        mirror,
        [command(Kind.PLACE, account_idx=BOB, side=Side.BUY, price_ticks=2_000, qty_lots=2)],
        (0, accepted(51, BOB, Side.BUY, 2_000, 2, leaves=0)),
        (0, trade(51, BOB, Side.BUY, 50, ALICE, 2_000, 2, 0)),
    )
    feed(
        mirror,
        [command(Kind.MARK, price_ticks=2_010)],
        (0, {"kind": EventKind.MARKED, "price_ticks": 2_010}),
    )
    assert mirror.accounts[BOB].unsettled_usd_micros == 20 * TICK_VALUE
    assert mirror.contracts[0].band_high_ticks == 2_211
    gain = 2 * 5 * TICK_VALUE
    changes = feed(
        mirror,
        [command(Kind.SETTLE, price_ticks=2_005)],
        (0, {"kind": EventKind.SETTLED, "price_ticks": 2_005, "amount_usd_micros": gain}),
        (0, {"kind": EventKind.VARIATION, "account_idx": ALICE, "amount_usd_micros": -gain}),
        (0, {"kind": EventKind.VARIATION, "account_idx": BOB, "amount_usd_micros": gain}),
    )
    assert mirror.contracts[0].settle_ticks == 2_005
    assert [mirror.accounts[i].cash_usd_micros for i in (ALICE, BOB)] == [1_000 - gain, gain]
    assert [mirror.accounts[i].unsettled_usd_micros for i in (ALICE, BOB)] == [0, 0]
    assert [row[1:] for row in changes.variations] == [(ALICE, 0, -gain), (BOB, 0, gain)]


def test_states_bands_and_scenarios_follow_their_commands():
    mirror = started()
    shocks = {
        name: 10 * (place + 1)
        for place, name in enumerate(
            ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns",
             "client_a", "client_b", "client_c", "client_d")
        )
    }  # fmt: skip
    feed(
        mirror,
        [
            command(Kind.SET_STATE, state=TradingState.HALT),
            command(Kind.SET_BAND, order_id=0),
            command(Kind.STAGE_SHOCKS, order_id=8, **shocks),
            command(Kind.SWAP_SCENARIOS, qty_lots=12, order_id=3),
            command(Kind.SET_ACCOUNT, account_idx=BOB, state=2),
            command(Kind.TICK),
            command(Kind.CANCEL, account_idx=BOB, order_id=9),
        ],
        (0, {"kind": EventKind.STATE_SET}),
        (1, {"kind": EventKind.BAND_SET}),
        (2, {"kind": EventKind.SHOCKS_STAGED}),
        (3, {"kind": EventKind.SCENARIOS_SWAPPED}),
        (4, {"kind": EventKind.ACCOUNT_SET, "account_idx": BOB}),
        (5, {"kind": EventKind.TICKED}),
        (6, {"kind": EventKind.REFUSED, "code": Code.ORDER_UNKNOWN}),
    )
    contract = mirror.contracts[0]
    assert contract.state == TradingState.HALT
    assert (contract.band_low_ticks, contract.band_high_ticks) == (1, 65_535)
    assert mirror.shocks == [[0] * 8 + [10, 20, 30, 40]]
    assert (mirror.scenario_count, mirror.worst_count) == (12, 3)
    assert mirror.accounts[BOB].state == 2


def test_a_batch_that_leaves_a_gap_is_refused():
    with pytest.raises(ValueError, match="expected seq 5, was 9"):
        started().apply(stamped([command(Kind.TICK)], 9), events({"seq": 9, "kind": 1}))


def test_events_of_another_command_are_refused():
    with pytest.raises(ValueError, match="events of seq 6 where 5 was due"):
        started().apply(stamped([command(Kind.TICK)], 5), events({"seq": 6, "kind": 1}))
    with pytest.raises(ValueError, match="no events after seq 4"):
        started().apply(stamped([command(Kind.TICK)], 5), events())


def test_an_empty_batch_changes_nothing():
    mirror = started()
    assert mirror.apply(stamped([]), events()).last_seq == 0
    assert mirror.seq == 4


def test_closed_orders_are_forgotten_oldest_first():
    mirror = started()
    closed = ClosedOrders(kept=1)
    placed(mirror, 50, ALICE, Side.BUY, 1_990, 5, client="a")
    placed(mirror, 51, ALICE, Side.BUY, 1_990, 5, client="b")
    first, second = mirror.orders[50], mirror.orders[51]
    closed.add(first)
    closed.add(second)
    assert closed.by_id(50) is None and closed.by_client((ALICE, *first.client_words)) is None
    assert closed.by_id(51) is second


def test_what_happens_in_one_contract_leaves_the_others_alone():
    mirror = started()
    other = command(
        Kind.LIST, symbol="B200-USW-2027M03", contract_idx=1, price_ticks=3_000,
        amount_usd_micros=10, qty_lots=5,
    )  # fmt: skip
    feed(
        mirror,
        [other, command(Kind.MARK, contract_idx=1, price_ticks=3_001)],
        (0, {"kind": EventKind.LISTED, "contract_idx": 1, "price_ticks": 3_000}),
        (1, {"kind": EventKind.MARKED, "contract_idx": 1, "price_ticks": 3_001}),
    )
    feed(
        mirror,
        [command(Kind.PLACE, contract_idx=1, side=Side.SELL, price_ticks=3_000, qty_lots=2)],
        (0, accepted(70, ALICE, Side.SELL, 3_000, 2) | {"contract_idx": 1}),
    )
    assert [contract.mark_ticks for contract in mirror.contracts] == [2_000, 3_001]
    assert mirror.depth(1, Side.SELL, 9) == [(3_000, 2, 1)]
    assert mirror.depth(0, Side.SELL, 9) == []
    assert mirror.position(ALICE, 1).sell_lots == 2
