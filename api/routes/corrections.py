"""Corrections of settlements before they are final, by two operators."""

import re
import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api.correcting import (
    base_of,
    change_of,
    correction_out,
    corrections_of,
    need_override,
    price_out,
    priced,
    prices_of,
)
from api.deps import Admin, JsonBody, Page, QueryOf, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem, core_problem
from api.routes.public import stamped
from api.routes.settlements import due_of
from api.schemas_settlements import CorrectionDecision, CorrectionNew
from exchange.io.settlement_corrections import Correction, CorrectionGoing, Proposed
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import Note
from matching.codes import Code

admin = APIRouter(prefix="/admin/settlements/corrections", tags=["admin"])
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def key_of(body: CorrectionNew) -> str:
    """Return the asker's name for a correction, a new one if it gave none."""
    key = uuid.uuid4().hex if body.correction_id is UNSET else body.correction_id
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 64 of A-Z a-z 0-9 . _ : -", field="correction_id")
    return key


def reason_of(body: CorrectionNew) -> str:
    """Return the reason, which is hashed and published."""
    if not body.reason.isprintable() or body.reason != body.reason.strip():
        raise Problem("field_invalid", "printable characters on one line", field="reason")
    return body.reason


@admin.post("", status_code=201, summary="Propose to correct a day's settlement")
async def propose_correction(
    services: ServicesDep,
    who: Admin,
    body: Annotated[CorrectionNew, Depends(JsonBody(CorrectionNew))],
) -> Response:
    """Find all prices of the run again; with `dry_run` say them, else propose them to another."""
    due_ns = due_of(body.date)
    assert due_ns is not None
    changes, reason, key = [change_of(one) for one in body.changes], reason_of(body), key_of(body)
    if len({one.symbol for one in changes}) != len(changes):
        raise Problem("field_invalid", "each contract once", field="changes")
    await services.gateway.barrier()
    base = await base_of(services, due_ns, changes)
    note = Note(base.run_id, reason, (who.account_id, ""))
    found = priced(services.gateway.mirror, base, changes, note)
    if body.dry_run is True:
        prices = [price_out(services.gateway.mirror, base, one) for one in found]
        return json_response(stamped(services, {"correction": None, "prices": prices}), 200)
    need_override(services.gateway.mirror, base, found, body.override)
    asked = Proposed(key, due_ns, base.run_id, changes, reason, who.account_id)
    try:
        one = await corrections_of(services).propose(asked, services.now_ns())
    except CorrectionGoing as error:
        raise Problem("correction_going", str(error)) from error
    return await answered(services, one, 201)


@admin.get("", summary="Corrections of settlements")
async def list_corrections(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return corrections, newest first."""
    await services.gateway.barrier()
    size = query.size()
    rows = await corrections_of(services).page(query.place(), size + 1)
    content = {
        "corrections": [await correction_out(services, one) for one in rows[:size]],
        "next_cursor": str(rows[size - 1].correction_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@admin.post("/{correction_id}", summary="Approve or withdraw a correction")
async def decide_correction(
    services: ServicesDep,
    who: Admin,
    correction_id: str,
    body: Annotated[CorrectionDecision, Depends(JsonBody(CorrectionDecision))],
) -> Response:
    """Approve what another operator proposed: it is carried out within seconds. Or withdraw it."""
    if body.action not in ("approve", "withdraw"):
        raise Problem("field_invalid", "approve or withdraw", field="action")
    one = await correction_by(services, correction_id)
    await services.gateway.barrier()
    rows, now_ns = corrections_of(services), services.now_ns()
    if body.action == "approve":
        check_approval(one, who.account_id, now_ns)
        if one.status == "proposed":
            base, found = await prices_of(services, one)
            need_override(services.gateway.mirror, base, found, body.override)
        decided = await rows.approve(one.correction_id, who.account_id, now_ns)
    else:
        decided = await rows.withdraw(one.correction_id, now_ns)
    one = await correction_by(services, correction_id)
    repeated = body.action == "approve" and one.approved_by == who.account_id
    if not decided and not repeated:
        raise Problem("correction_ended", f"it is {one.status}")
    return await answered(services, one, 200)


def check_approval(one: Correction, who: str, now_ns: int) -> None:
    """Refuse one's own proposal, and what is final."""
    if one.proposed_by == who:
        raise Problem("approvals_missing", "another operator approves it")
    if one.status == "proposed" and now_ns >= final_ns(one.due_ns):
        raise core_problem(Code.SETTLEMENT_FINAL)


async def correction_by(services: Services, correction_id: str) -> Correction:
    """Return a correction by its id."""
    found = None
    if _ID.fullmatch(correction_id):
        found = await corrections_of(services).get(int(correction_id))
    if found is None:
        raise Problem("correction_unknown", "there is no such correction")
    return found


async def answered(services: Services, one: Correction, status: int) -> Response:
    """Return a correction as an answer."""
    shown = await correction_out(services, one)
    content = {"correction": shown, "prices": shown["prices"]}
    return json_response(stamped(services, content), status)
