"""Auctions of defaults: announced to who may bid, sealed until the close, then for anybody."""

import re
import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import answers_auctions, codec
from api.auth import Principal
from api.deps import (
    Admin,
    Asker,
    JsonBody,
    Page,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    count_public,
)
from api.edge import json_response
from api.errors import Problem
from api.routes.admin import account_by
from api.routes.defaults import id_of
from api.routes.public import stamped
from api.schemas import MaybeText
from api.schemas_auctions import Admission, DefaultBidNew
from exchange.io.default_auctions import AuctionSeen, DefaultAuctions, NoBidNow
from exchange.io.registry import Scope
from exchange.rules.default_auction import ALL_BPS, Bid
from exchange.rules.money import DecimalError, scaled_of

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])
admin = APIRouter(prefix="/admin/risk", tags=["admin"])

ROUTERS: Final = (public, private, admin)
Owner = Annotated[Principal, Depends(Asker(Scope.TRADE))]
PageQuery = Annotated[Page, Depends(QueryOf(Page))]
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


def auctions_of(services: Services) -> DefaultAuctions:
    """Return the door to the tables of auctions."""
    if services.auctions is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.auctions


async def asked(services: Services, text: str, account_idx: int) -> AuctionSeen:
    """Return an auction that the account is asked to bid in."""
    one = await auctions_of(services).get(id_of(text, "liquidation_id"))
    if one is None or account_idx not in one.terms.bidders:
        raise Problem("auction_unknown", "the account is not asked to bid in such an auction")
    return one


async def answered(
    services: Services, one: AuctionSeen, account_idx: int, status: int = 200
) -> Response:
    """Return an auction with the account's own bids."""
    own = await auctions_of(services).own_bids([one.terms.liquidation_id], account_idx)
    return json_response(stamped(services, {"auction": answers_auctions.auction(one, own)}), status)


async def auctions_page(services: Services, query: Page, account_idx: int | None) -> Response:
    """Return auctions, newest first."""
    rows, size = auctions_of(services), query.size()
    found = await rows.page(account_idx, before_id=query.place(), limit=size + 1)
    shown = found[:size]
    ids = [one.terms.liquidation_id for one in shown]
    own = await rows.own_bids(ids, account_idx) if account_idx is not None else []
    content = {
        "auctions": [answers_auctions.auction(one, own) for one in shown],
        "next_cursor": str(ids[-1]) if len(found) > size else None,
    }
    return json_response(stamped(services, content))


def share_of(text: MaybeText) -> int:
    """Return a share of a lot in basis points."""
    if text is UNSET:
        return ALL_BPS
    try:
        share = scaled_of(text, answers_auctions.SHARE_DIGITS)
    except DecimalError:
        share = ALL_BPS + 1
    if share > ALL_BPS:
        raise Problem("field_invalid", "0 to 1, at most four decimals", field="share")
    return share


def bid_of(body: DefaultBidNew, one: AuctionSeen, account_idx: int) -> tuple[Bid, str]:
    """Return what a body bids, and the key that makes a repetition the same.

    Errors:
        Problem: it makes no sense.
    """
    if body.lot > len(one.terms.lots):
        raise Problem("field_invalid", "there is no such lot", field="lot")
    share = share_of(body.share)
    if body.premium is UNSET and share:
        raise Problem("field_missing", "how far from the marks, unless it passes", field="premium")
    premium = 0 if body.premium is UNSET else codec.difference_ticks(body.premium, "premium")
    key = uuid.uuid4().hex if body.bid_id is UNSET else body.bid_id
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 64 of A-Z a-z 0-9 . _ : -", field="bid_id")
    return Bid(body.lot, account_idx, premium, share), key


@public.get("/liquidations/{liquidation_id}/auction", summary="The record of an auction")
async def get_auction_record(services: ServicesDep, liquidation_id: str) -> Response:
    """Return what was offered; once it has closed all bids by tag, and the lots that moved."""
    rows, number = auctions_of(services), id_of(liquidation_id, "liquidation_id")
    one = await rows.get(number)
    content: dict[str, Any] = {
        "auction": None if one is None else answers_auctions.auction(one),
        "result": await rows.result(number),
        "moves": [answers_auctions.move(row, number) for row in await rows.moves(number)],
    }
    return json_response(stamped(services, content))


@private.get("/default-auctions", summary="Auctions of defaults")
async def list_default_auctions(services: ServicesDep, who: Reader, query: PageQuery) -> Response:
    """Return the auctions that the account is, or was, asked to bid in, newest first."""
    return await auctions_page(services, query, who.account_idx)


@private.get("/default-auctions/{liquidation_id}", summary="One auction of a default")
async def get_default_auction(services: ServicesDep, who: Reader, liquidation_id: str) -> Response:
    """Return an auction with the account's own bids."""
    one = await asked(services, liquidation_id, who.account_idx)
    return await answered(services, one, who.account_idx)


@private.post(
    "/default-auctions/{liquidation_id}/bids", status_code=201, summary="Bid in an auction"
)
async def bid_in_default_auction(
    services: ServicesDep,
    who: Owner,
    liquidation_id: str,
    body: Annotated[DefaultBidNew, Depends(JsonBody(DefaultBidNew))],
) -> Response:
    """Put a sealed bid; the last one of a lot counts, until the close nobody is shown it."""
    one = await asked(services, liquidation_id, who.account_idx)
    bid, key = bid_of(body, one, who.account_idx)
    now_ns, rows = services.gateway.mirror.ts_ns, auctions_of(services)
    try:
        await rows.bid(one.terms.liquidation_id, bid, key, who.key_id, now_ns)
    except NoBidNow as error:
        raise Problem("auction_closed", str(error)) from error
    return await answered(services, one, who.account_idx, 201)


@admin.get("/auctions", summary="All auctions of defaults")
async def list_all_default_auctions(
    services: ServicesDep, who: Admin, query: PageQuery
) -> Response:
    """Return all auctions, newest first; bids are shown to nobody before the close."""
    return await auctions_page(services, query, None)


@admin.get("/bidders", summary="Who may bid in auctions of defaults")
async def list_bidders(services: ServicesDep, who: Admin) -> Response:
    """Return whom an operator admitted, or excluded; members not named here may bid."""
    return await bidders_answer(services)


@admin.put("/bidders", summary="Admit or exclude a bidder")
async def admit_bidder(
    services: ServicesDep, who: Admin, body: Annotated[Admission, Depends(JsonBody(Admission))]
) -> Response:
    """Say that an account may bid in auctions to come, or may not."""
    account = await account_by(services, body.account_id)
    if account.kind in ("house", "fund", "operator"):
        raise Problem(
            "field_invalid", "an account of the exchange does not bid", field="account_id"
        )
    now_ns = services.gateway.mirror.ts_ns
    await auctions_of(services).admit(
        account.account_idx, who.key_id, now_ns, admitted=body.admitted
    )
    return await bidders_answer(services)


async def bidders_answer(services: Services) -> Response:
    """Return whom an operator admitted or excluded."""
    found = []
    for idx, admitted in sorted((await auctions_of(services).admissions()).items()):
        account = await services.accounts.by_idx(idx)
        assert account is not None, "accounts are never removed"
        found.append({"account_id": account.account_id, "admitted": admitted})
    return json_response(stamped(services, {"bidders": found}))
