"""Requests about surveillance, for an operator."""

from typing import Any
from urllib.parse import quote

from msgspec import field

from wellhead import types as wt
from wellhead.calls import Call, get_call, member, page, target
from wellhead.types import Answer


class Alert(Answer, frozen=True, kw_only=True):
    """A suspicion: `seqs` are the commands of the journal that show it."""

    alert_id: str
    pattern: str
    subject: str
    symbol: str | None = None
    seqs: list[int]
    first_ts: int
    last_ts: int
    raised_ts: int
    figures: dict[str, Any] = field(default_factory=dict)
    status: str = "open"
    note: str | None = None
    noted_by: str | None = None


def alerts(
    pattern: str | None = None,
    status: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[wt.Page[Alert]]:
    """Alerts, newest first."""
    parse = page("alerts", Alert)
    return get_call(
        "/admin/surveillance/alerts", parse, pattern=pattern, status=status, limit=limit,
        cursor=cursor,
    )  # fmt: skip


def alert(alert_id: str) -> Call[Alert]:
    """One alert."""
    path = f"/admin/surveillance/alerts/{quote(alert_id, safe='')}"
    return get_call(path, member("alert", Alert))


def note(alert_id: str, status: str, text: str) -> Call[Alert]:
    """Say what became of an alert: open, dismissed or escalated."""
    path = target(f"/admin/surveillance/alerts/{quote(alert_id, safe='')}/notes")
    return Call("POST", path, member("alert", Alert), body={"status": status, "note": text})
