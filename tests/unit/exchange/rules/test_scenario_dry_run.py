"""The dry run says who falls short; after the swap they do, by the numbers of the margin."""

import numpy as np
import pytest

from exchange.rules.contracts import parse_symbol
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.operations import list_command, stage_commands, swap_command
from exchange.rules.requirement import KEPT_BPS
from exchange.rules.scenario_dry_run import dry_run
from exchange.rules.scenario_prices import settled_prices
from matching.codes import EventKind, Kind, Side, Tif, TradingState
from matching.engine import Engine
from matching.sizes import Sizes
from tests.support.rows import command
from tests.support.scenario_sets import DAY, built

RICH, POOR, IDLE = 0, 1, 2
SYMBOLS = ("H100-USE-2027M03", "A100-GLB-2027Q2")
USD = 1_000_000


class House:
    """A small core with two contracts and a mirror that follows it."""

    def __init__(self) -> None:
        self.engine = Engine(
            Sizes(accounts=4, contracts=4, positions=32, orders=64, client_ids=64, deals=8)
        )
        self.mirror = Mirror()
        for idx, cash in ((RICH, 10**7), (POOR, 1_000), (IDLE, 5)):
            self.do(command(Kind.OPEN_ACCOUNT, account_idx=idx))
            self.do(command(Kind.DEPOSIT, account_idx=idx, ref_id=1, amount_usd_micros=cash * USD))
        for idx, symbol in enumerate(SYMBOLS):
            contract = parse_symbol(symbol)
            self.do(list_command(idx, contract, 2_500, DAY, TradingState.CONTINUOUS))

    def do(self, rows: np.ndarray) -> None:
        rows = rows.copy()
        rows["seq"] = np.arange(len(rows)) + self.mirror.seq + 1
        rows["ts_ns"] = 1_000_000_000
        events = self.engine.apply(rows)
        assert EventKind.REFUSED not in events["kind"], events["code"]
        self.mirror.apply(rows, events)

    def order(
        self, account_idx: int, contract_idx: int, side: int, lots: int, ticks: int = 2_500
    ) -> None:
        self.do(
            command(
                Kind.PLACE, account_idx=account_idx, contract_idx=contract_idx, side=side,
                price_ticks=ticks, qty_lots=lots, tif=Tif.GTC,
            )
        )  # fmt: skip

    def swap(self) -> None:
        for symbol, shocks in built().live_shocks(settled_prices(self.mirror)).items():
            self.do(stage_commands(self.mirror.symbols[symbol], shocks))
        self.do(swap_command(built().count, built().worst_count, KEPT_BPS))


@pytest.fixture
def house() -> House:
    """Give a house in which a poor account holds one lot it could not hold after a swap."""
    house = House()
    house.order(RICH, 0, Side.SELL, 20)
    house.order(POOR, 0, Side.BUY, 2)
    house.order(RICH, 1, Side.BUY, 5)
    return house


def test_SCN_013_who_falls_short_is_known_before_the_swap(house: House) -> None:
    found = dry_run(house.mirror, built())
    assert [one.account_idx for one in found.short] == [POOR]
    assert found.accounts_count == 2  # who holds nothing is not looked at
    assert found.short[0].shortfall_usd_micros > 0 and not found.short[0].was_short


def test_SCN_013_the_dry_run_is_what_the_margin_says_afterwards(house: House) -> None:
    before = {idx: margin_of(house.mirror, idx) for idx in (RICH, POOR)}
    found = dry_run(house.mirror, built())
    house.swap()
    after = {idx: margin_of(house.mirror, idx) for idx in (RICH, POOR)}
    assert found.before_usd_micros == sum(
        one.requirement.required_usd_micros for one in before.values()
    )
    assert found.after_usd_micros == sum(
        one.requirement.required_usd_micros for one in after.values()
    )
    (poor,) = found.short
    assert -after[POOR].free_usd_micros == poor.shortfall_usd_micros
    assert house.engine.requirement(POOR) == poor.after_usd_micros
    assert dry_run(house.mirror, built()).short[0].was_short


def test_a_dry_run_changes_nothing(house: House) -> None:
    state = house.engine.state_hash()
    dry_run(house.mirror, built())
    assert house.engine.state_hash() == state
    assert house.mirror.scenario_count == 0


def test_the_largest_shortfall_comes_first(house: House) -> None:
    house.do(command(Kind.WITHDRAW, account_idx=RICH, ref_id=2, amount_usd_micros=10**7 * USD))
    found = dry_run(house.mirror, built())
    assert [one.account_idx for one in found.short] == [RICH, POOR]
    assert found.shortfall_usd_micros == sum(one.shortfall_usd_micros for one in found.short)
