"""The margin of an account from scratch: what the core maintains step by step, summed anew.

`requirement.py` has the formulas. Here they are applied to an account of the mirror, with its price
loss (what resting orders would lose against the mark at once if they filled), and its state is
told: what the rules of calls and liquidation ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from exchange.rules.mirror_state import MirrorState
from exchange.rules.requirement import (
    Exposure,
    Requirement,
    requirement_of,
    scenario_losses,
)
from exchange.rules.tails import (
    Tail,
    mean_usd_micros,
    requirement_usd_micros,
    worst_scenarios,
)
from matching.codes import Side

__all__ = [
    "ContractMargin", "Exposure", "Margin", "MarginState", "call_usd_micros", "exposures_of",
    "margin_of", "margin_state", "price_loss_usd_micros", "price_losses_of",
    "requirement_usd_micros", "scenario_losses", "tail_of", "worst_scenarios",
]  # fmt: skip


class MarginState(StrEnum):
    """How an account stands; each is worse than the one before."""

    OK = "ok"
    BELOW_INITIAL = "below_initial"  # no new risk
    BELOW_MAINTENANCE = "below_maintenance"  # called or liquidated, back to the initial margin
    BANKRUPT = "bankrupt"  # what it has is less than nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractMargin:
    """One contract's part of a requirement."""

    contract_idx: int
    standalone_usd_micros: int  # the requirement if this were all the account had
    worst_loss_usd_micros: int  # mean loss in the account's n worst scenarios, rounded up, >= 0
    price_loss_usd_micros: int
    liquidity_usd_micros: int = 0
    concentration_usd_micros: int = 0
    fee_reserve_usd_micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What an account must have, and has."""

    cash_usd_micros: int
    unsettled_usd_micros: int
    collateral_usd_micros: int  # what is counted of all that is no cash
    price_loss_usd_micros: int
    requirement: Requirement  # positions, and the worst case of the resting orders
    exposures: tuple[Exposure, ...]
    tail: Tail
    worst_scenarios: tuple[int, ...]  # the worst first; ties by number
    worst_losses_usd_micros: tuple[int, ...]
    contracts: tuple[ContractMargin, ...]

    @property
    def equity_usd_micros(self) -> int:
        """Return cash, the gains not yet settled, and the collateral that is counted."""
        return self.cash_usd_micros + self.unsettled_usd_micros + self.collateral_usd_micros

    @property
    def initial_usd_micros(self) -> int:
        """Return IM, the worst case of the resting orders included."""
        return self.requirement.initial_usd_micros

    @property
    def fee_reserve_usd_micros(self) -> int:
        """Return what fills of the resting orders would pay."""
        return self.requirement.fee_reserve_usd_micros

    @property
    def maintenance_usd_micros(self) -> int:
        """Return MM of the positions alone: orders are cancelled before anything is closed."""
        held = [without_orders(one) for one in self.exposures]
        need = self.requirement
        alone = requirement_of(held, self.tail, need.level_bps, need.profile)
        return alone.maintenance_usd_micros

    @property
    def free_usd_micros(self) -> int:
        """Return what new risk may use; negative when there is too little."""
        needed = self.requirement.required_usd_micros + self.price_loss_usd_micros
        return self.equity_usd_micros - needed

    @property
    def state(self) -> MarginState:
        """Return how the account stands."""
        if self.equity_usd_micros < 0:
            return MarginState.BANKRUPT
        if self.equity_usd_micros < self.maintenance_usd_micros:
            return MarginState.BELOW_MAINTENANCE
        if self.free_usd_micros < 0:
            return MarginState.BELOW_INITIAL
        return MarginState.OK

    @property
    def free_cash_usd_micros(self) -> int:
        """Return what may leave as cash: collateral counted beside it frees none."""
        return min(self.cash_usd_micros, self.free_usd_micros - self.collateral_usd_micros)


def call_usd_micros(equity: int, initial: int, maintenance: int) -> int:
    """Return what is called: nothing at maintenance or above, else all up to the initial margin.

    Source: Hull, "Options, Futures, and Other Derivatives", the operation of margin accounts.
    """
    return initial - equity if equity < maintenance else 0


def price_loss_usd_micros(
    side: int, price_ticks: int, mark_ticks: int, tick_value_usd_micros: int, qty_lots: int
) -> int:
    """Return what lots filled at a price would lose against the mark, never below zero."""
    worse_ticks = price_ticks - mark_ticks if side == Side.BUY else mark_ticks - price_ticks
    return max(0, worse_ticks) * tick_value_usd_micros * qty_lots


def tail_of(state: MirrorState) -> Tail:
    """Return how the live matrix is read."""
    return Tail(
        state.scenario_count, state.worst_count, state.stress_count, state.floor_count,
        state.kept_bps,
    )  # fmt: skip


def exposures_of(state: MirrorState, account_idx: int) -> list[Exposure]:
    """Return what an account has, contract by contract, with what its combinations may add."""
    positions = state.accounts[account_idx].positions
    linked = _linked_lots(state, account_idx)
    return [
        Exposure(
            contract_idx=position.contract_idx,
            qty_lots=position.qty_lots,
            buy_lots=position.buy_lots,
            sell_lots=position.sell_lots,
            shocks_usd_micros=state.shocks[position.contract_idx],
            combined=bool(state.contracts[position.contract_idx].legs),
            linked_buy_lots=linked.get(position.contract_idx, (0, 0))[0],
            linked_sell_lots=linked.get(position.contract_idx, (0, 0))[1],
            addon=state.addons[position.contract_idx],
            tick_value_usd_micros=state.contracts[position.contract_idx].tick_value_usd_micros,
            cover_lots=position.cover_lots,
            joint_usd_micros=state.joints[position.contract_idx],
        )
        for position in positions.values()
        if position.qty_lots
        or position.buy_lots
        or position.sell_lots
        or position.contract_idx in linked
    ]


def _linked_lots(state: MirrorState, account_idx: int) -> dict[int, tuple[int, int]]:
    """Return what resting orders of combinations may buy and sell of each leg."""
    linked: dict[int, tuple[int, int]] = {}
    for position in state.accounts[account_idx].positions.values():
        if not (position.buy_lots or position.sell_lots):
            continue
        for leg, ratio in state.contracts[position.contract_idx].legs:
            lots = (position.buy_lots, position.sell_lots)
            buys, sells = lots if ratio > 0 else lots[::-1]
            have = linked.get(leg.contract_idx, (0, 0))
            linked[leg.contract_idx] = (have[0] + buys, have[1] + sells)
    return linked


def price_losses_of(state: MirrorState, account_idx: int) -> dict[int, int]:
    """Return the price loss of an account's resting orders by contract."""
    losses: dict[int, int] = {}
    for order in state.accounts[account_idx].orders.values():
        contract = state.contracts[order.contract_idx]
        losses[order.contract_idx] = losses.get(order.contract_idx, 0) + price_loss_usd_micros(
            order.side,
            order.price_ticks,
            contract.mark_for(order.side),
            contract.tick_value_usd_micros,
            order.leaves_lots,
        )
    return losses


