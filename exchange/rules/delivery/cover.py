"""Pledged receipts as cover: how many lots of which contract the capacity behind them covers.

A holder pledges a receipt to the clearing house for one contract, whose hours its window has. Once
that contract has gone on into others, the pledge stands for those, which together have the same
hours: no hour of a GPU ever covers two lots (COLL_122). What counts are GPU-hours to come, without
hours that the grid curtails, nodes whose newest telemetry misses what was promised, and all of an
issuer that was ended.

    lots = 85 % of the GPU-hours that are left in the period / hours that are left in it
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from exchange.rules.cascades import following
from exchange.rules.collateral import PLEDGE_HAIRCUT_BPS
from exchange.rules.contracts import Contract, SymbolError, parse_symbol
from exchange.rules.delivery.deeds import Deed, Refused, unpledged
from exchange.rules.delivery.receipts import NS_PER_HOUR, Change, Receipt
from exchange.rules.index.prints import name_of
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS
from exchange.rules.tenors import (
    calendar_period,
    date_of,
    day_period,
    month_period,
    quarter_period,
)
from matching.codes import TradingState


class Span(NamedTuple):
    """Hours of a hub that an order of the grid takes: the first, and the first after them."""

    hub: str
    start_hour: int
    end_hour: int


class Pledge(NamedTuple):
    """A receipt that is pledged as cover, and how many of its nodes are there."""

    receipt: Receipt
    good_nodes: int


class Place(NamedTuple):
    """A contract as the exchange has it; it is over once its positions have gone on or ended."""

    contract_idx: int
    is_over: bool


Key = tuple[int, int]  # account and contract
Find = Callable[[str], Place | None]  # by symbol, None: not listed
COUNTED_BPS: Final = BPS - PLEDGE_HAIRCUT_BPS


def find_in(mirror: MirrorState) -> Find:
    """Return what finds a contract of an exchange by its symbol."""

    def find(symbol: str) -> Place | None:
        found = mirror.contract(symbol)
        if found is None:
            return None
        return Place(found.contract_idx, found.state == TradingState.EXPIRED)

    return find


def hours_of(contract: Contract) -> tuple[int, int]:
    """Return the first hour of a contract's period since 1970, and the first after it."""
    return contract.delivery_start_ns // NS_PER_HOUR, contract.delivery_end_ns // NS_PER_HOUR


def contract_for(receipt: Receipt, symbol: str, now_hour: int, find: Find) -> str:
    """Return the contract that a receipt is pledged for (COLL_122).

    Args:
        symbol: empty for the one with exactly the receipt's hours.

    Errors:
        Refused: there is no such contract, it is over, or the receipt has not its hours.
    """
    found = _own_contract(receipt, find) if not symbol else _parsed(symbol)
    place = None if found is None else find(found.symbol)
    if found is None or place is None or place.is_over:
        raise Refused("cover_contract", "say which listed contract it is to cover: symbol")
    start, end = hours_of(found)
    left = max(start, now_hour + 1)
    name = name_of(receipt.sku, receipt.hub, receipt.grade)
    if name != found.series.symbol or not receipt.start_hour <= left < end <= receipt.end_hour:
        raise Refused("cover_contract", f"the receipt has not the GPUs and hours of {symbol}")
    return found.symbol


def _parsed(symbol: str) -> Contract | None:
    try:
        return parse_symbol(symbol)
    except SymbolError:
        return None


def _own_contract(receipt: Receipt, find: Find) -> Contract | None:
    """Return the listed contract of exactly a receipt's hours, the longest tenor first."""
    name = name_of(receipt.sku, receipt.hub, receipt.grade)
    for code in _codes_at(receipt.start_hour):
        found = _parsed(f"{name}-{code}")
        if found is not None and hours_of(found) == (receipt.start_hour, receipt.end_hour):
            place = find(found.symbol)
            if place is not None and not place.is_over:
                return found
    return None


def _codes_at(hour: int) -> Iterator[str]:
    """Yield the periods that may begin at an hour."""
    day = date_of(hour * NS_PER_HOUR)
    for period in (calendar_period(day), quarter_period(day), month_period(day), day_period(day)):
        yield period.code


def live(symbol: str, find: Find) -> Iterator[tuple[Contract, int]]:
    """Yield the contracts that a pledge for one stands for now, each with its number."""
    contract = _parsed(symbol)
    place = None if contract is None else find(symbol)
    if contract is None or place is None:
        return
    if not place.is_over:
        yield contract, place.contract_idx
        return
    for child in following(contract):
        yield from live(child.symbol, find)


def covers(
    pledges: Iterable[Pledge], spans: Iterable[Span], find: Find, now_hour: int
) -> dict[Key, int]:
    """Return the lots that are covered, by account and contract; none is left out (COLL_122)."""
    taken = list(spans)
    hours: dict[Key, int] = {}
    left: dict[Key, int] = {}
    for receipt, good_nodes in pledges:
        gpus = good_nodes * receipt.gpus_per_node
        cut = [(one.start_hour, one.end_hour) for one in taken if one.hub == receipt.hub]
        for contract, contract_idx in live(receipt.covers, find):
            start, end = hours_of(contract)
            start = max(start, now_hour)
            key = receipt.holder_idx, contract_idx
            if not receipt.start_hour <= start < end <= receipt.end_hour:
                continue
            hours[key] = hours.get(key, 0) + gpus * (end - start - _lost(cut, start, end))
            left[key] = end - start
    return {key: hours[key] * COUNTED_BPS // (BPS * left[key]) for key in hours}


def _lost(spans: list[tuple[int, int]], start: int, end: int) -> int:
    """Return how many hours of a window are in any of the spans."""
    lost, at = 0, start
    for first, after in sorted(spans):
        first, after = max(first, at), min(after, end)
        if first < after:
            lost += after - first
            at = after
    return lost


class Closed(NamedTuple):
    """A holder of pledges of whom liquidations have ended since it pledged them."""

    holder_idx: int
    liquidation_id: int  # the newest
    paid_usd_micros: int  # by layers that are not its own
    house_idx: int | None  # the account of the house's first layer


def is_short(mirror: MirrorState, holder_idx: int, receipts: Iterable[Receipt]) -> bool:
    """Return whether an account is still short of something that its pledges stand for."""
    find = find_in(mirror)
    return any(
        mirror.position(holder_idx, contract_idx).qty_lots < 0
        for receipt in receipts
        for _, contract_idx in live(receipt.covers, find)
    )


def forfeited(receipts: Iterable[Receipt], paid_usd_micros: int) -> list[tuple[Receipt, bool]]:
    """Say of each pledge of a closed-out holder whether the house keeps it (CDR_019).

    In the order of their ids, whole receipts, until they were worth what others paid when they were
    issued; the rest goes free.
    """
    found, left = [], paid_usd_micros
    for receipt in sorted(receipts, key=lambda one: one.receipt_id):
        found.append((receipt, left > 0))
        left -= receipt.value_usd_micros
    return found


def closed_out(receipt: Receipt, liquidation_id: int, house_idx: int | None) -> Deed:
    """End a pledge because its holder was closed out: it goes free, or to the house (CDR_019)."""
    assert receipt.covers, "it was a cover"
    note, free = f"liquidation {liquidation_id}", unpledged(receipt)
    if house_idx is None:
        return Deed((Change("unpledged", free, note),))
    return Deed((Change("forfeited", replace(free, holder_idx=house_idx), note),))
