"""A drill on paper: who would take what at which price, what that costs, and who bears it."""

from exchange.rules.drill import drill
from exchange.rules.drill_auction import WORK_MAX, drill_auction
from exchange.rules.layers import Funds
from exchange.rules.standing import standing_of
from exchange.services.stress.world import World, row
from matching.codes import Kind, Side, TradingState
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, HOUSE, SIZES

USD = 1_000_000
FUNDS = Funds(first_idx=HOUSE)


def market(carol_usd: int = 100_000) -> World:
    """Return a world in which alice is long 10 lots at 1,000 ticks of a dollar."""
    world = World(SIZES, 10**18, HOUSE)
    for idx, usd in ((HOUSE, 50_000), (ALICE, 6_000), (BOB, 10**6), (CAROL, carol_usd)):
        world.send(row(Kind.OPEN_ACCOUNT, account_idx=idx))
        world.send(row(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=usd * USD))
    world.send(
        row(Kind.LIST, price_ticks=1_000, amount_usd_micros=USD, qty_lots=1_000,
            state=TradingState.CONTINUOUS),
        row(Kind.STAGE_SHOCKS, price_ticks=-200 * USD, qty_lots=200 * USD),
        row(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1),
    )  # fmt: skip
    for idx, side in ((BOB, Side.SELL), (ALICE, Side.BUY)):
        world.send(row(Kind.PLACE, account_idx=idx, side=side, price_ticks=1_000, qty_lots=10))
    return world


def test_members_that_can_carry_it_take_all_and_its_cost_is_borne_by_the_layers():
    state = market().mirror
    before = state.accounts[ALICE].positions[0].qty_lots
    found = drill(state, ALICE, FUNDS, bidders=(BOB, CAROL), premium_ticks=5)
    (lot,) = found.auction
    assert (lot.offered_lots, lot.taken_lots, lot.cost_usd_micros) == (10, 10, 10 * 5 * USD)
    assert found.waterfall.loss_usd_micros == found.stress_loss_usd_micros + 50 * USD
    assert state.accounts[ALICE].positions[0].qty_lots == before, "nothing is changed"
    assert drill(state, ALICE, FUNDS).auction == ()
    assert drill(state, ALICE, None, bidders=(BOB,)).auction == ()


def test_what_margin_does_not_carry_and_what_costs_more_than_the_reserve_is_not_taken():
    state = market(carol_usd=500).mirror
    (lot,) = drill(state, ALICE, FUNDS, bidders=(BOB, CAROL), premium_ticks=5).auction
    assert lot.taken_lots == 5, "carol cannot carry her half"
    dear = lot.reserve_usd_micros // (10 * USD) + 1
    (lot,) = drill(state, ALICE, FUNDS, bidders=(BOB,), premium_ticks=dear).auction
    assert (lot.taken_lots, lot.cost_usd_micros) == (0, 0)


def test_an_auction_too_large_to_be_played_beside_trading_says_so():
    state = market().mirror
    standing = standing_of(state, ALICE)
    assert drill_auction(state, standing, FUNDS, range(WORK_MAX + 1), 5) is None
    flat = standing_of(state, CAROL)
    assert drill_auction(state, flat, FUNDS, (BOB,), 5) == []