def margin_of(state: MirrorState, account_idx: int) -> Margin:
    """Return the requirement of an account with its parts, computed from scratch."""
    account = state.accounts[account_idx]
    return margin_from(
        exposures_of(state, account_idx),
        tail_of(state),
        price_losses_of(state, account_idx),
        cash_usd_micros=account.cash_usd_micros,
        unsettled_usd_micros=account.unsettled_usd_micros,
        collateral_usd_micros=account.collateral.counted_usd_micros,
        level_bps=account.level_bps,
        profile=account.profile,
    )


def margin_from(
    exposures: Sequence[Exposure],
    tail: Tail,
    price_losses: dict[int, int],
    *,
    cash_usd_micros: int,
    unsettled_usd_micros: int,
    collateral_usd_micros: int = 0,
    level_bps: int,
    profile: int = 0,
) -> Margin:
    """Return the margin of exposures, whoever has them."""
    requirement = requirement_of(exposures, tail, level_bps, profile)
    losses = requirement.losses_usd_micros
    worst = worst_scenarios(losses, tail.worst_count)
    return Margin(
        cash_usd_micros=cash_usd_micros,
        unsettled_usd_micros=unsettled_usd_micros,
        collateral_usd_micros=collateral_usd_micros,
        price_loss_usd_micros=sum(price_losses.values()),
        requirement=requirement,
        exposures=tuple(exposures),
        tail=tail,
        worst_scenarios=worst,
        worst_losses_usd_micros=tuple(losses[scenario] for scenario in worst),
        contracts=_contract_margins(exposures, requirement, worst, price_losses),
    )


def without_orders(exposure: Exposure) -> Exposure:
    """Return the position alone."""
    return replace(exposure, buy_lots=0, sell_lots=0, linked_buy_lots=0, linked_sell_lots=0)


def _contract_margins(
    exposures: Sequence[Exposure],
    requirement: Requirement,
    worst: Sequence[int],
    price_losses: dict[int, int],
) -> tuple[ContractMargin, ...]:
    parts = {part.contract_idx: part for part in requirement.parts}
    found = []
    for exposure in exposures:
        part = parts.get(exposure.contract_idx)
        own = [exposure.loss_usd_micros(scenario) for scenario in worst]
        found.append(
            ContractMargin(
                contract_idx=exposure.contract_idx,
                standalone_usd_micros=part.standalone_usd_micros if part else 0,
                worst_loss_usd_micros=mean_usd_micros(own),
                price_loss_usd_micros=price_losses.get(exposure.contract_idx, 0),
                liquidity_usd_micros=part.liquidity_usd_micros if part else 0,
                concentration_usd_micros=part.concentration_usd_micros if part else 0,
                fee_reserve_usd_micros=part.fee_reserve_usd_micros if part else 0,
            )
        )
    return tuple(found)


def margin_state(state: MirrorState, account_idx: int) -> MarginState:
    """Return how an account stands: ok, below its initial or maintenance margin, or bankrupt."""
    return margin_of(state, account_idx).state
