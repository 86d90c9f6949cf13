"""What an account must have: everything summed anew, every time it is asked."""

from dataclasses import dataclass

from matching.codes import Side
from tests.oracle.state import Contract, Exchange, Order, Position


@dataclass(frozen=True)
class Wish:
    """An order that is not in the book yet."""

    account_idx: int
    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int


def loss_against_mark(contract: Contract, side: int, price_ticks: int, lots: int) -> int:
    """Return what a fill at its price would lose at once, in usd micros."""
    worse_ticks = price_ticks - contract.mark_for(side)
    if side == Side.SELL:
        worse_ticks = -worse_ticks
    return contract.tick_value_usd_micros * lots * max(0, worse_ticks)


def worst_losses(ex: Exchange, account_idx: int, wish: Wish | None = None) -> list[int]:
    """Return W[s]: loss of positions, plus the worst case of resting orders and the wish."""
    losses = [0] * ex.scenario_count
    for position in held_by(ex, account_idx):
        shocks = ex.contracts[position.contract_idx].shocks
        buys = position.resting_lots(Side.BUY)
        sells = position.resting_lots(Side.SELL)
        for s in range(ex.scenario_count):
            losses[s] -= position.qty_lots * shocks[s]
            losses[s] += buys * max(0, -shocks[s]) + sells * max(0, shocks[s])
    if wish is not None:
        shocks = ex.contracts[wish.contract_idx].shocks
        for s in range(ex.scenario_count):
            against = -shocks[s] if wish.side == Side.BUY else shocks[s]
            losses[s] += wish.qty_lots * max(0, against)
    return losses


def requirement(ex: Exchange, losses: list[int]) -> int:
    """Return the mean of the n worst, rounded up, never below zero."""
    worst = sorted(losses, reverse=True)[: ex.worst_count]
    return max(0, -(-sum(worst) // ex.worst_count))


def price_loss(ex: Exchange, account_idx: int) -> int:
    return sum(
        loss_against_mark(
            ex.contracts[order.contract_idx], order.side, order.price_ticks, order.leaves_lots
        )
        for order in resting_of(ex, account_idx)
    )


def free_usd_micros(ex: Exchange, account_idx: int, wish: Wish | None = None) -> int:
    """Return equity less requirement less price loss; negative when there is not enough."""
    account = ex.accounts[account_idx]
    need = requirement(ex, worst_losses(ex, account_idx, wish)) + price_loss(ex, account_idx)
    if wish is not None:
        contract = ex.contracts[wish.contract_idx]
        need += loss_against_mark(contract, wish.side, wish.price_ticks, wish.qty_lots)
    return account.cash_usd_micros + account.unsettled_usd_micros - need


def gross_tick_value(ex: Exchange, account_idx: int) -> int:
    return sum(
        ex.contracts[position.contract_idx].gross_tick_value
        * (
            abs(position.qty_lots)
            + position.resting_lots(Side.BUY)
            + position.resting_lots(Side.SELL)
        )
        for position in held_by(ex, account_idx)
    )


def lots_at_stake(ex: Exchange, wish: Wish) -> int:
    """Return the lots of the position and of everything that rests with it."""
    position = ex.position(wish.account_idx, wish.contract_idx)
    if position is None:
        return 0
    resting = position.resting_lots(Side.BUY) + position.resting_lots(Side.SELL)
    return abs(position.qty_lots) + resting


def reduces(ex: Exchange, wish: Wish) -> bool:
    """Return whether the wish and everything resting with it only close the position."""
    position = ex.position(wish.account_idx, wish.contract_idx)
    if position is None or position.qty_lots == 0:
        return False
    if (position.qty_lots > 0) == (wish.side == Side.BUY):
        return False
    return wish.qty_lots + position.resting_lots(wish.side) <= abs(position.qty_lots)


def margin_allows(ex: Exchange, wish: Wish) -> bool:
    if free_usd_micros(ex, wish.account_idx, wish) >= 0:
        return True
    before = requirement(ex, worst_losses(ex, wish.account_idx))
    after = requirement(ex, worst_losses(ex, wish.account_idx, wish))
    return reduces(ex, wish) and after <= before


def held_by(ex: Exchange, account_idx: int) -> list[Position]:
    return [position for position in ex.positions if position.account_idx == account_idx]


def resting_of(ex: Exchange, account_idx: int) -> list[Order]:
    return [order for order in open_of(ex, account_idx) if order.stop is None]


def open_of(ex: Exchange, account_idx: int) -> list[Order]:
    """Return resting orders and stops, contract by contract, the oldest first."""
    return [order for position in held_by(ex, account_idx) for order in position.orders]
