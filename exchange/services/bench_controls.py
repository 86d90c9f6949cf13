"""Commands of an account or of the exchange that touch many orders, holders or contracts."""

import numpy as np

from exchange.rules.operations import swap_command
from exchange.services.bench_market import (
    MARK_TICKS,
    OPENED_NS,
    SCENARIOS,
    Market,
    Stage,
    holders,
    rows_of,
)
from matching.codes import CallPhase, DealKind, Kind, Side, Tif, Timer, TradingState
from matching.limits import (
    ACCOUNT_CANCELS_MAX,
    DEALS_PER_ACCOUNT_MAX,
    SWEEP_ORDERS_MAX,
    WORST_COUNT_DEFAULT,
)

CONTRACTS = 50
ACCOUNTS = 1000


def many_orders(count: int, contracts: int = CONTRACTS, tif: Tif = Tif.GTC) -> Market:
    """Return a market in which one account has `count` bids."""
    market = Market(2, contracts)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1, contract_idx=places % contracts, tif=tif,
        price_ticks=MARK_TICKS - 1 - places // contracts % 1000,
    )  # fmt: skip
    return market


def mass_cancel(count: int) -> Stage:
    """Return the cancellation of `count` orders of one account in fifty contracts."""
    return many_orders(count), rows_of(Kind.MASS_CANCEL, 1, account_idx=1, contract_idx=-1), count


def other_side(count: int) -> Stage:
    """Return the cancellation of the sells of an account with `count` buys, which are looked at."""
    row = rows_of(Kind.MASS_CANCEL, 1, account_idx=1, contract_idx=-1, state=Side.SELL + 1)
    return many_orders(count), row, count


def kill(count: int) -> Stage:
    """Return the end of an account with `count` orders in fifty contracts."""
    return many_orders(count), rows_of(Kind.KILL_ACCOUNT, 1, account_idx=1), count


def sweep(count: int) -> Stage:
    """Return a chunk of the sweep of an exchange with `count` orders in two thousand contracts."""
    market = many_orders(count, 2000)
    return market, rows_of(Kind.SWEEP, 1, contract_idx=-1, qty_lots=SWEEP_ORDERS_MAX), count


def timers(count: int) -> Stage:
    """Return the passing of time that fires the timers of `count` accounts with an order each."""
    market = Market(count + 1, 1)
    accounts = 1 + np.arange(count)
    market.rest(count, side=Side.BUY, account_idx=accounts, price_ticks=MARK_TICKS - 1)
    market.do(
        rows_of(
            Kind.CANCEL_ALL_AFTER, count, account_idx=accounts, expires_ns=OPENED_NS,
            state=Timer.GATEWAY,
        )
    )  # fmt: skip
    return market, rows_of(Kind.TICK, 1), count


def expiries(count: int) -> Stage:
    """Return the passing of time that ends `count` orders at once."""
    market = Market(ACCOUNTS + 1, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + places % ACCOUNTS, tif=Tif.GTD,
        expires_ns=OPENED_NS + 1 + places[::-1] % 7, price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    return market, rows_of(Kind.TICK, 1), count


def proposals(count: int) -> Stage:
    """Return the passing of time that ends `count` proposals of blocks."""
    market = Market(-(-count // DEALS_PER_ACCOUNT_MAX) + 1, 1)
    market.do(rows_of(Kind.SET_BLOCKS, 1, qty_lots=1, order_id=10_000))
    market.do(
        rows_of(
            Kind.PROPOSE, count, state=DealKind.BLOCK, ref_id=0, price_ticks=MARK_TICKS,
            account_idx=1 + np.arange(count) // DEALS_PER_ACCOUNT_MAX, qty_lots=1,
            expires_ns=OPENED_NS + 1,
        )
    )  # fmt: skip
    return market, rows_of(Kind.TICK, 1), count


def contract_end(count: int) -> Stage:
    """Return the end of a contract in which `count` orders rest."""
    row = rows_of(Kind.SET_STATE, 1, state=TradingState.EXPIRED)
    return many_orders(count, 1), row, count


def call_begins(count: int) -> Stage:
    """Return the beginning of a call in a book of `count` orders."""
    return many_orders(count, 1), rows_of(Kind.START_CALL, 1, state=CallPhase.MANUAL), count


def call_ends_one(count: int) -> Stage:
    """Return the beginning of a call in a book of `count` orders, one of which ends with it."""
    market, row, _ = call_begins(count)
    market.do(
        rows_of(
            Kind.PLACE, 1, account_idx=1, side=Side.BUY, price_ticks=MARK_TICKS - 2, qty_lots=1,
            tif=Tif.GFN,
        )
    )  # fmt: skip
    return market, row, count


def call_ends_all(count: int) -> Stage:
    """Return the beginning of a call in a book of `count` orders, all of which end with it."""
    row = rows_of(Kind.START_CALL, 1, state=CallPhase.MANUAL)
    return many_orders(count, 1, Tif.GFN), row, count


def call_ends(count: int) -> Stage:
    """Return the end of a call in which `count` orders cross, half of them on either side."""
    market = Market(ACCOUNTS + 1, 1)
    market.do(rows_of(Kind.START_CALL, 1, state=CallPhase.MANUAL))
    places = np.arange(count)
    market.rest(
        count, side=places % 2, account_idx=1 + places % ACCOUNTS,
        price_ticks=MARK_TICKS + (1 - places % 2 * 2) * (places // 2 % 500),
    )  # fmt: skip
    return market, rows_of(Kind.END_CALL, 1), count


def halt(count: int) -> Stage:
    """Return the halt of an exchange with `count` contracts."""
    return Market(1, count), rows_of(Kind.HALT_EXCHANGE, 1, state=1), count


def mark_orders(count: int) -> Stage:
    """Return a mark that falls below `count` resting bids, which all lose then."""
    market = Market(ACCOUNTS + 1, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + places % ACCOUNTS,
        price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    return market, rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS - 1001), count


def order_behind_mark(count: int) -> Stage:
    """Return an order of an account whose losses a mark left unknown, and that has many orders."""
    accounts = -(-count // ACCOUNT_CANCELS_MAX)
    market = Market(accounts + 1, 1)
    places = np.arange(count)
    market.rest(
        count, side=Side.BUY, account_idx=1 + places % accounts,
        price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    market.do(rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS - 1001))
    row = rows_of(Kind.PLACE, 1, side=Side.BUY, account_idx=1, price_ticks=1, qty_lots=1)
    return market, row, count


def mark_holders(count: int) -> Stage:
    """Return a mark that `count` holders gain or lose by."""
    return holders(count), rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS + 7), count


def settlement(count: int) -> Stage:
    """Return a settlement that pays `count` holders."""
    return holders(count), rows_of(Kind.SETTLE, 1, price_ticks=MARK_TICKS + 7), count


def end_of_day(count: int) -> Stage:
    """Return a settlement that ends `count` orders for the day."""
    row = rows_of(Kind.SETTLE, 1, price_ticks=MARK_TICKS)
    return many_orders(count, 1, Tif.DAY), row, count


def new_scenarios(count: int) -> Stage:
    """Return a swap of scenarios that takes the requirement of `count` holders anew."""
    return holders(count), swap_command(SCENARIOS, WORST_COUNT_DEFAULT), count
