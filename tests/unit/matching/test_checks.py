"""Every planted damage of a state is seen."""

from collections.abc import Callable

import pytest

from matching.codes import Kind, Side
from matching.state import State
from tests.unit.matching.small import Market


def add(array: str, idx: int, field: str, more: int = 1) -> Callable[[State], None]:
    """Return what adds to one field of one row."""

    def plant(state: State) -> None:
        getattr(state, array)[idx][field] += more

    return plant


def flip(array: str, idx: int) -> Callable[[State], None]:
    """Return what flips the lowest bit of one word."""

    def plant(state: State) -> None:
        getattr(state, array)[idx] ^= 1

    return plant


DAMAGES = {
    "the lots of a level": add("orders", 1, "leaves_lots"),
    "a link forth": add("orders", 1, "next", -2),
    "a link back": add("orders", 2, "prev", -1),
    "a link of the own list": add("orders", 1, "next_own"),
    "the head of a level": add("levels", 4095 - 1990, "head"),
    "a word of the bitmap": flip("words", 0),
    "a level behind a book": add("levels", 4096, "tail"),
    "a word behind a book": flip("words", 64),
    "a group of the bitmap": flip("groups", 0),
    "the best key": add("books", 0, "best_key"),
    "W of an account": flip("worst", 0),
    "the cached bound": add("accounts", 0, "im_bound_usd_micros", -1_000_000),
    "a position": add("positions", 1, "qty_lots"),
    "resting lots": add("positions", 1, "buy_lots"),
    "unsettled money": add("positions", 1, "unsettled_usd_micros"),
    "gross of an account": add("accounts", 0, "gross_tick_value"),
    "price loss of an account": add("accounts", 0, "claims_usd_micros"),
    "the count of orders": add("meta", 0, "orders_open"),
    "the list of free slots": add("meta", 0, "orders_free"),
    "the ring of client ids": add("client_ids", 1, "next"),
    "the end of an order": add("orders", 3, "expires_ns", 99),
    "the heap of expiries": add("meta", 0, "next_expiry_ns"),
    "the list of deals": add("deals", 1, "next"),
    "the end of a deal": add("deals", 2, "expires_ns", 1 << 40),
    "an account's own deals": add("deals", 2, "prev_own"),
    "the count of deals": add("dealers", 0, "deals_open"),
    "the free deals": add("meta", 0, "deals_free"),
    "a deal with oneself": add("deals", 1, "counterparty_idx", -1),
    "the range of a day": add("days", 0, "low_ticks", 99),
    "a guard of the sells": add("books", 1, "guard_key"),
    "a guard of the buys": add("books", 0, "guard_best_key"),
    "a call in continuous trading": add("calls", 0, "phase"),
    "times of a call that is over": add("calls", 0, "ends_ns"),
    "open interest": add("contracts", 0, "open_interest_lots"),
    "the detail of a plain order": add("details", 1, "display_lots"),
}


def filled() -> Market:
    """Return a market with a position, a queue, free slots, a client id, an expiry, two deals."""
    market = Market()
    market.swap()
    market.rested(0, Side.BUY, 5, 1990, client="one")
    market.rested(1, Side.BUY, 3, 1990)
    market.rested(0, Side.SELL, 2, 2010)
    market.order(1, Side.BUY, 1, 2010)
    market.do(Kind.SET_BLOCKS, qty_lots=1, order_id=200)
    now_ns = market.engine.now_ns
    for later_ns in (200, 100, 300):
        deal = market.do(
            Kind.PROPOSE, account_idx=0, ref_id=1, qty_lots=1, price_ticks=2010,
            expires_ns=now_ns + later_ns,
        )  # fmt: skip
    market.do(Kind.DECLINE, account_idx=1, order_id=int(deal[0]["order_id"]))
    return market


def test_a_sound_state_passes():
    filled().engine.check()


@pytest.mark.parametrize("name", DAMAGES)
def test_planted_damage_is_seen(name: str):
    market = filled()
    DAMAGES[name](market.engine.state)
    with pytest.raises(AssertionError):
        market.engine.check()
