"""Physical delivery: receipts, telemetry of nodes, issuers; proofs for anybody."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api import delivering
from api.covering import cover_out
from api.delivering import delivering_of, hour_of
from api.deps import (
    JsonBody,
    Page,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    Trader,
    Transferrer,
    count_public,
)
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas_delivery import ReceiptAct, ReceiptNew, TelemetryNew
from exchange.io.delivery import ID_MAX
from exchange.io.delivery_proofs import DAY_MAX
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.metering import Reading, gaps
from exchange.rules.delivery.receipts import Receipt, Status

public = APIRouter(tags=["delivery"], dependencies=[Depends(count_public)])
private = APIRouter(prefix="/delivery", tags=["delivery"])

_RECEIPT: Final = re.compile(r"cdr_[a-z2-7]{16}", re.ASCII)


class OffersQuery(Page):
    """A page, perhaps of one model or hub only."""

    sku: str | None = None
    hub: str | None = None


class ReceiptsQuery(Page):
    """A page, perhaps of one status only."""

    status: str | None = None


def _receipt_id(text: str) -> str:
    if not _RECEIPT.fullmatch(text):
        raise Problem("receipt_unknown", "there is no such receipt")
    return text


async def _receipt(services: Services, receipt_id: str) -> Receipt:
    found = await delivering_of(services).receipts.get(_receipt_id(receipt_id))
    if found is None:
        raise Problem("receipt_unknown", "there is no such receipt")
    return found


# Public


@public.get("/delivery/issuers", summary="Who may issue receipts, and on what grounds")
async def list_issuers(services: ServicesDep) -> Response:
    """Return issuers with audit and acceptance test, ended ones too."""
    rows = await delivering_of(services).issuers.issuers()
    return json_response(stamped(services, {"issuers": [delivering.issuer_out(r) for r in rows]}))


@public.get("/delivery/offers", summary="Receipts that anybody may buy")
async def list_receipt_offers(
    services: ServicesDep, query: Annotated[OffersQuery, Depends(QueryOf(OffersQuery))]
) -> Response:
    """Return open offers, newest first."""
    before, size = query.place(), query.size()
    rows = await delivering_of(services).receipts.offers(
        before=ID_MAX if before is None else before, sku=query.sku, hub=query.hub, limit=size + 1
    )
    content = {
        "receipts": [delivering.receipt_out(row.receipt) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].number) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@public.get("/proofs/receipts/{receipt_id}", summary="Everything that happened to a receipt")
async def prove_receipt(services: ServicesDep, receipt_id: str) -> Response:
    """Return its events as they are hashed, each with the way to the signed root of its day."""
    door = delivering_of(services)
    events = await door.receipts.history(_receipt_id(receipt_id))
    if not events:
        raise Problem("receipt_unknown", "there is no such receipt")
    proofs = [delivering.proof_out(one) for one in await door.proofs.proofs(events)]
    return json_response(stamped(services, {"proofs": proofs}))


@public.get("/proofs/roots", summary="Signed roots over receipt events, one a closed day")
async def list_receipt_roots(
    services: ServicesDep, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return roots, newest first."""
    before, size = query.place(), query.size()
    day = DAY_MAX if before is None else before
    rows = await delivering_of(services).proofs.roots(day, size + 1)
    content = {
        "roots": [delivering.root_out(row) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].root.day) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


# Members


@private.get("/receipts", summary="Own receipts")
async def list_receipts(
    services: ServicesDep,
    who: Reader,
    query: Annotated[ReceiptsQuery, Depends(QueryOf(ReceiptsQuery))],
) -> Response:
    """Return what the account holds, issued, may buy or holds in pledge, newest first."""
    if query.status is not None and query.status not in tuple(Status):
        raise Problem("query_invalid", f"one of {', '.join(Status)}", field="status")
    before, size = query.place(), query.size()
    rows = await delivering_of(services).receipts.own(
        who.account_idx, before=ID_MAX if before is None else before, status=query.status,
        limit=size + 1,
    )  # fmt: skip
    content = {
        "receipts": [delivering.receipt_out(row.receipt) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].number) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@private.get("/receipts/{receipt_id}", summary="A receipt, its events and its metering")
