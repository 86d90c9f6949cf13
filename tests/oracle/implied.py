"""Implied trades, the plain way: every price is added up anew, from the sorted books."""

from collections.abc import Iterator
from dataclasses import dataclass

from matching.codes import Code, EventKind, Flag, Side, Stp, Tif, TradingState, TriggerBy
from matching.limits import IMPLIED_FILLS_MAX
from tests.oracle import book, calls, pegs, quotes, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Contract, Exchange, Leg, Order, opposite, signed


@dataclass(frozen=True)
class Offer:
    """What an order may trade at, with whom."""

    price_ticks: int  # of the order that comes
    combination_idx: int
    combined: Order | None  # the combination's order, if it rests
    makers: tuple[Order | None, ...]  # of each leg; None is who comes
    allowed: bool  # by bands and guards


# Prices


def leg_side(leg: Leg, side: int) -> int:
    return side if leg.ratio > 0 else opposite(side)


def is_open(ex: Exchange, idx: int) -> bool:
    contract = ex.contracts[idx]
    parts = [contract, *(leg.contract for leg in contract.legs)]
    return contract.implied and all(one.state == TradingState.CONTINUOUS for one in parts)


def members(ex: Exchange, contract_idx: int) -> list[tuple[int, int]]:
    """Return the combinations of which a contract is a leg, and its place in each."""
    return [
        (idx, place)
        for idx, contract in enumerate(ex.contracts)
        for place, leg in enumerate(contract.legs)
        if leg.contract_idx == contract_idx
    ]


def best_makers(
    ex: Exchange, idx: int, side: int, but: int = -1
) -> tuple[Order | None, ...] | None:
    """Return the best order of each leg that an order of a side would meet."""
    found: list[Order | None] = []
    for place, leg in enumerate(ex.contracts[idx].legs):
        queue = book.best_first(ex, leg.contract_idx, opposite(leg_side(leg, side)))
        if place == but:
            found.append(None)
        elif queue:
            found.append(queue[0])
        else:
            return None
    return tuple(found)


def is_allowed(ex: Exchange, contract: Contract, price: int) -> bool:
    low, high = ex.band(contract)
    guard = contract.guard
    fast = guard.velocity_bps and not calls.within(price, guard.measured_from, guard.velocity_bps)
    return low <= price <= high and not fast and not calls.beyond_day(contract, price)


def total(contract: Contract, makers: tuple[Order | None, ...]) -> int:
    pairs = zip(contract.legs, makers, strict=True)
    return sum(leg.ratio * maker.price_ticks for leg, maker in pairs if maker is not None)


def offer_in(ex: Exchange, idx: int, side: int) -> Offer | None:
    """Return what the legs offer to an order of the combination."""
    contract = ex.contracts[idx]
    makers = best_makers(ex, idx, side) if is_open(ex, idx) else None
    if makers is None:
        return None
    price = contract.base_ticks + total(contract, makers)
    if not contract.is_spread:
        price, rest = divmod(total(contract, makers), len(makers))
        if rest and side == Side.BUY:
            price += 1
    return finished(ex, idx, None, makers, price, -1)


def offer_out(ex: Exchange, idx: int, place: int, side: int) -> Offer | None:
    """Return what a combination's best order and the other legs offer to an order of one leg."""
    contract = ex.contracts[idx]
    leg = contract.legs[place]
    wanted = opposite(side) if leg.ratio > 0 else side
    queue = book.best_first(ex, idx, wanted)
    makers = best_makers(ex, idx, wanted, place) if queue and is_open(ex, idx) else None
    if makers is None:
        return None
    worth = queue[0].price_ticks * len(makers)
    if contract.is_spread:
        worth = queue[0].price_ticks - contract.base_ticks
    price = leg.ratio * (worth - total(contract, makers))
    return finished(ex, idx, queue[0], makers, price, place)


def finished(
    ex: Exchange,
    idx: int,
    combined: Order | None,
    makers: tuple[Order | None, ...],
    price: int,
    place: int,
) -> Offer:
    contract, highest = ex.contracts[idx], (1 << ex.capacity.price_bits) - 1
    inside = max(1, min(highest, price))
    allowed = inside == price
    for number, (leg, maker) in enumerate(zip(contract.legs, makers, strict=True)):
        ticks = inside if number == place else maker.price_ticks if maker else 0
        allowed = allowed and is_allowed(ex, leg.contract, ticks)
    return Offer(inside, idx, combined, makers, allowed)


def within(side: int, price: int, limit: int) -> bool:
    return price <= limit if side == Side.BUY else price >= limit


def offers(ex: Exchange, contract_idx: int, side: int, limit: int) -> Iterator[Offer]:
    """Return every implied price within the limit of an order, also those not allowed."""
    if ex.contracts[contract_idx].legs:
        found = [offer_in(ex, contract_idx, side)]
    else:
        found = [offer_out(ex, idx, place, side) for idx, place in members(ex, contract_idx)]
    for offer in found:
        if offer is not None and within(side, offer.price_ticks, limit):
            yield offer


