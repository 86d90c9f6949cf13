"""What answers say of the auctions of defaults."""

from typing import Final

from api.shapes import Answer, Part


class AuctionPosition(Part):
    """One position of a lot, as the account in default holds it."""

    symbol: str
    side: str
    quantity: str
    mark: str


class OwnDefaultBid(Part):
    """What the account said last of a lot; a share of "0" passes."""

    premium: str
    share: str
    ts: int


class AuctionLot(Part):
    """What is offered together; `own_bid` is None before the first, and where nobody asks."""

    lot: int
    name: str
    positions: list[AuctionPosition]
    own_bid: OwnDefaultBid | None


class DefaultAuction(Part):
    """An auction of what a liquidation could not close."""

    liquidation_id: str
    status: str
    opened_ts: int
    closes_ts: int
    bidders: int
    lots: list[AuctionLot]


class ResultPiece(Part):
    """A position at the close; whole ticks and lots, as the core counts."""

    contract_idx: int
    symbol: str
    qty_lots: int
    mark_ticks: int
    tick_value_usd_micros: int


class ResultRow(Part):
    """A bid and what came of it."""

    tag: str
    premium_ticks: int
    asked_bps: int
    carried: bool
    share_bps: int


class ResultLot(Part):
    """A lot and its bids, the best first."""

    lot_no: int
    name: str
    pieces: list[ResultPiece]
    reserve_usd_micros: int
    rows: list[ResultRow]


class ResultAward(Part):
    """Lots that went to a bidder."""

    lot_no: int
    tag: str
    symbol: str
    qty_lots: int
    price_ticks: int


class ResultDue(Part):
    """A member of the default fund, what it had to bid for, and whether it is junior."""

    tag: str
    contribution_usd_micros: int
    required_bps: int
    junior: bool


class AuctionResult(Part):
    """What came of an auction; from the bids and reserves everything else follows."""

    digest: str
    liquidation_id: int
    state_seq: int
    price_top_ticks: int
    lots: list[ResultLot]
    awards: list[ResultAward]
    dues: list[ResultDue]


class AuctionMove(Part):
    """Lots that a winner took, as the journal has them."""

    seq: int
    tag: str
    symbol: str
    qty_lots: int
    price_ticks: int


class DefaultAuctionAnswer(Answer):
    """One auction."""

    auction: DefaultAuction


class DefaultAuctionsAnswer(Answer):
    """Auctions, newest first."""

    auctions: list[DefaultAuction]
    next_cursor: str | None


class AuctionRecordAnswer(Answer):
    """The public record of a liquidation's auction; `result` is None before its close."""

    auction: DefaultAuction | None
    result: AuctionResult | None
    moves: list[AuctionMove]


class Bidder(Part):
    """An account that an operator admitted, or excluded."""

    account_id: str
    admitted: bool


class BiddersAnswer(Answer):
    """Who may bid beyond the members, or may not."""

    bidders: list[Bidder]


ANSWERS: Final[dict[str, type[Answer]]] = {
    "list_default_auctions": DefaultAuctionsAnswer,
    "get_default_auction": DefaultAuctionAnswer,
    "bid_in_default_auction": DefaultAuctionAnswer,
    "get_auction_record": AuctionRecordAnswer,
    "list_all_default_auctions": DefaultAuctionsAnswer,
    "list_bidders": BiddersAnswer,
    "admit_bidder": BiddersAnswer,
}
