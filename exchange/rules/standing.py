"""Where an account stands against its requirements, by its positions alone.

Resting orders are left out: liquidation cancels them first.
"""

from dataclasses import dataclass

import numpy as np

from exchange.rules.liquidation import MAINTENANCE_BPS, Held, maintenance_usd_micros
from exchange.rules.margin import requirement_usd_micros
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS

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
    """Return cash and the gains not yet settled."""
    account = state.accounts[account_idx]
    return account.cash_usd_micros + account.unsettled_usd_micros


def losses_of(state: MirrorState, account_idx: int, shocks: Shocks) -> np.ndarray:
    """Return (SCENARIOS,) i8: what the positions lose in each scenario."""
    losses = np.zeros(state.scenario_count, np.int64)
    for position in state.accounts[account_idx].positions.values():
        if position.qty_lots and position.contract_idx in shocks:
            losses -= position.qty_lots * shocks[position.contract_idx]
    return losses


def standing_of(state: MirrorState, account_idx: int, shocks: Shocks) -> Standing:
    """Return where an account stands now."""
    losses = tuple(losses_of(state, account_idx, shocks).tolist())
    initial = requirement_usd_micros(losses, state.worst_count)
    return Standing(
        account_idx=account_idx,
        equity_usd_micros=equity_usd_micros(state, account_idx),
        initial_usd_micros=initial,
        maintenance_usd_micros=maintenance_usd_micros(initial),
        losses_usd_micros=losses,
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


def due_accounts(state: MirrorState, shocks: Shocks) -> list[int]:
    """Return the accounts whose equity is below maintenance, all at once."""
    count = state.scenario_count
    losses = np.zeros((len(state.accounts), count), np.int64)
    for contract in state.contracts:
        own = shocks.get(contract.contract_idx)
        held = [one for one in contract.positions if one.qty_lots]
        if own is None or not held or count == 0:
            continue
        owners = [one.account_idx for one in held]
        lots = np.array([one.qty_lots for one in held], np.int64)
        losses[owners] -= lots[:, None] * own[None, :]
    equity = np.array(
        [one.cash_usd_micros + one.unsettled_usd_micros for one in state.accounts], np.int64
    )
    due = equity < maintenance_of(losses, state.worst_count)
    found: list[int] = np.flatnonzero(due).tolist()
    return found


def maintenance_of(losses: np.ndarray, worst_count: int) -> np.ndarray:
    """Return (ACCOUNTS,) i8: the maintenance requirements of (ACCOUNTS, SCENARIOS) losses."""
    if losses.shape[1] == 0 or worst_count == 0:
        return np.zeros(len(losses), np.int64)
    first = losses.shape[1] - worst_count
    worst = np.partition(losses, first, axis=1)[:, first:].sum(axis=1)
    initial = np.maximum(0, -(-worst // worst_count))
    maintenance: np.ndarray = -(-initial * MAINTENANCE_BPS // BPS)
    return maintenance
