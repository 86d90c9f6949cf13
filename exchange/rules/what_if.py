"""What would be: an account's margin with orders, positions, money and prices that are not there.

Everything is computed on a copy, with the same rule as the margin itself; nothing is changed. An
order is judged as the core would judge it after those before it, as if it came to rest whole.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from exchange.rules.margin import (
    Margin,
    exposures_of,
    margin_from,
    price_loss_usd_micros,
    price_losses_of,
    tail_of,
)
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract
from exchange.rules.requirement import Exposure, requirement_of
from matching.codes import Side


class SupposedOrder(NamedTuple):
    """A limit order that is not there."""

    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int


class SupposedPosition(NamedTuple):
    """Lots that are not there; short is negative."""

    contract_idx: int  # of a single contract
    qty_lots: int
    price_ticks: int  # what they were traded at


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """What to suppose, on top of what the account has or instead of it."""

    orders: tuple[SupposedOrder, ...] = ()
    positions: tuple[SupposedPosition, ...] = ()
    marks_ticks: Mapping[int, int] = field(default_factory=dict)  # of single contracts
    cash_usd_micros: int = 0  # more, or less
    collateral_usd_micros: int = 0  # more that is counted, or less
    level_bps: int | None = None
    alone: bool = False  # from an empty account instead of its own


class OrderVerdict(NamedTuple):
    """What would become of an order."""

    accepted: bool
    missing_usd_micros: int  # of what it would need, 0 when accepted for its margin
    only_reduces: bool  # accepted whatever the account lacks


@dataclass(frozen=True, slots=True)
class Outcome:
    """The margin before and after, and each order's verdict."""

    before: Margin
    after: Margin
    orders: tuple[OrderVerdict, ...]

    @property
    def accepted(self) -> bool:
        """Return whether every order would be accepted; without orders, whether nothing lacks."""
        if self.orders:
            return all(order.accepted for order in self.orders)
        return self.after.free_usd_micros >= 0

    @property
    def missing_usd_micros(self) -> int:
        """Return what is lacking in the end, 0 for nothing."""
        return max(0, -self.after.free_usd_micros)


