"""What surveillance suspects, for the operator: alerts, their evidence, what became of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec import Meta

from api import answers
from api.deps import Admin, JsonBody, Page, QueryOf, Services, ServicesDep, whole
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas import Body, Text
from exchange.io.alerts import ID_MAX, STATUSES, Alerts, AlertSeen
from exchange.rules.surveillance import Pattern

admin = APIRouter(prefix="/admin/surveillance/alerts", tags=["admin"])

PATTERNS = tuple(pattern.value for pattern in Pattern)


class AlertsQuery(Page):
    """Alerts of a pattern, or in a state: open, dismissed, escalated."""

    pattern: str | None = None
    status: str | None = None


class AlertNote(Body):
    """What became of an alert, and why."""

    status: Text
    note: Annotated[str, Meta(min_length=1, max_length=500)]


@admin.get("", summary="Alerts of surveillance")
async def list_alerts(
    services: ServicesDep, who: Admin, query: Annotated[AlertsQuery, Depends(QueryOf(AlertsQuery))]
) -> Response:
    """Return alerts, newest first, with the commands of the journal that show each."""
    rows = await _alerts(services).alerts(
        before_id=query.place() or ID_MAX,
        pattern=_one_of(query.pattern, PATTERNS, "pattern"),
        status=_one_of(query.status, STATUSES, "status"),
        limit=query.size() + 1,
    )
    shown = rows[: query.size()]
    cursor = str(shown[-1].alert_id) if len(rows) > query.size() else None
    content = {"alerts": [alert_out(row) for row in shown], "next_cursor": cursor}
    return json_response(stamped(services, content))


@admin.get("/{alert_id}", summary="One alert")
async def get_alert(services: ServicesDep, who: Admin, alert_id: str) -> Response:
    """Return an alert."""
    found = await _found(services, alert_id)
    return json_response(stamped(services, {"alert": alert_out(found)}))


@admin.post("/{alert_id}/notes", summary="Say what became of an alert")
async def note_alert(
    services: ServicesDep,
    who: Admin,
    alert_id: str,
    body: Annotated[AlertNote, Depends(JsonBody(AlertNote))],
) -> Response:
    """Dismiss, escalate or open an alert again; every note is kept."""
    status = _one_of(body.status, STATUSES, "status")
    assert status is not None
    found = await _found(services, alert_id)
    await _alerts(services).note(found.alert_id, status, body.note, who.key_id)
    found = await _found(services, alert_id)
    return json_response(stamped(services, {"alert": alert_out(found)}))


def _alerts(services: Services) -> Alerts:
    if services.alerts is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.alerts


async def _found(services: Services, alert_id: str) -> AlertSeen:
    found = await _alerts(services).alert(whole(alert_id, "alert_id", 0, 1, ID_MAX))
    if found is None:
        raise Problem("alert_unknown", "there is no such alert")
    return found


def _one_of(text: str | None, allowed: tuple[str, ...], field: str) -> str | None:
    if text is not None and text not in allowed:
        raise Problem("query_invalid", f"one of {', '.join(allowed)}", field=field)
    return text


def alert_out(row: AlertSeen) -> dict[str, object]:
    """Return an alert as JSON."""
    return {
        "alert_id": str(row.alert_id),
        "pattern": row.pattern,
        "subject": row.subject,
        "symbol": row.symbol,
        "seqs": row.seqs,
        "first_ts": answers.millis(row.first_ns),
        "last_ts": answers.millis(row.last_ns),
        "raised_ts": answers.millis(row.raised_ns),
        "figures": dict(row.figures),
        "status": row.status,
        "note": row.note,
        "noted_by": row.noted_by,
    }
