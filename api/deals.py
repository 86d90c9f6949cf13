"""Blocks and requests for quotes: messages to rows, and deals of the mirror to answers."""

from typing import Any

from msgspec import UNSET

from api import codec
from api.answers import millis, times
from api.errors import Problem, core_problem
from api.errors_deals import DETAIL_HERE, FIELD_HERE
from api.orders import contract_of
from api.replies import Reply
from api.schemas_deals import BlockNew, RfqNew
from exchange.rules.deals import Deal
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import BLOCK_NAMES
from matching.codes import Code, DealKind, Kind

Answer = dict[str, Any]
KINDS = {kind.name.lower(): int(kind) for kind in (DealKind.BLOCK, DealKind.EFP)}
SIDE_WANTED = {"either": 0, **{name: side + 1 for name, side in codec.SIDES.items()}}
SIDES_WANTED = tuple(SIDE_WANTED)
NOBODY = 0


def propose_row(state: MirrorState, block: BlockNew, account_idx: int, whom_idx: int) -> bytes:
    """Return the PROPOSE row; a block that answers a request is for whoever asked."""
    contract = contract_of(state, block.symbol)
    request_id = 0 if block.rfq_id is UNSET else codec.order_id(block.rfq_id, "rfq_id")
    kind = codec.choice(KINDS, block.kind, int(DealKind.BLOCK), "kind")
    return codec.ROW.pack(
        Kind.PROPOSE, codec.choice(codec.SIDES, block.side, 0, "side"), 0, 0, 0, kind, 0,
        account_idx, contract.contract_idx, request_id, codec.price_ticks(block.price),
        lots_of(block.quantity), 0, block.expires_at * codec.NS_PER_MS,
        *codec.client_words(block.client_id, "client_id"), whom_idx,
    )  # fmt: skip


def request_row(state: MirrorState, rfq: RfqNew, account_idx: int) -> bytes:
    """Return the REQUEST_QUOTES row."""
    contract = contract_of(state, rfq.symbol)
    wanted = codec.choice(SIDE_WANTED, rfq.side, 0, "side")
    return codec.ROW.pack(
        Kind.REQUEST_QUOTES, 0, 0, 0, 0, wanted, 0, account_idx, contract.contract_idx, 0, 0,
        lots_of(rfq.quantity), 0, rfq.expires_at * codec.NS_PER_MS,
        *codec.client_words(rfq.client_id, "client_id"), NOBODY,
    )  # fmt: skip


def named_row(kind: Kind, account_idx: int, deal_id: int) -> bytes:
    """Return the row of an ACCEPT or a DECLINE."""
    return codec.ROW.pack(
        kind, 0, 0, 0, 0, 0, 0, account_idx, 0, deal_id, 0, 0, 0, 0, *codec.NO_WORDS, 0
    )


def blocks_row(contract_idx: int, least_lots: int, range_bps: int) -> bytes:
    """Return the SET_BLOCKS row."""
    return codec.ROW.pack(
        Kind.SET_BLOCKS, 0, 0, 0, 0, 0, 0, 0, contract_idx, range_bps, 0, least_lots, 0, 0,
        *codec.NO_WORDS, 0,
    )  # fmt: skip


def lots_of(text: str) -> int:
    """Return the lots of a block or a request.

    Errors:
        Problem: none, not whole, or more than there may be.
    """
    try:
        return codec.qty_lots(text)
    except codec.TooLarge:
        raise _problem(Code.QTY_TOO_LARGE) from None


def raise_refused(reply: Reply) -> None:
    """Raise the problem of a refusal, in words for deals."""
    if reply.code:
        raise _problem(reply.code)


def _problem(code: int) -> Problem:
    problem = core_problem(code, detail=DETAIL_HERE.get(code, ""))
    problem.field = FIELD_HERE.get(code, problem.field)
    return problem


def deal_of(state: MirrorState, reply: Reply) -> tuple[Deal, bool]:
    """Return the deal that a reply is about, and whether it was there before.

    Errors:
        Problem: the refusal, or `outcome_unknown` when the deal ended too long ago.
    """
    duplicate = reply.code == Code.CLIENT_ORDER_ID_REPEATED
    if not duplicate:
        raise_refused(reply)
    deal = state.deals.find(reply.events[0][5])
    if deal is None:
        raise Problem("outcome_unknown", "look at the list of blocks")
    return deal, duplicate


def block_out(state: MirrorState, deal: Deal, account_idx: int, counterparty: str | None) -> Answer:
    """Return a proposal as one of its two sides sees it."""
    initiates = deal.account_idx == account_idx
    return {
        "block_id": str(deal.deal_id),
        "client_id": (deal.client_id or None) if initiates else None,
        "kind": BLOCK_NAMES[deal.kind + 1],
        "symbol": state.contracts[deal.contract_idx].symbol,
        "role": "initiator" if initiates else "counterparty",
        "side": codec.SIDE_NAMES[deal.side if initiates else deal.side ^ 1],
        "price": codec.price_out(deal.price_ticks),
        "quantity": str(deal.qty_lots),
        "counterparty": counterparty,
        "rfq_id": str(deal.request_id) if deal.request_id else None,
        "status": deal.status,
        "trade_id": deal.trade_id or None,
        "expires_at": millis(deal.expires_ns),
        "created_ts": millis(deal.created_ns),
        "updated_ts": millis(deal.updated_ns),
        "seq": deal.updated_seq,
    }


def other_side(deal: Deal, account_idx: int) -> int | None:
    """Return who is on the other side; None where a request for quotes keeps both unnamed."""
    if deal.request_id:
        return None
    return deal.counterparty_idx if deal.account_idx == account_idx else deal.account_idx


def rfq_out(state: MirrorState, deal: Deal) -> Answer:
    """Return a request for quotes as everybody sees it: it does not say who asks."""
    return {
        "rfq_id": str(deal.deal_id),
        "symbol": state.contracts[deal.contract_idx].symbol,
        "side": SIDES_WANTED[deal.side],
        "quantity": str(deal.qty_lots),
        "status": deal.status,
        "expires_at": millis(deal.expires_ns),
        "seq": deal.updated_seq,
        **times(deal.created_ns),
    }
