"""Answers about blocks and requests for quotes; `types.py` has the rest."""

from decimal import Decimal

from wellhead.types import Answer


class Block(Answer, frozen=True, kw_only=True):
    """A block or an EFP from the side of its reader; `side` is what the reader would do.

    `role` is initiator or counterparty; `status` is open, traded, declined, withdrawn,
    expired or contract_ended.
    """

    block_id: str
    kind: str
    symbol: str
    role: str
    side: str
    price: Decimal
    quantity: Decimal
    status: str
    expires_at: int
    seq: int
    client_id: str | None = None
    counterparty: str | None = None
    rfq_id: str | None = None
    trade_id: str | None = None
    created_ts: int = 0
    updated_ts: int = 0


class Rfq(Answer, frozen=True, kw_only=True):
    """A request for quotes; `side` is buy, sell or either, and nobody is told who asks."""

    rfq_id: str
    symbol: str
    side: str
    quantity: Decimal
    status: str
    expires_at: int
    seq: int
    ts: int = 0
