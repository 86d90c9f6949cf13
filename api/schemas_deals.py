"""Bodies of blocks and requests for quotes; `schemas.py` has all others."""

from typing import Annotated

from msgspec import UNSET, Meta

from api.schemas import Body, MaybeId, MaybeText, Millis, Text, WsMessage


class BlockNew(Body):
    """A block for one other account, or in answer to a request for quotes: one of the two.

    `client_id` is unique among the account's open blocks and requests.
    """

    symbol: Text
    side: Text
    price: Text
    quantity: Text
    expires_at: Millis
    counterparty: MaybeText = UNSET
    rfq_id: MaybeText = UNSET
    kind: MaybeText = UNSET
    client_id: MaybeText = UNSET


class RfqNew(Body):
    """A request for quotes: of one side (buy or sell), or either."""

    symbol: Text
    quantity: Text
    expires_at: Millis
    side: MaybeText = UNSET
    client_id: MaybeText = UNSET


class BlockRule(Body):
    """What a contract takes as a block; a least quantity of "0" means none."""

    min_quantity: Text
    range_bps: Annotated[int, Meta(ge=0, le=10_000)]


class WsBlockPropose(BlockNew, tag="block.propose", tag_field="op"):
    """Propose a block."""

    id: MaybeId = UNSET


class WsBlockAccept(Body, tag="block.accept", tag_field="op"):
    """Accept a block."""

    block_id: Text
    id: MaybeId = UNSET


class WsBlockDecline(Body, tag="block.decline", tag_field="op"):
    """Decline a block, or withdraw one's own."""

    block_id: Text
    id: MaybeId = UNSET


class WsRfqNew(RfqNew, tag="rfq.new", tag_field="op"):
    """Ask for quotes."""

    id: MaybeId = UNSET


class WsRfqCancel(Body, tag="rfq.cancel", tag_field="op"):
    """Withdraw a request for quotes."""

    rfq_id: Text
    id: MaybeId = UNSET


WsAnyMessage = WsMessage | WsBlockPropose | WsBlockAccept | WsBlockDecline | WsRfqNew | WsRfqCancel
