"""Positions of an expired contract are closed: what they took up is free again."""

from unittest.mock import patch

import pytest
from numba import config

from matching import closing, mmp
from matching.codes import EventKind, Kind, Side, TradingState
from matching.wire import pack_halves
from tests.unit.matching.small import MARK_TICKS, TICK_VALUE_USD_MICROS, Market, said


def held(market: Market) -> None:
    """Let three accounts hold 5, -3 and -2 lots of the first contract."""
    market.order(0, Side.BUY, 5, MARK_TICKS)
    market.order(1, Side.SELL, 3, MARK_TICKS)
    market.order(2, Side.SELL, 2, MARK_TICKS)


def test_positions_of_an_expired_contract_free_gross_and_requirement():
    market = Market(contracts=2)
    market.swap()
    held(market)
    assert market.engine.account_row(0)["gross_tick_value"] == 5 * TICK_VALUE_USD_MICROS
    market.do(Kind.SETTLE, price_ticks=MARK_TICKS + 7)
    market.do(Kind.SET_STATE, state=TradingState.EXPIRED)
    closed = market.do(Kind.CLOSE_OUT)
    assert said(closed) == [(EventKind.POSITIONS_CLOSED, 0, 5, 0)]
    for account_idx in range(3):
        assert market.engine.position(account_idx, 0) == (0, 0, 0, 0)
        assert market.engine.account_row(account_idx)["gross_tick_value"] == 0
        assert market.engine.requirement(account_idx) == 0
    market.engine.check()


def test_trades_after_the_last_settlement_are_paid_when_positions_close():
    market = Market()
    market.do(Kind.SETTLE, price_ticks=MARK_TICKS)
    market.order(0, Side.BUY, 4, MARK_TICKS - 3)
    market.order(1, Side.SELL, 4, MARK_TICKS - 3)
    market.do(Kind.SET_STATE, state=TradingState.EXPIRED)
    before = int(market.engine.account_row(0)["cash_usd_micros"])
    closed = market.do(Kind.CLOSE_OUT)
    gain = 4 * 3 * TICK_VALUE_USD_MICROS
    assert closed["amount_usd_micros"].tolist() == [gain, gain, -gain]
    assert market.engine.account_row(0)["cash_usd_micros"] == before + gain
    assert said(market.do(Kind.CLOSE_OUT)) == [(EventKind.POSITIONS_CLOSED, 0, 0, 0)]
    market.engine.check()


@pytest.mark.skipif(not config.DISABLE_JIT, reason="a bug is planted in plain Python")
@pytest.mark.parametrize("module", [closing, mmp], ids=["close-out", "quotes"])
def test_who_leaves_worst_losses_to_be_taken_anew_and_does_not_say_so_is_noticed(module):
    market = Market(contracts=2)
    market.swap()
    held(market)
    market.do(Kind.SET_MMP, account_idx=3, expires_ns=10**9, ref_id=1)
    two_sides = pack_halves(MARK_TICKS - 1, MARK_TICKS + 1)
    market.do(Kind.QUOTE, account_idx=3, price_ticks=two_sides, qty_lots=pack_halves(5, 5))
    with patch.object(module, "forget_worst", lambda *_: None):
        hit = market.order(0, Side.SELL, 1, MARK_TICKS - 1)
        if module is closing:
            market.do(Kind.SET_STATE, state=TradingState.EXPIRED)
            market.do(Kind.CLOSE_OUT)
    assert EventKind.MMP_HIT in hit["kind"]
    with pytest.raises(AssertionError, match="W of account"):
        market.engine.check()
