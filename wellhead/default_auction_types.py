"""Auctions of defaults, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class AuctionPosition(Answer, frozen=True, kw_only=True):
    """One position of a lot, as the account in default holds it."""

    symbol: str
    side: str
    quantity: Decimal
    mark: Decimal


class OwnDefaultBid(Answer, frozen=True, kw_only=True):
    """What the account said last of a lot; a share of zero passes."""

    premium: Decimal
    share: Decimal
    ts: int


class AuctionLot(Answer, frozen=True, kw_only=True):
    """What is offered together."""

    lot: int
    name: str
    positions: list[AuctionPosition]
    own_bid: OwnDefaultBid | None = None


class DefaultAuction(Answer, frozen=True, kw_only=True):
    """An auction of what a liquidation could not close.

    States: open, closing, closed, done, lapsed, withdrawn.
    """

    liquidation_id: str
    status: str
    opened_ts: int
    closes_ts: int
    bidders: int
    lots: list[AuctionLot]


class Bidder(Answer, frozen=True, kw_only=True):
    """An account that an operator admitted to auctions, or excluded."""

    account_id: str
    admitted: bool


class Bidders(Answer, frozen=True, kw_only=True):
    """Who may bid beyond the members, or may not."""

    bidders: list[Bidder]
