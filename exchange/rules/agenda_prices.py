"""What a contract is worth by mirror and tape: where its mark goes, and its settlement price."""

from typing import Final

from exchange.rules.contracts import Contract
from exchange.rules.records import Contract as ListedContract
from exchange.rules.settlement import (
    PRICE_LIMITS,
    PriceLimit,
    Quoted,
    Traded,
    day_limit_bps,
    mark_price,
    mid_ticks,
    settlement_price,
    within_day_ticks,
)
from exchange.rules.tape import Tape
from matching.codes import Side

_NOTHING_TRADED: Final = Traded(0, 0, 0)


def settlement_ticks(
    listed: ListedContract, contract: Contract, tape: Tape, due_ns: int, closing_from_ns: int
) -> int:
    """Return the settlement price of a contract.

    Args:
        due_ns: the moment it is settled for.
        closing_from_ns: a closing call that ended before is of another settlement.
    """
    closing_ticks = 0
    held = tape.closing(listed.contract_idx)
    if held is not None and held.ts_ns >= closing_from_ns:
        closing_ticks = held.price_ticks
    quoted = depth_quoted(listed, contract)
    traded = tape.window(listed.contract_idx, due_ns)
    price = settlement_price(quoted, traded, listed.mark_ticks, closing_ticks)
    return _within_day(listed, contract, price.ticks)


def market_ticks(listed: ListedContract, contract: Contract, tape: Tape, now_ns: int) -> int:
    """Return where a contract's mark is on its way to."""
    quoted = depth_quoted(listed, contract)
    traded = _NOTHING_TRADED
    if not mid_ticks(quoted):  # else nobody asks what traded
        traded = tape.window(listed.contract_idx, now_ns)
    price = mark_price(quoted, traded, listed.mark_ticks)
    return _within_day(listed, contract, price.ticks)


def depth_quoted(listed: ListedContract, contract: Contract) -> Quoted:
    """Return the book at the depth that a settlement asks for."""
    return _quoted(listed, contract, PRICE_LIMITS[0])


def _quoted(listed: ListedContract, contract: Contract, limit: PriceLimit) -> Quoted:
    """Return the book at the depth of a row of limits."""
    lots = -(-limit.depth_gpu_hours // contract.lot_gpu_hours)
    bids, asks = listed.books[Side.BUY], listed.books[Side.SELL]
    return Quoted(bids.reach_ticks(lots), asks.reach_ticks(lots))


def _within_day(listed: ListedContract, contract: Contract, price_ticks: int) -> int:
    """Return a price held to what the depth of the book allows in a day."""
    if price_ticks == listed.mark_ticks:  # as most are: always allowed
        return price_ticks
    day_bps = day_limit_bps([_quoted(listed, contract, limit) for limit in PRICE_LIMITS])
    return within_day_ticks(price_ticks, listed.settle_ticks, listed.mark_ticks, day_bps)