def best(ex: Exchange, contract_idx: int, side: int, limit: int, wakes: bool) -> Offer | None:
    """Return the best implied price; of equal ones that of the combination listed first."""
    found: list[Offer] = []
    for offer in offers(ex, contract_idx, side, limit):
        if offer.allowed:
            found.append(offer)
        elif wakes:
            wake(ex, offer.combination_idx)
    key = lambda offer: (signed(side, offer.price_ticks), offer.combination_idx)  # noqa: E731
    return min(found, key=key, default=None)


def would_trade(ex: Exchange, contract_idx: int, side: int, limit: int) -> bool:
    trading = ex.contracts[contract_idx].state == TradingState.CONTINUOUS
    return trading and best(ex, contract_idx, side, limit, False) is not None


def may_meet(ex: Exchange, taker: Order) -> bool:
    contract = ex.contracts[taker.contract_idx]
    if contract.state != TradingState.CONTINUOUS or taker.tif == Tif.FOK:
        return False
    joined = [ex.contracts[idx] for idx, _ in members(ex, taker.contract_idx)]
    return contract.implied or any(one.implied and any(one.book) for one in joined)


# Self-trades and reduce-only


def newer(one: Order, other: Order) -> Order:
    return max(one, other, key=lambda order: order.order_id)


def prevented(combined: Order, rests: bool, maker: Order) -> bool:
    if maker.account_idx != combined.account_idx:
        return False
    decides = newer(combined, maker) if rests else combined
    return decides.stp != Stp.NONE


def prevent_between(ex: Exchange, log: Log, one: Order, other: Order) -> None:
    """Do what the mode of the newer of two resting orders says to both."""
    late = newer(one, other)
    early = other if late is one else one
    if late.stp == Stp.DECREMENT:
        lots = min(one.leaves_lots, other.leaves_lots)
        for order in (early, late):
            lose(ex, log, order, lots)
        return
    if late.stp in (Stp.CANCEL_OLDEST, Stp.CANCEL_BOTH):
        lose(ex, log, early, early.leaves_lots)
    if late.stp in (Stp.CANCEL_NEWEST, Stp.CANCEL_BOTH):
        lose(ex, log, late, late.leaves_lots)


def lose(ex: Exchange, log: Log, order: Order, lots: int) -> None:
    order.leaves_lots -= lots
    order.shown_lots = min(order.shown_lots, order.leaves_lots)
    if order.leaves_lots == 0:
        book.leave(ex, order)
    said = log.cancelled(order, lots, Code.SELF_TRADE_PREVENTED)
    said["amount_usd_micros"] = order.shown_lots


def lots_of(ex: Exchange, log: Log, offer: Offer, most: int) -> int:
    """Return how much an offer gives; 0 when an order with nothing to reduce was cancelled."""
    lots = [most]
    for maker in offer.makers:
        if maker is None:
            continue
        limit = book.fill_limit(ex, maker)
        if limit == 0:
            book.cancel(ex, log, maker, Code.REDUCE_ONLY_CLIPPED)
            return 0
        lots.append(min(limit, maker.visible_lots))
    return min(lots)


# Trades


def meet(ex: Exchange, log: Log, taker: Order, offer: Offer) -> tuple[int, Code]:
    """Let an order that comes take an offer; return what `book.meet_all` does."""
    own = offer.combined
    if own is not None and taker.stp != Stp.NONE and own.account_idx == taker.account_idx:
        return book.prevent(ex, log, taker, own)
    combined = own or taker
    for maker in offer.makers:
        if maker is not None and prevented(combined, own is not None, maker):
            if own is None:
                return book.prevent(ex, log, taker, maker)
            prevent_between(ex, log, own, maker)
            return 0, Code.OK
    most = taker.leaves_lots if own is None else min(taker.leaves_lots, own.leaves_lots)
    lots = lots_of(ex, log, offer, most)
    if lots:
        fill(ex, log, offer, combined, taker, lots)
    return 0, Code.OK


def fill(
    ex: Exchange, log: Log, offer: Offer, combined: Order, taker: Order | None, lots: int
) -> None:
    """Trade a combination's order with one order of each leg."""
    contract = ex.contracts[offer.combination_idx]
    out = taker is not None and taker is not combined
    price = combined.price_ticks if out else offer.price_ticks
    combined.leaves_lots -= lots
    combined.filled_lots += lots
    log.add(
        EventKind.IMPLIED_TRADE,
        side=combined.side,
        account_idx=combined.account_idx,
        order_id=combined.order_id,
        contract_idx=offer.combination_idx,
        maker_order_id=taker.order_id if taker is not None and out else 0,
        price_ticks=price,
        qty_lots=lots,
        leaves_lots=0 if combined is taker else combined.leaves_lots,
        amount_usd_micros=0 if combined is taker else 1,
    )
    note_price(contract, price)
    for leg, maker in zip(contract.legs, offer.makers, strict=True):
        if maker is not None:
            trade_leg(ex, log, leg, combined, maker, maker.price_ticks, lots)
            rest_on(ex, log, combined, maker, lots)
        else:
            assert taker is not None
            trade_leg(ex, log, leg, combined, taker, offer.price_ticks, lots, comes=True)
    if combined is not taker:
        if combined.flags & Flag.QUOTE:
            quotes.note_fill(ex, combined, lots)
        if combined.leaves_lots == 0:
            book.leave(ex, combined)
    for leg in contract.legs:
        last = leg.contract.last_trade_ticks
        stops.see(ex, log, leg.contract_idx, TriggerBy.LAST, last)


