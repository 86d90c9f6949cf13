"""The auction of a default on the mirrored state: what is offered, to whom, and what is moved."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from exchange.rules import liquidation_rows as rows
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.default_auction import (
    AUCTION_NS,
    AWARD_NS,
    LEAST_USD_MICROS,
    Lot,
    Piece,
    Terms,
)
from exchange.rules.layers import Funds, free_usd_micros
from exchange.rules.liquidation import Held
from exchange.rules.liquidation_steps import Step
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.standing import Standing
from matching.codes import AccountState, MoveReason
from matching.wire import new_commands

OPEN: Final = "open"  # bids are taken
CLOSED: Final = "closed"  # its result is kept, its lots are to be moved
OVER: Final = "over"  # nothing more comes of it
TRIES: Final = 5  # of what the core refuses while the winner trades
AGAIN_NS: Final = 1_000_000_000  # between them


class Won(NamedTuple):
    """Lots that go to a winner; signed as the defaulter holds them."""

    lot_no: int
    account_idx: int
    contract_idx: int
    qty_lots: int
    price_ticks: int


class Auction:
    """An auction, as far as it has come."""

    __slots__ = ("closed_ns", "juniors", "phase", "sent", "sent_ns", "terms", "won")

    def __init__(
        self,
        terms: Terms,
        phase: str = OPEN,
        closed_ns: int = 0,
        won: tuple[Won, ...] = (),
        juniors: frozenset[int] = frozenset(),
    ) -> None:
        self.terms = terms
        self.phase = phase
        self.closed_ns = closed_ns
        self.won = won  # in the order in which margin carries them
        self.juniors = juniors
        self.sent = 0  # times that this process sent what was won
        self.sent_ns = 0  # when it did last


class Auctions:
    """What is known of auctions: who may bid, and those of liquidations that go on."""

    __slots__ = ("bidders", "going")

    def __init__(self) -> None:
        self.bidders: frozenset[int] = frozenset()
        self.going: dict[int, Auction] = {}  # by liquidation

    def juniors_of(self, liquidation_id: int) -> frozenset[int]:
        """Return the members whose contributions go first."""
        one = self.going.get(liquidation_id)
        return one.juniors if one is not None else frozenset()


def terms_of(
    state: Mirror,
    standing: Standing,
    going: Liquidation,
    held: Sequence[Held],
    funds: Funds,
    bidders: Iterable[int],
) -> Terms | None:
    """Return what is offered to whom; None where it is too little, or nobody could take it."""
    if standing.initial_usd_micros < LEAST_USD_MICROS:
        return None
    able = able_bidders(state, bidders, standing.account_idx, funds)
    if not able:
        return None
    return Terms(
        going.liquidation_id, standing.account_idx, state.seq, state.ts_ns,
        state.ts_ns + AUCTION_NS, lots_of(state, held), able,
    )  # fmt: skip


def auction_step(
    state: Mirror,
    auctions: Auctions,
    standing: Standing,
    going: Liquidation,
    held: Sequence[Held],
    funds: Funds,
) -> tuple[bool, Step | None]:
    """Return whether an auction is to come or goes on, and what is to be done for it now.

    It is announced, its close is waited for, and what was won is moved, once by this process.
    """
    one = auctions.going.get(going.liquidation_id)
    if one is None:
        terms = terms_of(state, standing, going, held, funds, auctions.bidders)
        story = "is auctioned"
        offer = Step(commands=new_commands(0), story=story, offer=terms) if terms else None
        return offer is not None, offer
    if one.phase == OPEN:
        return True, None
    moves = moves_due(state, one) if one.phase == CLOSED else None
    if moves is None or is_sent_enough(one):
        return False, None
    if one.sent and state.ts_ns < one.sent_ns + AGAIN_NS:
        return True, None  # what the core refused is tried again in a moment
    one.sent, one.sent_ns = one.sent + 1, state.ts_ns
    return True, Step(commands=moves, story="winners of the auction take over")


def is_sent_enough(auction: Auction) -> bool:
    """Say whether this process has sent what was won as often as it does (AUCT_010)."""
    return auction.sent >= TRIES


def able_bidders(
    state: Mirror, among: Iterable[int], account_idx: int, funds: Funds
) -> tuple[int, ...]:
    """Return who of them may take positions now, and has money for it."""
    return tuple(
        idx
        for idx in sorted(set(among) - funds.accounts - {account_idx})
        if idx < len(state.accounts)
        and state.accounts[idx].state == AccountState.ACTIVE
        and idx not in state.liquidations
        and free_usd_micros(state, idx) > 0
    )


def lots_of(state: Mirror, held: Sequence[Held]) -> tuple[Lot, ...]:
    """Return positions as lots, one for each SKU."""
    by_name: dict[str, list[Piece]] = {}
    for one in held:
        piece = piece_of(state, one.contract_idx, one.qty_lots)
        by_name.setdefault(_sku(piece.symbol), []).append(piece)
    return tuple(
        Lot(number, name, tuple(by_name[name])) for number, name in enumerate(sorted(by_name), 1)
    )


def piece_of(state: Mirror, contract_idx: int, qty_lots: int) -> Piece:
    """Return lots of a contract, with its mark of now."""
    contract = state.contracts[contract_idx]
    return Piece(
        contract_idx, contract.symbol, qty_lots, contract.mark_ticks,
        contract.tick_value_usd_micros,
    )  # fmt: skip


def _sku(symbol: str) -> str:
    """Return the SKU of a symbol; one of another grammar is a lot of its own."""
    try:
        return parse_symbol(symbol).series.sku.short
    except SymbolError:
        return symbol


def moves_due(state: Mirror, auction: Auction) -> np.ndarray | None:
    """Return what moves the lots that were won and are not moved yet; None when it is too late."""
    if not auction.won or state.ts_ns - auction.closed_ns > AWARD_NS:
        return None
    terms = auction.terms
    done = state.auctioned.get(terms.liquidation_id, {})
    moves = [
        rows.move_row(
            MoveReason.AUCTION, terms.account_idx, one.account_idx, one.contract_idx, one.qty_lots,
            one.price_ticks, terms.liquidation_id,
        )
        for one in auction.won
        if not done.get((one.account_idx, one.contract_idx))
    ]  # fmt: skip
    return np.concatenate(moves) if moves else None
