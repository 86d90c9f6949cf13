"""The auction of a drill: what members would take of an account, if all of them bid alike.

It is decided as a real one is (AUCT_001 to AUCT_006): by reserves, by what each bidder's margin
carries, in whole lots, at the marks of now. Only the bids are supposed: every bidder asks for the
same share at the same distance from the marks. Nothing is written, nobody is asked.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from exchange.rules.auction_close import close
from exchange.rules.auction_steps import terms_of
from exchange.rules.default_auction import Award, Bid, LotResult
from exchange.rules.layers import Funds
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.money import BPS, div_ceil
from exchange.rules.standing import Standing, held_of

WORK_MAX: Final = 2_000  # bidders x positions squared: looks at margin, of 0.1 ms and more each


class DrillLot(NamedTuple):
    """What would come of one lot."""

    name: str
    reserve_usd_micros: int  # the most that it may cost
    offered_lots: int
    taken_lots: int
    cost_usd_micros: int  # what the distance from the marks takes


def drill_auction(
    state: Mirror,
    standing: Standing,
    funds: Funds,
    bidders: Collection[int],
    premium_ticks: int,
) -> list[DrillLot] | None:
    """Return what members would take; nothing where no auction would be, None if it is too large.

    Args:
        bidders: who may bid.
        premium_ticks: from the marks, in the bidder's favour.
    """
    positions = state.accounts[standing.account_idx].positions
    shocks = {idx: np.array(state.shocks[idx], np.int64) for idx in positions}
    held = held_of(state, standing.account_idx, shocks)
    nothing_yet = Liquidation(0, state.ts_ns, 0)
    if len(bidders) * len(held) ** 2 > WORK_MAX:
        return None
    terms = terms_of(state, standing, nothing_yet, held, funds, bidders)
    if terms is None:
        return []
    share = div_ceil(BPS, len(terms.bidders))
    bids = [
        Bid(lot.lot_no, idx, premium_ticks, share) for lot in terms.lots for idx in terms.bidders
    ]
    result, _, _ = close(state, terms, bids, standing, held, funds)
    return [
        _lot(one, [award for award in result.awards if award.lot_no == one.lot.lot_no])
        for one in result.lots
    ]


def _lot(found: LotResult, awards: list[Award]) -> DrillLot:
    pieces = {piece.symbol: piece for piece in found.lot.pieces}
    cost = sum(
        one.qty_lots
        * pieces[one.symbol].tick_value_usd_micros
        * (pieces[one.symbol].mark_ticks - one.price_ticks)
        for one in awards
    )
    return DrillLot(
        found.lot.name, found.reserve_usd_micros,
        sum(abs(piece.qty_lots) for piece in found.lot.pieces),
        sum(abs(one.qty_lots) for one in awards), cost,
    )  # fmt: skip
