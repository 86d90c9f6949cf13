"""What an account must have: everything summed anew, every time it is asked."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isqrt

from matching.codes import Profile, Side
from tests.oracle.state import Contract, Exchange, Leg, Order, Position, signed


@dataclass(frozen=True)
class Wish:
    """An order that is not in the book yet."""

    account_idx: int
    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int
    by_legs: bool = False  # of a combination: what it reduces are the positions of its legs


def loss_against_mark(contract: Contract, side: int, price_ticks: int, lots: int) -> int:
    """Return what a fill at its price would lose at once, in usd micros."""
    worse_ticks = price_ticks - contract.mark_for(side)
    if side == Side.SELL:
        worse_ticks = -worse_ticks
    return contract.tick_value_usd_micros * lots * max(0, worse_ticks)


def lots_of(ex: Exchange, account_idx: int, wish: Wish | None) -> list[tuple[int, int, int, int]]:
    """Return contract, lots held, resting buys and sells of each position, then of the wish."""
    asked = [
        (position.contract_idx, position.qty_lots, position.resting_lots(Side.BUY),
         position.resting_lots(Side.SELL))
        for position in held_by(ex, account_idx)
    ]  # fmt: skip
    if wish is not None:
        buys = wish.qty_lots if wish.side == Side.BUY else 0
        asked.append((wish.contract_idx, 0, buys, wish.qty_lots - buys))
    return asked


def worst_losses(ex: Exchange, account_idx: int, wish: Wish | None = None) -> list[int]:
    """Return W[s]: loss of positions, plus the worst case of resting orders and the wish."""
    count = ex.scenario_count
    losses = [0] * count
    for contract_idx, held, buys, sells in lots_of(ex, account_idx, wish):
        if held or buys or sells:
            more = losses_alone(ex.contracts[contract_idx], count, held, buys, sells)
            losses = [a + b for a, b in zip(losses, more, strict=True)]
    return losses


def tail(ex: Exchange, losses: list[int]) -> int:
    """Return the mean of the n worst, rounded up, never below zero."""
    worst = sorted(losses, reverse=True)[: ex.worst_count]
    return max(0, ceil_of(sum(worst), max(1, len(worst))))


def blend(ex: Exchange, losses: list[int]) -> int:
    """Return IM0: rows of now, then those of stress, then those of the floor."""
    floor_from = len(losses) - ex.floor_count
    stress_from = floor_from - ex.stress_count
    blended = tail(ex, losses[:stress_from])
    if ex.stress_count:
        blended = ceil_of(3 * blended + tail(ex, losses[stress_from:floor_from]), 4)
    return max(blended, tail(ex, losses[floor_from:]))


def ceil_of(amount: int, parts: int) -> int:
    return -(-amount // parts)


def at_stake(ex: Exchange, account_idx: int, wish: Wish | None) -> dict[int, list[int]]:
    """Return lots held, and lots that may be bought and sold, of each plain contract."""
    lots: dict[int, list[int]] = {}
    for contract_idx, held, buys, sells in lots_of(ex, account_idx, wish):
        contract = ex.contracts[contract_idx]
        legs = [(leg.contract_idx, leg.ratio) for leg in contract.legs] or [(contract_idx, 1)]
        for leg_idx, ratio in legs:
            sums = lots.setdefault(leg_idx, [0, 0, 0])
            sums[0] += held
            sums[1] += buys if ratio > 0 else sells
            sums[2] += sells if ratio > 0 else buys
    return lots


def losses_alone(contract: Contract, count: int, held: int, buys: int, sells: int) -> list[int]:
    return [
        -held * shock + buys * max(0, -shock) + sells * max(0, shock)
        for shock in contract.shocks[:count]
    ]


def root_of(lots: int, unit: int) -> Fraction:
    """Return the least fraction of 2^20 whose square is at least the ratio."""
    square = ceil_of(lots << 40, unit)
    root = isqrt(square)
    return Fraction(root + (root * root < square), 1 << 20)


def addon_of(ex: Exchange, contract: Contract, lots: int) -> int:
    """Return liquidity and concentration of a contract's lots."""
    spread, impact, _, volume, close, crowd = contract.addon
    most = contract.tick_value_usd_micros << 16
    cost = Fraction(spread)
    if impact:
        cost += most if lots >= 1 << 22 else ceil(impact * root_of(lots, volume))
    cost = min(cost, Fraction(most))
    if close and lots > close:
        units = [
            blend(ex, losses_alone(contract, ex.scenario_count, 0, *resting))
            for resting in ((1, 0), (0, 1))
        ]
        share = Fraction(3, 2) if crowd and lots > crowd else Fraction(1)
        more = most if lots >= 1 << 22 else ceil(max(units) * share * (root_of(lots, close) - 1))
        cost += min(more, most - cost)
    return int(cost * lots)