class _Account:
    """A copy of an account: exposures, price losses and money, changed step by step."""

    def __init__(self, state: MirrorState, account_idx: int, supposed: Supposition) -> None:
        account = state.accounts[account_idx]
        self.state, self.tail = state, tail_of(state)
        self.contracts = _contracts(state, supposed.marks_ticks)
        self.level_bps = account.level_bps if supposed.level_bps is None else supposed.level_bps
        self.profile = account.profile
        self.exposures: dict[int, Exposure] = {}
        self.losses: dict[int, int] = {}
        self.cash, self.unsettled = supposed.cash_usd_micros, 0
        self.collateral = supposed.collateral_usd_micros
        if supposed.alone:
            return
        self.cash += account.cash_usd_micros
        self.collateral += account.collateral.counted_usd_micros
        self.unsettled = account.unsettled_usd_micros
        self.exposures = {one.contract_idx: one for one in exposures_of(state, account_idx)}
        for idx, one in self.exposures.items():
            contract = self.contracts[idx]
            moved_ticks = contract.mark_ticks - state.contracts[idx].mark_ticks
            if not one.combined:
                self.unsettled += one.qty_lots * moved_ticks * contract.tick_value_usd_micros
        if not supposed.marks_ticks:
            self.losses = price_losses_of(state, account_idx)
            return
        for order in account.orders.values():
            self._lose(
                SupposedOrder(order.contract_idx, order.side, order.price_ticks, order.leaves_lots)
            )

    def _exposure(self, contract_idx: int) -> Exposure:
        found = self.exposures.get(contract_idx)
        if found is not None:
            return found
        contract = self.contracts[contract_idx]
        return Exposure(
            contract_idx=contract_idx, qty_lots=0, buy_lots=0, sell_lots=0,
            shocks_usd_micros=self.state.shocks[contract_idx], combined=bool(contract.legs),
            addon=self.state.addons[contract_idx],
            tick_value_usd_micros=contract.tick_value_usd_micros,
            joint_usd_micros=self.state.joints[contract_idx],
        )  # fmt: skip

    def _lose(self, order: SupposedOrder) -> None:
        contract = self.contracts[order.contract_idx]
        loss = price_loss_usd_micros(
            order.side, order.price_ticks, contract.mark_for(order.side),
            contract.tick_value_usd_micros, order.qty_lots,
        )  # fmt: skip
        self.losses[order.contract_idx] = self.losses.get(order.contract_idx, 0) + loss

    def hold(self, position: SupposedPosition) -> None:
        """Add lots, and what they have gained since they were traded."""
        one, contract = (
            self._exposure(position.contract_idx),
            self.contracts[position.contract_idx],
        )
        self.exposures[position.contract_idx] = replace(
            one, qty_lots=one.qty_lots + position.qty_lots
        )
        gain_ticks = position.qty_lots * (contract.mark_ticks - position.price_ticks)
        self.unsettled += gain_ticks * contract.tick_value_usd_micros

    def rest(self, order: SupposedOrder) -> None:
        """Add a resting order, and what its legs may become."""
        buys = order.qty_lots if order.side == Side.BUY else 0
        sells = order.qty_lots - buys
        one = self._exposure(order.contract_idx)
        self.exposures[order.contract_idx] = replace(
            one, buy_lots=one.buy_lots + buys, sell_lots=one.sell_lots + sells
        )
        for leg, ratio in self.contracts[order.contract_idx].legs:
            linked = self._exposure(leg.contract_idx)
            more_buys, more_sells = (buys, sells) if ratio > 0 else (sells, buys)
            self.exposures[leg.contract_idx] = replace(
                linked,
                linked_buy_lots=linked.linked_buy_lots + more_buys,
                linked_sell_lots=linked.linked_sell_lots + more_sells,
            )
        self._lose(order)

    def only_reduces(self, order: SupposedOrder) -> bool:
        """Return whether an order only closes: its position, or those of all its legs."""
        legs = self.contracts[order.contract_idx].legs
        if not legs:
            return self._if_all_fill(order.contract_idx, order.side) + order.qty_lots <= 0
        other = Side.SELL if order.side == Side.BUY else Side.BUY
        most_lots = max(
            self._if_all_fill(leg.contract_idx, order.side if ratio > 0 else other)
            for leg, ratio in legs
        )
        return most_lots + order.qty_lots <= 0

    def _if_all_fill(self, contract_idx: int, side: int) -> int:
        """Return the position, as seen from a side, if everything that rests on it fills."""
        one = self._exposure(contract_idx)
        if side == Side.BUY:
            return one.qty_lots + one.buy_lots + one.linked_buy_lots
        return one.sell_lots + one.linked_sell_lots - one.qty_lots

    def required_usd_micros(self) -> int:
        """Return the requirement of what is supposed so far."""
        exposures = list(self.exposures.values())
        return requirement_of(
            exposures, self.tail, self.level_bps, self.profile
        ).required_usd_micros

    def free_usd_micros(self) -> int:
        """Return what is left for new risk, negative when there is too little."""
        needed = self.required_usd_micros() + sum(self.losses.values())
        return self.cash + self.unsettled + self.collateral - needed

    def margin(self) -> Margin:
        """Return the requirement with all its parts."""
        return margin_from(
            list(self.exposures.values()), self.tail, self.losses, cash_usd_micros=self.cash,
            unsettled_usd_micros=self.unsettled, collateral_usd_micros=self.collateral,
            level_bps=self.level_bps, profile=self.profile,
        )  # fmt: skip

    def judge(self, order: SupposedOrder) -> OrderVerdict:
        """Judge an order; one that is refused leaves the account as it was."""
        reduces = self.only_reduces(order)
        before = self.required_usd_micros() if reduces else 0
        exposures, losses = dict(self.exposures), dict(self.losses)
        self.rest(order)
        free = self.free_usd_micros()
        if free >= 0:
            return OrderVerdict(True, 0, False)
        if reduces and self.required_usd_micros() <= before:
            return OrderVerdict(True, -free, True)
        self.exposures, self.losses = exposures, losses
        return OrderVerdict(False, -free, False)


def _contracts(state: MirrorState, marks_ticks: Mapping[int, int]) -> list[Contract]:
    """Return the contracts with other marks; combinations follow their legs."""
    if not marks_ticks:
        return state.contracts
    contracts = [copy(contract) for contract in state.contracts]
    for contract_idx, mark_ticks in marks_ticks.items():
        contracts[contract_idx].mark_ticks = mark_ticks
    for contract in contracts:
        contract.legs = tuple((contracts[leg.contract_idx], ratio) for leg, ratio in contract.legs)
    return contracts


def what_if(state: MirrorState, account_idx: int, supposed: Supposition) -> Outcome:
    """Return what an account's margin would be; the state is not changed."""
    account = _Account(state, account_idx, supposed)
    before = account.margin()
    for position in supposed.positions:
        account.hold(position)
    verdicts = tuple(account.judge(order) for order in supposed.orders)
    return Outcome(before, account.margin(), verdicts)
