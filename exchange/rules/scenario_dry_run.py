"""The dry run before a swap: what a set of scenarios would require of every account.

Computed from scratch on the mirror, in whole numbers, with the rule that decides afterwards. An
account falls short when its equity no longer covers what is required of it and its price loss.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from exchange.rules import legs
from exchange.rules.addons import Addon
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.margin import exposures_of, price_losses_of, tail_of
from exchange.rules.mirror_margin import joint_of
from exchange.rules.mirror_state import MirrorState
from exchange.rules.requirement import KEPT_BPS, requirement_of
from exchange.rules.scenario_addons import AddonSet, planned_addon
from exchange.rules.scenario_set import ScenarioSet
from exchange.rules.standing import equity_usd_micros
from exchange.rules.tails import Tail
from matching.codes import TradingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a swap does to one account, in micro-dollars."""

    account_idx: int
    equity_usd_micros: int
    price_loss_usd_micros: int
    before_usd_micros: int  # required by the live scenarios
    after_usd_micros: int  # required by the new ones

    @property
    def shortfall_usd_micros(self) -> int:
        """Return what the account lacks after the swap, never below zero."""
        needed = self.after_usd_micros + self.price_loss_usd_micros
        return max(0, needed - self.equity_usd_micros)

    @property
    def was_short(self) -> bool:
        """Return whether it lacks something already."""
        needed = self.before_usd_micros + self.price_loss_usd_micros
        return self.equity_usd_micros < needed


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a swap would do to everybody, as of command `seq`."""

    seq: int
    accounts_count: int  # those that hold something
    before_usd_micros: int
    after_usd_micros: int
    shortfall_usd_micros: int
    short: tuple[Effect, ...]  # the largest shortfall first


class Planned(NamedTuple):
    """What a swap makes live for one contract."""

    contract_idx: int
    shocks_usd_micros: Sequence[int]
    addon: Addon


def planned(
    state: MirrorState, found: ScenarioSet, addons: AddonSet | None = None
) -> Iterator[Planned]:
    """Yield what a set makes live for every contract there is, at its settlement price."""
    shocks: dict[int, list[int]] = {}
    for one in list(state.contracts):
        if one.legs:
            rows = [shocks[leg.contract_idx] for leg, _ in one.legs]
            shocks[one.contract_idx] = legs.shocks_usd_micros(rows, [n for _, n in one.legs])
        elif one.state == TradingState.EXPIRED:
            shocks[one.contract_idx] = [0] * found.count
        else:
            shocks[one.contract_idx] = _shocks_of(state, one.contract_idx, found)
        addon = _addon_after(state, one.contract_idx, addons)
        yield Planned(one.contract_idx, shocks[one.contract_idx], addon)


def _addon_after(state: MirrorState, contract_idx: int, addons: AddonSet | None) -> Addon:
    """Return the add-on that a swap makes live."""
    listed = state.contracts[contract_idx]
    try:
        parse_symbol(listed.symbol)
    except SymbolError:
        return state.addons_staged[contract_idx]
    return planned_addon(state, listed, addons)


def _shocks_of(state: MirrorState, contract_idx: int, found: ScenarioSet) -> list[int]:
    """Return a contract's shocks; of one of another grammar what is staged, as a swap does."""
    one = state.contracts[contract_idx]
    try:
        contract = parse_symbol(one.symbol)
    except SymbolError:
        return state.shocks_staged[contract_idx][: found.count]
    return found.shocks(contract, one.settle_ticks, found.day)


def effects(state: MirrorState, found: ScenarioSet, plan: Iterable[Planned]) -> Iterator[Effect]:
    """Return what a swap does to each account that holds something, one by one."""
    after_of = {one.contract_idx: one for one in plan}
    tail = Tail(found.count, found.worst_count, kept_bps=KEPT_BPS)
    for account_idx in range(len(state.accounts)):
        exposures = exposures_of(state, account_idx)
        if not exposures or any(one.contract_idx not in after_of for one in exposures):
            continue  # a contract that was listed since has no row here yet
        account = state.accounts[account_idx]
        after = [
            replace(
                one,
                shocks_usd_micros=after_of[one.contract_idx].shocks_usd_micros,
                addon=after_of[one.contract_idx].addon,
                joint_usd_micros=joint_of(state.contracts[one.contract_idx]),
            )
            for one in exposures
        ]
        before = requirement_of(exposures, tail_of(state), account.level_bps, account.profile)
        yield Effect(
            account_idx=account_idx,
            equity_usd_micros=equity_usd_micros(state, account_idx),
            price_loss_usd_micros=sum(price_losses_of(state, account_idx).values()),
            before_usd_micros=before.required_usd_micros,
            after_usd_micros=requirement_of(
                after, tail, account.level_bps, account.profile
            ).required_usd_micros,
        )


def summed(seq: int, found: Sequence[Effect]) -> DryRun:
    """Return the sums over accounts, and who falls short."""
    short = sorted(
        (one for one in found if one.shortfall_usd_micros),
        key=lambda one: (-one.shortfall_usd_micros, one.account_idx),
    )
    return DryRun(
        seq=seq,
        accounts_count=len(found),
        before_usd_micros=sum(one.before_usd_micros for one in found),
        after_usd_micros=sum(one.after_usd_micros for one in found),
        shortfall_usd_micros=sum(one.shortfall_usd_micros for one in short),
        short=tuple(short),
    )


def dry_run(state: MirrorState, found: ScenarioSet, addons: AddonSet | None = None) -> DryRun:
    """Return what a swap to a set and its add-ons would do now."""
    return summed(state.seq, list(effects(state, found, planned(state, found, addons))))
