"""Combinations: contracts that trade into legs."""

from collections.abc import Sequence

from matching.codes import Code, EventKind, Flag, OrderType, Side, TradingState
from matching.limits import (
    COMBINATION_LOTS_MAX,
    COMBINATIONS_PER_LEG_MAX,
    POSITION_LOTS_MAX,
    QTY_LOTS_MAX,
    TICK_VALUE_USD_MICROS_MAX,
)
from tests.oracle import book, risk
from tests.oracle.events import Log
from tests.oracle.state import Command, Contract, Exchange, Leg, Order, opposite, signed

STATES = (
    TradingState.PRE_OPEN,
    TradingState.CONTINUOUS,
    TradingState.HALT,
    TradingState.EXPIRED,
)


def named(cmd: Command) -> list[int]:
    """Return the legs as a listing names them: signed index plus one, up to the first zero."""
    found: list[int] = []
    for word in (cmd.price_ticks, cmd.amount_usd_micros, cmd.expires_ns):
        raw = word.to_bytes(8, "little", signed=True)
        found += [int.from_bytes(raw[i : i + 2], "little", signed=True) for i in (0, 2, 4, 6)]
    return found[: found.index(0)] if 0 in found else found


def list_combination(ex: Exchange, log: Log, cmd: Command) -> None:
    code, legs = judge_listing(ex, cmd)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    ends = [leg.contract.last_trade_ns for leg in legs if leg.contract.last_trade_ns]
    contract = Contract(
        tick_value_usd_micros=tick_value(legs),
        mark_ticks=0,
        settle_ticks=0,
        band_bps=cmd.order_id,
        qty_max_lots=cmd.qty_lots,
        last_trade_ns=min(ends, default=0),
        symbol=cmd.words,
        state=cmd.state,
        shocks_staged=[0] * ex.capacity.scenarios,
        legs=tuple(legs),
        implied=cmd.ref_id == 1,
        base_ticks=1 << (ex.capacity.price_bits - 1),
    )
    contract.shocks = shocks_of_legs(contract)
    contract.settle_ticks = contract.mark_for(Side.BUY)
    ex.contracts.append(contract)
    log.add(
        EventKind.COMBINATION_LISTED,
        contract_idx=cmd.contract_idx,
        price_ticks=contract.mark_for(Side.BUY),
    )


