"""The sealed-bid auction of what liquidation could not close: lots, bids, who gets what, and why.

A lot is all positions of one SKU, so that months and hubs that hedge each other stay together. A
bid is one price for a lot, said as its distance from the marks at the close, in ticks against the
defaulter (a long position is taken that much below its mark, a short one above; below zero it is
better than the mark), and how much of the lot is wanted. AUCT_004: the smallest distance goes
first; those of one distance share in proportion to what they want. AUCT_005: nothing is given
beyond a lot's reserve. AUCT_006: a bid that the bidder's margin does not carry gets nothing.
AUCT_007: a member of the default fund that bid for less than its part of the fund is junior: its
contribution bears the loss before others'. Source: margin.md, "Liquidation and default", step 3.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Final, NamedTuple

from exchange.rules.money import BPS, USD_MICROS, div_ceil
from exchange.rules.shares import pro_rata, pro_rata_capped

AUCTION_NS: Final = 60_000_000_000  # from the offer to the close, unless all have answered before
AWARD_NS: Final = 60_000_000_000  # after so long what was not moved is not moved any more
LEAST_USD_MICROS: Final = 1_000 * USD_MICROS  # initial margin; below it nothing is offered
HELP_PARTS: Final = 4  # of a lot's initial margin: one such part at most is paid beyond equity
ALL_BPS: Final = BPS


class Piece(NamedTuple):
    """One position of a lot."""

    contract_idx: int
    symbol: str
    qty_lots: int  # signed, as the account holds it
    mark_ticks: int
    tick_value_usd_micros: int


class Lot(NamedTuple):
    """What is offered together."""

    lot_no: int  # from 1
    name: str
    pieces: tuple[Piece, ...]

    @property
    def tick_usd_micros(self) -> int:
        """Return what one tick of distance costs on the whole lot."""
        return sum(abs(one.qty_lots) * one.tick_value_usd_micros for one in self.pieces)


class Terms(NamedTuple):
    """An auction as it is announced."""

    liquidation_id: int
    account_idx: int  # whose default
    opened_seq: int
    opened_ns: int
    closes_ns: int
    lots: tuple[Lot, ...]
    bidders: tuple[int, ...]  # account_idx of who may bid


class Bid(NamedTuple):
    """What an account said last of a lot; a share of zero passes."""

    lot_no: int
    account_idx: int
    premium_ticks: int
    share_bps: int


class Ask(NamedTuple):
    """A bid under its public tag."""

    tag: str
    premium_ticks: int
    asked_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A bid and what came of it, as it is published."""

    tag: str
    premium_ticks: int
    asked_bps: int
    carried: bool  # by the bidder's margin
    share_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """Lots of one position that go to one bidder; signed as the defaulter held them."""

    lot_no: int
    tag: str
    symbol: str
    qty_lots: int
    price_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LotResult:
    """What came of one lot."""

    lot: Lot  # with the marks at the close
    reserve_usd_micros: int
    rows: tuple[Row, ...]  # the best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A member of the default fund that was asked to bid."""

    tag: str
    contribution_usd_micros: int
    required_bps: int  # of each lot
    junior: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of an auction: from the bids and the reserves everything else follows."""

    liquidation_id: int
    state_seq: int  # everything was read after this command
    price_top_ticks: int
    lots: tuple[LotResult, ...]
    awards: tuple[Award, ...]
    dues: tuple[Due, ...]

    def digest(self) -> str:
        """Return the hash that is published beside it."""
        return blake2b(repr(self).encode("ascii"), digest_size=16).hexdigest()


Carries = Callable[[str, int], bool]  # tag and share in basis points


def premium_cost_usd_micros(lot: Lot, premium_ticks: int) -> int:
    """Return what a distance costs the defaulter on the whole lot."""
    return premium_ticks * lot.tick_usd_micros


def price_ticks_of(piece: Piece, premium_ticks: int, price_top_ticks: int) -> int:
    """Return the price at which a position is taken at a distance."""
    sign = 1 if piece.qty_lots > 0 else -1
    return min(max(1, piece.mark_ticks - sign * premium_ticks), price_top_ticks)


def allocate(
    lot: Lot, reserve_usd_micros: int, asks: Iterable[Ask], carries: Carries
) -> tuple[Row, ...]:
    """Return who gets which share of a lot: the best price first, pro rata within one."""
    left, rows = ALL_BPS, []
    ordered = sorted(asks, key=lambda one: (one.premium_ticks, one.tag))
    for premium, group in groupby(ordered, key=lambda one: one.premium_ticks):
        there = list(group)
        within = premium_cost_usd_micros(lot, premium) <= reserve_usd_micros
        shares, failed = _shares(there if within else [], left, carries)
        rows += [
            Row(tag=one.tag, premium_ticks=premium, asked_bps=one.asked_bps,
                carried=one.tag not in failed, share_bps=shares.get(one.tag, 0))
            for one in there
        ]  # fmt: skip
        left -= sum(shares.values())
    return tuple(rows)


def _shares(there: Sequence[Ask], left: int, carries: Carries) -> tuple[dict[str, int], set[str]]:
    """Return the shares of bids of one price, and whose margin does not carry its own."""
    failed: set[str] = set()
    while True:
        able = [one for one in there if one.tag not in failed]
        shares = pro_rata_capped(left, [one.asked_bps for one in able])
        found = {one.tag: share for one, share in zip(able, shares, strict=True) if share}
        wrong = {tag for tag, share in found.items() if not carries(tag, share)}
        if not wrong:
            return found, failed
        failed |= wrong


def awards_of(result: LotResult, price_top_ticks: int) -> list[Award]:
    """Return the lots that each winner gets: whole ones, by largest remainder."""
    winners = [row for row in result.rows if row.share_bps]
    weights = [row.share_bps for row in winners]
    weights.append(ALL_BPS - sum(weights))  # what nobody gets
    awards = []
    for piece in result.lot.pieces:
        sign = 1 if piece.qty_lots > 0 else -1
        lots = pro_rata(abs(piece.qty_lots), weights)
        awards += [
            Award(lot_no=result.lot.lot_no, tag=row.tag, symbol=piece.symbol, qty_lots=sign * count,
                  price_ticks=price_ticks_of(piece, row.premium_ticks, price_top_ticks))
            for row, count in zip(winners, lots, strict=False)
            if count
        ]  # fmt: skip
    return awards


def required_bps(contribution_usd_micros: int, all_usd_micros: int) -> int:
    """Return the share of each lot that a member has to bid for: its part of the fund."""
    return div_ceil(contribution_usd_micros * BPS, all_usd_micros) if all_usd_micros else 0


def dues_of(lots: Sequence[LotResult], contributions: Mapping[str, int]) -> tuple[Due, ...]:
    """Return which members bid enough, in every lot, within the reserve and their margin."""
    total = sum(contributions.values())
    dues = []
    for tag in sorted(contributions):
        required = required_bps(contributions[tag], total)
        bid = [
            max((_valid_bps(one, row) for row in one.rows if row.tag == tag), default=0)
            for one in lots
        ]
        dues.append(
            Due(tag=tag, contribution_usd_micros=contributions[tag], required_bps=required,
                junior=any(asked < required for asked in bid))
        )  # fmt: skip
    return tuple(dues)


def _valid_bps(lot: LotResult, row: Row) -> int:
    """Return the share that a bid counts for: none when it was too dear, or not carried."""
    cost = premium_cost_usd_micros(lot.lot, row.premium_ticks)
    return row.asked_bps if row.carried and cost <= lot.reserve_usd_micros else 0


def reserve_usd_micros(equity_share: int, help_share: int, initial_usd_micros: int) -> int:
    """Return the most that a lot may cost the defaulter, and whoever pays for it, usd micros.

    Args:
        equity_share: of what the account has left, this lot's part; nothing when below zero.
        help_share: this lot's part of its share of the fund and of the house's first layer.
    """
    return max(0, equity_share) + min(max(0, help_share), initial_usd_micros // HELP_PARTS)
