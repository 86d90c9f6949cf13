"""Rules of a default's auction, over plain values: prices, shares, whole lots, who is junior."""

import random
from dataclasses import replace

import pytest

from exchange.rules.auction_close import carried
from exchange.rules.auction_steps import lots_of
from exchange.rules.default_auction import (
    ALL_BPS,
    Ask,
    Lot,
    LotResult,
    Piece,
    Result,
    allocate,
    awards_of,
    dues_of,
    price_ticks_of,
    required_bps,
    reserve_usd_micros,
)
from exchange.rules.default_auction_public import faults, result_in, result_out
from exchange.rules.standing import held_of, shock_arrays
from exchange.rules.what_if import SupposedPosition
from exchange.services.stress.world import World, row
from matching.codes import Kind, Side, TradingState
from matching.sizes import Sizes
from matching.wire import pack_text

USD = 1_000_000
TOP = 65_535
LONG = Piece(0, "H100-USE-2027M01", 10, 2_000, USD)
SHORT = Piece(1, "H100-USE-2027M02", -7, 2_100, USD)
LOT = Lot(1, "H100", (LONG, SHORT))


def test_AUCT_003_one_distance_is_a_price_for_each_position_against_the_defaulter():
    assert (price_ticks_of(LONG, 25, TOP), price_ticks_of(SHORT, 25, TOP)) == (1_975, 2_125)
    assert (price_ticks_of(LONG, -25, TOP), price_ticks_of(SHORT, -25, TOP)) == (2_025, 2_075)
    assert (price_ticks_of(LONG, 5_000, TOP), price_ticks_of(SHORT, TOP, TOP)) == (1, TOP)
    assert LOT.tick_usd_micros == 17 * USD


def test_AUCT_005_others_money_is_never_spent_on_a_bid():
    assert reserve_usd_micros(-500, 400, 1_000) == 250  # a quarter of the initial margin
    assert reserve_usd_micros(300, 100, 1_000) == 400
    assert reserve_usd_micros(300, -5, 1_000) == 300


def test_AUCT_007_a_member_bids_for_its_part_of_the_fund_in_every_lot():
    rows = allocate(LOT, 10**12, [Ask("a", 1, 7_500), Ask("b", 2, 2_499)], lambda *_: True)
    lot = LotResult(lot=LOT, reserve_usd_micros=10**12, rows=rows)
    dues = dues_of([lot], {"a": 750, "b": 250, "c": 0})
    assert [(one.tag, one.required_bps, one.junior) for one in dues] == [
        ("a", 7_500, False), ("b", 2_500, True), ("c", 0, False),
    ]  # fmt: skip
    assert all(one.junior for one in dues_of([lot, replace(lot, rows=())], {"a": 1, "b": 1}))
    assert required_bps(5, 0) == 0


