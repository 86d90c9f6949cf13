"""The stress time machine: what a day of `stress.py` would do to every account, now.

A story moves the mark of every contract, and of some assets; orders are left out, they would be
cancelled first. STRS_1: the move is the whole story, however long it took (`whole`), or the share
of it that counts within the margin period. STRS_2: prices move by whole ticks, so that all gains
and losses sum to zero. STRS_3: what is required stays as it is: it follows with the next matrix.
STRS_4: who has less than nothing is closed at the story's prices, and the layers of the waterfall
bear the rest. Sources: the rows of `stress.py`; margin.md "To publish".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from exchange.rules.assets import ASSET_BY_SYMBOL
from exchange.rules.collateral import Member, count
from exchange.rules.contracts import Contract, SymbolError, parse_symbol
from exchange.rules.desk import DeskRow
from exchange.rules.holdings import AssetPrice
from exchange.rules.layers import NO_FUNDS, Funds
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import BPS, div_half_even
from exchange.rules.quotes import Step
from exchange.rules.scenarios import (
    MOVE_MAX_BPS,
    MOVE_MIN_BPS,
    SCENARIOS,
    front_move,
    shape_factors,
    step_sizes,
)
from exchange.rules.stress import STRESS_ROWS, Shape, StressRow
from exchange.rules.stress_layers import parts_after
from exchange.rules.tenors import date_of
from exchange.rules.waterfall import LayerName, Waterfall, bear

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One day to play: a row, perhaps turned round, and what assets do beside it."""

    row: StressRow
    mirrored: bool = False
    assets: tuple[tuple[str, int], ...] = ()  # by symbol: basis points of the price

    @property
    def name(self) -> str:
        """The row's name; a mirror has a minus in front."""
        return f"-{self.row.name}" if self.mirrored else self.row.name


# Compute and collateral together: what no row of the matrix can say.
JOINT: Final = (
    Story(
        row=StressRow(
            name="october-2025", shape=Shape.FRONT, level_bps=-4_400,
            story="bitcoin falls by 15 % and H100 compute by 44 % in one night",
            source="market events of 2025-10-10 and 11; AWS price cut, in force 2025-06-05",
        ),
        assets=(("BTC", -1_500),),
    ),
    Story(
        row=StressRow(
            name="wrong-way", shape=Shape.FLAT, level_bps=-3_000,
            story="bitcoin falls by half while compute falls by 30 %: who is long has both",
            source="the joint scenario of the wrong-way rules of collateral",
        ),
        assets=(("BTC", -5_000),),
    ),
    Story(
        row=StressRow(
            name="stablecoin-break", shape=Shape.FLAT,
            story="a stablecoin trades at 0.88: it stops counting",
            source="USDC on 2023-03-11",
        ),
        assets=(("USDC", -1_200),),
    ),
)  # fmt: skip
STORIES: Final = (*JOINT, *(Story(row=one.row, mirrored=one.mirrored) for one in SCENARIOS))
STORY_BY_NAME: Final[Mapping[str, Story]] = {story.name: story for story in STORIES}
assert len(STORY_BY_NAME) == len(JOINT) + 2 * len(STRESS_ROWS)


class Fate(StrEnum):
    """What would become of an account; each is worse than the one before."""

    OK = "ok"
    RESTRICTED = "restricted"  # below the initial margin: no new risk
    CALLED = "called"  # a member below maintenance
    LIQUIDATED = "liquidated"  # a prefunded account below maintenance
    DEFAULTED = "defaulted"  # less than nothing is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One account after a story; usd micros."""

    account_idx: int
    pnl_usd_micros: int  # of its positions
    collateral_usd_micros: int  # by how much what is counted changes
    before_usd_micros: int  # equity
    after_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    is_member: bool

    @property
    def shortfall_usd_micros(self) -> int:
        """Return what is missing up to the initial margin, 0 at maintenance or above."""
        if self.after_usd_micros >= self.maintenance_usd_micros:
            return 0
        return self.initial_usd_micros - self.after_usd_micros

    @property
    def fate(self) -> Fate:
        """Return what would become of the account."""
        if self.after_usd_micros < 0:
            return Fate.DEFAULTED
        if self.after_usd_micros < self.maintenance_usd_micros:
            return Fate.CALLED if self.is_member else Fate.LIQUIDATED
        if self.after_usd_micros < self.initial_usd_micros:
            return Fate.RESTRICTED
        return Fate.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a story would do to all; usd micros."""

    story: Story
    seq: int
    accounts: tuple[Struck, ...]  # those with something to lose or to gain; the worst off first
    fates: Mapping[Fate, int]
    lost_usd_micros: int  # of all that lose, positive
    pnl_usd_micros: int  # of all: zero, when every contract could be moved
    shortfall_usd_micros: int
    house_pnl_usd_micros: int  # of the insurance fund's own positions
    waterfall: Waterfall  # of all losses beyond what accounts have

    @property
    def house_usd_micros(self) -> int:
        """Return the house's own result: its positions, less what its layers pay for others."""
        layers = (LayerName.HOUSE_FIRST, LayerName.HOUSE_SECOND)
        return self.house_pnl_usd_micros - sum(map(self.waterfall.used_of, layers))


Moves = Mapping[int, int]  # by contract_idx: usd micros of one long lot
Owners = Mapping[int, tuple[str, str]]  # by account_idx: name and kind


@lru_cache(maxsize=8192)
def _parsed(symbol: str) -> Contract | None:
    """Return what a symbol says, None where it is of another grammar."""
    try:
        return parse_symbol(symbol)
    except SymbolError:
        return None