async def get_receipt(services: ServicesDep, who: Reader, receipt_id: str) -> Response:
    """Return a receipt, what happened to it, and what its nodes reported."""
    door, one = delivering_of(services), await _receipt(services, receipt_id)
    readings = await door.issuers.readings(one)
    content = {
        "receipt": delivering.receipt_out(one),
        "events": [delivering.event_out(e) for e in await door.receipts.history(one.receipt_id)],
        "readings": len(readings),
        "gpu_hours_milli": sum(row.gpu_hours_milli for row in readings),
        "kwh_milli": sum(row.kwh_milli for row in readings),
        "gaps": [
            {"node": node, "start_ts": first * delivering.MS_PER_HOUR,
             "end_ts": end * delivering.MS_PER_HOUR}
            for node in one.nodes
            for first, end in gaps([row.hour for row in readings if row.node == node])
        ],
    }  # fmt: skip
    return json_response(stamped(services, content))


@private.post("/receipts", status_code=201, summary="Issue a receipt; its bond is reserved")
async def issue_receipt(
    services: ServicesDep,
    who: Transferrer,
    body: Annotated[ReceiptNew, Depends(JsonBody(ReceiptNew))],
) -> Response:
    """Issue a receipt: it is active once its bond is in escrow, void if there is no cash for it."""
    door = delivering_of(services)
    issuer = await door.issuers.issuer(who.account_idx)
    if issuer is None or issuer.ended_at_ns is not None:
        raise Problem("issuer_unknown", "the account is not admitted as an issuer")
    receipt = await delivering.receipt_from(services, body, who.account_idx)
    try:
        made = await door.receipts.issue(receipt, services.now_ns())
    except Refused as error:
        raise delivering.problem_of(error) from error
    return json_response(stamped(services, {"receipt": delivering.receipt_out(made)}), 201)


@private.post("/receipts/{receipt_id}/actions", summary="Do something with a receipt")
async def act_on_receipt(
    services: ServicesDep,
    who: Transferrer,
    receipt_id: str,
    body: Annotated[ReceiptAct, Depends(JsonBody(ReceiptAct))],
) -> Response:
    """Transfer, offer, withdraw, buy, pledge, unpledge, split or redeem it."""
    act = await delivering.act_of(services, body, who.account_idx)
    found = await _receipt(services, receipt_id)
    try:
        one = await delivering_of(services).receipts.act(found.receipt_id, act, services.now_ns())
    except Refused as error:
        raise delivering.problem_of(error) from error
    return json_response(stamped(services, {"receipt": delivering.receipt_out(one)}))


@private.get("/cover", summary="What own pledged receipts cover, and what that saves")
async def get_own_cover(services: ServicesDep, who: Reader) -> Response:
    """Return the lots that count in own margin, with the requirement with and without them."""
    door = delivering_of(services).covers
    return json_response(stamped(services, await cover_out(services, door, who.account_idx)))


@private.post("/telemetry", summary="Report what own nodes did, hour by hour, signed")
async def submit_telemetry(
    services: ServicesDep,
    who: Trader,
    body: Annotated[TelemetryNew, Depends(JsonBody(TelemetryNew))],
) -> Response:
    """Take each reading, recognise it, or quarantine it with the reason."""
    door = delivering_of(services)
    services.limits.reads.take(who.account_idx)
    issuer = await door.issuers.issuer(who.account_idx)
    if issuer is None:
        raise Problem("issuer_unknown", "the account is not admitted as an issuer")
    results = []
    for row in body.readings:
        reading = Reading(
            row.node, hour_of(row.hour_ts, "hour_ts"), row.counter, row.uptime_s,
            row.load_factor_bps, row.gpu_hours_milli, row.kwh_milli,
        )  # fmt: skip
        signature = bytes.fromhex(row.signature)
        answer = await door.issuers.record(issuer, reading, signature, services.now_ns())
        results.append(answer._asdict())
    return json_response(stamped(services, {"results": results}))
