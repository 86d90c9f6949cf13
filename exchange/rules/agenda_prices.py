"""What a contract is worth by mirror and tape: where its mark goes, and its settlement price."""

from collections.abc import Iterable, Iterator
from typing import Final

from exchange.rules.calendar import settlement_ns
from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.money import div_half_even
from exchange.rules.records import Contract as ListedContract
from exchange.rules.sessions import CallTimes, is_closing
from exchange.rules.settlement import (
    PRICE_LIMITS,
    PriceLimit,
    Quoted,
    Traded,
    day_limit_bps,
    mark_price,
    mid_ticks,
    within_day_ticks,
)
from exchange.rules.settlement_run import Evidence, SettlementRun, Spread
from exchange.rules.tape import Tape
from exchange.rules.tenors import DAY, Tenor, date_of
from matching.codes import Side

_NOTHING_TRADED: Final = Traded(0, 0, 0)


def last_settlement_ns(now_ns: int) -> int:
    """Return the moment of the newest daily settlement that is due."""
    today_ns = settlement_ns(date_of(now_ns))
    return today_ns if today_ns <= now_ns else settlement_ns(date_of(now_ns) - DAY)


def due_ns(contract: ListedContract, now_ns: int) -> int:
    """Return when a contract was due to be settled last: daily, or at the end of trading."""
    ended_ns = contract.last_trade_ns if 0 < contract.last_trade_ns <= now_ns else 0
    return max(last_settlement_ns(now_ns), ended_ns)


def run_due(
    pairs: Iterable[tuple[ListedContract, Contract]],
    tape: Tape,
    times: CallTimes,
    seen_ns: int,
    now_ns: int,
) -> SettlementRun | None:
    """Return what settles the contracts that are due and not settled; None if all are.

    Nobody is settled while a closing call of one of them goes on: it ends in moments, and the
    prices of all belong together.

    Args:
        seen_ns: the time of the last command there was.
    """
    living = [
        (listed, contract, due_ns(listed, now_ns))
        for listed, contract in pairs
        if not listed.delivery.phase
    ]
    due = [row for row in living if tape.settled_ns(row[0].contract_idx) < row[2]]
    if not due or any(is_closing(listed, times, seen_ns) for listed, _, _ in due):
        return None
    late = {listed.contract_idx for listed, _, _ in due}
    return SettlementRun(
        max(at_ns for _, _, at_ns in due),
        tuple(
            settlement_evidence(
                listed, contract, tape, at_ns, times.closing_begins_ns(at_ns),
                settled=listed.contract_idx not in late,
            )
            for listed, contract, at_ns in living
        ),
    )  # fmt: skip


def settlement_evidence(
    listed: ListedContract,
    contract: Contract,
    tape: Tape,
    due_ns: int,
    closing_from_ns: int,
    *,
    settled: bool = False,
) -> Evidence:
    """Return what there is to settle a contract by.

    Args:
        due_ns: the moment it is settled for.
        closing_from_ns: a closing call that ended before is of another settlement.
        settled: it has its price of this moment already, and others are settled beside it.
    """
    closing_ticks = 0
    held = tape.closing(listed.contract_idx)
    if held is not None and held.ts_ns >= closing_from_ns:
        closing_ticks = held.price_ticks
    quoted = [_quoted(listed, contract, limit) for limit in PRICE_LIMITS]
    traded = tape.window(listed.contract_idx, due_ns)
    return Evidence(
        contract_idx=listed.contract_idx,
        symbol=contract.symbol,
        settle_ticks=listed.settle_ticks,
        mark_ticks=listed.mark_ticks,
        bid_ticks=quoted[0].bid_ticks,
        ask_ticks=quoted[0].ask_ticks,
        day_bps=day_limit_bps(quoted),
        lots=traded.lots,
        tick_lots=traded.tick_lots,
        closing_ticks=closing_ticks,
        settled=settled,
        spreads=() if settled else tuple(_spreads(listed, contract, tape, due_ns)),
    )


def _spreads(
    listed: ListedContract, contract: Contract, tape: Tape, due_ns: int
) -> Iterator[Spread]:
    """Yield the calendar spreads that traded and of which this month is the far one."""
    if contract.period.tenor is not Tenor.MONTH:
        return
    for one in listed.combinations:
        if len(one.legs) != 2 or one.legs[1] != (listed, -1):
            continue
        near = parse_symbol(one.legs[0][0].symbol)
        if near.series != contract.series or near.period.tenor is not Tenor.MONTH:
            continue
        traded = tape.window(one.contract_idx, due_ns)
        if traded.lots:
            start, end = near.period.start, contract.period.start
            yield Spread(
                near_idx=one.legs[0][0].contract_idx,
                spread_ticks=one.shown(div_half_even(traded.tick_lots, traded.lots)),
                lots=traded.lots,
                months=(end.year - start.year) * 12 + end.month - start.month,
            )


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
