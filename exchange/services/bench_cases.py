"""The longest commands there are: markets brought to a limit, and the one command that costs most.

Each case opens a market of default size with 64 live scenarios, so that every order is margined,
and returns it with the row to measure and the number of things that the row has to touch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from exchange.rules.operations import stage_commands, swap_command
from matching.codes import EventKind, Kind, OrderType, Peg, Side, Tif, TradingState
from matching.engine import Engine
from matching.limits import (
    BATCH_COMMANDS_MAX,
    LEGS_MAX,
    PEGS_MAX,
    QTY_LOTS_MAX,
    TRANSFER_USD_MICROS_MAX,
    WORST_COUNT_DEFAULT,
)
from matching.wire import COMMAND, new_commands, pack_halves, pack_legs

MARK_TICKS: Final = 30_000
OPENED_NS: Final = 1
LATER_NS: Final = 10
TICK_VALUE_USD_MICROS: Final = 1
ICEBERG_LOTS: Final = 1000
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


Stage = tuple[Market, np.ndarray, int]  # the market, the row, how much it touches


def sweep_levels(count: int) -> Stage:
    """Return an order that trades at `count` prices, an order at each."""
    market = Market(1001, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.SELL, account_idx=1 + places % 1000, price_ticks=MARK_TICKS + places
    )
    return market, _taker(count, MARK_TICKS + count), count


def sweep_orders(count: int) -> Stage:
    """Return an order that trades with `count` orders at one price."""
    market = Market(1001, 1)
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS
    )
    return market, _taker(count, MARK_TICKS), count


def short_by_one(count: int) -> Stage:
    """Return a fill-or-kill order that lacks one lot, which the last of `count` prices tells."""
    market, row, _ = sweep_levels(count)
    row["tif"], row["qty_lots"] = Tif.FOK, count + 1
    return market, row, count


def mass_cancel(count: int) -> Stage:
    """Return the cancellation of `count` orders of one account in fifty contracts."""
    market = Market(2, 50)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1, contract_idx=places % 50,
        price_ticks=MARK_TICKS - 1 - places // 50 % 1000,
    )  # fmt: skip
    return market, rows_of(Kind.MASS_CANCEL, 1, account_idx=1, contract_idx=-1, side=-1), count


def mark_move(count: int) -> Stage:
    """Return a mark that falls below `count` resting bids, which all lose then."""
    market = Market(1001, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + places % 1000,
        price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    return market, rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS - 1001), count


def holders(count: int) -> Market:
    """Return a market where `count` accounts hold one lot."""
    market = Market(count + 1, 1)
    market.rest(1, side=Side.SELL, account_idx=0, price_ticks=MARK_TICKS, qty_lots=count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + np.arange(count), price_ticks=MARK_TICKS
    )  # fmt: skip
    return market


def settlement(count: int) -> Stage:
    """Return a settlement that pays `count` holders."""
    return holders(count), rows_of(Kind.SETTLE, 1, price_ticks=MARK_TICKS + 7), count


def new_scenarios(count: int) -> Stage:
    """Return a swap of scenarios that takes the requirement of `count` holders anew."""
    return holders(count), swap_command(SCENARIOS, WORST_COUNT_DEFAULT), count


def expiries(count: int) -> Stage:
    """Return the passing of time that ends `count` orders at once."""
    market = Market(1001, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + places % 1000, tif=Tif.GTD,
        expires_ns=OPENED_NS + 1 + places[::-1] % 7, price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    return market, rows_of(Kind.TICK, 1), count


def wide_account(count: int) -> Stage:
    """Return an order of an account that holds `count` contracts already."""
    market = Market(2, count)
    places = np.arange(count)
    market.rest(count, side=Side.SELL, contract_idx=places, price_ticks=MARK_TICKS)
    market.rest(count, side=Side.BUY, contract_idx=places, price_ticks=MARK_TICKS, account_idx=1)
    row = rows_of(
        Kind.PLACE, 1, side=Side.BUY, account_idx=1, price_ticks=MARK_TICKS + 5, qty_lots=1000
    )  # fmt: skip
    return market, row, count


def sweep_icebergs(count: int) -> Stage:
    """Return an order that takes `count` icebergs, each of a thousand lots that show one by one."""
    market = Market(1001, 1)
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS,
        qty_lots=ICEBERG_LOTS, amount_usd_micros=pack_halves(0, 1),
    )  # fmt: skip
    return market, _taker(count * ICEBERG_LOTS, MARK_TICKS), count


def moving_pegs(count: int) -> Stage:
    """Return a best bid that `count` pegged orders follow."""
    market = Market(1001, 1)
    market.rest(1, side=Side.BUY, account_idx=1, price_ticks=MARK_TICKS - 100)
    market.rest(
        count, side=Side.BUY, account_idx=1 + np.arange(count), order_type=OrderType.PEGGED,
        state=Peg.BID,
    )  # fmt: skip
    row = rows_of(Kind.PLACE, 1, side=Side.BUY, qty_lots=1, price_ticks=MARK_TICKS - 50)
    return market, row, count


def sweep_strip(count: int) -> Stage:
    """Return an order that takes `count` orders of a strip of twelve contracts."""
    market = Market(1001, LEGS_MAX)
    legs = pack_legs([(idx, 1) for idx in range(LEGS_MAX)])
    market.do(
        rows_of(
            Kind.LIST_COMBINATION, 1, contract_idx=LEGS_MAX, qty_lots=QTY_LOTS_MAX,
            state=TradingState.CONTINUOUS, **legs,
        )
    )  # fmt: skip
    market.rest(
        count, side=Side.SELL, account_idx=1 + np.arange(count) % 1000, price_ticks=MARK_TICKS,
        contract_idx=LEGS_MAX,
    )  # fmt: skip
    row = _taker(count, MARK_TICKS)
    row["contract_idx"] = LEGS_MAX
    return market, row, count


def _taker(qty_lots: int, price_ticks: int) -> np.ndarray:
    return rows_of(
        Kind.PLACE, 1, side=Side.BUY, account_idx=0, qty_lots=qty_lots, price_ticks=price_ticks
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One worst case."""

    name: str
    build: Callable[[int], Stage]
    count: int
    thing: str
    events_per_thing: int = 0  # at least so many for each: proof that the work was done


CASES: Final = (
    Case("sweep of prices", sweep_levels, 30_000, "prices with an order each", 1),
    Case("sweep of orders", sweep_orders, 1_000_000, "orders at one price", 1),
    Case("fill or kill, one short", short_by_one, 30_000, "prices looked at, then cancelled"),
    Case("mass cancel", mass_cancel, 10_000, "orders in 50 contracts", 1),
    Case("mass cancel of a full pool", mass_cancel, 1_000_000, "orders in 50 contracts", 1),
    Case("mark", mark_move, 1_000_000, "resting orders that lose"),
    Case("settlement", settlement, 100_000, "holders paid", 1),
    Case("new scenarios", new_scenarios, 100_000, "holders, 64 scenarios"),
    Case("expiry", expiries, 100_000, "orders at once", 1),
    Case("sweep of icebergs", sweep_icebergs, 2_000, "icebergs of 1,000 displays each", 2),
    Case("pegs that move", moving_pegs, PEGS_MAX, "pegged orders of one contract", 1),
    Case("sweep of a strip", sweep_strip, 10_000, "orders, twelve legs each", 1 + LEGS_MAX),
    Case("order of a wide account", wide_account, 2_000, "contracts held"),
)
