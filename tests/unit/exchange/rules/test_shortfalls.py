"""What a refused order would have needed agrees with who was refused."""

import numpy as np
import pytest

from exchange.rules.mirror import Mirror
from exchange.rules.short_orders import KEPT_MAX, ShortOrder, ShortOrders
from exchange.rules.shortfalls import shortfall
from matching.codes import Code, EventKind, Kind, OrderType
from matching.engine import Engine
from tests.unit.matching.small import SIZES, random_run


def asked(row: np.void) -> ShortOrder:
    names = ("account_idx", "contract_idx", "side", "price_ticks", "qty_lots")
    return ShortOrder(*(int(row[name]) for name in names))


@pytest.mark.parametrize("seed", [3, 4])
def test_an_order_that_was_refused_needs_more_than_is_free_and_one_that_rested_does_not(seed):
    engine, mirror = Engine(SIZES), Mirror(SIZES.price_bits)
    refused = rested = 0
    for row in random_run(900, seed=seed, cash_usd_micros=30_000_000_000):
        order, known = asked(row[0]), len(mirror.accounts) == 4 and len(mirror.contracts) >= 2
        plain = row[0]["kind"] == Kind.PLACE and row[0]["order_type"] == OrderType.LIMIT
        plain = plain and not row[0]["flags"] and known
        before = shortfall(mirror, order) if plain and 0 <= order.contract_idx < 2 else None
        events = engine.apply(row)
        mirror.apply(row, events)
        first = events[0]
        if plain and first["code"] == Code.MARGIN_INSUFFICIENT:
            assert first["kind"] == EventKind.REFUSED
            assert mirror.short_orders.get(int(row[0]["seq"])) == order
            found = shortfall(mirror, order)
            assert found is not None and found.needed_usd_micros > found.free_usd_micros
            refused += 1
        elif plain and first["kind"] == EventKind.ACCEPTED and len(events) == 1:
            assert before is None
            rested += 1
    assert refused > 5 and rested > 20


def test_only_the_newest_are_kept():
    short = ShortOrders()
    for seq in range(KEPT_MAX + 3):
        short.keep(seq, ShortOrder(0, 0, 0, 1, seq))
    assert len(short) == KEPT_MAX
    assert short.get(2) is None
    assert short.get(3) == ShortOrder(0, 0, 0, 1, 3)