def note_price(contract: Contract, price: int) -> None:
    contract.last_trade_ticks = price
    contract.day_prices.append(price)
    contract.guard.traded = True


def trade_leg(
    ex: Exchange,
    log: Log,
    leg: Leg,
    combined: Order,
    order: Order,
    price: int,
    lots: int,
    comes: bool = False,
) -> None:
    """Book one leg between the combination's order and the leg's."""
    taker, maker = (order, combined) if comes else (combined, order)
    side = leg_side(leg, combined.side)
    order.leaves_lots -= lots
    order.filled_lots += lots
    shown = order.shown_lots - lots or min(order.display_lots, order.leaves_lots)
    iceberg = not comes and order.display_lots and order.leaves_lots
    log.add(
        EventKind.IMPLIED_LEG,
        side=opposite(side) if comes else side,
        account_idx=taker.account_idx,
        order_id=taker.order_id,
        contract_idx=leg.contract_idx,
        maker_order_id=maker.order_id,
        maker_account_idx=maker.account_idx,
        price_ticks=price,
        qty_lots=lots,
        leaves_lots=0 if comes else order.leaves_lots,
        amount_usd_micros=shown if iceberg else 0,
    )
    note_price(leg.contract, price)
    bought = signed(side, lots)
    book.hand_over(ex, combined.account_idx, leg.contract_idx, bought, price)
    book.hand_over(ex, order.account_idx, leg.contract_idx, -bought, price)


def rest_on(ex: Exchange, log: Log, combined: Order, maker: Order, lots: int) -> None:
    """See to what is left of a leg's order, and to those tied to it."""
    if maker.flags & Flag.QUOTE:
        quotes.note_fill(ex, maker, lots)
    book.links.filled(ex, log, maker, combined, lots)
    if maker.leaves_lots == 0:
        book.leave(ex, maker)
    elif maker.display_lots:
        maker.shown_lots -= lots
        if maker.shown_lots == 0:
            maker.shown_lots = min(maker.display_lots, maker.leaves_lots)
            side = ex.contracts[maker.contract_idx].book[maker.side]
            side.remove(maker)
            side.append(maker)
            pegs.wake(ex, maker.contract_idx)


# Behind a command


def wake(ex: Exchange, contract_idx: int) -> None:
    """Have a combination looked at, or all of which a contract is a leg."""
    for idx in (contract_idx, *(idx for idx, _ in members(ex, contract_idx))):
        if ex.contracts[idx].implied:
            ex.implied_waiting.add(idx)
            ex.implied_blocked.discard(idx)


def tick(ex: Exchange) -> None:
    ex.implied_waiting |= ex.implied_blocked
    ex.implied_blocked = set()


def step(ex: Exchange, log: Log) -> None:
    """See to the first combination that waits."""
    idx = min(ex.implied_waiting)
    ex.implied_waiting.remove(idx)
    fills = 0
    for side in (Side.BUY, Side.SELL) if not ex.halted else ():
        while True:
            quotes.end_hits(ex, log)
            queue = book.best_first(ex, idx, side)
            offer = offer_in(ex, idx, side) if queue else None
            if offer is None or not within(side, offer.price_ticks, queue[0].price_ticks):
                break
            if not offer.allowed:
                ex.implied_blocked.add(idx)
                break
            if fills == IMPLIED_FILLS_MAX:
                ex.implied_waiting.add(idx)
                ex.implied_blocked.discard(idx)
                break
            meet_resting(ex, log, queue[0], offer)
            fills += 1


def meet_resting(ex: Exchange, log: Log, combined: Order, offer: Offer) -> None:
    """Let an order of a combination that rests take what the legs offer."""
    for maker in offer.makers:
        if maker is not None and prevented(combined, True, maker):
            prevent_between(ex, log, combined, maker)
            return
    lots = lots_of(ex, log, offer, combined.leaves_lots)
    if lots:
        fill(ex, log, offer, combined, None, lots)


def set_implied(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        log.refuse(cmd, Code.CONTRACT_UNKNOWN)
        return
    contract = ex.contracts[cmd.contract_idx]
    if not contract.legs or cmd.state not in (0, 1):
        log.refuse(cmd, Code.IMPLIED_INVALID)
    elif contract.state == TradingState.EXPIRED:
        log.refuse(cmd, Code.CONTRACT_EXPIRED)
    else:
        contract.implied = cmd.state == 1
        ex.implied_waiting.discard(cmd.contract_idx)
        ex.implied_blocked.discard(cmd.contract_idx)
        wake(ex, cmd.contract_idx)
        log.add(EventKind.IMPLIED_SET, contract_idx=cmd.contract_idx, qty_lots=cmd.state)
