"""How much of what can be delivered one owner may hold: limits and accountability (POSL_001-007).

Lots of all of an owner's accounts are netted in cells: a SKU at a hub in a month. A longer period
counts in each of its months, a shorter one in its own; all in GPU-hours, so that a quarter and
its three months are the same. Limits are a part of the GPU-hours that can be delivered.
Sources: CFTC part 150 (a quarter of deliverable supply at most) and exchange accountability levels;
where no supply is known, 17 CFR 150.2(e) and 150.5(b) for non-spot months: a part of open interest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.mirror_state import MirrorState
from exchange.rules.tenors import DAY, month_start

LIMIT_BPS: Final = 1_000  # of what can be delivered
ACCOUNTABLE_BPS: Final = 5_000  # of the limit
BENCHMARK: Final = "GLB"  # no place: what can be delivered anywhere stands for it
YEAR_HOURS: Final = 8_760
MONTH_HOURS_MIN: Final = 28 * 24
MONTH_LOT_HOURS: Final = 720  # GPU-hours of a lot of 30 days: what open interest is counted in
INTEREST_STEP_LOTS: Final = 50_000
INTEREST_FIRST_BPS: Final = 1_000  # of the open interest up to the step
INTEREST_REST_BPS: Final = 250  # of what is above
INTEREST_LEAST_LOTS: Final = 5_000  # however little is open
HEDGER_KIND: Final = "neocloud"
_ALL: Final = 10_000


class Cell(NamedTuple):
    """A SKU at a hub in a month, by its first day."""

    sku: str
    hub: str
    month: date


class Level(StrEnum):
    """How a holding stands to its limit; each is worse than the one before."""

    OK = "ok"
    ACCOUNTABLE = "accountable"  # half of the limit: reported
    BEYOND = "beyond"  # nothing may be opened


@dataclass(frozen=True, slots=True)
class Supply:
    """GPUs that can deliver, by SKU and hub: registered by accounts, and measured of others."""

    registered: Mapping[tuple[int, str, str], int] = field(default_factory=dict)  # by account too
    measured: Mapping[tuple[str, str], int] = field(default_factory=dict)
    by_interest: Mapping[str, int] = field(default_factory=dict)  # limits in GPU-hours (POSL_007)

    def gpus(self, sku: str, hub: str) -> int:
        """Return how many GPUs can deliver at a hub; those of the benchmark are those of all."""
        if hub == BENCHMARK:
            return self.gpus_of(sku)
        own = sum(n for (_, *place), n in self.registered.items() if place == [sku, hub])
        return own + self.measured.get((sku, hub), 0)

    def gpus_of(self, sku: str) -> int:
        """Return how many GPUs of a model can deliver at all hubs together."""
        own = sum(n for (_, model, _), n in self.registered.items() if model == sku)
        return own + sum(n for (model, _), n in self.measured.items() if model == sku)

    def skus(self) -> frozenset[str]:
        """Return the models that have a limit."""
        return self.known() | self.by_interest.keys()

    def known(self) -> frozenset[str]:
        """Return the models of which somebody said what can be delivered."""
        return frozenset(key[1] for key in self.registered) | {key[0] for key in self.measured}


class Holding(NamedTuple):
    """What an owner holds within a scope, and what it may."""

    scope: str  # H100-USE-2027M03, H100-2027M03 over all hubs, H100 over all months
    long: bool  # whether the larger side is long
    used_gpu_hours: int
    limit_gpu_hours: int

    @property
    def accountable_gpu_hours(self) -> int:
        """Return from where on it is reported (POSL_003)."""
        return self.limit_gpu_hours * ACCOUNTABLE_BPS // _ALL

    @property
    def level(self) -> Level:
        """Return how it stands."""
        if self.used_gpu_hours > self.limit_gpu_hours:
            return Level.BEYOND
        if self.used_gpu_hours >= max(1, self.accountable_gpu_hours):
            return Level.ACCOUNTABLE
        return Level.OK


def month_hours(month: date) -> int:
    """Return the hours of a month, by its first day."""
    return (month_start(month, 1) - month) // DAY * 24


@lru_cache(maxsize=4096)
def cells_of(symbol: str) -> tuple[tuple[Cell, int], ...]:
    """Return the cells of a contract with the hours of each that one lot is (POSL_001).

    A combination has none: its legs do.
    """
    try:
        contract = parse_symbol(symbol)
    except SymbolError:
        return ()
    series, period = contract.series, contract.period
    return tuple(
        (Cell(series.sku.short, series.hub.symbol, month), hours)
        for month, hours in _months(period.start, period.end)
    )


def _months(start: date, end: date) -> Iterator[tuple[date, int]]:
    month = month_start(start)
    while month < end:
        after = month_start(month, 1)
        yield month, (min(end, after) - max(start, month)) // DAY * 24
        month = after


@lru_cache(maxsize=4096)
def hours_of(symbol: str) -> int:
    """Return the GPU-hours of one lot in all its cells."""
    return sum(hours for _, hours in cells_of(symbol))


def least_accountable(supply: Supply) -> int:
    """Return GPU-hours of which less, in all contracts and on both sides, is never accountable."""
    places = {key[1:] for key in supply.registered} | set(supply.measured)
    limits = [supply.gpus(sku, hub) * MONTH_HOURS_MIN * LIMIT_BPS // _ALL for sku, hub in places]
    limits += supply.by_interest.values()
    return min(limits, default=0) * ACCOUNTABLE_BPS // _ALL


def open_interest_limit_lots(open_interest_lots: int) -> int:
    """Return the limit of one owner over all months, by what is open of them (POSL_007)."""
    first = min(open_interest_lots, INTEREST_STEP_LOTS)
    rest = open_interest_lots - first
    limit = (first * INTEREST_FIRST_BPS + rest * INTEREST_REST_BPS) // _ALL
    return max(INTEREST_LEAST_LOTS, limit)


def with_interest(supply: Supply, state: MirrorState) -> Supply:
    """Return what limits are made of, with open interest where nobody knows what can deliver."""
    known, hours = supply.known(), dict[str, int]()
    for contract in state.contracts:
        for cell, lot_hours in cells_of(contract.symbol):
            if cell.sku not in known:
                more = contract.open_interest_lots * lot_hours
                hours[cell.sku] = hours.get(cell.sku, 0) + more
    limits = {
        sku: open_interest_limit_lots(gpu_hours // MONTH_LOT_HOURS) * MONTH_LOT_HOURS
        for sku, gpu_hours in hours.items()
    }
    return replace(supply, by_interest=limits)


def is_small(state: MirrorState, accounts: Iterable[int], least_gpu_hours: int) -> bool:
    """Say whether all that accounts hold is too little to be looked at closely."""
    contracts, gross = state.contracts, 0
    for account_idx in accounts:
        if account_idx >= len(state.accounts):
            continue
        for position in state.accounts[account_idx].positions.values():
            if position.qty_lots:
                lot = hours_of(contracts[position.contract_idx].symbol)
                gross += abs(position.qty_lots) * lot
    return gross < least_gpu_hours


def net_of(state: MirrorState, accounts: Iterable[int], skus: frozenset[str]) -> dict[Cell, int]:
    """Return what accounts hold together, in GPU-hours by cell, of these models."""
    found: dict[Cell, int] = {}
    for account_idx in accounts:
        for position in state.accounts[account_idx].positions.values():
            if position.qty_lots == 0:
                continue
            for cell, hours in cells_of(state.contracts[position.contract_idx].symbol):
                if cell.sku in skus:
                    found[cell] = found.get(cell, 0) + position.qty_lots * hours
    return found


def hedged(net: Mapping[Cell, int], own: Mapping[tuple[str, str], int]) -> dict[Cell, int]:
    """Return a holding without what its owner sells of capacity of its own (POSL_004).

    Args:
        own: GPUs by SKU and hub that the owner has registered as a NeoCloud.
    """
    return {
        cell: net_hours if net_hours >= 0
        else min(0, net_hours + own.get((cell.sku, cell.hub), 0) * month_hours(cell.month))
        for cell, net_hours in net.items()
    }  # fmt: skip


def holdings_of(net: Mapping[Cell, int], supply: Supply) -> list[Holding]:
    """Return what an owner holds in every scope that has a limit (POSL_002, POSL_007)."""
    scopes: dict[str, list[int]] = {}
    limits: dict[str, int] = {}
    for cell, hours in net.items():
        month = f"{cell.month:%YM%m}"
        at_hub = supply.gpus(cell.sku, cell.hub) * month_hours(cell.month)
        anywhere = supply.gpus_of(cell.sku)
        for scope, deliverable in (
            (f"{cell.sku}-{cell.hub}-{month}", at_hub),
            (f"{cell.sku}-{month}", anywhere * month_hours(cell.month)),
            (cell.sku, anywhere * YEAR_HOURS),
        ):
            if deliverable:
                scopes.setdefault(scope, []).append(hours)
                limits[scope] = deliverable * LIMIT_BPS // _ALL
        if cell.sku in supply.by_interest:
            scopes.setdefault(cell.sku, []).append(hours)
            limits[cell.sku] = supply.by_interest[cell.sku]
    return [_holding(scope, limits[scope], parts) for scope, parts in sorted(scopes.items())]


def _holding(scope: str, limit: int, parts: list[int]) -> Holding:
    """Return the larger side of a scope: what is long in one month hedges no other."""
    longs = sum(hours for hours in parts if hours > 0)
    shorts = -sum(hours for hours in parts if hours < 0)
    return Holding(scope, longs >= shorts, max(longs, shorts), limit)


class Owners(NamedTuple):
    """Which accounts are one owner's; an account that is nobody's sub-account owns itself."""

    owner_of: Mapping[int, int]
    kinds: Mapping[int, str]

    def accounts(self, owner_idx: int) -> list[int]:
        """Return an owner's account and its sub-accounts."""
        subs = [idx for idx, owner in self.owner_of.items() if owner == owner_idx != idx]
        return sorted({owner_idx, *subs})

    def head(self, account_idx: int) -> int:
        """Return whose an account is."""
        return self.owner_of.get(account_idx, account_idx)


def own_capacity(
    supply: Supply, owners: Owners, accounts: Iterable[int]
) -> dict[tuple[str, str], int]:
    """Return the GPUs that an owner's NeoClouds have registered, by SKU and hub."""
    hedgers = {idx for idx in accounts if owners.kinds.get(idx) == HEDGER_KIND}
    found: dict[tuple[str, str], int] = {}
    for (account_idx, sku, hub), gpus in supply.registered.items():
        if account_idx in hedgers:
            found[sku, hub] = found.get((sku, hub), 0) + gpus
    return found


def owner_holdings(
    state: MirrorState, owners: Owners, supply: Supply, owner_idx: int
) -> list[Holding]:
    """Return what one owner holds in all its accounts, scope by scope."""
    accounts = [idx for idx in owners.accounts(owner_idx) if idx < len(state.accounts)]
    net = net_of(state, accounts, supply.skus())
    if not net:
        return []
    return holdings_of(hedged(net, own_capacity(supply, owners, accounts)), supply)
