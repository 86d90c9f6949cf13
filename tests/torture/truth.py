"""What the journal says happened, read without the product's readers."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import asyncpg
import numpy as np

from matching.codes import Code, EventKind, Side
from matching.wire import COMMAND, EVENT, unpack_text
from tests.oracle.state import Command

_BATCHES: Final = """
SELECT first_seq, count, epoch, commands, events FROM journal_batch
WHERE first_seq > $1 ORDER BY first_seq
"""


class Event(NamedTuple):
    """One EVENT row; the fields of the record, in its order."""

    seq: int
    kind: int
    side: int
    code: int
    account_idx: int
    order_id: int
    maker_order_id: int
    contract_idx: int
    maker_account_idx: int
    price_ticks: int
    qty_lots: int
    leaves_lots: int
    amount_usd_micros: int


assert Event._fields == EVENT.names


@dataclass
class TrueOrder:
    """An accepted order as the events leave it."""

    order_id: int
    account_idx: int
    client_order_id: str
    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int
    filled_lots: int = 0
    cancelled_lots: int = 0  # since it was placed or last amended

    @property
    def open_lots(self) -> int:
        """Return what rests."""
        return self.qty_lots - self.filled_lots - self.cancelled_lots


@dataclass
class Truth:
    """Commands and events by number, and what follows from them."""

    commands: list[Command] = field(default_factory=list)  # command n is at n - 1
    events: list[list[Event]] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)  # of each batch, in order
    orders: dict[int, TrueOrder] = field(default_factory=dict)
    by_client: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    symbols: dict[int, str] = field(default_factory=dict)
    lots: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    cash_usd_micros: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    trade_ids: set[str] = field(default_factory=set)

    @property
    def last_seq(self) -> int:
        """Return the number of the last command."""
        return len(self.commands)

    async def read(self, connection: asyncpg.Connection) -> int:
        """Read what was written since the last reading; return how many commands."""
        before = self.last_seq
        for row in await connection.fetch(_BATCHES, before):
            self.epochs.append(row["epoch"])
            self.add(row["first_seq"], row["commands"], row["events"])
        return self.last_seq - before

    def add(self, first_seq: int, commands: bytes, events: bytes) -> None:
        """Append one batch."""
        assert first_seq == self.last_seq + 1, f"the journal skips to {first_seq}"
        rows = np.frombuffer(commands, COMMAND).tolist()
        by_seq: dict[int, list[Event]] = defaultdict(list)
        for row in np.frombuffer(events, EVENT).tolist():
            by_seq[row[0]].append(Event(*row))
        for row in rows:
            command = Command(*row)
            assert command.seq == self.last_seq + 1, f"command {command.seq} is out of order"
            said = by_seq.pop(command.seq)  # every command has at least one event
            self.commands.append(command)
            self.events.append(said)
            self._follow(command, said)
        assert not by_seq, f"events of no command: {sorted(by_seq)}"

    def reply(self, seq: int) -> tuple[Command, list[Event]] | None:
        """Return a command with its events, None when the journal does not reach it."""
        if not 0 < seq <= self.last_seq:
            return None
        return self.commands[seq - 1], self.events[seq - 1]

    def open_orders(self, account_idx: int) -> dict[int, TrueOrder]:
        """Return the orders of an account that rest."""
        return {
            o.order_id: o
            for o in self.orders.values()
            if o.account_idx == account_idx and o.open_lots
        }

    def _follow(self, command: Command, said: list[Event]) -> None:
        leg = 0
        for event in said:
            if event.kind == EventKind.ACCEPTED:
                self._accepted(command, event)
            elif event.kind == EventKind.AMENDED:
                order = self.orders[event.order_id]
                order.price_ticks, order.qty_lots = event.price_ticks, event.qty_lots
                order.cancelled_lots = 0
            elif event.kind == EventKind.CANCELLED:
                # An amendment to what is filled has lowered the quantity by those lots already.
                if event.code != Code.AMENDED_BELOW_FILLED:
                    self.orders[event.order_id].cancelled_lots += event.qty_lots
            elif event.kind == EventKind.TRADE:
                self._traded(event)
                self.trade_ids.add(f"{event.seq}-{leg}")
                leg += 1
            elif event.kind == EventKind.LISTED:
                self.symbols[event.contract_idx] = unpack_text(*command.words)
            elif event.kind in (EventKind.CASH_MOVED, EventKind.VARIATION):
                self.cash_usd_micros[event.account_idx] += event.amount_usd_micros
            elif event.kind == EventKind.CHARGED:
                self.cash_usd_micros[event.account_idx] -= event.amount_usd_micros

    def _accepted(self, command: Command, event: Event) -> None:
        client = unpack_text(*command.words)
        self.orders[event.order_id] = TrueOrder(
            event.order_id,
            event.account_idx,
            client,
            event.contract_idx,
            event.side,
            event.price_ticks,
            event.qty_lots,
        )
        if client:
            self.by_client[event.account_idx, client].append(event.order_id)

    def _traded(self, event: Event) -> None:
        signed = event.qty_lots if event.side == Side.BUY else -event.qty_lots
        self.lots[event.account_idx, event.contract_idx] += signed
        self.lots[event.maker_account_idx, event.contract_idx] -= signed
        for order_id in (event.order_id, event.maker_order_id):
            self.orders[order_id].filled_lots += event.qty_lots
