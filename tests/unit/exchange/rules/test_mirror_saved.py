"""A mirror that starts from a saved state sees what one from the first command sees."""

import numpy as np

from exchange.rules.mirror import Mirror
from exchange.rules.mirror_notes import Notes
from exchange.rules.mirror_saved import mirror_from_saved
from matching.codes import Kind, Side, Tif, TradingState
from matching.engine import Engine
from matching.saved import unpack
from matching.state import Sizes
from tests.sim.views import mirror_view
from tests.support.rows import command, stamped

ALICE, BOB = 0, 1
SIZES = Sizes(
    price_bits=12, accounts=4, contracts=2, positions=8, orders=16, client_ids=8, scenarios=8
)


def history() -> list[np.ndarray]:
    """Return commands after which there are positions, orders, ids, marks and scenarios."""
    rows = []
    for idx in (ALICE, BOB):
        rows.append(command(Kind.OPEN_ACCOUNT, account_idx=idx))
        rows.append(command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=1 << 40, ref_id=5))
    rows += [
        command(Kind.LIST, symbol="H100", price_ticks=100, amount_usd_micros=10, qty_lots=50,
                state=TradingState.CONTINUOUS, order_id=1_000, expires_ns=77),
        command(Kind.LIST, contract_idx=1, symbol="B200", price_ticks=200, amount_usd_micros=10,
                qty_lots=50, state=TradingState.CONTINUOUS),
        command(Kind.STAGE_SHOCKS, contract_idx=1, price_ticks=-5, qty_lots=6),
        command(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1),
        command(Kind.STAGE_SHOCKS, contract_idx=0, price_ticks=9),
        command(Kind.PLACE, account_idx=ALICE, side=Side.SELL, price_ticks=101, qty_lots=5,
                client="named", flags=1),
        command(Kind.PLACE, account_idx=BOB, side=Side.BUY, price_ticks=101, qty_lots=2),
        command(Kind.PLACE, account_idx=BOB, contract_idx=1, side=Side.BUY, price_ticks=190,
                qty_lots=3, tif=Tif.GTD, expires_ns=1 << 60),
        command(Kind.MARK, price_ticks=104),
        command(Kind.SETTLE, price_ticks=103),
        command(Kind.MARK, price_ticks=105),
    ]  # fmt: skip
    return rows


def both() -> tuple[Mirror, Engine]:
    """Return a mirror that saw everything, and the engine."""
    engine, mirror = Engine(SIZES), Mirror(SIZES.price_bits)
    commands = stamped(history())
    mirror.apply(commands, engine.apply(commands))
    return mirror, engine


def test_a_restored_mirror_sees_the_same():
    mirror, engine = both()
    restored = mirror_from_saved(unpack(engine.save()))
    assert mirror_view(restored) == mirror_view(mirror)
    assert restored.symbols == {"H100": 0, "B200": 1}
    assert restored.shocks == mirror.shocks == [[0, 0], [-5, 6]]
    assert restored.shocks_staged == mirror.shocks_staged
    assert (restored.scenario_count, restored.worst_count) == (2, 1)
    assert list(restored.orders) == list(mirror.orders)
    assert restored.contracts[0].last_trade_ns == 77


def test_a_restored_mirror_follows_on():
    mirror, engine = both()
    restored = mirror_from_saved(unpack(engine.save()))
    more = stamped(
        [
            command(Kind.CANCEL, account_idx=ALICE, client="named"),
            command(Kind.PLACE, account_idx=ALICE, contract_idx=1, side=Side.SELL,
                    price_ticks=190, qty_lots=1),
        ],
        engine.last_seq + 1,
        engine.now_ns,
    )  # fmt: skip
    events = engine.apply(more)
    assert mirror.apply(more, events).levels == restored.apply(more, events).levels
    assert mirror_view(restored) == mirror_view(mirror)
    assert restored.by_client == {}


def test_what_a_state_does_not_hold_is_said_to_be_unknown():
    _, engine = both()
    restored = mirror_from_saved(unpack(engine.save()))
    named, other = restored.orders.values()
    assert named.client_order_id == "named"
    assert named.created_ns > 0
    assert not named.fills_known
    assert (other.client_order_id, other.created_ns, other.fills_known) == ("", 0, True)


def test_lots_count_as_entered_at_the_last_settlement_unless_the_entries_are_known():
    mirror, engine = both()
    saved = unpack(engine.save())
    position = mirror_from_saved(saved).position(BOB, 0)
    assert (position.entry_usd_micros, position.realised_usd_micros) == (2 * 103 * 10, 0)
    live = mirror.position(BOB, 0)
    entries = {(BOB, 0): (live.entry_usd_micros, live.realised_usd_micros)}
    position = mirror_from_saved(saved, Notes(entries)).position(BOB, 0)
    assert position.entry_usd_micros == live.entry_usd_micros == 2 * 101 * 10
