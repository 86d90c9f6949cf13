"""May this order enter the market now? One answer, asked by PLACE and AMEND."""

from dataclasses import dataclass, replace

from matching.codes import AccountState, Code, Flag, OrderType, Side, Tif, TradingState
from matching.limits import (
    GROSS_TICK_VALUE_MAX,
    MONEY_USD_MICROS_MAX,
    POSITION_LOTS_MAX,
    PRICE_BITS_DEFAULT,
)
from tests.oracle import book, combinations, implied, pegs, risk
from tests.oracle.state import Exchange

NOT_TRADING = {
    TradingState.PRE_OPEN: Code.CONTRACT_NOT_OPEN,
    TradingState.HALT: Code.CONTRACT_HALTED,
    TradingState.EXPIRED: Code.CONTRACT_EXPIRED,
}


@dataclass(frozen=True)
class Entry:
    """An order as it wants to enter; `wish` is what risk sees of it."""

    wish: risk.Wish
    order_type: int
    tif: int
    flags: int
    min_lots: int = 0
    peg: int = 0
    offset_ticks: int = 0


def judge(ex: Exchange, entry: Entry) -> tuple[int, Entry]:
    """Return the code, and the entry with its limit price and clipped quantity."""
    code = judge_states(ex, entry)
    if code != Code.OK:
        return code, entry
    code, entry = judge_price(ex, entry)
    if code != Code.OK:
        return code, entry
    return clip(ex, entry)


def not_trading(ex: Exchange, contract_idx: int) -> int:
    """Return why a contract takes no orders at all, OK if it takes some."""
    contract = ex.contracts[contract_idx]
    if contract.state == TradingState.HALT and contract.ended:
        return Code.TRADING_ENDED
    return NOT_TRADING.get(TradingState(contract.state), Code.OK)


def is_close_only(ex: Exchange, contract_idx: int) -> bool:
    """Say whether a contract only takes what reduces, now or behind its call."""
    contract = ex.contracts[contract_idx]
    in_call = contract.state == TradingState.AUCTION
    return (contract.call.after if in_call else contract.state) == TradingState.CLOSE_ONLY


def judge_states(ex: Exchange, entry: Entry) -> int:
    wish = entry.wish
    if ex.halted:
        return Code.EXCHANGE_HALTED
    state = ex.contracts[wish.contract_idx].state
    if code := not_trading(ex, wish.contract_idx):
        return code
    if state == TradingState.AUCTION:
        if entry.tif in (Tif.IOC, Tif.FOK, Tif.GFN) or entry.min_lots:
            return Code.TIF_NOT_ALLOWED
        if entry.order_type not in (OrderType.LIMIT, OrderType.MARKET):
            return Code.TIF_NOT_ALLOWED
    elif entry.tif == Tif.GFA:
        return Code.TIF_NOT_ALLOWED
    if any(
        leg.contract.state != TradingState.CONTINUOUS
        for leg in ex.contracts[wish.contract_idx].legs
    ):
        return Code.LEG_NOT_TRADING
    if is_close_only(ex, wish.contract_idx) and not risk.reduces(ex, wish):
        return Code.CONTRACT_CLOSE_ONLY
    account = ex.accounts[wish.account_idx]
    if account.state == AccountState.REDUCE_ONLY and not risk.reduces(ex, wish):
        return Code.ACCOUNT_REDUCE_ONLY
    return Code.OK


def judge_price(ex: Exchange, entry: Entry) -> tuple[int, Entry]:
    """Check the band; a market order is limited to the band's edge."""
    wish = entry.wish
    low, high = ex.band(ex.contracts[wish.contract_idx])
    if entry.order_type == OrderType.MARKET:
        edge = market_limit(ex, wish, low, high)
        if entry.tif == Tif.GFA:
            low, high = ex.contracts[wish.contract_idx].call.edges
            edge = high if wish.side == Side.BUY else low
        entry = replace(entry, wish=replace(wish, price_ticks=edge))
    elif entry.order_type == OrderType.MARKET_TO_LIMIT:
        opposite = book.best_first(ex, wish.contract_idx, 1 - wish.side)
        if not opposite:
            return Code.NO_OPPOSITE_PRICE, entry
        entry = replace(entry, wish=replace(wish, price_ticks=opposite[0].price_ticks))
    elif entry.order_type == OrderType.PEGGED and wish.price_ticks == 0:
        found = pegs.entry_price(ex, wish.contract_idx, wish.side, entry.peg, entry.offset_ticks)
        if found is None:
            return Code.NO_REFERENCE_PRICE, entry
        entry = replace(entry, wish=replace(wish, price_ticks=found))
    wish = entry.wish
    if outside(wish.side, wish.price_ticks, low, high):
        return Code.PRICE_OUT_OF_BAND, entry
    if entry.flags & Flag.POST_ONLY and would_trade(ex, entry.wish):
        return Code.POST_ONLY_WOULD_TRADE, entry
    return Code.OK, entry


def market_limit(ex: Exchange, wish: risk.Wish, low: int, high: int) -> int:
    """Return the price at which a market order stops: protection, or at the latest the band."""
    protection_bps = ex.contracts[wish.contract_idx].protection_bps
    opposite = book.best_first(ex, wish.contract_idx, 1 - wish.side)
    if protection_bps and opposite:
        best = opposite[0].price_ticks
        width = best * protection_bps // 10_000
        low, high = max(low, best - width), min(high, best + width)
    return high if wish.side == Side.BUY else low


def outside(side: int, price_ticks: int, low: int, high: int) -> bool:
    """Return whether a limit is on the aggressive side of the band."""
    return price_ticks > high if side == Side.BUY else price_ticks < low


def would_trade(ex: Exchange, wish: risk.Wish) -> bool:
    if book.met(ex, wish.contract_idx, wish.side, wish.price_ticks):
        return True
    return implied.would_trade(ex, wish.contract_idx, wish.side, wish.price_ticks)


def clip(ex: Exchange, entry: Entry) -> tuple[int, Entry]:
    """Clip a reduce-only order to its position."""
    wish = entry.wish
    if entry.flags & Flag.REDUCE_ONLY:
        lots = ex.lots(wish.account_idx, wish.contract_idx)
        if lots == 0 or (lots > 0) == (wish.side == Side.BUY):
            return Code.REDUCE_ONLY_WOULD_INCREASE, entry
        wish = replace(wish, qty_lots=min(wish.qty_lots, abs(lots)))
        entry = replace(entry, wish=wish)
    return Code.OK, entry


def judge_risk(ex: Exchange, wish: risk.Wish) -> int:
    code = judge_bounds(ex, wish)
    if code == Code.OK and not risk.margin_allows(ex, wish):
        return Code.MARGIN_INSUFFICIENT
    return code


def judge_bounds(ex: Exchange, wish: risk.Wish) -> int:
    account = ex.accounts[wish.account_idx]
    more = wish.qty_lots * ex.contracts[wish.contract_idx].gross_tick_value
    # A wider price domain leaves less room in an int64.
    gross_max = GROSS_TICK_VALUE_MAX >> max(0, ex.capacity.price_bits - PRICE_BITS_DEFAULT)
    if risk.gross_tick_value(ex, wish.account_idx) + more > gross_max:
        return Code.GROSS_LIMIT
    if not combinations.legs_have_room(ex, wish):
        return Code.GROSS_LIMIT
    if risk.lots_at_stake(ex, wish) + wish.qty_lots > POSITION_LOTS_MAX:
        return Code.GROSS_LIMIT
    money = max(abs(account.cash_usd_micros), abs(account.unsettled_usd_micros))
    if money > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    return Code.OK
