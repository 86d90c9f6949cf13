"""Collateral for operators and custodians: deposits, decisions on withdrawals, prices."""

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import codec, custody
from api.answers import millis
from api.deps import Admin, JsonBody, Page, QueryOf, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem, core_name
from api.routes.admin import account_by
from api.routes.collateral import decided
from api.routes.public import stamped
from api.schemas_collateral import AssetDeposit, Decision, PriceNew
from exchange.io.custody import AssetRequest
from exchange.io.registry import TransferStatus
from exchange.rules.money import usd_text
from matching.codes import AssetMove, Kind, PriceSource

router = APIRouter(prefix="/admin", tags=["admin"])

SOURCES: Final = {"operator": PriceSource.OPERATOR, "feed": PriceSource.FEED}
DECISIONS: Final = {"pay": AssetMove.PAID, "return": AssetMove.RETURN}


@router.post("/accounts/{account_id}/assets", status_code=201, summary="Book an asset in")
async def deposit_asset(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[AssetDeposit, Depends(JsonBody(AssetDeposit))],
) -> Response:
    """Confirm that the custodian has units of an asset; what they count for follows at once."""
    row = custody.asset_of(body.asset)
    units = custody.units_of(body.amount, row)
    key = custody.key_of(body.transfer_id, "transfer_id", f"ad-{secrets.token_hex(12)}")
    account = await account_by(services, account_id)
    services.gateway.check_open(reduces=True)
    request = await services.custody.request(
        account_idx=account.account_idx, asset=row.asset, move=AssetMove.DEPOSIT, units=units,
        client_key=custody.DEPOSIT_PREFIX + key,
    )  # fmt: skip
    request = await decided(services, request)
    moved = {
        "transfer_id": key,
        "account_id": account_id,
        "asset": row.symbol,
        "quantity": custody.quantity(row.asset, request.units),
        "status": request.status.value,
        "code": core_name(request.code or 0),
    }
    status = 201 if request.status == TransferStatus.DONE else 202
    return json_response(stamped(services, {"transfer": moved}), status)


@router.get("/withdrawals", summary="Withdrawals that wait for a decision")
async def list_open_withdrawals(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return withdrawals of all accounts that nobody paid or returned, newest first."""
    size = query.size()
    found = await services.custody.withdrawals(
        None, before_id=query.place(), open_only=True, limit=size + 1
    )
    await services.gateway.barrier()
    rows = []
    for one in found[:size]:
        account = await services.accounts.by_idx(one.account_idx)
        account_id = account.account_id if account is not None else None
        rows.append(await custody.withdrawal_out(services, one, account_id))
    cursor = str(found[size - 1].request_id) if len(found) > size else None
    return json_response(stamped(services, {"withdrawals": rows, "next_cursor": cursor}))


async def withdrawal_by(services: Services, request_id: str) -> AssetRequest:
    """Return a withdrawal that was reserved."""
    found = None
    if request_id.isascii() and request_id.isdigit() and len(request_id) < 19:
        found = await services.custody.get(int(request_id))
    if found is None or found.move != AssetMove.RESERVE:
        raise Problem("not_found", "there is no such withdrawal")
    if found.status != TransferStatus.DONE:
        raise Problem("withdrawal_not_reserved", "nothing is reserved for it")
    return found


@router.post("/withdrawals/{request_id}", summary="Approve, pay or return a withdrawal")
async def decide_withdrawal(
    services: ServicesDep,
    who: Admin,
    request_id: str,
    body: Annotated[Decision, Depends(JsonBody(Decision))],
) -> Response:
    """Approve it in one's own name; pay it once enough admins have; or return it."""
    if body.action != "approve" and body.action not in DECISIONS:
        raise Problem("field_invalid", "approve, pay or return", field="action")
    request = await withdrawal_by(services, request_id)
    services.gateway.check_open(reduces=True)
    if body.action == "approve":
        await services.custody.approve(request.request_id, who.account_id)
    else:
        await _decide(services, request, DECISIONS[body.action])
    account = await services.accounts.by_idx(request.account_idx)
    account_id = account.account_id if account is not None else None
    content = {"withdrawal": await custody.withdrawal_out(services, request, account_id)}
    return json_response(stamped(services, content))


async def _decide(services: Services, request: AssetRequest, move: AssetMove) -> None:
    """Pay a withdrawal that enough admins approved, or return it; once, and whole."""
    approvals = await services.custody.approvers(request.request_id)
    needed = custody.needed(services, request)
    if move == AssetMove.PAID and len(approvals) < needed:
        raise Problem("approvals_missing", f"{needed} admins approve it first")
    decision = await services.custody.request(
        account_idx=request.account_idx, asset=request.asset, move=move, units=request.units,
        client_key=f"{custody.DECISION_PREFIX}{request.request_id}", parent_id=request.request_id,
    )  # fmt: skip
    await decided(services, decision)


@router.post("/assets/{symbol}/price", summary="Say what an asset is worth")
async def price_asset(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[PriceNew, Depends(JsonBody(PriceNew))],
) -> Response:
    """Give the price of one whole asset in USD as it is now."""
    row = custody.asset_of(symbol)
    source = "operator" if body.source is UNSET else body.source
    if source not in SOURCES:
        raise Problem("field_invalid", f"one of {', '.join(SOURCES)}", field="source")
    price = codec.usd_micros(body.price, "price")
    services.gateway.check_open(reduces=True)
    await services.gateway.barrier()
    priced_ns = services.gateway.mirror.ts_ns  # the clock of the core
    reply = await services.gateway.send(
        codec.words_row(
            Kind.PRICE_ASSET,
            0,
            order_id=row.asset,
            price_ticks=price,
            expires_ns=priced_ns,
            state=SOURCES[source],
        )
    )
    reply.raise_refused()
    said = {"asset": symbol, "price": usd_text(price), "source": source, "ts": millis(priced_ns)}
    return json_response(stamped(services, {"price": said}))
