"""The statement of an account: what was posted to its money and its assets in a month."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers
from api.deps import Page, QueryOf, Reader, ServicesDep
from api.edge import json_response
from api.errors import Problem
from api.routes.history import cursor_out
from api.routes.public import stamped
from api.views import caught_up
from exchange.io.views import Span, TransferRow
from exchange.rules.ledger_text import amount_text, asset_of
from exchange.rules.tenors import NS_PER_SECOND, iso_text

private = APIRouter(tags=["account"])

YEAR_MAX: Final = 2261  # the last whole year whose nanoseconds are an int64
CSV_ROWS_MAX: Final = 50_000  # longer ones are read as JSON, page by page
COLUMNS: Final = (
    "time", "transfer_id", "seq", "leg", "reason", "ref_id", "ledger_account", "asset", "version",
    "amount", "balance",
)  # fmt: skip


class StatementQuery(Page):
    """Of which month, and as what: json or csv."""

    month: str | None = None
    format: str | None = None


def month_ns(text: str | None, now_ns: int) -> tuple[int, int]:
    """Return the first moment of a month and of the next one; of this month when none is given."""
    try:
        moment = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC)
        if text is not None:
            moment = datetime.strptime(f"{text} +0000", "%Y-%m %z")
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        if not 1970 <= first.year <= YEAR_MAX or (text is not None and len(text) != 7):
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise Problem("query_invalid", "a month is like 2026-11", field="month") from None
    return int(first.timestamp()) * NS_PER_SECOND, int(following.timestamp()) * NS_PER_SECOND


def entry(row: TransferRow) -> dict[str, Any]:
    """Return one posting, in dollars or in wholes of its asset."""
    return {
        "transfer_id": str(row.transfer_id),
        "seq": row.seq,
        "leg": row.leg,
        "reason": row.reason,
        "ref_id": str(row.ref_id),
        "ledger_account": row.code,
        "asset": asset_of(row.code),
        "version": row.version,
        "amount": amount_text(row.code, row.amount_usd_micros),
        "balance": amount_text(row.code, row.balance_usd_micros),
        **answers.times(row.ts_ns),
    }


def csv_of(rows: list[TransferRow]) -> str:
    """Return a statement as CSV, with a line of names."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for row in rows:
        one = entry(row) | {"time": iso_text(row.ts_ns)}
        lines.writerow([one[name] for name in COLUMNS])
    return text.getvalue()


@private.get("/statements", summary="The statement of a month")
async def get_statement(
    services: ServicesDep,
    who: Reader,
    query: Annotated[StatementQuery, Depends(QueryOf(StatementQuery))],
) -> Response:
    """Return what was posted to the account in a month, oldest first; as CSV the whole month."""
    if query.format not in (None, "json", "csv"):
        raise Problem("query_invalid", "json or csv", field="format")
    as_csv = query.format == "csv"
    from_ns, until_ns = month_ns(query.month, services.now_ns())
    size, place = query.size(), query.place()
    if as_csv and (query.limit is not None or place is not None):
        raise Problem("query_invalid", "a statement as CSV has no pages", field="format")
    span = Span(
        from_ns=from_ns, until_ns=until_ns, limit=CSV_ROWS_MAX if as_csv else size, cursor=place
    )
    await services.gateway.barrier()
    await caught_up(services.views, services.gateway.mirror.seq)
    found = await services.views.statement(who.account_idx, span)
    if as_csv:
        if found.cursor is not None:
            detail = f"more than {CSV_ROWS_MAX} postings: read them as JSON, in pages"
            raise Problem("query_invalid", detail, field="format")
        return Response(csv_of(found.rows), media_type="text/csv")
    rows = [entry(row) for row in found.rows]
    return json_response(
        stamped(services, {"entries": rows, "next_cursor": cursor_out(found.cursor)})
    )
