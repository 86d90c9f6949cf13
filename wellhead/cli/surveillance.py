"""Commands of surveillance, for an operator."""

from typing import Literal

from cyclopts import App

from wellhead import surveillance_calls as sc
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask

surveillance = App(name="surveillance", help="What may be abuse, with its evidence.")

Status = Literal["open", "dismissed", "escalated"]


@surveillance.command
def alerts(
    *,
    pattern: str | None = None,
    status: Status | None = None,
    limit: int = 50,
    options: Remote = REMOTE,
) -> None:
    """List alerts, newest first.

    Parameters
    ----------
    pattern
        Of one pattern only, such as wash_trade.
    status
        Those that are open, dismissed or escalated.
    """
    with options.operator() as client:
        rows, answer = ask(client, sc.alerts(pattern, status, limit))
    if options.json:
        out.document(answer)
        return
    columns = ("alert", "until (UTC)", "pattern", "who", "symbol", "commands>", "status")
    cells = (
        (
            row.alert_id,
            out.moment(row.last_ts),
            row.pattern.replace("_", " "),
            row.subject,
            row.symbol or "",
            len(row.seqs),
            row.status,
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no alerts")


@surveillance.command
def show(alert_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show an alert with its figures and the commands of the journal that show it."""
    with options.operator() as client:
        row, answer = ask(client, sc.alert(alert_id))
    if options.json:
        out.document(answer)
    else:
        _show(row)


@surveillance.command
def note(alert_id: str, status: Status, text: str, /, *, options: Remote = REMOTE) -> None:
    """Say what became of an alert, and why; every note is kept.

    Parameters
    ----------
    status
        open, dismissed or escalated.
    text
        Why.
    """
    with options.operator() as client:
        row, answer = ask(client, sc.note(alert_id, status, text))
    if options.json:
        out.document(answer)
    else:
        _show(row)


def _show(row: sc.Alert) -> None:
    """Show one alert."""
    named = {name.replace("_", " "): value for name, value in row.figures.items()}
    out.show(
        out.pairs(
            {
                "pattern": row.pattern.replace("_", " "),
                "who": row.subject,
                "symbol": row.symbol,
                "from": out.moment(row.first_ts),
                "until": out.moment(row.last_ts),
                **named,
                "commands": " ".join(map(str, row.seqs)),
                "status": row.status,
                "note": f"{row.note} ({row.noted_by})" if row.note else None,
            }
        )
    )
