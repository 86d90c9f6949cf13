"""The longest commands there are: markets brought to a limit, and the one command that costs most.

Each case opens a market of default size with 64 live scenarios, so that every order is margined,
and returns it with the row to measure and how many things it could touch. Where the core bounds
the work of a command, the market holds more than the bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exchange.services import bench_controls as controls
from exchange.services import bench_endings as endings
from exchange.services import bench_orders as orders
from exchange.services.bench_market import Stage
from matching.limits import (
    ACCOUNT_CANCELS_MAX,
    AFTERMATH_STEPS_MAX,
    COMMAND_EVENTS_MAX,
    CONTRACT_STOPS_MAX,
    CONTRACT_TRAILS_MAX,
    CONTRACTS_MAX,
    DEALS_MAX,
    LEGS_MAX,
    LOOK_AHEAD_SHARE,
    PEGS_MAX,
    SIDES_OF_LEG,
    SWEEP_ORDERS_MAX,
    TAKER_MAKERS_MAX,
)

STRIP_MAKERS: Final = TAKER_MAKERS_MAX // (1 + SIDES_OF_LEG * LEGS_MAX)
WHOLE: Final = "done whole"
MAKERS: Final = f"{TAKER_MAKERS_MAX:,} makers"
LOOKS: Final = f"{TAKER_MAKERS_MAX // LOOK_AHEAD_SHARE:,} makers"
CANCELS: Final = f"{ACCOUNT_CANCELS_MAX:,} orders"
CONTRACTS: Final = f"{CONTRACTS_MAX:,} contracts"
EVENTS: Final = f"{COMMAND_EVENTS_MAX:,} events"


@dataclass(frozen=True, slots=True)
class Case:
    """One worst case."""

    name: str
    build: Callable[[int], Stage]
    count: int
    thing: str
    events_per_thing: int = 0  # at least so many for each: proof that the work was done
    most: int = 0  # things that one command touches, 0 for all
    limit: str = WHOLE  # what bounds it


CASES: Final = (
    Case("sweep of prices", orders.sweep_levels, 30_000, "prices with an order each", 1,
         TAKER_MAKERS_MAX, MAKERS),
    Case("sweep of orders", orders.sweep_orders, 1_000_000, "orders at one price", 1,
         TAKER_MAKERS_MAX, MAKERS),
    Case("own orders taken away", orders.own_orders, 30_000, "orders of the taker's account", 1,
         TAKER_MAKERS_MAX, MAKERS),
    Case("sweep by a quote", orders.quote_sweep, 30_000, "orders at one price", 1,
         TAKER_MAKERS_MAX, MAKERS),
    Case("sweep of icebergs", orders.sweep_icebergs, 4_000,
         f"icebergs of {orders.ICEBERG_LOTS} displays each", 2, 0, MAKERS),
    Case("sweep of a strip", orders.sweep_strip, 10_000, "orders, twelve legs each", 1 + LEGS_MAX,
         STRIP_MAKERS, f"{STRIP_MAKERS} makers"),
    Case("fill or kill, one short", orders.short_by_one, 30_000,
         "prices to look at, then cancelled", 0, 0, LOOKS),
    Case("stops triggered by one trade", orders.stop_cascade, CONTRACT_STOPS_MAX,
         f"stops queued, {AFTERMATH_STEPS_MAX} of which enter and trade", 2, AFTERMATH_STEPS_MAX,
         f"{CONTRACT_STOPS_MAX:,} stops"),
    Case("trailing stops that move", orders.trailing_stops, CONTRACT_TRAILS_MAX,
         "trailing stops of one contract", 1, 0, f"{CONTRACT_TRAILS_MAX} trails"),
    Case("pegs that move", orders.moving_pegs, PEGS_MAX, "pegged orders of one contract", 1, 0,
         f"{PEGS_MAX} pegs"),
    Case("quotes of a group that is hit", orders.quotes_hit, 2_000, "contracts, two sides each", 1,
         0, CONTRACTS),
    Case("order of a wide account", orders.wide_account, 2_000, "contracts held", 0, 0,
         CONTRACTS),
    Case("mass cancel", controls.mass_cancel, 1_000_000, "orders in 50 contracts", 1,
         ACCOUNT_CANCELS_MAX, CANCELS),
    Case("mass cancel of the other side", controls.other_side, 1_000_000,
         "orders in 50 contracts, which stay", 0, 0, CANCELS),
    Case("kill of an account", controls.kill, 1_000_000, "orders in 50 contracts", 1,
         ACCOUNT_CANCELS_MAX, CANCELS),
    Case("sweep of the exchange", controls.sweep, 1_000_000, "orders in 2,000 contracts", 1,
         SWEEP_ORDERS_MAX, f"{SWEEP_ORDERS_MAX:,} orders"),
    Case("timers", controls.timers, 100_000, "timers at once, of an account with an order each", 1,
         COMMAND_EVENTS_MAX - 1, EVENTS),
    Case("expiry", controls.expiries, 1_000_000, "orders at once", 1, COMMAND_EVENTS_MAX - 1,
         EVENTS),
    Case("proposals that end", controls.proposals, DEALS_MAX - 1, "proposals at once", 1, 0,
         f"{DEALS_MAX:,} proposals"),
    Case("end of a contract", controls.contract_end, 1_000_000, "orders in it", 1,
         COMMAND_EVENTS_MAX - 1, EVENTS),
    Case("halt of the exchange", controls.halt, 2_000, "contracts", 0, 0, CONTRACTS),
    Case("beginning of a call", controls.call_begins, 1_000_000, "orders, none of which may end"),
    Case("beginning of a call, one ends", controls.call_ends_one, 1_000_000,
         "orders, one of which ends", 0, 0, EVENTS),
    Case("beginning of a call, all end", controls.call_ends_all, 1_000_000,
         "orders, all of which end", 1, COMMAND_EVENTS_MAX - 1, EVENTS),
    Case("end of a call", controls.call_ends, 10_000, "orders that cross"),
    Case("mark of orders", controls.mark_orders, 1_000_000, "resting orders that lose", 0, 0,
         f"{TAKER_MAKERS_MAX:,} orders"),
    Case("order behind a mark of orders", controls.order_behind_mark, 1_000_000,
         f"orders whose losses are unknown, {ACCOUNT_CANCELS_MAX:,} of them its account's", 0, 0,
         CANCELS),
    Case("mark of holders", controls.mark_holders, 100_000, "holders"),
    Case("settlement", controls.settlement, 100_000, "holders paid", 1),
    Case("settlement, end of the day", controls.end_of_day, 1_000_000, "orders for the day", 1,
         COMMAND_EVENTS_MAX - 1, EVENTS),
    Case("variation cycle", endings.cycle, 100_000, "holders paid", 1),
    Case("close-out", endings.expired, 100_000, "holders whose positions are closed", 1),
    Case("end among those that ended", endings.spreads_end, 16_000,
         f"contracts before it; {endings.TOGETHER} spreads end with it"),
    Case("new scenarios", controls.new_scenarios, 100_000, "holders, 64 scenarios"),
)  # fmt: skip
