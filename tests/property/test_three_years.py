"""A curve lives for three years, through crashes and repeats: cash adds up to q (F - p)."""

from datetime import date

import pytest

from exchange.rules import agenda, agenda_life
from exchange.rules.catalogue import ALL_TENORS, CURVE_TENORS
from exchange.rules.contracts import parse_symbol
from exchange.rules.final_settlement import HOURS_A_DAY, lot_worth_usd_micros
from exchange.rules.operations_life import cascade_command
from exchange.rules.tenors import DAY
from matching.codes import TradingState
from tests.support.life_world import CASH_USD_MICROS, World, listed_on

SERIES = {"H100-USE": ALL_TENORS, "H100-EUW": CURVE_TENORS}
START = date(2026, 11, 23)
BOUGHT = (
    "H100-USE-2027", "H100-USE-2028", "H100-EUW-2027", "H100-EUW-2028", "H100-USE-2027Q2",
    "H100-EUW-2028Q2", "H100-USE-2027M01", "H100-EUW-2027M01",
)  # fmt: skip


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    monkeypatch.setattr(agenda, "listed_contracts", lambda on: listed_on((*SERIES.items(),), on))


def lived(seed: int, until: date) -> World:
    """Return a world after everything that was traded in it is over."""
    world = World(seed, SERIES, START)
    world.live(START + 9 * DAY, trading_until=START)
    for symbol in BOUGHT:
        if parse_symbol(symbol).period.end <= until:
            ticks = world.mirror.contracts[world.mirror.symbols[symbol]].mark_ticks
            world.trade(symbol, 7, ticks + 3)
    world.live(until + 5 * DAY, trading_until=until)
    return world


def differences(world: World) -> list[int]:
    """Return by how much each account's cash is not what its trades were due."""
    cash = [int(world.engine.account_row(idx)["cash_usd_micros"]) for idx in range(4)]
    return [amount - CASH_USD_MICROS - world.due_usd_micros(idx) for idx, amount in enumerate(cash)]


def test_LIFE_007_three_years_of_a_curve_add_up_to_the_micro_dollar():
    world = lived(1, date(2029, 12, 1))
    assert differences(world) == [0, 0, 0, 0]
    held = [one.qty_lots for account in world.mirror.accounts for one in account.positions.values()]
    assert not any(held) and len(held) > 1_000
    assert world.crashes > 10 and world.repeats > 40 and len(world.trades) > 80
    assert set(BOUGHT) <= {symbol for _, symbol, _, _ in world.trades}
    ended = {one.symbol for one in world.mirror.contracts if one.state == TradingState.EXPIRED}
    assert {"H100-USE-2028", "H100-EUW-2028Q3", "H100-USE-2029M10", "H100-EUW-2029M10"} <= ended
    world.engine.check()


def rounded_up(days, prices):
    """Round the price of a period the usual way up, never to even."""
    worth = lot_worth_usd_micros(days, prices)
    return (
        worth if len(prices) < days else HOURS_A_DAY * days * -(-sum(prices) // days // 100) * 100
    )


def into_fewer(contract_idx, children, left_lots):
    """Leave the last contract out."""
    return cascade_command(contract_idx, children[:-1], left_lots)


@pytest.mark.parametrize(
    ("name", "bug", "fails"),
    [
        ("lot_worth_usd_micros", rounded_up, "differ"),
        ("cascade_command", into_fewer, "rest"),
    ],
)
def test_a_planted_bug_is_caught_within_three_months(monkeypatch, name, bug, fails):
    monkeypatch.setattr(agenda_life, name, bug)
    try:
        found = differences(lived(2, date(2027, 2, 1)))
    except (AssertionError, KeyError) as error:
        assert "rest" in fails, error
    else:
        assert "differ" in fails
        assert found != [0, 0, 0, 0]
