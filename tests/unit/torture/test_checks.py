"""The checker itself: a true record passes, and every planted lie is found."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from matching.codes import Kind, Side, TradingState
from matching.limits import ORDERS_MAX
from matching.wire import COMMAND
from tests.oracle.engine import Oracle
from tests.support.rows import command, stamped
from tests.torture.checks import violations
from tests.torture.record import Fate, Record, Request
from tests.torture.truth import Truth

SYMBOL = "H100-USE-2027M03"
ACCOUNTS = {"ann": 0, "bob": 1}
OPENING = [
    command(Kind.OPEN_ACCOUNT, account_idx=0),
    command(Kind.OPEN_ACCOUNT, account_idx=1),
    command(Kind.DEPOSIT, account_idx=0, amount_usd_micros=10**12),
    command(Kind.DEPOSIT, account_idx=1, amount_usd_micros=10**12),
    command(Kind.LIST, symbol=SYMBOL, price_ticks=2000, qty_lots=100,
            state=TradingState.CONTINUOUS, amount_usd_micros=730_000),
]  # fmt: skip


def place(account_idx: int, client: str, side: Side, price_ticks: int, qty_lots: int) -> Any:
    return command(
        Kind.PLACE, client=client, account_idx=account_idx, side=side,
        price_ticks=price_ticks, qty_lots=qty_lots,
    )  # fmt: skip


ORDERS = [
    place(0, "a-1", Side.SELL, 2010, 5),  # seq 6, slot 1
    place(1, "b-1", Side.BUY, 2012, 3),  # seq 7, trades 3 at 2010
    command(Kind.AMEND, client="a-1", account_idx=0, price_ticks=2015, qty_lots=0),  # seq 8
    place(1, "b-1", Side.BUY, 2012, 3),  # seq 9, a duplicate
    command(Kind.CANCEL, client="a-1", account_idx=0),  # seq 10
    command(Kind.CANCEL, client="a-9", account_idx=0),  # seq 11, refused
    place(1, "b-2", Side.BUY, 1990, 1),  # seq 12
    command(Kind.MASS_CANCEL, account_idx=1, contract_idx=-1),  # seq 13
]
A1, B1, B2 = 6 * ORDERS_MAX + 1, 7 * ORDERS_MAX + 2, 12 * ORDERS_MAX + 1


def truth_of(*extra: np.ndarray, without: int = 0) -> Truth:
    """Return the journal of the opening, the orders (less the last few) and more."""
    rows = stamped([*OPENING, *ORDERS[: len(ORDERS) - without], *extra])
    truth = Truth()
    assert rows.dtype == COMMAND
    truth.add(1, rows.tobytes(), Oracle().apply(rows).tobytes())
    return truth


def order(order_id: int, client: str, price: str, quantity: int, left: int) -> dict[str, Any]:
    return {
        "order_id": str(order_id), "client_order_id": client, "price": price,
        "quantity": str(quantity), "remaining_quantity": str(left),
    }  # fmt: skip


def ok(seq: int, **result: Any) -> dict[str, Any]:
    return {"ok": True, "seq": seq, "result": result}


def refused(seq: int, code: str) -> dict[str, Any]:
    return {"ok": False, "seq": seq, "error": {"code": code}}


def new(side: str, price: str, quantity: str, client: str) -> dict[str, Any]:
    return {
        "symbol": SYMBOL, "side": side, "price": price, "quantity": quantity,
        "client_order_id": client,
    }  # fmt: skip


def true_record() -> Record:
    """Return what honest clients were told about ORDERS."""
    record = Record()
    trade = {"trade_id": "7-0", "price": "2.010", "quantity": "3"}
    answers = [
        ("ann", "order.new", new("sell", "2.010", "5", "a-1"), "a-1",
         ok(6, order=order(A1, "a-1", "2.010", 5, 5), trades=[], duplicate=False)),
        ("bob", "order.new", new("buy", "2.012", "3", "b-1"), "b-1",
         ok(7, order=order(B1, "b-1", "2.012", 3, 0), trades=[trade], duplicate=False)),
        ("ann", "order.amend", {"price": "2.015"}, "a-1",
         ok(8, order=order(A1, "a-1", "2.015", 5, 2), trades=[])),
        ("bob", "order.new", new("buy", "2.012", "3", "b-1"), "b-1",
         ok(9, order=order(B1, "b-1", "2.012", 3, 0), trades=[], duplicate=True)),
        ("ann", "order.cancel", {}, "a-1", ok(10, order=order(A1, "a-1", "2.015", 5, 0))),
        ("ann", "order.cancel", {}, "a-9", refused(11, "order_unknown")),
        ("bob", "order.new", new("buy", "1.990", "1", "b-2"), "b-2",
         ok(12, order=order(B2, "b-2", "1.990", 1, 1), trades=[], duplicate=False)),
        ("bob", "order.cancel_all", {}, "", ok(13, cancelled_count=1, order_ids=[str(B2)])),
    ]  # fmt: skip
    for account_id, op, fields, client, answer in answers:
        record.sent(account_id, op, fields, client).answer = answer
    return record


def test_a_true_record_has_no_violation():
    assert violations(true_record(), truth_of(), ACCOUNTS) == []


def test_an_unanswered_order_may_be_there_or_not():
    record = true_record()
    record.requests[6].answer = record.requests[7].answer = None
    assert violations(record, truth_of(), ACCOUNTS) == []
    assert violations(record, truth_of(without=2), ACCOUNTS) == []


def test_an_acknowledged_order_that_is_lost_is_found():
    found = violations(true_record(), truth_of(without=2), ACCOUNTS)
    assert len(found) == 2 and "journal ends at 11" in found[0]


def test_an_acknowledged_order_whose_number_another_command_has_is_found():
    rows = stamped([*OPENING, *ORDERS[:6], command(Kind.TICK), command(Kind.TICK)])
    truth = Truth()
    truth.add(1, rows.tobytes(), Oracle().apply(rows).tobytes())
    assert len(violations(true_record(), truth, ACCOUNTS)) == 2


def test_an_order_placed_twice_is_found():
    truth = truth_of()
    truth.by_client[1, "b-2"].append(99)
    assert any("twice" in line for line in violations(true_record(), truth, ACCOUNTS))


def test_a_cancel_carried_out_more_often_than_sent_is_found():
    truth = truth_of(command(Kind.CANCEL, client="a-1", account_idx=0))
    assert any("ann sent 2" in line for line in violations(true_record(), truth, ACCOUNTS))


def test_a_command_the_gateway_sent_again_counts_once():
    row = {"client": "a-9", "account_idx": 0, "origin_id": 1, "request_id": 1}
    record = true_record()
    record.sent("ann", "order.cancel", {}, "a-9").answer = refused(14, "order_unknown")
    truth = truth_of(command(Kind.CANCEL, **row), command(Kind.CANCEL, **row))
    assert violations(record, truth, ACCOUNTS) == []


def test_an_order_nobody_sent_is_found():
    truth = truth_of(place(0, "a-7", Side.BUY, 1990, 1))
    assert any("nobody sent" in line for line in violations(true_record(), truth, ACCOUNTS))


def test_an_order_turned_away_and_yet_placed_is_found():
    record = true_record()
    record.requests[6].answer = refused(0, "halted")
    assert record.requests[6].fate == Fate.NOT_DONE
    assert any("turned away" in line for line in violations(record, truth_of(), ACCOUNTS))


def altered(place: int, change: Callable[[Request], None]) -> list[str]:
    record = true_record()
    change(record.requests[place])
    return violations(record, truth_of(), ACCOUNTS)


@pytest.mark.parametrize(
    ("place", "path", "value"),
    [
        (0, ("result", "order", "order_id"), "5"),
        (0, ("result", "order", "quantity"), "4"),
        (0, ("result", "order", "price"), "2.011"),
        (0, ("result", "order", "remaining_quantity"), "4"),
        (0, ("result", "order", "client_order_id"), "a-2"),
        (0, ("result", "duplicate"), True),
        (1, ("result", "trades"), []),
        (2, ("result", "order", "order_id"), str(B1)),
        (2, ("result", "order", "price"), "2.010"),
        (3, ("result", "order", "order_id"), str(A1)),
        (4, ("result", "order", "order_id"), str(B1)),
        (5, ("error", "code"), "margin_insufficient"),
        (7, ("result", "order_ids"), []),
        (4, ("seq",), 11),
    ],
)
def test_an_answer_that_says_something_else_is_found(place, path, value):
    def change(request: Request) -> None:
        node = request.answer
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = value

    assert altered(place, change)


def test_another_body_than_the_one_that_was_sent_is_found():
    for name, value in (("quantity", "6"), ("price", "2.011"), ("side", "buy"), ("symbol", "X")):
        assert altered(0, lambda r, n=name, v=value: r.fields.update({n: v}))