def requirement(ex: Exchange, account_idx: int, wish: Wish | None = None) -> int:
    """Return all that is required of an account, with a wish that is not in the book yet."""
    portfolio = blend(ex, worst_losses(ex, account_idx, wish))
    alone = addons = fees = 0
    for contract_idx, (held, buys, sells) in at_stake(ex, account_idx, wish).items():
        contract = ex.contracts[contract_idx]
        alone += blend(ex, losses_alone(contract, ex.scenario_count, held, buys, sells))
        if held or buys or sells:
            addons += addon_of(ex, contract, max(held + buys, sells - held))
        fees += (buys + sells) * contract.addon[2]
    capped = portfolio + ceil_of(max(0, alone - portfolio) * ex.kept_bps, 10_000)
    account = ex.accounts[account_idx]
    long, joint = net_compute(ex, account_idx, wish)
    if long <= 0 and not combines(ex, account_idx, wish):
        capped = min(capped, with_cover(ex, account_idx, wish))
    if account.profile == Profile.MINER:
        capped = max(capped, joint)
    need = ceil_of((capped + addons) * (10_000 + account.level_more_bps), 10_000)
    if account.profile == Profile.NEOCLOUD and long > 0:
        need = ceil_of(need * 5, 4)
    return need + fees


def net_compute(ex: Exchange, account_idx: int, wish: Wish | None) -> tuple[int, int]:
    """Return the tick value held if every buy fills and no sell, and its loss in a joint fall."""
    held = at_stake(ex, account_idx, wish)
    lots = {ex.contracts[idx]: held + buys for idx, (held, buys, _) in held.items()}
    return (
        sum(count * contract.tick_value_usd_micros for contract, count in lots.items()),
        sum(count * contract.joint_usd_micros for contract, count in lots.items()),
    )


def combines(ex: Exchange, account_idx: int, wish: Wish | None) -> bool:
    asked = {order.contract_idx for order in resting_of(ex, account_idx)}
    if wish is not None and wish.qty_lots:
        asked.add(wish.contract_idx)
    return any(ex.contracts[contract_idx].legs for contract_idx in asked)


def with_cover(ex: Exchange, account_idx: int, wish: Wish | None) -> int:
    """Return the capped portfolio when pledged capacity covers what it may."""
    losses, pays, alone = worst_losses(ex, account_idx, wish), 0, 0
    covers = {one.contract_idx: one.cover_lots for one in held_by(ex, account_idx)}
    for contract_idx, (held, buys, sells) in at_stake(ex, account_idx, wish).items():
        contract, most = ex.contracts[contract_idx], covers.get(contract_idx, 0)
        short = [min(max(0, lots), most) for lots in (sells - held, -held - buys)]
        part = [
            short[0] * shock if shock > 0 else short[1] * shock
            for shock in contract.shocks[: ex.scenario_count]
        ]
        own = ceil_of(blend(ex, part), 5)
        rest = [
            loss - less
            for loss, less in zip(
                losses_alone(contract, ex.scenario_count, held, buys, sells), part, strict=True
            )
        ]
        losses = [loss - less for loss, less in zip(losses, part, strict=True)]
        pays, alone = pays + own, alone + own + blend(ex, rest)
    portfolio = blend(ex, losses) + pays
    return portfolio + ceil_of(max(0, alone - portfolio) * ex.kept_bps, 10_000)


def price_loss(ex: Exchange, account_idx: int) -> int:
    return sum(
        loss_against_mark(
            ex.contracts[order.contract_idx], order.side, order.price_ticks, order.leaves_lots
        )
        for order in resting_of(ex, account_idx)
    )


def at_best(ex: Exchange, account_idx: int) -> int:
    """Return the most that resting orders lose: all at the best price of their side."""
    total = 0
    for order in resting_of(ex, account_idx):
        contract, lots = ex.contracts[order.contract_idx], order.leaves_lots + order.lifted_lots
        if lots == 0:
            continue
        best = [one.price_ticks for one in contract.book[order.side]]
        price_ticks = max(best) if order.side == Side.BUY else min(best)
        total += loss_against_mark(contract, order.side, price_ticks, lots)
        total -= loss_against_mark(contract, order.side, order.price_ticks, order.lifted_lots)
    return total


