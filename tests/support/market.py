"""A small market for tests of services: two accounts, one contract, a stream of orders."""

import random
from collections.abc import Iterator

import numpy as np

from matching.codes import Kind, OrderType, Side, Tif, TradingState
from matching.engine import Engine, Sizes
from matching.wire import COMMAND
from tests.support.rows import command

SIZES = Sizes(accounts=16, contracts=8, positions=128, orders=4096, client_ids=4096)
MICROS = 1_000_000


def small_engine() -> Engine:
    """Return an empty engine that needs little memory."""
    return Engine(SIZES)


def restore_small(blob: bytes | None) -> Engine:
    """Return the engine of a saved state, or an empty one."""
    return Engine.restore(blob, SIZES) if blob is not None else small_engine()


def opening() -> np.ndarray:
    """Return the commands that open the market: accounts, money, one contract."""
    rows = [command(Kind.OPEN_ACCOUNT, account_idx=i) for i in range(4)]
    rows += [
        command(Kind.DEPOSIT, account_idx=i, amount_usd_micros=10**9 * MICROS) for i in range(4)
    ]
    rows.append(
        command(
            Kind.LIST,
            contract_idx=0,
            symbol="H100-USE-2027M03",
            price_ticks=2_000,
            amount_usd_micros=720_000,
            qty_lots=1_000,
            state=TradingState.CONTINUOUS,
        )
    )
    return np.concatenate(rows)


def orders(seed: int, origin_id: int = 0) -> Iterator[np.ndarray]:
    """Yield orders without end; with an origin they are numbered from one."""
    chance = random.Random(seed)
    request_id = 0
    while True:
        request_id += 1
        row = np.zeros(1, COMMAND)
        row["kind"] = Kind.PLACE
        row["account_idx"] = chance.randrange(4)
        row["side"] = chance.choice((Side.BUY, Side.SELL))
        row["order_type"] = OrderType.LIMIT
        row["tif"] = chance.choice((Tif.GTC, Tif.GTC, Tif.IOC))
        row["price_ticks"] = chance.randrange(1_990, 2_011)
        row["qty_lots"] = chance.randrange(1, 10)
        if origin_id:
            row["origin_id"], row["request_id"] = origin_id, request_id
        yield row
