"""Answers about blocks and requests for quotes; `shapes.py` has all others."""

from api.shapes import Answer, Part


class Block(Part):
    """A block or an EFP from the side of its reader; `side` is what the reader would do.

    Statuses: open, traded, declined, withdrawn, expired, contract_ended. `counterparty` is null
    where the block answers a request for quotes, and on the websocket.
    """

    block_id: str
    client_id: str | None
    kind: str
    symbol: str
    role: str
    side: str
    price: str
    quantity: str
    counterparty: str | None
    rfq_id: str | None
    status: str
    trade_id: str | None
    expires_at: int
    created_ts: int
    updated_ts: int
    seq: int


class BlockAnswer(Answer):
    """One block; `duplicate` when an open one has this client_id and this body already."""

    block: Block
    duplicate: bool = False


class BlocksAnswer(Answer):
    """Blocks, newest first."""

    blocks: list[Block]
    next_cursor: str | None


class Rfq(Part):
    """A request for quotes; `side` is buy, sell or either."""

    rfq_id: str
    symbol: str
    side: str
    quantity: str
    status: str
    expires_at: int
    seq: int
    ts: int
    ts_ns: str


class RfqAnswer(Answer):
    """One request for quotes."""

    rfq: Rfq
    duplicate: bool = False


class RfqsAnswer(Answer):
    """The open requests for quotes, oldest first."""

    rfqs: list[Rfq]
