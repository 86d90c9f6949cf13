"""Variation margin is exact, and what one gains another loses."""

from random import Random

from matching.codes import EventKind, Kind, Side
from tests.unit.matching.small import CASH_USD_MICROS, Market


def test_a_mark_moves_money_and_a_settlement_pays_it():
    market = Market()
    market.rested(1, Side.SELL, 3, 2000)
    market.order(0, Side.BUY, 3, 2000)
    market.do(Kind.MARK, price_ticks=2010)
    assert market.engine.position(0, 0)[3] == 3 * 10 * 100
    assert market.engine.position(1, 0)[3] == -3 * 10 * 100
    events = market.do(Kind.SETTLE, price_ticks=2004)
    assert events["kind"].tolist() == [EventKind.SETTLED, *[EventKind.VARIATION] * 2]
    paid = {int(e["account_idx"]): int(e["amount_usd_micros"]) for e in events[1:]}
    assert paid == {0: 1200, 1: -1200}
    assert events[0]["amount_usd_micros"] == 1200
    assert market.engine.account_row(0)["cash_usd_micros"] == CASH_USD_MICROS + 1200


def test_variation_margin_sums_to_zero_after_any_marks():
    market, pick = Market(), Random(9)
    for _ in range(100):
        side, ticks = pick.choice(list(Side)), pick.randint(1995, 2005)
        market.order(pick.randrange(4), side, pick.randint(1, 9), ticks)
        market.do(Kind.MARK, price_ticks=pick.randint(1900, 2100))
        held = [market.engine.position(idx, 0) for idx in range(4)]
        assert sum(row[0] for row in held) == sum(row[3] for row in held) == 0
    events = market.do(Kind.SETTLE, price_ticks=2050)
    assert len(events) > 2
    assert events["amount_usd_micros"][1:].sum() == 0
    cash = [int(market.engine.account_row(idx)["cash_usd_micros"]) for idx in range(4)]
    assert sum(cash) == 4 * CASH_USD_MICROS
    market.engine.check()


def test_a_mark_gives_resting_orders_their_price_loss():
    market = Market()
    market.rested(0, Side.BUY, 2, 1990)
    market.do(Kind.MARK, price_ticks=1980)
    assert market.engine.account_row(0)["claims_usd_micros"] == 2 * 10 * 100
    market.do(Kind.MARK, price_ticks=1991)
    assert market.engine.account_row(0)["claims_usd_micros"] == 0