def outcome(seed: int) -> Result:
    """Return what comes of bids that are drawn."""
    chance = random.Random(seed)
    asks = [Ask(f"t{i}", chance.randrange(-3, 4), chance.randrange(1, ALL_BPS)) for i in range(6)]
    poor, reserve = f"t{chance.randrange(6)}", chance.randrange(0, 60) * USD
    rows = allocate(LOT, reserve, asks, lambda tag, _: tag != poor)
    lot = LotResult(lot=LOT, reserve_usd_micros=reserve, rows=rows)
    awards, dues = tuple(awards_of(lot, TOP)), dues_of([lot], {"t1": 5, "t2": 9})
    return Result(
        liquidation_id=1, state_seq=2, price_top_ticks=TOP, lots=(lot,), awards=awards, dues=dues
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_AUCT_004_no_more_is_given_than_there_is_and_the_better_price_never_waits(seed):
    result = outcome(seed)
    (lot,) = result.lots
    assert sum(row.share_bps for row in lot.rows) <= ALL_BPS
    for piece in LOT.pieces:
        given = [one.qty_lots for one in result.awards if one.symbol == piece.symbol]
        assert abs(sum(given)) <= abs(piece.qty_lots)
        assert all(one * piece.qty_lots > 0 for one in given)
    left = ALL_BPS
    for bid in lot.rows:  # who is dearer gets something only where the better have all they want
        if bid.share_bps:
            cheaper = [one for one in lot.rows if one.premium_ticks < bid.premium_ticks]
            assert all(one.share_bps == one.asked_bps for one in cheaper if one.carried)
        left -= bid.share_bps
    assert left >= 0 and faults(result) == []
    assert result_in(result_out(result)) == result


@pytest.mark.parametrize("seed", range(8))
def test_a_result_that_was_bent_is_found(seed):
    result = outcome(seed)
    (lot,) = result.lots
    first = lot.rows[0]
    bent = (
        replace(result, awards=result.awards[1:]),
        replace(result, dues=tuple(replace(one, junior=not one.junior) for one in result.dues)),
        replace(result, lots=(replace(lot, rows=(*lot.rows, first)),)),
        replace(result, lots=(replace(lot, rows=(
            replace(first, share_bps=first.share_bps + 1), *lot.rows[1:])),)),
        replace(result, awards=(*result.awards, replace(result.awards[0], qty_lots=1))),
    )  # fmt: skip
    assert all(faults(one) for one in bent)
    with pytest.raises(ValueError, match="not the result"):
        result_in({"lots": []})


def spread_world() -> World:
    """Return a world in which a spread of two months needs little, and each month alone much."""
    sizes = Sizes(accounts=4, contracts=3, positions=16, orders=16, client_ids=16, scenarios=8)
    world = World(sizes, 10**18, 0)
    for idx, usd in enumerate((1_000, 100_000, 100_000, 450)):
        world.say(row(Kind.OPEN_ACCOUNT, account_idx=idx))
        world.say(row(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=usd * USD))
    for idx, symbol in enumerate(("H100-USE-2027M01", "H100-USE-2027M02", "B200-USE-2027M01")):
        words = dict(zip(("client_a", "client_b", "client_c", "client_d"), pack_text(symbol),
                         strict=True))  # fmt: skip
        world.say(
            row(Kind.LIST, contract_idx=idx, price_ticks=1_000, amount_usd_micros=USD,
                qty_lots=1_000, state=TradingState.CONTINUOUS, **words),
            row(Kind.STAGE_SHOCKS, contract_idx=idx, price_ticks=-100 * USD, qty_lots=100 * USD),
        )  # fmt: skip
    world.send(row(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1))
    for contract_idx, side in ((0, Side.BUY), (1, Side.SELL), (2, Side.BUY)):
        for account_idx, way in ((2, Side(1 - side)), (1, side)):
            world.send(row(Kind.PLACE, account_idx=account_idx, contract_idx=contract_idx,
                           side=way, price_ticks=1_000, qty_lots=10))  # fmt: skip
    return world


def test_AUCT_002_a_lot_is_one_sku_with_all_its_months():
    world = spread_world()
    held = held_of(world.mirror, 1, shock_arrays(world.mirror))
    lots = lots_of(world.mirror, held)
    assert [(lot.lot_no, lot.name, len(lot.pieces)) for lot in lots] == [
        (1, "B200", 1), (2, "H100", 2),
    ]  # fmt: skip


def test_AUCT_006_what_hedges_goes_first_and_what_is_not_carried_is_none():
    mirror = spread_world().mirror
    held = [SupposedPosition(0, -3, 1_000)]  # won before: the long leg then needs less, not more
    long, short = SupposedPosition(0, 5, 1_000), SupposedPosition(1, -5, 1_000)
    assert carried(mirror, 3, [], [SupposedPosition(0, 5, 1_000)]) is None  # 500 of 450
    assert carried(mirror, 3, held, [short, long]) == [long, short]
    assert carried(mirror, 3, [], [long, short]) is None  # neither can go before the other
