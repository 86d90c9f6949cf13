"""Commands of physical delivery: receipts, what their holders do, the check of their proofs."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from cyclopts import App

from wellhead import delivery_calls as dc
from wellhead.calls import Call
from wellhead.cli import out, receipt_proof, settled
from wellhead.cli.exits import CliError, Exit, why
from wellhead.cli.funds import proof
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.receipt_notes import note_text

__all__ = ["proof", "receipts"]

receipts = App(name="receipts", help="Receipts for GPU-hours: issue, trade, redeem.")
COLUMNS = ("receipt", "status", "sku", "hub", "grade", "nodes>", "GPU-hours>", "from (UTC)",
           "to (UTC)", "bond left>", "ask>", "missed>")  # fmt: skip
EVENT_COLUMNS = ("event>", "at (UTC)", "what", "note")
COVER_COLUMNS = ("contract", "covers>", "short>", "counts>")


@receipts.command(name="list")
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


@receipts.command
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


@receipts.command
def show(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Show a receipt, what happened to it, and how much of it is metered."""
    with options.trader() as client:
        found, answer = ask(client, dc.detail(receipt))
    if options.json:
        out.document(answer)
        return
    _show([found.receipt], answer, options)
    cells = [
        (one.number, out.moment(one.event_ts), one.kind, note_text(one.kind, one.note))
        for one in found.events
    ]
    out.show(out.table(EVENT_COLUMNS, cells))
    if Decimal(found.receipt.claimed):
        one = found.receipt
        paid, left = out.usd(one.claim_paid), out.usd(one.claim_open)
        out.show(f"claimed: {out.usd(one.claimed)} USD, {paid} USD paid, {left} USD open")
    out.show(
        f"metered: {found.readings} hours of nodes, {found.gpu_hours_milli / 1000:.3f} GPU-hours,"
        f" {found.kwh_milli / 1000:.3f} kWh, {len(found.gaps)} gaps"
    )
    for gap in found.gaps:
        out.show(f"gap: {gap.node} from {out.moment(gap.start_ts)} to {out.moment(gap.end_ts)}")


@receipts.command
def issue(file: Path, /, *, options: Remote = REMOTE) -> None:
    """Issue a receipt; the account must be admitted.

    Parameters
    ----------
    file
        The body of `POST /delivery/receipts` as JSON.
    """
    try:
        wish = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {why(error)}") from error
    if not isinstance(wish, dict):
        raise CliError(Exit.USAGE, "usage", f"{file} is no JSON object")
    with options.trader() as client:
        row, answer = ask(client, dc.issue(wish))
    _show([row], answer, options)


@receipts.command
def transfer(receipt: str, /, *, to: str, options: Remote = REMOTE) -> None:
    """Give a receipt to another account, for nothing that is seen here.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    to
        The other account.
    """
    _act(dc.act(receipt, "transfer", to=to), options)


@receipts.command
def split(
    receipt: str,
    /,
    *,
    at: str | None = None,
    nodes: list[str] | None = None,
    options: Remote = REMOTE,
) -> None:
    """Cut a receipt in two; both parts are then in `wellhead receipts list`.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    at
        At this hour: 2027-03-02T00:00Z.
    nodes
        Or put these nodes on a receipt of their own.
    """
    if (at is None) == (nodes is None):
        raise CliError(Exit.USAGE, "usage", "say where: --at HOUR, or --nodes NODE")
    at_ts = None if at is None else millis(at, "--at")
    _act(dc.act(receipt, "split", at_ts=at_ts, nodes=nodes), options)


@receipts.command
def pledge(
    receipt: str, /, *, to: str | None = None, symbol: str | None = None, options: Remote = REMOTE
) -> None:
    """Pledge a receipt: as cover of short lots in own margin, or to another account.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    to
        Who holds the pledge; without it the clearing house does, and the receipt is cover.
    symbol
        The contract that it covers; the one with exactly the receipt's hours when not given.
    """
    with options.trader() as client:
        row, answer = ask(client, dc.act(receipt, "pledge", to=to, symbol=symbol))
        found = None if to else ask(client, dc.cover())[0]
    _show([row], answer, options)
    if found is not None and not options.json:
        _show_cover(found)


@receipts.command
def cover(*, options: Remote = REMOTE) -> None:
    """Show what own pledges cover, and what margin asks for with and without them."""
    with options.trader() as client:
        found, answer = ask(client, dc.cover())
    out.document(answer) if options.json else _show_cover(found)


def _show_cover(found: dc.Cover) -> None:
    cells = [(one.symbol, one.quantity, one.short, one.counts) for one in found.covers]
    out.show(out.table(COVER_COLUMNS, cells) if cells else "no pledge covers anything")
    out.show(
        f"margin asks for {out.usd(found.required)} USD,"
        f" {out.usd(found.required_without)} without: {out.usd(found.saved)} saved"
    )


@receipts.command
def release(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Release a receipt that is pledged to you, or ask for one back that is cover.

    A cover is `releasing` until margin does without it, and `pledged` again if it does not.
    """
    _act(dc.act(receipt, "unpledge"), options)


@receipts.command
def offer(receipt: str, price: str, /, *, to: str | None = None, options: Remote = REMOTE) -> None:
    """Offer a receipt for money.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    price
        Dollars for the whole receipt.
    to
        Only this account may buy it; anybody when not given.
    """
    _act(dc.act(receipt, "offer", price=price, to=to), options)


@receipts.command
def withdraw(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Take an offer back."""
    _act(dc.act(receipt, "withdraw"), options)


@receipts.command
def buy(receipt: str, price: str, /, *, options: Remote = REMOTE) -> None:
    """Pay what is asked for a receipt: money and receipt change hands together, or neither does.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    price
        What is asked, so that nobody pays another price than they saw.
    """
    _act(dc.act(receipt, "buy", price=price), options)


@receipts.command
def redeem(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Take delivery: hours that begin from now on are owed and metered."""
    _act(dc.act(receipt, "redeem"), options)


def _act(call: Call[dc.Receipt], options: Remote) -> None:
    with options.trader() as client:
        row, answer = ask(client, call)
    _show([row], answer, options)


proof.command(settled.settlement)
proof.command(receipt_proof.prove, name="receipt")


def millis(text: str, name: str) -> int:
    """Return a moment as milliseconds since 1970.

    Errors:
        CliError: it is none, or has no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CliError(Exit.USAGE, "usage", f"{name} is like 2027-03-02T00:00Z, not {text}")
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
