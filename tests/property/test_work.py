"""Work that a command puts off, under marks that move all orders: engine and oracle agree."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numba import config

from matching.codes import CallPhase, Cycle, Flag, Kind, OrderType, Peg, Side, Stp, Tif, TriggerBy
from matching.limits import WORST_COUNT_DEFAULT
from matching.states import TradingState
from matching.wire import pack_halves, pack_legs
from tests.oracle import lives, risk
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity, Exchange, Order
from tests.property.planted import Bug, PlantedFollower
from tests.sim.engine import EngineFollower
from tests.sim.followers import Disagreement, Follower
from tests.support.rows import command, stamped

COMMANDS = 900 if config.DISABLE_JIT else 6_000
COMPARED_EVERY = 50
ACCOUNTS, SPREAD, MARK_TICKS, SPREAD_ZERO = 5, 2, 1_000, 1 << 11
CAPACITY = Capacity(
    price_bits=12, accounts=ACCOUNTS, contracts=3, positions=32, orders=64, client_ids=8,
    scenarios=8, deals=8, taker_makers=3, account_cancels=3, command_events=5,
)  # fmt: skip
RESTS = (Tif.GTC, Tif.GTC, Tif.DAY, Tif.DAY, Tif.GFN, Tif.GFA, Tif.IOC)
Row = np.ndarray


def opened() -> list[Row]:
    """Return the opening: some have little money, some enough."""
    rows = []
    for idx in range(ACCOUNTS):
        rows.append(command(Kind.OPEN_ACCOUNT, account_idx=idx))
        money = (300, 600, 900, 5_000, 1 << 30)[idx]
        rows.append(command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=money))
    for idx in range(SPREAD):
        rows.append(
            command(
                Kind.LIST, contract_idx=idx, price_ticks=MARK_TICKS, amount_usd_micros=1 + idx,
                qty_lots=50, state=TradingState.CONTINUOUS,
            )
        )  # fmt: skip
        shocks = {name: step * (idx + 1) for name, step in zip(WORDS, STEPS, strict=True)}
        rows.append(command(Kind.STAGE_SHOCKS, contract_idx=idx, **shocks))
    legs = pack_legs([(0, 1), (1, -1)])
    listing = command(
        Kind.LIST_COMBINATION, contract_idx=SPREAD, qty_lots=50, state=TradingState.CONTINUOUS,
        **legs,
    )  # fmt: skip
    swap = command(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=WORST_COUNT_DEFAULT)
    return [*rows, listing, swap]


WORDS = (
    "price_ticks", "qty_lots", "amount_usd_micros", "expires_ns", "client_a", "client_b",
    "client_c", "client_d",
)  # fmt: skip
STEPS = (-8, -5, -3, -1, 1, 3, 5, 8)


def an_order(rng: Random, ex: Exchange) -> Row:
    contract_idx = rng.choice((0, 0, 0, 1, SPREAD))
    side, lots = rng.choice(list(Side)), rng.randint(1, 4)
    middle = SPREAD_ZERO if contract_idx == SPREAD else ex.contracts[contract_idx].mark_ticks
    fields: dict[str, int] = {
        "account_idx": rng.randrange(ACCOUNTS), "contract_idx": contract_idx, "side": side,
        "qty_lots": lots, "tif": rng.choice(RESTS), "price_ticks": middle + rng.randint(-12, 12),
        "stp": rng.choice((Stp.NONE, Stp.CANCEL_OLDEST)),
    }  # fmt: skip
    if rng.random() < 0.1 and contract_idx != SPREAD:
        trigger = middle + rng.randint(-9, 9)
        fields |= {
            "order_type": OrderType.STOP_LIMIT, "state": rng.choice(list(TriggerBy)),
            "amount_usd_micros": pack_halves(trigger, 0), "tif": rng.choice((Tif.GTC, Tif.DAY)),
        }  # fmt: skip
    elif rng.random() < 0.1 and contract_idx != SPREAD:
        fields |= {
            "order_type": OrderType.PEGGED, "state": rng.choice(list(Peg)), "price_ticks": 0,
            "ref_id": pack_halves(rng.randint(-3, 3), 0), "tif": rng.choice((Tif.GTC, Tif.DAY)),
        }  # fmt: skip
    elif rng.random() < 0.1:
        fields |= {"amount_usd_micros": pack_halves(0, 1)}
    return command(Kind.PLACE, **fields)


def an_amendment(rng: Random, ex: Exchange) -> Row:
    orders = list(ex.orders.values())
    if not orders:
        return an_order(rng, ex)
    order = rng.choice(orders)
    fields: dict[str, int] = {"account_idx": order.account_idx, "order_id": order.order_id}
    if rng.random() < 0.3:
        return command(Kind.CANCEL, **fields)
    if rng.random() < 0.4:
        return command(
            Kind.AMEND, flags=Flag.NEW_TIF, tif=rng.choice((Tif.GTC, Tif.DAY, Tif.GFN)), **fields
        )
    moved = order.price_ticks + rng.randint(-4, 4) if not order.peg else 0
    return command(
        Kind.AMEND, price_ticks=moved, qty_lots=rng.randint(1, 5), flags=Flag.QTY_IS_OPEN, **fields
    )


def a_move(rng: Random, ex: Exchange) -> Row:
    idx = rng.randrange(SPREAD)
    price_ticks = MARK_TICKS + rng.choice((-1, 1)) * rng.randint(0, 15)
    kind = rng.choices((Kind.MARK, Kind.SETTLE, Kind.COLLECT), (6, 2, 1))[0]
    if kind == Kind.COLLECT:
        return command(kind, contract_idx=idx, state=Cycle.MIDDAY)
    return command(kind, contract_idx=idx, price_ticks=price_ticks)


def a_call(rng: Random, ex: Exchange) -> Row:
    contract_idx = rng.randrange(SPREAD)
    if ex.contracts[contract_idx].call.phase:
        return command(Kind.END_CALL, contract_idx=contract_idx)
    return command(Kind.START_CALL, contract_idx=contract_idx, state=CallPhase.MANUAL)


def of_money(rng: Random, ex: Exchange) -> Row:
    idx = rng.randrange(ACCOUNTS)
    amount = rng.randint(1, 200)
    kind = rng.choice((Kind.WITHDRAW, Kind.DEPOSIT, Kind.SET_COLLATERAL))
    return command(kind, account_idx=idx, amount_usd_micros=amount, state=rng.choice((0, 1)))


def idle(rng: Random, ex: Exchange) -> Row:
    return command(Kind.TICK)


MAKERS = (an_order, an_amendment, a_move, a_call, of_money, idle)
WEIGHTS = (46, 14, 14, 6, 8, 12)


def follow(seed: int, follower: Follower, count: int = COMMANDS) -> None:
    """Lead with the oracle, one command at a time.

    Errors:
        Disagreement: the follower did something else.
    """
    rng, oracle = Random(seed), Oracle(CAPACITY)
    for row in opened():
        lead(oracle, follower, row)
    for place in range(count):
        lead(oracle, follower, rng.choices(MAKERS, WEIGHTS)[0](rng, oracle.ex))
        if place % COMPARED_EVERY == 0:
            follower.compare(oracle.state_view())


def lead(oracle: Oracle, follower: Follower, row: Row) -> None:
    seq = oracle.last_seq + 1
    batch = stamped([row], seq, 1_000_000_000 + seq * 10_000_000)
    follower.batch(batch, oracle.apply(batch))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_put_off_is_done_alike_and_by_an_engine_restored_in_between(seed: int):
    follow(seed, EngineFollower(CAPACITY))


def icebergs(rng: Random) -> list[Row]:
    """Return a level of icebergs of any sizes, and who takes a part of it."""
    sizes = [
        rng.choice((1, 7, 60, 400, 3_000)) + rng.randrange(9) for _ in range(rng.randint(2, 9))
    ]
    rows = [
        command(
            Kind.PLACE, account_idx=1 + place % 3, side=Side.SELL, qty_lots=lots, price_ticks=10,
            amount_usd_micros=pack_halves(0, rng.randint(1, min(lots, rng.choice((1, 9, 200))))),
        )
        for place, lots in enumerate(sizes)
    ]  # fmt: skip
    taken = rng.randint(1, sum(sizes) + 2)
    return [*rows, command(Kind.PLACE, side=Side.BUY, qty_lots=taken, price_ticks=10)]


@pytest.mark.parametrize("seed", range(30))
def test_rounds_of_icebergs_of_any_sizes_are_counted_as_they_would_be_walked(seed: int):
    capacity = replace(CAPACITY, taker_makers=4096, command_events=2048)
    oracle, engine = Oracle(capacity), EngineFollower(capacity)
    listing = command(
        Kind.LIST, price_ticks=10, amount_usd_micros=1, qty_lots=1 << 16,
        state=TradingState.CONTINUOUS,
    )  # fmt: skip
    rows = [command(Kind.OPEN_ACCOUNT, account_idx=idx) for idx in range(4)]
    batch = stamped([listing, *rows, *icebergs(Random(seed))])
    engine.batch(batch, oracle.apply(batch))
    engine.compare(oracle.state_view())


def _replaced(module: Any, name: str, other: Callable[..., Any]) -> Bug:
    return Bug(name, lambda: patch.object(module, name, other))


def _newest_first(ex: Exchange, contract_idx: int, tif: int, *, over: bool) -> list[Order]:
    return _LISTED(ex, contract_idx, tif, over=over)[::-1]


def _again(ex: Exchange, order: Order) -> None:
    order.life = -1
    _JOIN(ex, order)


_LISTED, _JOIN = lives.listed, lives.join

BUGS = (
    _replaced(lives, "listed", _newest_first),
    _replaced(lives, "end", lambda *_: None),
    _replaced(lives, "join", _again),
    _replaced(risk, "looked_through", lambda *_: True),
    _replaced(risk, "know_losses", lambda *_: None),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_of_what_is_put_off_is_noticed(bug: Bug):
    with pytest.raises(Disagreement):
        for seed in range(20):
            follow(seed, PlantedFollower(CAPACITY, bug), 900)


def after_orders_that_lose_nothing(follower: Follower) -> None:
    """Have a mark lift more orders out of their loss than are looked through; take what is free.

    The first order behind the mark finds that none loses, so the next one's loss is its own, not
    that of all orders at its price.

    Errors:
        Disagreement: the follower did something else.
    """
    oracle, whose = Oracle(CAPACITY), ACCOUNTS - 2
    buy = {"account_idx": whose, "side": Side.BUY, "qty_lots": 1}
    low, mark_ticks, high = MARK_TICKS + 10, MARK_TICKS + 20, MARK_TICKS + 30
    orders = [command(Kind.PLACE, price_ticks=low, **buy) for _ in range(CAPACITY.account_cancels)]
    mark = command(Kind.MARK, price_ticks=mark_ticks)
    last = [command(Kind.PLACE, price_ticks=price_ticks, **buy) for price_ticks in (low, high)]
    for row in (*opened(), *orders, orders[0], mark, *last):
        lead(oracle, follower, row)
    free = risk.free_usd_micros(oracle.ex, whose)
    assert free > 0
    lead(oracle, follower, command(Kind.WITHDRAW, account_idx=whose, amount_usd_micros=free))
    assert risk.free_usd_micros(oracle.ex, whose) == 0


def test_orders_that_lose_nothing_are_known_to_without_a_look_at_each():
    after_orders_that_lose_nothing(EngineFollower(CAPACITY))


def test_a_planted_loss_where_there_is_none_is_noticed():
    bug = _replaced(risk, "lifted_loss", lambda *_: 1)
    with pytest.raises(Disagreement):
        after_orders_that_lose_nothing(PlantedFollower(CAPACITY, bug))