class Machine:
    """Plays stories; the sizes of observed steps are read once."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._sizes = step_sizes(steps)

    def moves(self, state: MirrorState, story: Story, *, whole: bool = True) -> Moves:
        """Return what one long lot of each single contract gains, in micro-dollars.

        A contract whose symbol is of another grammar stands still.
        """
        row = replace(story.row, days=1) if whole else story.row
        on = date_of(state.ts_ns)
        moves: dict[int, int] = {}
        for one in state.contracts:
            if one.legs or not one.mark_ticks:
                continue
            contract = _parsed(one.symbol)
            if contract is None:
                continue
            front = front_move(row, contract.series.sku, contract.series.hub, self._sizes)
            factor = shape_factors(contract.period, on)[row.shape]
            move_bps = div_half_even(front * factor, _MILLION) * (-1 if story.mirrored else 1)
            move_bps = min(max(move_bps, MOVE_MIN_BPS), MOVE_MAX_BPS)
            ticks = div_half_even(one.mark_ticks * move_bps, BPS)
            ticks = min(max(ticks, 1 - one.mark_ticks), state.price_ticks_max - 1 - one.mark_ticks)
            moves[one.contract_idx] = ticks * one.tick_value_usd_micros
        return moves


def struck(
    state: MirrorState, row: DeskRow, moves: Moves, story: Story, owner: tuple[str, str]
) -> Struck:
    """Return what a story does to an account."""
    pnl = sum(lots * moves.get(contract_idx, 0) for contract_idx, lots in row.lots)
    change = _collateral_change(state, row, story, owner)
    return Struck(
        account_idx=row.account_idx,
        pnl_usd_micros=pnl,
        collateral_usd_micros=change,
        before_usd_micros=row.equity_usd_micros,
        after_usd_micros=row.equity_usd_micros + pnl + change,
        initial_usd_micros=row.required.initial_usd_micros,
        maintenance_usd_micros=row.required.maintenance_usd_micros,
        is_member=owner[1] == "member",
    )


def _collateral_change(
    state: MirrorState, row: DeskRow, story: Story, owner: tuple[str, str]
) -> int:
    """Return by how much less is counted once assets have moved; never below what there is."""
    account = state.accounts[row.account_idx]
    units = {asset: held.units for asset, held in account.collateral.holdings.items()}
    moved = {ASSET_BY_SYMBOL[symbol].asset: bps for symbol, bps in story.assets}
    if not units.keys() & moved.keys():
        return 0
    member = Member(
        kind=owner[1],
        group=owner[0],
        long_lots=sum(lots for _, lots in row.lots),
        requirement_usd_micros=row.required.initial_usd_micros,
    )
    prices = {
        asset: price._replace(price_usd_micros=_moved(price, moved.get(asset, 0)))
        for asset, price in state.asset_prices.items()
    }
    before = count(units, state.asset_prices, member, state.ts_ns).counted_usd_micros
    after = count(units, prices, member, state.ts_ns).counted_usd_micros
    return max(after - before, -account.collateral.counted_usd_micros)


def _moved(price: AssetPrice, bps: int) -> int:
    return price.price_usd_micros * (BPS + bps) // BPS


def outcome_of(
    story: Story,
    seq: int,
    found: Sequence[Struck],
    funds: Funds | None,
) -> Outcome:
    """Return the sums, and how losses beyond what accounts have are borne.

    Args:
        funds: the accounts of the layers; None where there are none, and nobody bears anything.
    """
    exempt = funds.accounts if funds is not None else frozenset()
    house_idx = funds.first_idx if funds is not None else None
    touched = [
        one
        for one in found
        if one.pnl_usd_micros or one.collateral_usd_micros or one.initial_usd_micros
    ]
    touched.sort(key=lambda one: (_room(one), one.account_idx))
    fates = dict.fromkeys(Fate, 0)
    for one in touched:
        fates[one.fate] += 1
    house = [one for one in found if one.account_idx == house_idx]
    others = [one for one in found if one.account_idx not in exempt]
    beyond = sum(max(0, -one.after_usd_micros) for one in others)
    parts = parts_after(
        {one.account_idx: one.after_usd_micros for one in found},
        {one.account_idx: one.initial_usd_micros for one in found},
        {one.account_idx: one.pnl_usd_micros for one in others},
        funds or NO_FUNDS,
    )
    return Outcome(
        story=story,
        seq=seq,
        accounts=tuple(touched),
        fates=fates,
        lost_usd_micros=-sum(min(0, one.pnl_usd_micros) for one in found),
        pnl_usd_micros=sum(one.pnl_usd_micros for one in found),
        shortfall_usd_micros=sum(one.shortfall_usd_micros for one in others),
        house_pnl_usd_micros=sum(one.pnl_usd_micros for one in house),
        waterfall=bear(beyond, parts),
    )


def _room(one: Struck) -> int:
    """Return what is left above maintenance."""
    return one.after_usd_micros - one.maintenance_usd_micros


def play(
    state: MirrorState,
    rows: Sequence[DeskRow],
    machine: Machine,
    story: Story,
    owner_of: Callable[[int], tuple[str, str]],
    funds: Funds | None,
    *,
    whole: bool = True,
) -> Outcome:
    """Return what a story would do to the accounts of `rows`; nothing is changed."""
    moves = machine.moves(state, story, whole=whole)
    found = [struck(state, row, moves, story, owner_of(row.account_idx)) for row in rows]
    return outcome_of(story, state.seq, found, funds)
