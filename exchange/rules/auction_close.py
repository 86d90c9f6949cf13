"""The close of a default's auction on the mirrored state: what each bid comes to."""

from collections.abc import Callable, Iterable, Sequence

from exchange.rules.adl import tag_of
from exchange.rules.auction_steps import Won, piece_of
from exchange.rules.default_auction import (
    Ask,
    Bid,
    Lot,
    LotResult,
    Result,
    Terms,
    allocate,
    awards_of,
    dues_of,
    price_ticks_of,
    reserve_usd_micros,
)
from exchange.rules.layers import Funds, has_usd_micros, stands_behind_usd_micros
from exchange.rules.liquidation import Held, equity_share_usd_micros
from exchange.rules.margin import exposures_of, tail_of, without_orders
from exchange.rules.mirror import Mirror
from exchange.rules.money import BPS, div_ceil
from exchange.rules.requirement import requirement_of
from exchange.rules.standing import Standing
from exchange.rules.what_if import SupposedPosition, Supposition, what_if

Leg = SupposedPosition  # as the winner will hold it


def still_held(state: Mirror, terms: Terms) -> list[Lot]:
    """Return the lots as far as the account still has them, at the marks of now."""
    account = state.accounts[terms.account_idx]
    found = []
    for lot in terms.lots:
        pieces = []
        for piece in lot.pieces:
            position = account.positions.get(piece.contract_idx)
            has = position.qty_lots if position is not None else 0
            if has * piece.qty_lots > 0:
                lots = min(abs(has), abs(piece.qty_lots)) * (1 if has > 0 else -1)
                pieces.append(piece_of(state, piece.contract_idx, lots))
        found.append(lot._replace(pieces=tuple(pieces)))
    return found


def close(
    state: Mirror,
    terms: Terms,
    bids: Iterable[Bid],
    standing: Standing,
    held: Sequence[Held],
    funds: Funds,
) -> tuple[Result, tuple[Won, ...], frozenset[int]]:
    """Return what comes of an auction by the state of now: its result, the lots, the juniors.

    Args:
        bids: the last of each bidder and lot.
    """
    idx_of = {tag_of(idx, terms.liquidation_id): idx for idx in terms.bidders}
    by_lot: dict[int, list[Ask]] = {}
    for bid in bids:
        if bid.share_bps:
            tag = tag_of(bid.account_idx, terms.liquidation_id)
            by_lot.setdefault(bid.lot_no, []).append(Ask(tag, bid.premium_ticks, bid.share_bps))
    top = state.price_ticks_max - 1
    legs: dict[int, list[Leg]] = {}  # by winner, those of all lots before
    lots, won = [], []
    for lot in still_held(state, terms):
        asks = by_lot.get(lot.lot_no, []) if lot.pieces else []
        premium_of = {one.tag: one.premium_ticks for one in asks}
        reserve = _reserve(state, standing, held, funds, lot)

        def carries(tag: str, share: int, lot: Lot = lot, of: dict[str, int] = premium_of) -> bool:
            part = _part(lot, share, of[tag], top)
            return carried(state, idx_of[tag], legs.get(idx_of[tag], []), part) is not None

        found = LotResult(lot=lot, reserve_usd_micros=reserve,
                          rows=allocate(lot, reserve, asks, carries))  # fmt: skip
        lots.append(found)
        won += _won(state, found, idx_of, legs, top)
    tags = {tag_of(idx, terms.liquidation_id): idx for idx in funds.shares if idx in terms.bidders}
    contributions = {tag: has_usd_micros(state, funds.shares[idx]) for tag, idx in tags.items()}
    dues = dues_of(lots, {tag: has for tag, has in contributions.items() if has})
    result = Result(
        liquidation_id=terms.liquidation_id, state_seq=state.seq, price_top_ticks=top,
        lots=tuple(lots), awards=tuple(a for one in lots for a in awards_of(one, top)), dues=dues,
    )  # fmt: skip
    return result, tuple(won), frozenset(tags[due.tag] for due in dues if due.junior)


def _part(lot: Lot, share_bps: int, premium_ticks: int, top: int) -> list[Leg]:
    """Return the most lots that a share of a lot may come to, as the winner would hold them."""
    return [
        Leg(one.contract_idx,
            div_ceil(abs(one.qty_lots) * share_bps, BPS) * (1 if one.qty_lots > 0 else -1),
            price_ticks_of(one, premium_ticks, top))
        for one in lot.pieces
    ]  # fmt: skip


def _won(
    state: Mirror, found: LotResult, idx_of: dict[str, int], legs: dict[int, list[Leg]], top: int
) -> list[Won]:
    """Return a lot's awards, each winner's in the order its margin carries; add them to `legs`."""
    contract_of = {piece.symbol: piece.contract_idx for piece in found.lot.pieces}
    by_winner: dict[int, list[Leg]] = {}
    for one in awards_of(found, top):
        leg = Leg(contract_of[one.symbol], one.qty_lots, one.price_ticks)
        by_winner.setdefault(idx_of[one.tag], []).append(leg)
    won = []
    for idx, part in by_winner.items():
        before = legs.setdefault(idx, [])
        ordered = carried(state, idx, before, part) or part
        before += ordered
        won += [Won(found.lot.lot_no, idx, *leg) for leg in ordered]
    return won


def _reserve(
    state: Mirror, standing: Standing, held: Sequence[Held], funds: Funds, lot: Lot
) -> int:
    """Return the most that a lot may cost, by its part of the maintenance margin."""
    own = {piece.contract_idx for piece in lot.pieces}
    total = sum(one.maintenance_usd_micros for one in held)
    part = sum(one.maintenance_usd_micros for one in held if one.contract_idx in own)
    idx, equity = standing.account_idx, standing.equity_usd_micros
    help_usd = has_usd_micros(state, funds.first_idx) + min(0, equity)
    help_usd += stands_behind_usd_micros(state, idx, funds)
    exposures = [without_orders(one) for one in exposures_of(state, idx) if one.contract_idx in own]
    account = state.accounts[idx]
    initial = requirement_of(
        exposures, tail_of(state), account.level_bps, account.profile
    ).initial_usd_micros
    return reserve_usd_micros(
        equity_share_usd_micros(max(0, equity), part, total),
        equity_share_usd_micros(max(0, help_usd), part, total),
        initial,
    )


def carried(
    state: Mirror, account_idx: int, before: Sequence[Leg], part: Sequence[Leg]
) -> list[Leg] | None:
    """Return legs in an order in which margin carries each; None where it carries them not.

    The one that leaves most free goes first: what hedges comes before what it hedges.
    """
    done, left, ordered = list(before), list(part), []
    free_of = _free_of(state, account_idx)
    while left:
        best = max(left, key=lambda leg: (free_of([*done, leg]), -leg.contract_idx))
        if free_of([*done, best]) < 0:
            return None
        done.append(best)
        ordered.append(best)
        left.remove(best)
    return ordered


def _free_of(state: Mirror, account_idx: int) -> Callable[[list[Leg]], int]:
    def free_of(legs: list[Leg]) -> int:
        supposed = Supposition(positions=tuple(legs))
        return what_if(state, account_idx, supposed).after.free_usd_micros

    return free_of
