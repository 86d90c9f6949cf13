"""Commands of webhooks: make, list, resume, test; what was delivered."""

from typing import Annotated

from cyclopts import App, Parameter

from wellhead import webhook_calls as wc
from wellhead.calls import Call, Json
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.webhook_types import Webhook

webhooks = App(name="webhooks", help="Have what happens to the account told to URLs.")
COLUMNS = ("webhook", "url", "events", "status", "failures>", "waiting>", "dropped>")
DELIVERED = (
    "delivery", "event", "status", "attempts>", "answer>", "ms>", "tried (UTC)", "error",
)  # fmt: skip


@webhooks.command
def create(
    url: str,
    /,
    *,
    event: Annotated[list[str], Parameter(negative="")],
    label: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Make a webhook, and show the secret that signs its deliveries: keep it.

    Parameters
    ----------
    url
        Where to: https, a public host by its name.
    event
        One or more of margin_call, liquidation, default, fill, deposit, withdrawal, settlement,
        delivery, giveup, alert (alert: operators).
    label
        For people.
    """
    _show(wc.create(url, event, label), options)


@webhooks.command(name="list")
def list_(*, options: Remote = REMOTE) -> None:
    """List the account's webhooks, the oldest first."""
    with options.trader() as client:
        rows, answer = ask(client, wc.webhooks())
    if options.json:
        out.document(answer)
        return
    out.show(out.table(COLUMNS, map(cells_of, rows)) if rows else "no webhooks")


@webhooks.command
def show(webhook: str, /, *, options: Remote = REMOTE) -> None:
    """Show one webhook."""
    _show(wc.webhook(webhook), options)


@webhooks.command
def rotate(webhook: str, /, *, options: Remote = REMOTE) -> None:
    """Show a new secret; for a day deliveries bear both signatures."""
    _show(wc.rotate(webhook), options)


@webhooks.command
def resume(webhook: str, /, *, options: Remote = REMOTE) -> None:
    """Deliver again at once, beginning with what waits."""
    _show(wc.resume(webhook), options)


@webhooks.command
def remove(webhook: str, /, *, options: Remote = REMOTE) -> None:
    """Remove a webhook, and what waits for it."""
    _said(wc.remove(webhook), "{} is removed", options)


@webhooks.command
def ping(webhook: str, /, *, options: Remote = REMOTE) -> None:
    """Send a test: `wellhead webhooks deliveries` shows what came of it."""
    _said(wc.ping(webhook), "delivery {} waits for its turn", options)


@webhooks.command
def deliveries(webhook: str, /, *, limit: int = 50, options: Remote = REMOTE) -> None:
    """List what was, or is to be, delivered, newest first."""
    with options.trader() as client:
        rows, answer = ask(client, wc.deliveries(webhook, limit))
    if options.json:
        out.document(answer)
        return
    cells = (
        (one.delivery_id, one.event, one.status, one.attempts, one.http_status, one.latency_ms,
         "" if one.tried_ts is None else out.moment(one.tried_ts), one.error or "")
        for one in rows
    )  # fmt: skip
    out.show(out.table(DELIVERED, cells) if rows else "no deliveries")


def cells_of(one: Webhook) -> tuple[object, ...]:
    """Return the cells of a row."""
    status = f"{one.status}: {one.why}" if one.why else one.status
    return (
        one.webhook_id, one.url, " ".join(one.events), status, one.failures, one.waiting,
        one.dropped,
    )  # fmt: skip


def _show(call: Call[Webhook], options: Remote) -> None:
    with options.trader() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    out.show(out.table(COLUMNS, [cells_of(one)]))
    if one.secret:
        out.show(f"secret, shown this once: {one.secret}")


def _said(call: Call[str], text: str, options: Remote) -> None:
    answer: Json
    with options.trader() as client:
        said, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(text.format(said))
