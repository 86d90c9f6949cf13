"""The risk desk: where every account stands, the nearest to its end first.

What positions and resting lots require takes a while to compute, so it is kept until they or the
matrix change; equity and price loss are taken anew each time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from exchange.rules.margin import MarginState, margin_of, price_losses_of
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS
from exchange.rules.standing import equity_usd_micros

PPB: Final = 1_000_000_000
RANKS: Final = {state: rank for rank, state in enumerate(MarginState)}  # the worst is the last


class Required(NamedTuple):
    """What the exposures of an account need: usd micros."""

    initial_usd_micros: int
    fee_reserve_usd_micros: int
    maintenance_usd_micros: int  # of the positions alone
    liquidity_usd_micros: int  # LA
    concentration_usd_micros: int  # CA
    scenario: int | None  # the worst of the matrix, None where nothing is lost
    worst_loss_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRow:
    """One account as the risk desk sees it."""

    account_idx: int
    cash_usd_micros: int
    equity_usd_micros: int
    price_loss_usd_micros: int
    lots: tuple[tuple[int, int], ...]  # by contract_idx, signed, of the open positions
    orders_count: int
    required: Required

    @property
    def free_usd_micros(self) -> int:
        """Return what new risk may use; negative when there is too little."""
        needed = self.required.initial_usd_micros + self.required.fee_reserve_usd_micros
        return self.equity_usd_micros - needed - self.price_loss_usd_micros

    @property
    def state(self) -> MarginState:
        """Return how the account stands."""
        if self.equity_usd_micros < 0:
            return MarginState.BANKRUPT
        if self.equity_usd_micros < self.required.maintenance_usd_micros:
            return MarginState.BELOW_MAINTENANCE
        return MarginState.BELOW_INITIAL if self.free_usd_micros < 0 else MarginState.OK

    @property
    def used_bps(self) -> int | None:
        """Return maintenance as a share of equity; from 10,000 on it is due. None: no equity."""
        if self.equity_usd_micros <= 0:
            return None if self.required.maintenance_usd_micros or self.equity_usd_micros else 0
        return self.required.maintenance_usd_micros * BPS // self.equity_usd_micros

    @property
    def danger(self) -> tuple[int, bool, int, int]:
        """Return what rows are sorted by: the largest is the nearest to its end."""
        need, equity = self.required.maintenance_usd_micros, self.equity_usd_micros
        used_ppb = need * PPB // equity if equity > 0 else 0
        return RANKS[self.state], self.used_bps is None, used_ppb, -self.free_usd_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All accounts together; usd micros."""

    accounts_count: int
    by_state: dict[MarginState, int]
    cash_usd_micros: int
    equity_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    liquidity_usd_micros: int
    concentration_usd_micros: int
    missing_usd_micros: int  # up to the initial margin, of all that are below it


class Desk:
    """Rows of all accounts; what is required of each is computed when its lots change."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Required]] = {}
        self._matrix: object = None

    def rows(self, state: MirrorState) -> Iterator[DeskRow]:
        """Yield the row of each account in the order of their slots."""
        for account_idx in range(len(state.accounts)):
            yield self.row(state, account_idx)

    def row(self, state: MirrorState, account_idx: int) -> DeskRow:
        """Return the row of an account."""
        account = state.accounts[account_idx]
        return DeskRow(
            account_idx=account_idx,
            cash_usd_micros=account.cash_usd_micros,
            equity_usd_micros=equity_usd_micros(state, account_idx),
            price_loss_usd_micros=sum(price_losses_of(state, account_idx).values()),
            lots=tuple(
                (one.contract_idx, one.qty_lots)
                for one in account.positions.values()
                if one.qty_lots
            ),
            orders_count=len(account.orders) + len(account.stops),
            required=self._required(state, account_idx),
        )

    def _required(self, state: MirrorState, account_idx: int) -> Required:
        if state.shocks is not self._matrix:
            self._known, self._matrix = {}, state.shocks
        account = state.accounts[account_idx]
        lots = tuple(
            (one.contract_idx, one.qty_lots, one.buy_lots, one.sell_lots, one.cover_lots)
            for one in account.positions.values()
            if one.qty_lots or one.buy_lots or one.sell_lots
        )
        if not lots:
            return Required(0, 0, 0, 0, 0, None, 0)
        key = (lots, account.level_bps, account.profile)
        known = self._known.get(account_idx)
        if known is None or known[0] != key:
            known = self._known[account_idx] = (key, required_of(state, account_idx))
        return known[1]


def required_of(state: MirrorState, account_idx: int) -> Required:
    """Return what is required of an account, computed from scratch."""
    margin = margin_of(state, account_idx)
    worst = margin.worst_scenarios[0] if margin.worst_scenarios else None
    loss = margin.worst_losses_usd_micros[0] if margin.worst_losses_usd_micros else 0
    return Required(
        initial_usd_micros=margin.initial_usd_micros,
        fee_reserve_usd_micros=margin.fee_reserve_usd_micros,
        maintenance_usd_micros=margin.maintenance_usd_micros,
        liquidity_usd_micros=margin.requirement.liquidity_usd_micros,
        concentration_usd_micros=margin.requirement.concentration_usd_micros,
        scenario=worst if loss > 0 else None,
        worst_loss_usd_micros=max(0, loss),
    )


def by_danger(rows: Iterable[DeskRow]) -> list[DeskRow]:
    """Return rows with the nearest to its end first; ties by slot."""
    return sorted(rows, key=lambda row: (*(-part for part in row.danger), row.account_idx))


def totals_of(rows: Iterable[DeskRow]) -> Totals:
    """Return the sums over accounts."""
    found = list(rows)
    by_state = dict.fromkeys(MarginState, 0)
    for row in found:
        by_state[row.state] += 1
    return Totals(
        accounts_count=len(found),
        by_state=by_state,
        cash_usd_micros=sum(row.cash_usd_micros for row in found),
        equity_usd_micros=sum(row.equity_usd_micros for row in found),
        initial_usd_micros=sum(row.required.initial_usd_micros for row in found),
        maintenance_usd_micros=sum(row.required.maintenance_usd_micros for row in found),
        liquidity_usd_micros=sum(row.required.liquidity_usd_micros for row in found),
        concentration_usd_micros=sum(row.required.concentration_usd_micros for row in found),
        missing_usd_micros=sum(max(0, -row.free_usd_micros) for row in found),
    )
