"""Commands with thousands of events: sweeps, mass cancels, settlements, ends of contracts."""

import numpy as np
import pytest
from numba import config

from matching.codes import EventKind, Kind, Side, Stp, TradingState
from matching.engine import Engine
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity
from tests.sim.engine import EngineFollower, sizes_of
from tests.support.rows import command, stamped

COUNT = 200 if config.DISABLE_JIT else 1_500
ACCOUNTS = 20
CAPACITY = Capacity(
    price_bits=12, accounts=ACCOUNTS, contracts=1, positions=64, orders=COUNT + 2, client_ids=8,
    scenarios=8,
)  # fmt: skip
MARK = 2_000


def resting(side: int, count: int) -> list[np.ndarray]:
    return [
        command(
            Kind.PLACE, account_idx=1 + place % (ACCOUNTS - 1), side=side, qty_lots=1,
            price_ticks=MARK + (place % 50 if side == Side.SELL else -(place % 50)),
        )
        for place in range(count)
    ]  # fmt: skip


def opened() -> list[np.ndarray]:
    listing = command(
        Kind.LIST, price_ticks=MARK, amount_usd_micros=3, qty_lots=2 * COUNT,
        state=TradingState.CONTINUOUS,
    )  # fmt: skip
    rows = [listing]
    for idx in range(ACCOUNTS):
        rows.append(command(Kind.OPEN_ACCOUNT, account_idx=idx))
        rows.append(command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=1 << 40))
    return rows


SWEEP = {"side": Side.BUY, "price_ticks": MARK + 60, "qty_lots": COUNT + 5}
LAST = {
    "a sweep": (command(Kind.PLACE, **SWEEP), EventKind.TRADE, COUNT),
    "a sweep of own orders": (
        command(Kind.PLACE, account_idx=1, stp=Stp.CANCEL_OLDEST, **SWEEP),
        EventKind.TRADE,
        COUNT - len(range(0, COUNT, ACCOUNTS - 1)),
    ),
    "the end of the contract": (
        command(Kind.SET_STATE, state=TradingState.EXPIRED), EventKind.CANCELLED, COUNT,
    ),
    "a mass cancel": (
        command(Kind.MASS_CANCEL, account_idx=1, contract_idx=-1),
        EventKind.CANCELLED,
        len(range(0, COUNT, ACCOUNTS - 1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAST)
def test_one_command_with_thousands_of_events_agrees_with_the_oracle(name):
    last, kind, count = LAST[name]
    settles = command(Kind.SETTLE, price_ticks=MARK + 7)
    commands = stamped([*opened(), *resting(Side.SELL, COUNT), last, settles])
    oracle, engine = Oracle(CAPACITY), EngineFollower(CAPACITY)
    events = oracle.apply(commands)
    engine.batch(commands, events)
    engine.compare(oracle.state_view())
    assert (events["kind"] == kind).sum() == count


def test_a_batch_with_more_events_than_fit_at_once_loses_none():
    engine = Engine(sizes_of(CAPACITY))
    engine.apply(stamped(opened()))
    rounds, found = 40, 0
    sweep = command(Kind.PLACE, **(SWEEP | {"qty_lots": COUNT}))
    rows = [row for _ in range(rounds) for row in [*resting(Side.SELL, COUNT), sweep]]
    batch = stamped(rows, engine.last_seq + 1, engine.now_ns)
    events = engine.apply(batch)
    found = int((events["kind"] == EventKind.TRADE).sum())
    assert found == rounds * COUNT
    assert np.array_equal(np.unique(events["seq"]), batch["seq"])
    engine.check()