def looked_through(ex: Exchange, account_idx: int) -> bool:
    """Return whether an account has no more orders than a command may look at."""
    return len(open_of(ex, account_idx)) <= ex.capacity.account_cancels


def lifted_loss(ex: Exchange, account_idx: int) -> int:
    return sum(
        loss_against_mark(
            ex.contracts[order.contract_idx], order.side, order.price_ticks, order.lifted_lots
        )
        for order in resting_of(ex, account_idx)
    )


def know_losses(ex: Exchange, account_idx: int) -> None:
    """Take what orders lose anew, if a mark had no time for it and this command has."""
    account = ex.accounts[account_idx]
    if not account.losses_unknown:
        return
    nothing = at_best(ex, account_idx) + lifted_loss(ex, account_idx) == 0
    if nothing or looked_through(ex, account_idx):
        account.losses_unknown = False
        ex.orders_valued += 0 if nothing else len(open_of(ex, account_idx))


def counted_loss(ex: Exchange, account_idx: int) -> int:
    """Return the price loss that an account is judged by."""
    if ex.accounts[account_idx].losses_unknown and not looked_through(ex, account_idx):
        return at_best(ex, account_idx)
    return price_loss(ex, account_idx)


def free_usd_micros(ex: Exchange, account_idx: int, wish: Wish | None = None) -> int:
    """Return equity less requirement less price loss; negative when there is not enough."""
    account = ex.accounts[account_idx]
    need = requirement(ex, account_idx, wish) + counted_loss(ex, account_idx)
    if wish is not None:
        contract = ex.contracts[wish.contract_idx]
        need += loss_against_mark(contract, wish.side, wish.price_ticks, wish.qty_lots)
    equity = account.cash_usd_micros + account.unsettled_usd_micros + account.counted_usd_micros
    return equity - need


def free_cash_usd_micros(ex: Exchange, account_idx: int) -> int:
    """Return the cash that may leave: what is counted beside it frees none."""
    account = ex.accounts[account_idx]
    free = free_usd_micros(ex, account_idx) - account.counted_usd_micros
    return min(account.cash_usd_micros, free)


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


def lots_of_legs(ex: Exchange, wish: Wish) -> list[int]:
    """Return each leg's position, seen from the wish's side, if all that moves it so fills."""
    contract = ex.contracts[wish.contract_idx]
    own = Leg(wish.contract_idx, contract, 1)
    account_idx, side = wish.account_idx, wish.side
    return [
        if_all_fill(ex, account_idx, leg.contract_idx, side if leg.ratio > 0 else 1 - side)
        for leg in contract.legs or (own,)
    ]


def if_all_fill(ex: Exchange, account_idx: int, contract_idx: int, side: int) -> int:
    lots = signed(side, ex.lots(account_idx, contract_idx))
    for order in resting_of(ex, account_idx):
        legs = {leg.contract_idx: leg.ratio for leg in ex.contracts[order.contract_idx].legs}
        ratio = legs.get(contract_idx, int(order.contract_idx == contract_idx))
        if ratio and signed(order.side, ratio) == signed(side, 1):
            lots += order.leaves_lots
    return lots


def reduces(ex: Exchange, wish: Wish) -> bool:
    """Return whether the wish and everything resting with it only close the position."""
    if wish.by_legs:
        return all(lots + wish.qty_lots <= 0 for lots in lots_of_legs(ex, wish))
    position = ex.position(wish.account_idx, wish.contract_idx)
    if position is None or position.qty_lots == 0:
        return False
    if (position.qty_lots > 0) == (wish.side == Side.BUY):
        return False
    return wish.qty_lots + position.resting_lots(wish.side) <= abs(position.qty_lots)


def margin_allows(ex: Exchange, wish: Wish) -> bool:
    know_losses(ex, wish.account_idx)
    if free_usd_micros(ex, wish.account_idx, wish) >= 0:
        return True
    before = requirement(ex, wish.account_idx)
    after = requirement(ex, wish.account_idx, wish)
    return reduces(ex, wish) and after <= before


def held_by(ex: Exchange, account_idx: int) -> list[Position]:
    return [position for position in ex.positions if position.account_idx == account_idx]


def resting_of(ex: Exchange, account_idx: int) -> list[Order]:
    return [order for order in open_of(ex, account_idx) if order.stop is None]


def open_of(ex: Exchange, account_idx: int) -> list[Order]:
    """Return resting orders and stops, contract by contract, the oldest first."""
    return [order for position in held_by(ex, account_idx) for order in position.orders]
