"""Those that only read what happened: clearing with its ledger, and market data.

Held against the core and the mirror behind a simulated market, at length: what a settlement
triggers, days of delivery and moved lots come in orders that no short test thinks of.
"""

import json
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from exchange.io.batch import Batch
from exchange.rules.cleared import Effects
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.core_books import CoreBooks, books_differ
from exchange.rules.margin_audit import margin_differs
from exchange.rules.mirror import Mirror
from exchange.rules.records import Trade
from exchange.rules.settlement_check import ClearingMismatch
from exchange.services.market_data import MarketData
from exchange.services.market_data.service import CHANNEL_KINDS
from matching.engine import Engine
from matching.saved import unpack
from tests.oracle.state import Capacity
from tests.sim.engine import sizes_of


def check_numbers(effects: Effects, told: list[Trade]) -> None:
    """Hold the numbers of trades against each other: they are keys of tables."""
    keys = [(one.seq, one.leg) for one in effects.trades]
    sides = [(one.account_idx, one.seq, one.leg, one.side) for one in effects.position_events]
    assert len(set(keys)) == len(keys) and len(set(sides)) == len(sides), "a number given twice"
    ours, theirs = (
        {(one.seq, one.leg, one.contract_idx, one.price_ticks, one.qty_lots) for one in rows}
        for rows in (effects.trades, told)
    )
    assert theirs <= ours, f"trades of other numbers: {sorted(theirs - ours)[:3]}"


class LedgerFollower:
    """Clearing beside the real core: transfers sum to zero, books and margin are the core's.

    Each trade has a number of its own, the same as the mirror says.
    """

    def __init__(self, capacity: Capacity) -> None:
        self.house, self.engine = ClearingHouse(), Engine(sizes_of(capacity))
        self.mirror = Mirror(capacity.price_bits)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.engine.apply(commands)
        try:
            self.house.apply(commands, events)
        except ClearingMismatch as stopped:
            raise AssertionError(f"clearing stops: {stopped}") from stopped
        changes, effects = self.mirror.apply(commands, events), self.house.take()
        check_numbers(effects, [*changes.trades, *changes.leg_trades, *changes.blocks])
        sums: dict[int, int] = {}
        for posting in effects.postings:
            before = sums.get(posting.transfer_id, 0)
            sums[posting.transfer_id] = before + posting.amount_usd_micros
        assert not any(sums.values()), {each: left for each, left in sums.items() if left}

    def compare(self, view: dict[str, Any]) -> None:
        saved = unpack(self.engine.save())
        core = CoreBooks.of_saved(saved)
        found = [str(one) for one in books_differ(core, self.house.core_books())]
        found += margin_differs(saved, range(len(saved["accounts"])))
        assert not found, "; ".join(found[:5])


class Copy:
    """What a subscriber makes of a channel: a snapshot, and every message behind it."""

    def __init__(self, name: str, snapshot: bytes) -> None:
        self.name, self.is_book = name, name.startswith("book.")
        first = json.loads(snapshot)
        self.seq, self.data = first["seq"], self.kept(first["data"])

    def kept(self, data: Any) -> Any:
        """Return data in the form that is compared: the levels of a book by price."""
        if not self.is_book:
            return data
        return data | {side: {p: tuple(rest) for p, *rest in data[side]} for side in SIDES}

    def take(self, payload: bytes) -> None:
        """Apply a message, which must follow the last one."""
        message = json.loads(payload)
        assert message["prev_seq"] == self.seq <= message["seq"], message
        self.seq, data = message["seq"], message["data"]
        if not self.is_book:
            self.data = data
            return
        levels = {side: self.data[side] | self.kept(data)[side] for side in SIDES}
        gone = ("0",)
        self.data |= data | {
            side: {p: rest for p, rest in found.items() if rest[:1] != gone}
            for side, found in levels.items()
        }


SIDES = ("bids", "asks")


class MarketDataFollower:
    """A subscriber of every channel: what it was sent is what a fresh snapshot says."""

    def __init__(self, capacity: Capacity) -> None:
        self.mirror = Mirror(capacity.price_bits)
        self.data = MarketData(self.mirror, now_ns=lambda: self.mirror.ts_ns)
        self.copies: dict[str, Copy] = {}

    def deliver(self, channel: str, payload: bytes) -> None:
        self.copies[channel].take(payload)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        changes = self.mirror.apply(commands, events)
        self.data.apply(cast(Batch, SimpleNamespace(commands=commands, events=events)), changes)
        for contract in self.mirror.contracts:
            for kind in CHANNEL_KINDS:
                name = kind.replace("*", contract.symbol)
                if name not in self.copies:
                    snapshot = self.data.subscribe(name, self)
                    assert snapshot is not None, name
                    self.copies[name] = Copy(name, snapshot)

    def compare(self, view: dict[str, Any]) -> None:
        self.data.turn()
        for name, copy in self.copies.items():
            if name.startswith("trades."):
                continue  # the last fifty against those since: their chain is looked at, no more
            snapshot = self.data.snapshot(name)
            assert snapshot is not None
            assert copy.kept(json.loads(snapshot)["data"]) == copy.data, name
