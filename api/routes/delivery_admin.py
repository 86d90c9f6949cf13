"""Physical delivery for operators: issuers, orders of the grid, quarantine and claims."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api import delivering
from api.answers import millis
from api.delivering import delivering_of, hour_of
from api.deps import Admin, JsonBody, Page, QueryOf, ServicesDep
from api.edge import json_response
from api.errors import Problem
from api.routes.fund import funds_now
from api.routes.public import stamped
from api.schemas_delivery import ClaimPay, CurtailmentNew, IssuerEnd, IssuerNew
from exchange.io.delivery import ESCROW_ID, ID_MAX
from exchange.io.delivery_issuers import Curtailment
from exchange.io.errors import NotFound
from exchange.rules.delivery.claims import Part, parts_of, pay
from exchange.rules.delivery.deeds import Deed, Refused
from exchange.rules.delivery.receipts import Receipt
from exchange.rules.layers import has_usd_micros
from exchange.rules.money import usd_text

admin = APIRouter(prefix="/admin/delivery", tags=["admin"])

_PUBLIC_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ReasonQuery(Page):
    """A page, perhaps of one reason only."""

    reason: str | None = None


@admin.post("/issuers", status_code=201, summary="Admit an issuer")
async def admit_issuer(
    services: ServicesDep, who: Admin, body: Annotated[IssuerNew, Depends(JsonBody(IssuerNew))]
) -> Response:
    """Let an account issue receipts, with audit and acceptance test on record."""
    if not _PUBLIC_KEY.fullmatch(body.public_key):
        raise Problem("field_invalid", "64 hex digits, small letters", field="public_key")
    idx = await delivering.account_idx_of(services, body.account_id, "account_id")
    escrow = await services.accounts.create(
        account_id=ESCROW_ID, name="Escrow of receipts", kind="house"
    )
    await services.accounts.wait_open(escrow.account_idx)
    one = await delivering_of(services).issuers.admit(
        idx, bytes.fromhex(body.public_key), body.audit, body.acceptance, body.acceptance_hours,
        who.account_id,
    )  # fmt: skip
    return json_response(stamped(services, {"issuer": delivering.issuer_out(one)}), 201)


@admin.post("/issuers/{account_id}/end", summary="Let an issuer issue no more")
async def end_issuer(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[IssuerEnd, Depends(JsonBody(IssuerEnd))],
) -> Response:
    """End an issuer for ever; what it issued stays owed and metered."""
    idx = await delivering.account_idx_of(services, account_id, "account_id")
    one = await delivering_of(services).issuers.end(idx, body.reason, who.account_id)
    return json_response(stamped(services, {"issuer": delivering.issuer_out(one)}))


@admin.post("/curtailments", status_code=201, summary="Record an order of the grid operator")
async def curtail_hub(
    services: ServicesDep,
    who: Admin,
    body: Annotated[CurtailmentNew, Depends(JsonBody(CurtailmentNew))],
) -> Response:
    """Record that nodes of a hub gave way: grade X pays pro rata, firm grades the penalty."""
    start, end = hour_of(body.start_ts, "start_ts"), hour_of(body.end_ts, "end_ts")
    if body.hub not in delivering.HUBS:
        raise Problem("field_invalid", f"one of {', '.join(sorted(delivering.HUBS))}", field="hub")
    if not 0 < start < end <= start + delivering.HOURS_MAX:
        most = f"after start_ts, by {delivering.HOURS_MAX:,} hours at most"
        raise Problem("field_invalid", most, field="end_ts")
    order = Curtailment(body.hub, start, end, body.reference, who.account_id)
    one = await delivering_of(services).issuers.curtail(order)
    content = {
        "hub": one.hub,
        "start_ts": one.start_hour * delivering.MS_PER_HOUR,
        "end_ts": one.end_hour * delivering.MS_PER_HOUR,
        "reference": one.reference,
    }
    return json_response(stamped(services, {"curtailment": content}), 201)


@admin.get("/quarantine", summary="Telemetry that was not taken, with the reason")
async def list_telemetry_quarantine(
    services: ServicesDep,
    who: Admin,
    query: Annotated[ReasonQuery, Depends(QueryOf(ReasonQuery))],
) -> Response:
    """Return readings as they came, newest first."""
    before, size = query.place(), query.size()
    rows = await delivering_of(services).issuers.quarantine(
        before=ID_MAX if before is None else before, reason=query.reason, limit=size + 1
    )
    content = {
        "quarantine": [
            {"quarantine_id": str(row.quarantine_id), "account_id": row.account_id,
             "reason": row.reason, "reading": row.raw, "recorded_ts": millis(row.recorded_at_ns)}
            for row in rows[:size]
        ],
        "next_cursor": str(rows[size - 1].quarantine_id) if len(rows) > size else None,
    }  # fmt: skip
    return json_response(stamped(services, content))


@admin.get("/claims", summary="What bonds and sellers did not cover")
async def list_delivery_claims(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return events that left something for the default fund, newest first."""
    before, size = query.place(), query.size()
    at = ID_MAX if before is None else before
    rows = await delivering_of(services).receipts.claims(min(at, ID_MAX), size + 1)
    content = {
        "claims": [delivering.event_out(row) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].number) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@admin.post("/claims/{receipt_id}/pay", summary="Pay a claim from the default fund")
async def pay_delivery_claim(
    services: ServicesDep,
    who: Admin,
    receipt_id: str,
    body: Annotated[ClaimPay, Depends(JsonBody(ClaimPay))],
) -> Response:
    """Ask the layers of the default fund, in their order, for what is open of a claim."""
    mirror, funds, asked = services.gateway.mirror, await funds_now(services), list[Part]()
    if mirror.liquidations:
        raise Problem("claim_fund_busy", "the fund waits for a liquidation to end", status=409)

    def has(account_idx: int) -> int:
        return has_usd_micros(mirror, account_idx)

    def act(receipt: Receipt) -> Deed:
        asked[:] = parts_of(receipt.claim_open_usd_micros, receipt.issuer_idx, funds, has)
        return pay(receipt, asked, body.reason)

    try:
        one = await delivering_of(services).receipts.act(receipt_id, act, services.now_ns())
    except NotFound as error:
        raise Problem("receipt_unknown", "there is no such receipt") from error
    except Refused as error:
        raise delivering.problem_of(error) from error
    parts = [
        {"layer": layer, "account": idx, "amount": usd_text(amount)} for layer, idx, amount in asked
    ]
    content = {"receipt": delivering.receipt_out(one), "parts": parts}
    return json_response(stamped(services, content))