def judge_listing(ex: Exchange, cmd: Command) -> tuple[int, list[Leg]]:
    count = len(ex.contracts)
    if cmd.contract_idx != count:
        return (Code.CONTRACT_EXISTS if cmd.contract_idx < count else Code.CONTRACT_UNKNOWN), []
    if count == ex.capacity.contracts:
        return Code.CONTRACTS_FULL, []
    names = named(cmd)
    if len(names) < 2:
        return Code.COMBINATION_LEGS_INVALID, []
    legs: list[Leg] = []
    for place, name in enumerate(names):
        code = judge_leg(ex, names, place)
        if code != Code.OK:
            return code, []
        legs.append(Leg(abs(name) - 1, ex.contracts[abs(name) - 1], 1 if name > 0 else -1))
    checks = (
        (tick_value(legs) > TICK_VALUE_USD_MICROS_MAX, Code.TICK_VALUE_INVALID),
        (cmd.qty_lots <= 0, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > QTY_LOTS_MAX, Code.QTY_TOO_LARGE),
        (not 0 <= cmd.order_id <= 10_000, Code.BAND_INVALID),
        (cmd.state not in STATES, Code.STATE_INVALID),
        (cmd.ref_id not in (0, 1), Code.IMPLIED_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK), legs


def judge_leg(ex: Exchange, names: list[int], place: int) -> int:
    idx, is_sold = abs(names[place]) - 1, names[place] < 0
    if idx >= len(ex.contracts) or ex.contracts[idx].legs:
        return Code.COMBINATION_LEGS_INVALID
    if is_sold and not (place == 1 and len(names) == 2):
        return Code.COMBINATION_LEGS_INVALID
    if idx in [abs(name) - 1 for name in names[:place]]:
        return Code.COMBINATION_LEGS_INVALID
    if ex.contracts[idx].state == TradingState.EXPIRED:
        return Code.CONTRACT_EXPIRED
    joined = [one for one in ex.contracts for leg in one.legs if leg.contract_idx == idx]
    if len(joined) == COMBINATIONS_PER_LEG_MAX:
        return Code.LEG_COMBINATIONS_FULL
    return Code.OK


def tick_value(legs: Sequence[Leg]) -> int:
    values = [leg.contract.tick_value_usd_micros for leg in legs]
    return max(values) if legs[1].ratio < 0 else sum(values)


def shocks_of_legs(contract: Contract) -> list[int]:
    rows = [[leg.ratio * shock for shock in leg.contract.shocks] for leg in contract.legs]
    return [sum(column) for column in zip(*rows, strict=True)]


def judge_order(cmd: Command) -> int:
    """Only what a combination's order can be: a limit or market order, and nothing else."""
    plain_type = cmd.order_type in (OrderType.LIMIT, OrderType.MARKET)
    plain_flags = cmd.flags & ~(Flag.POST_ONLY | Flag.REDUCE_ONLY) == 0
    plain_words = cmd.amount_usd_micros == cmd.ref_id == cmd.order_id == 0 and cmd.state in (0, 1)
    if plain_type and plain_flags and plain_words:
        return Code.OK
    return Code.COMBINATION_ORDER_UNUSUAL


def legs_have_room(ex: Exchange, wish: risk.Wish) -> bool:
    legs = ex.contracts[wish.contract_idx].legs
    if not legs:
        return True
    if risk.lots_at_stake(ex, wish) + wish.qty_lots > COMBINATION_LOTS_MAX:
        return False
    return all(
        risk.lots_at_stake(ex, risk.Wish(wish.account_idx, leg.contract_idx, 0, 0, 0))
        + wish.qty_lots
        <= POSITION_LOTS_MAX
        for leg in legs
    )


def leg_prices(contract: Contract, price_ticks: int, highest: int) -> list[int]:
    """Return the price of each leg: together they are the combination's price to the tick."""
    marks = [leg.contract.mark_ticks for leg in contract.legs]
    if contract.is_spread:
        return spread_prices(contract, price_ticks - contract.base_ticks, highest)
    prices: list[int] = []
    for place, mark in enumerate(marks):
        behind = len(marks) - place - 1
        left = price_ticks * len(marks) - sum(prices)
        away = -((sum(marks[place:]) - left) // (behind + 1))
        lowest_ok, highest_ok = left - behind * highest, left - behind
        prices.append(min(max(mark + away, 1, lowest_ok), highest, highest_ok))
    assert sum(prices) == price_ticks * len(marks)
    return prices


def spread_prices(contract: Contract, difference: int, highest: int) -> list[int]:
    first, second = (leg.contract for leg in contract.legs)
    if first.tick_value_usd_micros <= second.tick_value_usd_micros:
        other = min(max(first.mark_ticks - difference, 1), highest)
        return [other + difference, other]
    other = min(max(second.mark_ticks + difference, 1), highest)
    return [other, other - difference]


def trade_legs(ex: Exchange, log: Log, taker: Order, maker: Order, lots: int) -> None:
    contract, highest = ex.contracts[taker.contract_idx], (1 << ex.capacity.price_bits) - 1
    prices = leg_prices(contract, maker.price_ticks, highest)
    assert all(1 <= price <= highest for price in prices)
    for leg, price_ticks in zip(contract.legs, prices, strict=True):
        side = taker.side if leg.ratio > 0 else opposite(taker.side)
        log.add(
            EventKind.LEG_TRADE,
            side=side,
            account_idx=taker.account_idx,
            order_id=taker.order_id,
            contract_idx=leg.contract_idx,
            maker_order_id=maker.order_id,
            maker_account_idx=maker.account_idx,
            price_ticks=price_ticks,
            qty_lots=lots,
        )
        bought = signed(side, lots)
        book.hand_over(ex, taker.account_idx, leg.contract_idx, bought, price_ticks)
        book.hand_over(ex, maker.account_idx, leg.contract_idx, -bought, price_ticks)
