"""The margin requirement from scratch: what the core maintains step by step, summed anew.

`W[s]` is the loss of an account in scenario s: of its positions, plus the worst
case of its resting orders, which bounds every subset of them that may fill. The
requirement is the mean of the n worst, rounded up, never below zero. Price loss
is what resting orders would lose against the mark at once if they filled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exchange.rules.mirror_state import MirrorState
from matching.codes import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an account has in one contract, with the contract's row of the matrix."""

    contract_idx: int
    qty_lots: int  # signed; short is negative
    buy_lots: int  # resting
    sell_lots: int
    shocks_usd_micros: Sequence[int]  # profit of one long lot, by scenario

    def loss_usd_micros(self, scenario: int) -> int:
        """Return the loss in a scenario, the worst of the resting orders included."""
        shock = self.shocks_usd_micros[scenario]
        if shock < 0:
            return (self.qty_lots + self.buy_lots) * -shock
        return (self.sell_lots - self.qty_lots) * shock


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractMargin:
    """One contract's part of a requirement."""

    contract_idx: int
    standalone_usd_micros: int  # the requirement if this were all the account had
    worst_loss_usd_micros: int  # mean loss in the account's n worst scenarios, rounded up, >= 0
    price_loss_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What an account must have, and has."""

    cash_usd_micros: int
    unsettled_usd_micros: int
    initial_usd_micros: int
    price_loss_usd_micros: int
    worst_scenarios: tuple[int, ...]  # the worst first; ties by number
    worst_losses_usd_micros: tuple[int, ...]
    contracts: tuple[ContractMargin, ...]

    @property
    def equity_usd_micros(self) -> int:
        """Return cash and the gains not yet settled."""
        return self.cash_usd_micros + self.unsettled_usd_micros

    @property
    def free_usd_micros(self) -> int:
        """Return what new risk may use; negative when there is too little."""
        return self.equity_usd_micros - self.initial_usd_micros - self.price_loss_usd_micros


def scenario_losses(exposures: Iterable[Exposure], scenario_count: int) -> list[int]:
    """Return W[s] in usd micros; positive is a loss."""
    losses = [0] * scenario_count
    for exposure in exposures:
        for scenario in range(scenario_count):
            losses[scenario] += exposure.loss_usd_micros(scenario)
    return losses


def worst_scenarios(losses: Sequence[int], worst_count: int) -> tuple[int, ...]:
    """Return the numbers of the n worst scenarios, the worst first, ties by number."""
    return tuple(sorted(range(len(losses)), key=lambda s: (-losses[s], s))[:worst_count])


def mean_usd_micros(losses: Sequence[int]) -> int:
    """Return the mean of losses, rounded up, never below zero; nothing of no losses."""
    return max(0, -(-sum(losses) // max(1, len(losses))))


def requirement_usd_micros(losses: Sequence[int], worst_count: int) -> int:
    """Return the mean of the n worst, rounded up, never below zero.

    Before the exchange has its first scenarios there are no losses, and nothing is required.
    """
    return mean_usd_micros(sorted(losses, reverse=True)[:worst_count])


def price_loss_usd_micros(
    side: int, price_ticks: int, mark_ticks: int, tick_value_usd_micros: int, qty_lots: int
) -> int:
    """Return what lots filled at a price would lose against the mark, never below zero."""
    worse_ticks = price_ticks - mark_ticks if side == Side.BUY else mark_ticks - price_ticks
    return max(0, worse_ticks) * tick_value_usd_micros * qty_lots


def exposures_of(state: MirrorState, account_idx: int) -> list[Exposure]:
    """Return what an account has, contract by contract."""
    return [
        Exposure(
            contract_idx=position.contract_idx,
            qty_lots=position.qty_lots,
            buy_lots=position.buy_lots,
            sell_lots=position.sell_lots,
            shocks_usd_micros=state.shocks[position.contract_idx],
        )
        for position in state.accounts[account_idx].positions.values()
        if position.qty_lots or position.buy_lots or position.sell_lots
    ]


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
    exposures = exposures_of(state, account_idx)
    price_losses = price_losses_of(state, account_idx)
    losses = scenario_losses(exposures, state.scenario_count)
    worst = worst_scenarios(losses, state.worst_count)
    return Margin(
        cash_usd_micros=account.cash_usd_micros,
        unsettled_usd_micros=account.unsettled_usd_micros,
        initial_usd_micros=requirement_usd_micros(losses, state.worst_count),
        price_loss_usd_micros=sum(price_losses.values()),
        worst_scenarios=worst,
        worst_losses_usd_micros=tuple(losses[scenario] for scenario in worst),
        contracts=tuple(
            _contract_margin(exposure, worst, state, price_losses) for exposure in exposures
        ),
    )


def _contract_margin(
    exposure: Exposure, worst: Sequence[int], state: MirrorState, price_losses: dict[int, int]
) -> ContractMargin:
    alone = scenario_losses([exposure], state.scenario_count)
    return ContractMargin(
        contract_idx=exposure.contract_idx,
        standalone_usd_micros=requirement_usd_micros(alone, state.worst_count),
        worst_loss_usd_micros=mean_usd_micros([alone[scenario] for scenario in worst]),
        price_loss_usd_micros=price_losses.get(exposure.contract_idx, 0),
    )
