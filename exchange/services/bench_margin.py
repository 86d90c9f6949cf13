"""`wellhead bench margin`: requirements anew after a swap, a mark, what margin adds to an order.

The swap is one command of a full core: 100,000 accounts, ten positions each in 500 contracts, 128
scenarios. The mark is one command as well, of a contract that 10,000 hold. What margin adds is the
difference of the same orders with live scenarios and without.
"""

import time
from statistics import median
from typing import Any, Final

import numpy as np

from exchange.rules.operations import stage_commands, swap_command
from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.bench_market import (
    MARK_TICKS,
    OPENED_NS,
    SCENARIOS,
    Market,
    rows_of,
)
from exchange.services.bench_market import holders as holders_of_one
from exchange.services.bench_matching import one_core
from matching.codes import EventKind, Kind, Side
from matching.engine import warm_up
from matching.limits import SCENARIOS_DEFAULT, WORST_COUNT_DEFAULT

RUNS: Final = 5
ACCOUNTS: Final = 100_000
CONTRACTS: Final = 500
HELD: Final = 10  # positions of an account
ORDERS: Final = 100_000
TRADERS: Final = 1_000
BATCH: Final = 256
SWAP_GOAL_MS: Final = 10_000
HOLDERS: Final = 10_000  # of one contract, whose mark moves
MARKS: Final = 50
MARK_GOAL_MS: Final = 5
CHECK_GOAL_NS: Final = 100
SHOCKS: Final = [step * (-1) ** step for step in range(1, SCENARIOS_DEFAULT + 1)]


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures."""
    warm_up(lambda _, done, total: tell("kernels", done, total))
    runs, share = (2, 20) if quick else (RUNS, 1)
    with one_core() as core:
        notes = ["pinned to one core" if core is not None else "not pinned to a core"]
        figures = [
            *swap_figures(ACCOUNTS // share, CONTRACTS // share, runs, tell),
            mark_figure(HOLDERS // share, MARKS // share + 1, tell),
            *check_figures(ORDERS // share, runs, tell),
        ]
    return {"figures": figures, "notes": notes}


def swap_figures(accounts: int, contracts: int, runs: int, tell: Tell) -> list[Figure]:
    """Return how long a swap takes that changes every shock, and everybody's margin behind it."""
    market = holders(accounts, contracts, tell)
    took: list[float] = []
    anew: list[float] = []
    for number in range(runs):
        tell("swaps", number, runs)
        shocks = [(number + 2) * shock for shock in SHOCKS]
        market.do(np.concatenate([stage_commands(idx, shocks) for idx in range(contracts)]))
        row = market.stamped(swap_command(len(shocks), WORST_COUNT_DEFAULT))
        begun_ns = time.perf_counter_ns()
        market.engine.apply(row)
        took.append((time.perf_counter_ns() - begun_ns) / 1e6)
        begun_ns = time.perf_counter_ns()
        needed = [market.engine.requirement(idx) for idx in range(1, accounts)]
        anew.append((time.perf_counter_ns() - begun_ns) / 1e6)
        assert all(needed), "an account that holds something needs nothing"
    tell("swaps", runs, runs)
    text = f"{accounts:,} accounts with {min(HELD, contracts)} positions in {contracts} contracts"
    return [
        figure(f"swap of {len(SHOCKS)} scenarios", "ms", took, None, f"{text}, one command"),
        figure(
            "everybody's margin anew", "ms", anew, SWAP_GOAL_MS, f"{text}, asked for one by one"
        ),
    ]


def mark_figure(count: int, marks: int, tell: Tell) -> Figure:
    """Return how long one mark takes: each holder's equity anew, and whether it is enough."""
    market = holders_of_one(count)
    took: list[float] = []
    for number in range(marks):
        tell("marks", number, marks)
        row = rows_of(Kind.MARK, 1, price_ticks=MARK_TICKS + 1 + number % 7)
        begun_ns = time.perf_counter_ns()
        events = market.engine.apply(market.stamped(row, OPENED_NS))
        took.append((time.perf_counter_ns() - begun_ns) / 1e6)
        assert (events["kind"] == EventKind.MARKED).any(), "the mark did not move"
    tell("marks", marks, marks)
    text = f"one contract, each account with one lot, {SCENARIOS} scenarios, one command"
    return figure(f"mark of {count:,} holders", "ms", took, MARK_GOAL_MS, text)


def holders(accounts: int, contracts: int, tell: Tell) -> Market:
    """Return a market in which every account but the first holds lots in ten contracts."""
    market = Market(accounts, contracts, SHOCKS)
    held = min(HELD, contracts)
    places = np.arange(1, accounts)
    for turn in range(held):
        tell("positions", turn, held)
        for at in range(contracts):
            own = places[(places + turn * (contracts // held)) % contracts == at]
            if len(own):
                market.rest(1, side=Side.SELL, account_idx=0, contract_idx=at,
                            price_ticks=MARK_TICKS, qty_lots=len(own))  # fmt: skip
                market.rest(len(own), side=Side.BUY, account_idx=own, contract_idx=at,
                            price_ticks=MARK_TICKS)  # fmt: skip
    return market


def check_figures(orders: int, runs: int, tell: Tell) -> list[Figure]:
    """Return ns of resting orders with 128 live scenarios, without any, and the difference."""
    found: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(runs):
        tell("orders", number, runs)
        found["with"].append(once(orders, SHOCKS))
        found["without"].append(once(orders, []))
    tell("orders", runs, runs)
    text = f"{orders:,} resting orders of {TRADERS:,} accounts, the median batch of {BATCH}"
    added = [a - b for a, b in zip(found["with"], found["without"], strict=True)]
    return [
        figure(f"order, {len(SHOCKS)} scenarios", "ns/command", found["with"], None, text),
        figure("order, no scenarios", "ns/command", found["without"], None, text),
        figure("margin adds", "ns/command", added, CHECK_GOAL_NS, "check and update, run by run"),
    ]


def once(orders: int, shocks: list[int]) -> float:
    """Return ns an order in a fresh market: the median of its batches, inside the engine."""
    market = Market(TRADERS, 1, shocks)
    places = np.arange(orders)
    rows = rows_of(
        Kind.PLACE, orders, side=Side.BUY, account_idx=places * 7 % TRADERS, qty_lots=1,
        price_ticks=MARK_TICKS - 1 - places % 1000,
    )  # fmt: skip
    market.stamped(rows)
    took: list[float] = []
    for at in range(0, orders, BATCH):
        batch = rows[at : at + BATCH]
        begun_ns = time.perf_counter_ns()
        events = market.engine.apply(batch)
        took.append((time.perf_counter_ns() - begun_ns) / len(batch))
        assert not (events["kind"] == EventKind.REFUSED).any()
    return median(took)
