"""Commands of physical delivery: receipts, and the check of their proofs."""

from datetime import datetime
from pathlib import Path

from cyclopts import App

from wellhead import delivery_calls as dc
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.funds import proof
from wellhead.cli.options import REMOTE, Remote, ask

__all__ = ["cdr", "proof"]

cdr = App(name="cdr", help="Receipts for GPU-hours: issue, trade, redeem.")
COLUMNS = ("receipt", "status", "sku", "hub", "grade", "nodes>", "GPU-hours>", "from (UTC)",
           "to (UTC)", "bond left>", "ask>", "missed>")  # fmt: skip


@cdr.command(name="list")
def list_receipts(*, status: str | None = None, limit: int = 100, options: Remote = REMOTE) -> None:
    """List own receipts: held, issued, offered to the account or held in pledge.

    Parameters
    ----------
    status
        Only those in this state: active, offered, redeemed, ...
    """
    with options.trader() as client:
        rows, answer = ask(client, dc.receipts(status, limit))
    _show(list(rows), answer, options)


@cdr.command
def offers(
    *, sku: str | None = None, hub: str | None = None, limit: int = 100, options: Remote = REMOTE
) -> None:
    """List receipts that anybody may buy.

    Parameters
    ----------
    sku
        H100-SXM
    hub
        USE
    """
    with options.client() as client:
        rows, answer = ask(client, dc.offers(sku, hub, limit))
    _show(list(rows), answer, options)


@cdr.command
def show(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Show a receipt, what happened to it, and how much of it is metered."""
    with options.trader() as client:
        row, answer = ask(client, dc.receipt(receipt))
    if options.json:
        out.document(answer)
        return
    _show([row], answer, options)
    cells = [
        (one["number"], out.moment(one["event_ts"]), one["kind"], one["note"])
        for one in answer["events"]
    ]
    out.show(out.table(("event>", "at (UTC)", "what", "note"), cells))
    out.note(f"{answer['readings']} hours of nodes reported, {len(answer['gaps'])} gaps")


@cdr.command
def issue(file: Path, /, *, options: Remote = REMOTE) -> None:
    """Issue a receipt; the account must be admitted.

    Parameters
    ----------
    file
        The body of `POST /delivery/receipts` as JSON.
    """
    import json

    try:
        wish = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {error}") from error
    if not isinstance(wish, dict):
        raise CliError(Exit.USAGE, "usage", f"{file} is no JSON object")
    with options.trader() as client:
        row, answer = ask(client, dc.issue(wish))
    _show([row], answer, options)


@cdr.command
def act(
    receipt: str,
    action: str,
    /,
    *,
    to: str | None = None,
    price: str | None = None,
    at: str | None = None,
    nodes: list[str] | None = None,
    options: Remote = REMOTE,
) -> None:
    """Do something with a receipt.

    Parameters
    ----------
    action
        transfer, offer, withdraw, buy, pledge, unpledge, split or redeem.
    to
        The other account: of a transfer, a pledge, or an offer to one account.
    price
        Dollars for the whole receipt: of an offer, and again to buy it.
    at
        Split here: an hour, 2027-03-02T00:00Z.
    nodes
        Split these nodes off.
    """
    at_ts = None if at is None else _millis(at)
    with options.trader() as client:
        call = dc.act(receipt, action, to=to, price=price, at_ts=at_ts, nodes=nodes)
        row, answer = ask(client, call)
    _show([row], answer, options)


@proof.command(name="receipt")
def prove(receipt: str, /, *, key: str | None = None, options: Remote = REMOTE) -> None:
    """Check everything that happened to a receipt against signed roots, with public data alone.

    Parameters
    ----------
    receipt
        Its id.
    key
        The exchange's public key in hex, as `wellhead ledger heads` shows it; any when not given.
    """
    from exchange.rules.delivery.checked import faults_of_proofs

    with options.client() as client:
        found, answer = ask(client, dc.proofs(receipt))
    try:
        faults = faults_of_proofs(found, receipt, key)
    except ValueError as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    if options.json:
        out.document({**answer, "faults": faults})
    else:
        out.show(f"{len(found)} events, {len(faults)} faults")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))


def _millis(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CliError(Exit.USAGE, "usage", f"--at is like 2027-03-02T00:00Z, not {text}")
    return int(moment.timestamp()) * 1000


def _show(rows: list[dc.Receipt], answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.receipt_id, one.status, one.sku, one.hub, one.grade, len(one.nodes), one.gpu_hours,
         out.moment(one.start_ts), out.moment(one.end_ts), out.usd(one.bond_left),
         out.usd(one.ask) if one.ask else "", one.missed_hours)
        for one in rows
    ]  # fmt: skip
    out.show(out.table(COLUMNS, cells) if rows else "no receipts")
