"""Where an account stands against its requirements, by its positions alone.

Resting orders are left out: liquidation cancels them first.
"""

from dataclasses import dataclass

import numpy as np

from exchange.rules.liquidation import Held, is_due, maintenance_usd_micros
from exchange.rules.margin import exposures_of, requirement_usd_micros, tail_of, without_orders
from exchange.rules.mirror_state import MirrorState
from exchange.rules.requirement import Requirement, requirement_of

Shocks = dict[int, np.ndarray]  # by contract_idx: (SCENARIOS,) i8, profit of one long lot


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an account has, and must have."""

    account_idx: int
    equity_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    losses_usd_micros: tuple[int, ...]  # of its positions, by scenario


def shock_arrays(state: MirrorState) -> Shocks:
    """Return the live shocks, ready to be summed; taken anew when scenarios are swapped."""
    return {
        contract.contract_idx: np.array(state.shocks[contract.contract_idx], np.int64)
        for contract in state.contracts
        if not contract.legs
    }


def equity_usd_micros(state: MirrorState, account_idx: int) -> int:
    """Return cash, the gains not yet settled, and the collateral that is counted."""
    counted = state.accounts[account_idx].collateral.counted_usd_micros
    return settled_usd_micros(state, account_idx) + counted


def settled_usd_micros(state: MirrorState, account_idx: int) -> int:
    """Return cash and the gains not yet settled."""
    account = state.accounts[account_idx]
    return account.cash_usd_micros + account.unsettled_usd_micros


def required_of(state: MirrorState, account_idx: int) -> Requirement:
    """Return the full requirement of the positions alone."""
    exposures = [without_orders(one) for one in exposures_of(state, account_idx)]
    return requirement_of(
        exposures,
        tail_of(state),
        state.accounts[account_idx].level_bps,
        state.accounts[account_idx].profile,
    )


def standing_of(state: MirrorState, account_idx: int) -> Standing:
    """Return where an account stands now."""
    required = required_of(state, account_idx)
    return Standing(
        account_idx=account_idx,
        equity_usd_micros=equity_usd_micros(state, account_idx),
        initial_usd_micros=required.initial_usd_micros,
        maintenance_usd_micros=required.maintenance_usd_micros,
        losses_usd_micros=tuple(required.losses_usd_micros[: state.scenario_count]),
    )


def held_of(state: MirrorState, account_idx: int, shocks: Shocks) -> list[Held]:
    """Return the open positions of an account, as liquidation sees them."""
    found: list[Held] = []
    for position in state.accounts[account_idx].positions.values():
        contract = state.contracts[position.contract_idx]
        if not position.qty_lots or contract.legs:
            continue
        own = shocks[position.contract_idx]
        alone = requirement_usd_micros((-position.qty_lots * own).tolist(), state.worst_count)
        found.append(
            Held(
                contract_idx=position.contract_idx,
                qty_lots=position.qty_lots,
                mark_ticks=contract.mark_ticks,
                tick_value_usd_micros=contract.tick_value_usd_micros,
                maintenance_usd_micros=maintenance_usd_micros(alone),
                shocks_usd_micros=own.tolist(),
            )
        )
    return sorted(found, key=lambda held: held.contract_idx)


class Maintenances:
    """The maintenance requirement of every account, computed anew when its positions change."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, int]] = {}
        self._matrix: object = None

    def due(self, state: MirrorState, first: int = 0, end: int | None = None) -> list[int]:
        """Return the accounts, of `first` to `end`, whose equity is below maintenance."""
        if state.shocks is not self._matrix:
            self._known, self._matrix = {}, state.shocks
        return [
            account.account_idx
            for account in state.accounts[first:end]
            if is_due(
                equity_usd_micros(state, account.account_idx),
                self._of(state, account.account_idx),
            )
        ]

    def _of(self, state: MirrorState, account_idx: int) -> int:
        account = state.accounts[account_idx]
        held = tuple(
            (one.contract_idx, one.qty_lots, one.cover_lots)
            for one in account.positions.values()
            if one.qty_lots
        )
        if not held:
            return 0
        key = (held, account.level_bps, account.profile)
        known = self._known.get(account_idx)
        if known is None or known[0] != key:
            maintenance = required_of(state, account_idx).maintenance_usd_micros
            known = self._known[account_idx] = (key, maintenance)
        return known[1]
