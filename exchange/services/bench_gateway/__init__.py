"""`wellhead bench gateway`: the whole path, from a client's order to its durable acknowledgement.

A node of its own with an embedded Postgres, fsync on; every order is margined over all scenarios,
matched and committed before its reply. The load is a process of its own on the other core.
"""

from typing import Any, Final

from exchange.services.bench_figures import Figure, Tell, figure
from exchange.services.bench_gateway.stage import (
    Stage,
    bare_sync,
    echo_server,
    exchange,
    load,
    pin,
    wait_cleared,
)
from matching.engine import warm_up

RUNS: Final = 3
SECONDS: Final = 4.0
QUICK_SECONDS: Final = 1.0
COUNT_MAX: Final = 200_000  # orders of one connection in one run
WORKLOAD: Final = (
    "limit orders of random sides within ten ticks around one price of one contract, about half"
    " of which trade; {connections} connections x {in_flight} in flight, {accounts} accounts"
)

# name, how, connections, in flight, what is read, unit, goal
FIGURES: Final = (
    ("order to durable ack, p50", "ws", 1, 1, "0.5", "us", 300),
    ("order to durable ack, p99", "ws", 1, 1, "0.99", "us", 2_000),
    ("durable acks, 4 x 32", "ws", 4, 32, "rate", "orders/s", 30_000),
    ("durable acks, 16 x 32", "ws", 16, 32, "rate", "orders/s", 30_000),
    ("REST order, p50", "rest", 1, 1, "0.5", "us", 1_000),
    ("REST orders, 16 connections", "rest", 16, 1, "rate", "orders/s", None),
    # What the machine itself takes at that moment, measured in turn with the others.
    ("bare fdatasync, p50", "sync", 1, 1, "0.5", "us", None),
    ("bare websocket echo, p50", "echo", 1, 1, "0.5", "us", None),
    ("bare websocket echo, 4 x 32", "echo", 4, 32, "rate", "messages/s", None),
)
BARE: Final = {
    "sync": "8 KiB of a file written before, and fdatasync; no exchange",
    "echo": "the same messages, sent back by a bare server; no exchange",
}


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures."""
    runs, seconds = (1, QUICK_SECONDS) if quick else (RUNS, SECONDS)
    workloads = list(dict.fromkeys(figure[1:4] for figure in FIGURES))
    results: dict[tuple[str, int, int], list[dict[str, Any]]] = {one: [] for one in workloads}
    total, done = runs * len(workloads), 0
    warm_up(lambda _, ready, count: tell("kernels", ready, count))
    tell("gateway", 0, total)
    with exchange() as stage, echo_server() as (echo_url, echo_pid):
        pinned = pin(stage.pid, 0)
        pin(echo_pid, 0)
        # The things compared run in turn: a machine is not as fast all the time.
        for number in range(runs):
            for workload in workloads:
                wait_cleared(stage.url)
                if workload[0] == "sync":
                    found = bare_sync(stage.folder, seconds / 4)
                else:
                    found = load(plan(stage, echo_url, workload, seconds, number))
                results[workload].append(found)
                done += 1
                tell("gateway", done, total)
        wait_cleared(stage.url)
    notes = ["the node's process and the load are each kept on a core of their own"]
    if not pinned:
        notes = ["one core: the node and the load share it"]
    notes.append("no order was refused; what rests at the end of a run is cancelled, and cleared")
    notes.append("so much capacity is registered that no limit of positions is near")
    return {"figures": [figure_of(one, results[one[1:4]]) for one in FIGURES], "notes": notes}


def plan(
    stage: Stage, echo_url: str, workload: tuple[str, int, int], seconds: float, seed: int
) -> dict[str, Any]:
    """Return what a load process is told."""
    how, connections, in_flight = workload
    return {
        "url": echo_url if how == "echo" else stage.url,
        "keys": stage.keys,
        "symbol": stage.symbol,
        "mid_ticks": stage.mid_ticks,
        "connections": connections,
        "in_flight": in_flight,
        "seconds": seconds,
        "count_max": COUNT_MAX,
        "seed": seed,
        "how": how,
    }


def figure_of(
    what: tuple[str, str, int, int, str, str, int | None], found: list[dict[str, Any]]
) -> Figure:
    """Return one figure of its runs."""
    name, how, connections, in_flight, read, unit, goal = what
    if read == "rate":
        runs = [round(one["acks"] / one["seconds"], 1) for one in found]
    else:
        runs = [round(one["latency_us"][read], 1) for one in found]
    workload = BARE.get(how, WORKLOAD).format(
        connections=connections, in_flight=in_flight, accounts=min(4, connections)
    )
    return figure(name, unit, runs, goal, workload)
