"""The requirement of a set of exposures, from scratch: the formulas of `docs/clearing.md`.

    W[s] = loss of the position + worst case of the resting orders     bounds every subset of fills
    IM0  = max(3/4 ES(now) + 1/4 ES(stress), ES(floor))                 tails.py
    IM1  = IM0 + kept x (sum of standalone IM0 - IM0)                   offsets give at most 80 %
    IM   = (IM1 + LA + CA) x level                                      addons.py; clients 110 %
    MM   = (80 % of IM1 + LA) x level                                   of positions alone

plus the fee reserve: what the resting lots would pay if all of them filled. A combination's
resting orders count in W as the combination that they are, and in everything that is taken
contract by contract as the legs that they may become: so a fill never raises the requirement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from exchange.rules.addons import (
    NO_ADDON,
    Addon,
    concentration_usd_micros,
    liquidity_usd_micros,
)
from exchange.rules.money import BPS, div_ceil
from exchange.rules.tails import Shortfalls, Tail, shortfalls_of
from matching.codes import Profile
from matching.limits import COVERED_BPS, WRONG_WAY_BPS

MAINTENANCE_BPS: Final = 8_000  # of IM1
MEMBER_LEVEL_BPS: Final = 10_000
CLIENT_LEVEL_BPS: Final = 11_000
NEOCLOUD_LONG_BPS: Final = WRONG_WAY_BPS
KEPT_BPS: Final = 2_000  # of the standalone sum: offsets give at most the other 80 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an account has in one contract, with the contract's row of the matrix."""

    contract_idx: int
    qty_lots: int  # signed; short is negative
    buy_lots: int  # resting
    sell_lots: int
    shocks_usd_micros: Sequence[int]  # profit of one long lot, by scenario
    combined: bool = False  # a combination: its fills go to its legs
    linked_buy_lots: int = 0  # what resting orders of combinations may buy of this leg
    linked_sell_lots: int = 0
    addon: Addon = NO_ADDON
    tick_value_usd_micros: int = 1
    cover_lots: int = 0  # what pledged capacity covers, if it is short
    joint_usd_micros: int = 0  # what a long lot loses when all of compute falls

    def loss_usd_micros(self, scenario: int) -> int:
        """Return the loss in a scenario, the worst of the resting orders included."""
        shock = self.shocks_usd_micros[scenario]
        if shock < 0:
            return (self.qty_lots + self.buy_lots) * -shock
        return (self.sell_lots - self.qty_lots) * shock

    @property
    def largest_lots(self) -> int:
        """Return the largest position, long or short, that fills may lead to."""
        return max(
            self.qty_lots + self.buy_lots + self.linked_buy_lots,
            self.sell_lots + self.linked_sell_lots - self.qty_lots,
        )

    @property
    def fee_reserve_usd_micros(self) -> int:
        """Return what the resting lots would pay if all of them filled."""
        if self.combined:
            return 0
        resting = self.buy_lots + self.sell_lots + self.linked_buy_lots + self.linked_sell_lots
        return resting * self.addon.fee_usd_micros

    @property
    def down_lots(self) -> int:
        """Return what the account may be long of the contract: all buys filled, and no sell."""
        return self.qty_lots + self.buy_lots + self.linked_buy_lots

    def alone(self) -> "Exposure":
        """Return the exposure with the combinations' lots as its own."""
        return replace(
            self,
            buy_lots=self.buy_lots + self.linked_buy_lots,
            sell_lots=self.sell_lots + self.linked_sell_lots,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPart:
    """One contract's part: usd micros."""

    contract_idx: int
    standalone_usd_micros: int  # IM0 if this were all the account had
    liquidity_usd_micros: int
    concentration_usd_micros: int
    fee_reserve_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The requirement and everything it is made of, usd micros."""

    losses_usd_micros: tuple[int, ...]  # W by scenario
    shortfalls: Shortfalls
    standalone_usd_micros: int  # the sum
    portfolio_usd_micros: int  # IM1
    liquidity_usd_micros: int  # LA
    concentration_usd_micros: int  # CA
    fee_reserve_usd_micros: int
    level_bps: int
    parts: tuple[ContractPart, ...]  # of plain contracts
    profile: int = Profile.NONE
    times_bps: int = BPS  # what wrong-way risk multiplies it by

    @property
    def initial_usd_micros(self) -> int:
        """Return IM at the account's level."""
        member = (
            self.portfolio_usd_micros + self.liquidity_usd_micros + self.concentration_usd_micros
        )
        return share_ceil_usd_micros(share_ceil_usd_micros(member, self.level_bps), self.times_bps)

    @property
    def required_usd_micros(self) -> int:
        """Return IM and the fee reserve: what equity less price loss must cover."""
        return self.initial_usd_micros + self.fee_reserve_usd_micros

    @property
    def maintenance_usd_micros(self) -> int:
        """Return MM at the account's level; meant for positions without orders."""
        kept = share_ceil_usd_micros(self.portfolio_usd_micros, MAINTENANCE_BPS)
        level = share_ceil_usd_micros(kept + self.liquidity_usd_micros, self.level_bps)
        return share_ceil_usd_micros(level, self.times_bps)


def share_ceil_usd_micros(amount_usd_micros: int, bps: int) -> int:
    """Return a share of an amount, rounded up."""
    return div_ceil(amount_usd_micros * bps, BPS)


def scenario_losses(exposures: Iterable[Exposure], scenario_count: int) -> list[int]:
    """Return W[s] in usd micros; positive is a loss."""
    losses = [0] * scenario_count
    for exposure in exposures:
        for scenario in range(scenario_count):
            losses[scenario] += exposure.loss_usd_micros(scenario)
    return losses


def blended_of(exposures: Iterable[Exposure], tail: Tail) -> int:
    """Return IM0 of exposures."""
    losses = scenario_losses(exposures, tail.scenario_count)
    return shortfalls_of(losses, tail).blended_usd_micros


def unit_usd_micros(shocks_usd_micros: Sequence[int], tail: Tail) -> int:
    """Return IM0 of one resting lot, of the side that needs more."""
    return max(
        blended_of(
            [
                Exposure(
                    contract_idx=0, qty_lots=0, buy_lots=buys, sell_lots=1 - buys,
                    shocks_usd_micros=shocks_usd_micros,
                )
            ],
            tail,
        )
        for buys in (0, 1)
    )  # fmt: skip


def capped_usd_micros(portfolio: int, standalone: int, kept_bps: int) -> int:
    """Return IM1: the portfolio's IM0 and the share of its offsets that does not count."""
    return portfolio + share_ceil_usd_micros(max(0, standalone - portfolio), kept_bps)


def requirement_of(
    exposures: Sequence[Exposure],
    tail: Tail,
    level_bps: int = MEMBER_LEVEL_BPS,
    profile: int = Profile.NONE,
) -> Requirement:
    """Return the requirement of exposures, computed from nothing else."""
    losses = scenario_losses(exposures, tail.scenario_count)
    shortfalls = shortfalls_of(losses, tail)
    parts = tuple(_part(exposure, tail) for exposure in exposures if not exposure.combined)
    standalone = sum(part.standalone_usd_micros for part in parts)
    portfolio = capped_usd_micros(shortfalls.blended_usd_micros, standalone, tail.kept_bps)
    portfolio = min(portfolio, covered_usd_micros(exposures, tail, portfolio))
    if profile == Profile.MINER:
        portfolio = max(portfolio, joint_loss_usd_micros(exposures))
    times_bps = NEOCLOUD_LONG_BPS if is_long_neocloud(exposures, profile) else BPS
    return Requirement(
        losses_usd_micros=tuple(losses),
        shortfalls=shortfalls,
        standalone_usd_micros=standalone,
        portfolio_usd_micros=portfolio,
        liquidity_usd_micros=sum(part.liquidity_usd_micros for part in parts),
        concentration_usd_micros=sum(part.concentration_usd_micros for part in parts),
        fee_reserve_usd_micros=sum(part.fee_reserve_usd_micros for part in parts),
        level_bps=level_bps,
        parts=parts,
        profile=profile,
        times_bps=times_bps,
    )


def _part(exposure: Exposure, tail: Tail) -> ContractPart:
    lots, tick_value = exposure.largest_lots, exposure.tick_value_usd_micros
    addon, unit = exposure.addon, 0
    if addon.close_lots:
        unit = unit_usd_micros(exposure.shocks_usd_micros, tail)
    return ContractPart(
        contract_idx=exposure.contract_idx,
        standalone_usd_micros=blended_of([exposure.alone()], tail),
        liquidity_usd_micros=liquidity_usd_micros(addon, lots, tick_value),
        concentration_usd_micros=concentration_usd_micros(addon, lots, unit, tick_value),
        fee_reserve_usd_micros=exposure.fee_reserve_usd_micros,
    )


def may_be_long(exposures: Iterable[Exposure]) -> bool:
    """Return whether an account may be net long compute: all buys filled, and no sell."""
    plain = (one for one in exposures if not one.combined)
    return sum(one.down_lots * one.tick_value_usd_micros for one in plain) > 0


def is_long_neocloud(exposures: Iterable[Exposure], profile: int) -> bool:
    """Return whether wrong-way risk multiplies the requirement (COLL_119)."""
    return profile == Profile.NEOCLOUD and may_be_long(exposures)


def joint_loss_usd_micros(exposures: Iterable[Exposure]) -> int:
    """Return what a miner loses when compute falls with its bitcoin (COLL_121)."""
    plain = (one for one in exposures if not one.combined)
    return sum(one.down_lots * one.joint_usd_micros for one in plain)


def covered_usd_micros(exposures: Sequence[Exposure], tail: Tail, without: int) -> int:
    """Return IM1 with the covers (COLL_118), `without` where none counts.

    The covered lots leave the portfolio and pay a part of what they need alone. None counts for an
    account that may be long, nor while orders of combinations rest: those hedge leg by leg.
    """
    resting = any(one.combined and (one.buy_lots or one.sell_lots) for one in exposures)
    if resting or may_be_long(exposures) or not any(one.cover_lots for one in exposures):
        return without
    split = [_split(one) for one in exposures if not one.combined]
    pays = sum(
        share_ceil_usd_micros(blended_of([covered], tail), COVERED_BPS) for covered, _ in split
    )
    left = [rest for _, rest in split]
    standalone = sum(blended_of([rest.alone()], tail) for rest in left)
    return capped_usd_micros(blended_of(left, tail) + pays, standalone + pays, tail.kept_bps)


def _split(one: Exposure) -> tuple[Exposure, Exposure]:
    """Return the covered part of an exposure, and the rest.

    Of what it is short when all sells fill as much is covered as may be, and so of what it is
    still short when all buys do.
    """
    short = min(max(0, one.sell_lots - one.qty_lots), one.cover_lots)
    left_short = min(max(0, -one.qty_lots - one.buy_lots), one.cover_lots)
    covered = replace(one, qty_lots=0, buy_lots=-left_short, sell_lots=short)
    rest = replace(one, buy_lots=one.buy_lots + left_short, sell_lots=one.sell_lots - short)
    return covered, rest


def decayed_usd_micros(shock_usd_micros: int, fixed_days: int, days: int) -> int:
    """Return a shock in the delivery month, when `fixed_days` of `days` are fixed already.

    The contract settles at the mean of its days, so a move takes (N - n) / N of it. Rounded away
    from zero: neither side's loss is too small.
    """
    assert 0 <= fixed_days <= days and days > 0
    size = div_ceil(abs(shock_usd_micros) * (days - fixed_days), days)
    return size if shock_usd_micros >= 0 else -size
