"""A cascade: lots go on in the contracts that follow, and no money is made."""

import pytest

from matching.codes import Code, EventKind, Kind, Side, TradingState
from matching.engine import Engine, Sizes
from matching.limits import CASCADE_LOTS_MAX, CHILDREN_MAX, CONTRACTS_MAX, QTY_LOTS_MAX
from matching.wire_life import CHILD_WORDS, pack_children, unpack_children
from tests.unit.matching.small import MARK_TICKS, Market

MONTHS = (20, 28, 52)  # tick values; a quarter's is 100
LISTING = {"price_ticks": MARK_TICKS, "state": TradingState.CONTINUOUS}


def quarter(sizes: Sizes | None = None) -> Market:
    """Return a market of a quarter, contract 0, and its three months."""
    market = Market(sizes) if sizes else Market()
    for idx, tick_value in enumerate(MONTHS, 1):
        market.do(
            Kind.LIST, symbol=f"M{idx}", contract_idx=idx, amount_usd_micros=tick_value,
            qty_lots=1000, **LISTING,
        )  # fmt: skip
    return market


def expire(market: Market, price_ticks: int = MARK_TICKS) -> None:
    market.do(Kind.SETTLE, price_ticks=price_ticks)
    market.do(Kind.SET_STATE, state=TradingState.EXPIRED)


def cascade(market: Market):
    return market.do(Kind.CASCADE, **pack_children([1, 2, 3]))


def cash(market: Market, account_idx: int) -> int:
    return int(market.engine.account_row(account_idx)["cash_usd_micros"])


def test_cash_of_a_cascaded_position_adds_up_to_q_times_final_less_price():
    market, price, final = quarter(), MARK_TICKS - 7, MARK_TICKS + 31
    before = [cash(market, idx) for idx in range(2)]
    market.order(0, Side.BUY, 9, price)
    market.order(1, Side.SELL, 9, price)
    expire(market, MARK_TICKS + 11)
    cascade(market)
    market.engine.check()
    for idx, ticks in ((1, final - 5), (2, final + 3), (3, final + 1)):
        market.do(Kind.SETTLE, contract_idx=idx, price_ticks=ticks)
    mean_of_hours = 20 * (final - 5) + 28 * (final + 3) + 52 * (final + 1)
    due = 9 * (mean_of_hours - 100 * price)
    assert [cash(market, idx) - before[idx] for idx in range(2)] == [due, -due]


def test_a_cascade_in_parts_ends_where_one_in_one_command_does():
    whole, parts = quarter(), quarter(Sizes(
        price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256,
        scenarios=8, command_events=2,
    ))  # fmt: skip
    held = []
    for market in (whole, parts):
        market.order(0, Side.BUY, 9, MARK_TICKS)
        market.order(1, Side.BUY, 4, MARK_TICKS)
        market.order(2, Side.SELL, 7, MARK_TICKS)
        market.order(3, Side.SELL, 6, MARK_TICKS)
        expire(market)
        left = 13
        while left:
            left = int(cascade(market)[0]["leaves_lots"])
            market.engine.check()
        held.append([market.engine.position(who, what)[0] for who in range(4) for what in range(4)])
    assert held[0] == held[1] == [0, 9, 9, 9, 0, 4, 4, 4, 0, -7, -7, -7, 0, -6, -6, -6]


def test_a_saved_state_between_parts_goes_on_as_the_other_does():
    market = quarter(Sizes(
        price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256,
        scenarios=8, command_events=2,
    ))  # fmt: skip
    market.order(0, Side.BUY, 9, MARK_TICKS)
    market.order(1, Side.SELL, 4, MARK_TICKS)
    market.order(2, Side.SELL, 5, MARK_TICKS)
    expire(market)
    assert cascade(market)[0]["leaves_lots"] == 5
    again = Engine.restore(market.engine.save(), market.engine.sizes)
    other = quarter()
    other.engine = again
    assert cascade(market).tobytes() == cascade(other).tobytes()
    assert again.state_hash() == market.engine.state_hash()


def test_without_room_for_positions_nothing_moves():
    market = quarter(Sizes(
        price_bits=12, accounts=8, contracts=4, positions=8, orders=256, client_ids=256,
        scenarios=8,
    ))  # fmt: skip
    for idx in range(2):
        market.order(idx, Side.BUY if idx == 0 else Side.SELL, 1, MARK_TICKS)
    expire(market)
    refused = cascade(market)
    assert refused["code"].tolist() == [Code.POSITIONS_FULL]
    assert market.engine.position(0, 0)[0] == 1


def test_more_lots_than_an_event_can_say_are_refused():
    market = Market()
    market.do(Kind.LIST, symbol="Q", contract_idx=1, amount_usd_micros=1, qty_lots=QTY_LOTS_MAX,
              **LISTING)  # fmt: skip
    market.do(Kind.LIST, symbol="M", contract_idx=2, amount_usd_micros=1, qty_lots=QTY_LOTS_MAX,
              **LISTING)  # fmt: skip
    for _ in range(CASCADE_LOTS_MAX // QTY_LOTS_MAX + 1):
        for side, account_idx in ((Side.BUY, 0), (Side.SELL, 1)):
            market.order(account_idx, side, QTY_LOTS_MAX, MARK_TICKS, contract_idx=1)
    market.do(Kind.SET_STATE, contract_idx=1, state=TradingState.EXPIRED)
    refused = market.do(Kind.CASCADE, contract_idx=1, **pack_children([2]))
    assert refused["code"].tolist() == [Code.CASCADE_TOO_LARGE]


@pytest.mark.parametrize("word", CHILD_WORDS)
def test_any_word_may_say_nonsense(word):
    market = quarter()
    expire(market)
    for value in (-1, 1 << 62, -(1 << 63), 0x0001_0002_0003_0004):
        refused = market.do(Kind.CASCADE, **{**pack_children([1, 2, 3]), word: value})
        assert refused["kind"].tolist() in ([EventKind.REFUSED], [EventKind.CASCADED])
    market.engine.check()


def test_children_are_named_and_read_again():
    for children in ([], [0], [5, 6, 7], list(range(CHILDREN_MAX)), [CONTRACTS_MAX - 1]):
        words = pack_children(children)
        assert unpack_children([words[name] for name in CHILD_WORDS]) == children
    for wrong in (list(range(CHILDREN_MAX + 1)), [-1], [CONTRACTS_MAX]):
        with pytest.raises(ValueError, match="cannot follow"):
            pack_children(wrong)
