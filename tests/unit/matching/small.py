"""A small market driven one command at a time, and short forms of what it answers."""

from typing import Any

import numpy as np

from matching.codes import EventKind, Kind, Side, TradingState
from matching.engine import Engine, Sizes
from tests.support.flow import Flow
from tests.support.rows import SECOND_NS, command

SIZES = Sizes(
    price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=256, scenarios=8
)
MARK_TICKS = 2000
TICK_VALUE_USD_MICROS = 100
CASH_USD_MICROS = 1_000_000_000
SHOCKS_USD_MICROS = (-50, -30, -10, 0, 10, 30, 40, 60)  # profit of one long lot
SHOCK_FIELDS = (
    "price_ticks", "qty_lots", "amount_usd_micros", "expires_ns",
    "client_a", "client_b", "client_c", "client_d",
)  # fmt: skip


class Market:
    """An engine with four funded accounts and one or more contracts in continuous trading."""

    def __init__(self, sizes: Sizes = SIZES, accounts: int = 4, contracts: int = 1) -> None:
        self.engine = Engine(sizes)
        for idx in range(accounts):
            self.do(Kind.OPEN_ACCOUNT, account_idx=idx)
            self.do(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=CASH_USD_MICROS)
        for idx in range(contracts):
            self.do(
                Kind.LIST, symbol=f"C{idx}", contract_idx=idx, price_ticks=MARK_TICKS,
                amount_usd_micros=TICK_VALUE_USD_MICROS, qty_lots=1000,
                state=TradingState.CONTINUOUS,
            )  # fmt: skip

    def do(self, kind: Kind, *, at_ns: int = 0, **fields: Any) -> np.ndarray:
        """Apply one command, a nanosecond after the last or at a time, and return its events."""
        row = command(kind, **fields)
        row["seq"] = self.engine.last_seq + 1
        row["ts_ns"] = at_ns or max(SECOND_NS, self.engine.now_ns + 1)
        return self.engine.apply(row)

    def order(
        self, account_idx: int, side: Side, lots: int, ticks: int, **fields: Any
    ) -> np.ndarray:
        """Place a limit order and return its events."""
        return self.do(
            Kind.PLACE, account_idx=account_idx, side=side, qty_lots=lots, price_ticks=ticks,
            **fields,
        )  # fmt: skip

    def rested(self, account_idx: int, side: Side, lots: int, ticks: int, **fields: Any) -> int:
        """Place a limit order that rests and return its id."""
        events = self.order(account_idx, side, lots, ticks, **fields)
        assert events[0]["leaves_lots"] > 0, said(events)
        return int(events[0]["order_id"])

    def swap(
        self, shocks: tuple[int, ...] = SHOCKS_USD_MICROS, worst: int = 2, contract_idx: int = 0
    ) -> None:
        """Stage eight shocks of a contract and make them live."""
        self.do(
            Kind.STAGE_SHOCKS, contract_idx=contract_idx,
            **dict(zip(SHOCK_FIELDS, shocks, strict=True)),
        )  # fmt: skip
        self.do(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=worst)


def said(events: np.ndarray) -> list[tuple[EventKind, int, int, int]]:
    """Return kind, code, lots and what rests of each event."""
    return [
        (EventKind(e["kind"]), int(e["code"]), int(e["qty_lots"]), int(e["leaves_lots"]))
        for e in events
    ]


def codes(events: np.ndarray) -> list[int]:
    """Return the codes of the events."""
    return [int(code) for code in events["code"]]


def random_run(count: int, seed: int = 1, cash_usd_micros: int = 0) -> list[np.ndarray]:
    """Return an opening with shocks and `count` commands of a mixed flow, one a row, stamped.

    With `cash_usd_micros`, account 0 is left with that much before it trades.
    """
    engine = Engine(SIZES)
    flow = Flow(seed, accounts=4, contracts=2, engine=engine)
    rows = list(flow.opening().commands.reshape(-1, 1))
    if cash_usd_micros:
        rows.append(flow.batch([flow.deposit(0, cash_usd_micros - 50_000_000_000_000)]).commands)
    for idx in range(2):
        shocks = [shock * 100_000_000 * (idx + 1) for shock in SHOCKS_USD_MICROS]
        fields = dict(zip(SHOCK_FIELDS, shocks, strict=True))
        rows.append(flow.batch([command(Kind.STAGE_SHOCKS, contract_idx=idx, **fields)]).commands)
    rows.append(flow.batch([command(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=3)]).commands)
    rows += [flow.batch([flow.any()]).commands for _ in range(count)]
    return rows
