"""A contract in delivery is settled to the micro-dollar, once a turn, and then no more."""

from matching.codes import Code, Kind, Side, TradingState
from matching.engine import Engine
from tests.support.rows import SECOND_NS
from tests.unit.matching.small import MARK_TICKS, TICK_VALUE_USD_MICROS, Market

LOT = MARK_TICKS * TICK_VALUE_USD_MICROS


def ended() -> Market:
    """Return a market whose contract has 5 lots held and trades no more."""
    market = Market()
    market.order(0, Side.BUY, 5, MARK_TICKS)
    market.order(1, Side.SELL, 5, MARK_TICKS)
    market.do(Kind.SETTLE, price_ticks=MARK_TICKS)
    market.do(Kind.SET_LAST_TRADE, expires_ns=market.engine.now_ns + 5)
    market.do(Kind.TICK, at_ns=market.engine.now_ns + SECOND_NS)
    return market


def accrue(market: Market, ordinal: int, worth: int, days: int, **fields):
    return market.do(
        Kind.ACCRUE, order_id=ordinal, amount_usd_micros=worth, ref_id=days, qty_lots=3, **fields
    )


def test_variation_adds_up_to_what_a_lot_gained_to_the_micro_dollar():
    market = ended()
    before = int(market.engine.account_row(0)["cash_usd_micros"])
    for ordinal, (worth, days) in enumerate(
        ((LOT, 0), (LOT + 1, 1), (LOT - 37, 2), (LOT + 12_345, 3)), 1
    ):
        paid = accrue(market, ordinal, worth, days)
        assert paid["code"].tolist() == [0] * len(paid)
        market.engine.check()
        gained = int(market.engine.account_row(0)["cash_usd_micros"]) - before
        assert gained == 5 * (worth - LOT)


def test_a_saved_state_in_delivery_goes_on_as_the_other_does():
    market = ended()
    accrue(market, 1, LOT + 1, 1)
    again = Engine.restore(market.engine.save(), market.engine.sizes)
    other = ended()
    other.engine = again
    assert accrue(market, 2, LOT + 3, 2).tobytes() == accrue(other, 2, LOT + 3, 2).tobytes()
    assert again.state_hash() == market.engine.state_hash()


def test_after_the_last_settlement_nothing_changes_what_was_paid():
    market = ended()
    accrue(market, 1, LOT + 77, 3, state=1)
    before = int(market.engine.account_row(0)["cash_usd_micros"])
    assert accrue(market, 2, LOT, 3, state=1)["code"].tolist() == [Code.SETTLED_FINALLY]
    market.do(Kind.SET_STATE, state=TradingState.EXPIRED)
    assert market.do(Kind.CLOSE_OUT)[0]["amount_usd_micros"] == 0
    assert int(market.engine.account_row(0)["cash_usd_micros"]) == before
    assert market.engine.position(0, 0) == (0, 0, 0, 0)
    market.engine.check()


def test_a_contract_in_delivery_is_not_the_child_of_a_cascade():
    market = ended()
    accrue(market, 1, LOT, 0)
    market.do(
        Kind.LIST, symbol="Q", contract_idx=1, price_ticks=MARK_TICKS, qty_lots=10,
        amount_usd_micros=TICK_VALUE_USD_MICROS, state=TradingState.EXPIRED,
    )  # fmt: skip
    refused = market.do(Kind.CASCADE, contract_idx=1, price_ticks=1)
    assert refused["code"].tolist() == [Code.CASCADE_CHILD_ENDED]


def test_guards_are_measured_from_the_newest_settlement():
    market = ended()
    market.do(
        Kind.SET_GUARD, price_ticks=500, amount_usd_micros=SECOND_NS, order_id=2_000,
        expires_ns=SECOND_NS,
    )  # fmt: skip
    assert accrue(market, 1, 2 * LOT, 1)["code"][0] == 0
    market.engine.check()
