"""Commands about issuers of receipts: who they are; for operators who may be one, and the grid."""

from wellhead import delivery_calls as dc
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.receipt_notes import note_text
from wellhead.cli.receipts import millis, receipts

COLUMNS = ("issuer", "number>", "acceptance h>", "admitted (UTC)", "ended (UTC)", "audit", "key")


@receipts.command
def issuers(*, options: Remote = REMOTE) -> None:
    """List who may issue receipts, with audit and acceptance test; ended ones too."""
    with options.client() as client:
        rows, answer = ask(client, dc.issuers())
    _show(list(rows), answer, options)


@receipts.command
def admit(
    account: str,
    public_key: str,
    /,
    *,
    audit: str,
    acceptance: str,
    hours: int = 48,
    options: Remote = REMOTE,
) -> None:
    """Admit an issuer; for an operator.

    Parameters
    ----------
    account
        Who may issue.
    public_key
        That its telemetry is signed with, in hex, as `wellhead telemetry keygen` says it.
    audit
        What the audit found, or where it is.
    acceptance
        What the acceptance test found.
    hours
        How long that was, 48 at least.
    """
    with options.operator() as client:
        row, answer = ask(client, dc.admit(account, public_key, audit, acceptance, hours))
    _show([row], answer, options)


@receipts.command
def end(account: str, /, *, reason: str, options: Remote = REMOTE) -> None:
    """End an issuer, for ever; what it issued stays owed. For an operator.

    Parameters
    ----------
    account
        Who may issue no more.
    reason
        Why, on record.
    """
    with options.operator() as client:
        row, answer = ask(client, dc.end_issuer(account, reason))
    _show([row], answer, options)


MS_PER_HOUR = 3_600_000


def whole_hour(text: str, name: str) -> int:
    """Return a whole hour of UTC as milliseconds since 1970.

    Errors:
        CliError: it is none.
    """
    found = millis(text, name)
    if found % MS_PER_HOUR:
        said = f"{name} is a whole hour of UTC, like 2027-03-02T00:00Z, not {text}"
        raise CliError(Exit.USAGE, "usage", said)
    return found


@receipts.command
def curtail(
    hub: str, start: str, until: str, /, *, reference: str, options: Remote = REMOTE
) -> None:
    """Record an order of the grid operator; for an operator.

    Parameters
    ----------
    hub
        USE
    start
        The first hour: 2027-03-02T00:00Z.
    until
        The first hour that is over.
    reference
        Of the order, which names it: the same again is the same.
    """
    begins, ends = whole_hour(start, "START"), whole_hour(until, "UNTIL")
    if ends <= begins:
        raise CliError(Exit.USAGE, "usage", f"UNTIL is after START, {start}, not {until}")
    call = dc.curtail(hub, begins, ends, reference)
    with options.operator() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        span = f"{out.moment(one.start_ts)} to {out.moment(one.end_ts)}"
        out.show(f"{one.hub} from {span}: {one.reference}")


@receipts.command
def quarantine(*, reason: str | None = None, limit: int = 100, options: Remote = REMOTE) -> None:
    """List telemetry that was not taken, with the reason; for an operator."""
    with options.operator() as client:
        rows, answer = ask(client, dc.quarantine(reason, limit))
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.quarantine_id, one.account_id, one.reason, out.moment(one.recorded_ts), one.reading)
        for one in rows
    ]
    columns = ("number>", "issuer", "reason", "at (UTC)", "reading")
    out.show(out.table(columns, cells) if rows else "nothing")


@receipts.command
def claims(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """List what bonds and sellers did not cover; for an operator."""
    with options.operator() as client:
        rows, answer = ask(client, dc.claims(limit))
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.number, one.receipt_id, out.moment(one.event_ts), note_text(one.kind, one.note))
        for one in rows
    ]
    out.show(out.table(("event>", "receipt", "at (UTC)", "note"), cells) if rows else "no claims")


@receipts.command
def pay_claim(receipt: str, /, *, reason: str, options: Remote = REMOTE) -> None:
    """Pay what is open of a receipt's claim from the default fund; for an operator.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    reason
        Why the fund pays it; it stays with the receipt, for anybody to read.
    """
    with options.operator() as client:
        rows, answer = ask(client, dc.pay_claim(receipt, reason))
    if options.json:
        out.document(answer)
        return
    cells = [(one.layer, one.account, out.usd(one.amount)) for one in rows]
    out.show(out.table(("layer", "account>", "USD>"), cells))


def _show(rows: list[dc.Issuer], answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.account_id, one.account, one.acceptance_hours, out.moment(one.admitted_ts),
         out.moment(one.ended_ts), one.audit, one.public_key)
        for one in rows
    ]  # fmt: skip
    out.show(out.table(COLUMNS, cells) if rows else "no issuers")
