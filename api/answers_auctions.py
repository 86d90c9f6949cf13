"""Auctions of defaults as JSON."""

from collections.abc import Iterable
from typing import Any, Final

from api import answers
from exchange.io.default_auctions import AuctionSeen, MoveOfAward, OwnBid
from exchange.rules.adl import tag_of
from exchange.rules.default_auction import Lot, Piece
from exchange.rules.money import price_text, scaled_text
from matching.codes import Side

SHARE_DIGITS: Final = 4  # a share of 1 is 10,000 basis points


def auction(one: AuctionSeen, own: Iterable[OwnBid] = ()) -> dict[str, Any]:
    """Return an auction as it is announced, with the own bids of who asks; no others'."""
    terms = one.terms
    bids = {bid.lot_no: bid for bid in own if bid.liquidation_id == terms.liquidation_id}
    return {
        "liquidation_id": str(terms.liquidation_id),
        "status": one.status,
        "opened_ts": answers.millis(terms.opened_ns),
        "closes_ts": answers.millis(terms.closes_ns),
        "bidders": len(terms.bidders),
        "lots": [lot_out(lot, bids.get(lot.lot_no)) for lot in terms.lots],
    }


def lot_out(lot: Lot, own: OwnBid | None) -> dict[str, Any]:
    """Return a lot, at the marks of the announcement."""
    return {
        "lot": lot.lot_no,
        "name": lot.name,
        "positions": [position(piece) for piece in lot.pieces],
        "own_bid": None if own is None else own_bid(own),
    }


def position(piece: Piece) -> dict[str, Any]:
    """Return one position of a lot."""
    side = Side.BUY if piece.qty_lots > 0 else Side.SELL
    return {
        "symbol": piece.symbol,
        "side": side.name.lower(),
        "quantity": str(abs(piece.qty_lots)),
        "mark": price_text(piece.mark_ticks),
    }


def own_bid(bid: OwnBid) -> dict[str, Any]:
    """Return what an account said last of a lot."""
    return {
        "premium": price_text(bid.premium_ticks),
        "share": scaled_text(bid.share_bps, SHARE_DIGITS),
        "ts": answers.millis(bid.ts_ns),
    }


def move(row: MoveOfAward, liquidation_id: int) -> dict[str, Any]:
    """Return lots that a winner took, its name a tag; whole numbers, as in proofs."""
    return {
        "seq": row.seq,
        "tag": tag_of(row.winner_idx, liquidation_id),
        "symbol": row.symbol,
        "qty_lots": row.qty_lots,
        "price_ticks": row.price_ticks,
    }
