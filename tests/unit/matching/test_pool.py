"""Slots are used again, the last freed first; ids never are."""

from matching._jit import entry_kernel
from matching.codes import EventKind, Kind, Side
from matching.engine import Engine
from matching.pool import SLOT_MASK, find_position
from matching.state import view_state
from tests.unit.matching.small import SIZES, Market, random_run


@entry_kernel
def position_of(state, account_idx, contract_idx):
    """Return the slot of a position, 0 for none."""
    return find_position(view_state(state), account_idx, contract_idx)


def test_the_slot_freed_last_is_taken_first():
    market = Market()
    ids = [market.rested(0, Side.BUY, 1, 1990 + i) for i in range(3)]
    assert [order_id & SLOT_MASK for order_id in ids] == [1, 2, 3]
    for order_id in (ids[0], ids[2]):
        market.do(Kind.CANCEL, account_idx=0, order_id=order_id)
    again = [market.rested(0, Side.BUY, 1, 1990 + i) for i in range(3)]
    assert [order_id & SLOT_MASK for order_id in again] == [3, 1, 4]


def test_an_order_id_is_never_given_twice():
    engine, seen, slots = Engine(SIZES), set(), set()
    for row in random_run(400):
        for event in engine.apply(row):
            if event["kind"] == EventKind.ACCEPTED:
                assert event["order_id"] not in seen
                seen.add(int(event["order_id"]))
                slots.add(int(event["order_id"]) & SLOT_MASK)
    assert len(slots) < len(seen), "no slot was used twice"


def test_the_id_of_a_closed_order_does_not_find_the_next_in_its_slot():
    market = Market()
    old = market.rested(0, Side.BUY, 1, 1990)
    market.do(Kind.CANCEL, account_idx=0, order_id=old)
    new = market.rested(0, Side.BUY, 1, 1990)
    assert old & SLOT_MASK == new & SLOT_MASK
    assert market.engine.order_row(old) is None
    assert market.do(Kind.CANCEL, account_idx=0, order_id=old)[0]["kind"] == EventKind.REFUSED


def test_the_table_finds_every_position_and_no_other():
    market = Market(contracts=4)
    pairs = [(account, contract) for account in range(4) for contract in range(4)]
    held = {pair: idx for idx, pair in enumerate(pairs[::3], 1)}
    for account_idx, contract_idx in held:
        market.rested(account_idx, Side.BUY, 1, 1990, contract_idx=contract_idx)
    handle = market.engine._handle.value
    assert {pair: position_of(handle, *pair) for pair in pairs} == {
        pair: held.get(pair, 0) for pair in pairs
    }
