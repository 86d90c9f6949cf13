"""Notes: with them a mirror from a saved state shows what one from the first command shows."""

from typing import Any

import numpy as np
import pytest

from exchange.rules.deals import Deal
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_notes import Notes, notes_from, notes_of
from exchange.rules.mirror_saved import mirror_from_saved
from exchange.rules.records import Account, Contract, Order
from matching.engine import Engine
from matching.saved import unpack
from tests.oracle.state import Capacity
from tests.sim.engine import sizes_of
from tests.sim.run import simulate

SEEDS = (3, 5, 8)


def facts(mirror: Mirror) -> dict[int, tuple[Any, ...]]:
    """Return what a mirror shows of open orders and deals, by id; not what a stop once was."""
    orders = [*mirror.orders.values(), *mirror.stops.values()]
    shown: dict[int, tuple[Any, ...]] = {
        order.order_id: tuple(getattr(order, name) for name in Order.__slots__ if name != "stop")
        for order in orders
    }
    for deal in mirror.deals.open.values():
        shown[-deal.deal_id] = tuple(getattr(deal, name) for name in Deal.__slots__)
    return shown


def entries(mirror: Mirror) -> dict[tuple[int, int], tuple[int, int]]:
    """Return what the positions of a mirror were entered at."""
    return {
        (account.account_idx, contract_idx): (held.entry_usd_micros, held.realised_usd_micros)
        for account in mirror.accounts
        for contract_idx, held in account.positions.items()
    }


class Restarting:
    """A mirror that is restored again and again, beside one that never was."""

    def __init__(self, capacity: Capacity, seen: set[str]) -> None:
        self.seen = seen
        self.engine = Engine(sizes_of(capacity))
        self.whole, self.restored = Mirror(capacity.price_bits), Mirror(capacity.price_bits)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.engine.apply(commands)
        self.whole.apply(commands, events)
        self.restored.apply(commands, events)

    def compare(self, view: dict[str, Any]) -> None:
        assert facts(self.restored) == facts(self.whole)
        notes = notes_from(notes_of(self.restored))
        self.restored = mirror_from_saved(unpack(self.engine.save()), notes)
        assert facts(self.restored) == facts(self.whole)
        assert entries(self.restored) == entries(self.whole)
        self.seen |= {"deals"} if self.whole.deals.open else set()
        self.seen |= {"stops"} if self.whole.stops else set()
        for order in self.whole.orders.values():
            self.seen |= {"filled"} if order.filled_lots else set()
            self.seen |= {"cancelled"} if order.cancelled_lots else set()


def test_orders_deals_and_entries_are_the_same_behind_any_number_of_restarts():
    seen: set[str] = set()
    for seed in SEEDS:

        def followers(capacity: Capacity) -> list[Restarting]:
            return [Restarting(capacity, seen)]

        simulate(seed, 1_000, followers)
    assert seen == {"deals", "stops", "filled", "cancelled"}


def test_notes_of_nothing_and_of_an_older_version_are_read():
    assert notes_from(b"") == Notes()
    assert notes_from(notes_of(Mirror())) == Notes()
    older = np.array([[1, 2, -3, 4], [5, 6, 7, 8]], "<i8").tobytes()
    assert notes_from(older) == Notes({(1, 2): (-3, 4), (5, 6): (7, 8)})


@pytest.mark.parametrize("cut", [1, 8, 24, 40])
def test_notes_that_are_not_whole_are_refused(cut: int):
    mirror = Mirror()
    mirror.accounts.append(Account(0))
    mirror.contracts.append(Contract(0, "H100"))
    mirror.open_position(0, 0)
    whole = notes_of(mirror)
    assert notes_from(whole).entries == {(0, 0): (0, 0)}
    with pytest.raises(ValueError):
        notes_from(whole[:-cut])
