"""Requests about blocks, exchanges for physical, and requests for quotes."""

from urllib.parse import quote

from wellhead import deal_types as dt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target
from wellhead.order_fields import Number, decimal_text

BLOCK, RFQ = member("block", dt.Block), member("rfq", dt.Rfq)


def _given(**fields: object) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def propose(
    symbol: str,
    side: str,
    quantity: Number,
    price: Number,
    expires_at: int,
    *,
    counterparty: str | None = None,
    rfq_id: str | None = None,
    kind: str | None = None,
    client_id: str | None = None,
) -> Call[dt.Block]:
    """Propose a block to one other account, or in answer to a request for quotes.

    Errors:
        TypeError: neither counterparty nor rfq_id is given, or both are.
    """
    if (counterparty is None) == (rfq_id is None):
        raise TypeError("either counterparty or rfq_id")
    body: Json = {"symbol": symbol, "side": side, "expires_at": expires_at}
    body["price"], body["quantity"] = decimal_text(price, "price"), decimal_text(quantity, "lots")
    body |= _given(counterparty=counterparty, rfq_id=rfq_id, kind=kind, client_id=client_id)
    return Call("POST", target("/blocks"), BLOCK, body=body)


def blocks(
    status: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[dt.Block]]:
    """What the account proposed or was proposed, newest first; open ones unless said."""
    parse = page("blocks", dt.Block)
    return get_call("/blocks", parse, status=status, limit=limit, cursor=cursor)


def accept(block_id: str) -> Call[dt.Block]:
    """Accept what was proposed: the trade is booked."""
    return Call("POST", target(f"/blocks/{quote(block_id, safe='')}/accept"), BLOCK)


def end(block_id: str) -> Call[dt.Block]:
    """Decline what was proposed to the account, or withdraw what it proposed."""
    return Call("DELETE", target(f"/blocks/{quote(block_id, safe='')}"), BLOCK)


def request_quotes(
    symbol: str,
    quantity: Number,
    expires_at: int,
    *,
    side: str | None = None,
    client_id: str | None = None,
) -> Call[dt.Rfq]:
    """Ask everybody for quotes, without a name."""
    body: Json = {"symbol": symbol, "expires_at": expires_at}
    body["quantity"] = decimal_text(quantity, "quantity")
    return Call("POST", target("/rfqs"), RFQ, body=body | _given(side=side, client_id=client_id))


def rfqs() -> Call[wt.Page[dt.Rfq]]:
    """The open requests for quotes, oldest first."""
    return get_call("/rfqs", page("rfqs", dt.Rfq), private=False)


def withdraw_rfq(rfq_id: str) -> Call[dt.Rfq]:
    """Withdraw a request; what was proposed in answer stays until it ends."""
    return Call("DELETE", target(f"/rfqs/{quote(rfq_id, safe='')}"), RFQ)


# The operator


def set_rule(symbol: str, min_quantity: Number, range_bps: int) -> Call[wt.Instrument]:
    """Set the least quantity of a block, 0 for no blocks, and its range of prices."""
    body = {"min_quantity": decimal_text(min_quantity, "min_quantity"), "range_bps": range_bps}
    path = target(f"/admin/contracts/{quote(symbol, safe='')}/blocks")
    return Call("PUT", path, member("instrument", wt.Instrument), body=body, repeatable=True)
