"""A market to measure commands in: an engine of default size, every order of it margined."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from exchange.rules.operations import stage_commands, swap_command
from matching.codes import EventKind, Kind, Side, TradingState
from matching.engine import Engine
from matching.limits import (
    BATCH_COMMANDS_MAX,
    QTY_LOTS_MAX,
    TRANSFER_USD_MICROS_MAX,
    WORST_COUNT_DEFAULT,
)
from matching.wire import COMMAND, new_commands

MARK_TICKS: Final = 30_000
OPENED_NS: Final = 1
LATER_NS: Final = 10
TICK_VALUE_USD_MICROS: Final = 1
SCENARIOS: Final = 64  # of the worst cases; `bench_margin` has as many as an exchange
SHOCKS_TICKS: Final = [step * (-1) ** step for step in range(1, SCENARIOS + 1)]


class Market:
    """An engine with funded accounts and contracts, and rows made by columns."""

    def __init__(self, accounts: int, contracts: int, shocks: Sequence[int] = SHOCKS_TICKS) -> None:
        """Open it; without shocks no order is margined."""
        self.engine = Engine()
        funds = rows_of(Kind.OPEN_ACCOUNT, 2 * accounts, account_idx=np.arange(accounts).repeat(2))
        funds["kind"][1::2] = Kind.DEPOSIT
        funds["amount_usd_micros"][1::2] = TRANSFER_USD_MICROS_MAX
        self.do(funds)
        self.do(
            rows_of(
                Kind.LIST, contracts, contract_idx=np.arange(contracts), price_ticks=MARK_TICKS,
                amount_usd_micros=TICK_VALUE_USD_MICROS, qty_lots=QTY_LOTS_MAX,
                state=TradingState.CONTINUOUS,
            )
        )  # fmt: skip
        if shocks:
            self.do(np.concatenate([stage_commands(idx, shocks) for idx in range(contracts)]))
            self.do(swap_command(len(shocks), WORST_COUNT_DEFAULT))

    def do(self, rows: np.ndarray) -> None:
        """Apply rows, all of which are lawful, in batches as large as there may be."""
        for at in range(0, len(rows), BATCH_COMMANDS_MAX):
            events = self.engine.apply(self.stamped(rows[at : at + BATCH_COMMANDS_MAX]))
            refused = events[events["kind"] == EventKind.REFUSED]
            assert not len(refused), f"code {refused[:1]['code']}"

    def stamped(self, rows: np.ndarray, ts_ns: int = OPENED_NS) -> np.ndarray:
        """Return rows with their numbers and a time."""
        rows["seq"] = np.arange(self.engine.last_seq + 1, self.engine.last_seq + 1 + len(rows))
        rows["ts_ns"] = ts_ns
        return rows

    def rest(self, count: int, **columns: Any) -> None:
        """Place orders of one lot, unless the columns say another size."""
        self.do(rows_of(Kind.PLACE, count, **{"qty_lots": 1} | columns))


def rows_of(kind: Kind, count: int, **columns: Any) -> np.ndarray:
    """Return rows of one kind with the columns filled."""
    rows = new_commands(count)
    assert rows.dtype == COMMAND
    rows["kind"] = kind
    for name, values in columns.items():
        rows[name] = values
    return rows


Stage = tuple[Market, np.ndarray, int]  # the market, the row, how many things it meets


def taker(qty_lots: int, price_ticks: int) -> np.ndarray:
    """Return a buy order of the first account."""
    return rows_of(
        Kind.PLACE, 1, side=Side.BUY, account_idx=0, qty_lots=qty_lots, price_ticks=price_ticks
    )


def holders(count: int) -> Market:
    """Return a market where `count` accounts hold one lot."""
    market = Market(count + 1, 1)
    market.rest(1, side=Side.SELL, account_idx=0, price_ticks=MARK_TICKS, qty_lots=count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + np.arange(count), price_ticks=MARK_TICKS
    )  # fmt: skip
    return market
