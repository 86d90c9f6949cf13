"""Commands of what two accounts agree on: blocks, and requests for quotes."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from wellhead import deal_calls
from wellhead import deal_types as dt
from wellhead.calls import Call
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

if TYPE_CHECKING:
    from rich.console import RenderableType

block = App(name="block", help="Agree on a trade with one other account.")
rfq = App(name="rfq", help="Ask everybody for quotes, and see what is asked.")

SECONDS_MOST = 366 * 86_400
LEAVE_OUT = ("expires (UTC)", "trade", "rfq", "role", "kind", "with")


@Parameter(name="*", group="Its end")
@dataclass(frozen=True, kw_only=True)
class Ending:
    """How long something stands, and your own name for it."""

    seconds: float = 300
    """How long it stands."""

    expires_at: int | None = None
    """When it ends instead, milliseconds since 1970."""

    client_id: str | None = None
    """Your own name for it: the same again, --expires-at too, gives the one that is open."""

    def at_ms(self) -> int:
        """Return when it ends.

        Errors:
            CliError: it would stand no time, or for ever.
        """
        if self.expires_at is not None:
            return self.expires_at
        if not 0 < self.seconds <= SECONDS_MOST:
            raise CliError(Exit.USAGE, "usage", f"--seconds: more than 0, at most {SECONDS_MOST}")
        return round((time.time() + self.seconds) * 1000)


USUAL = Ending()


@block.command
def propose(
    side: Literal["buy", "sell"],
    symbol: str,
    quantity: str,
    price: str,
    /,
    *,
    to: str | None = None,
    rfq_id: Annotated[str | None, Parameter(name="--rfq")] = None,
    efp: bool = False,
    ending: Ending = USUAL,
    options: Remote = REMOTE,
) -> None:
    """Propose a block: wellhead block propose buy H100-USE-2027M03 50 2.010 --to bob

    Parameters
    ----------
    side
        What you would do.
    symbol
        A contract that takes blocks: H100-USE-2027M03.
    quantity
        Lots, at least the contract's least quantity of a block.
    price
        USD per GPU-hour, within the contract's range for blocks.
    to
        The account that may accept it.
    rfq_id
        In answer to this request for quotes, instead of --to.
    efp
        An exchange for physical: the hours themselves change hands elsewhere.
    """
    if (to is None) == (rfq_id is None):
        raise CliError(Exit.USAGE, "usage", "say who may accept it: --to ACCOUNT, or --rfq ID")
    call = deal_calls.propose(
        symbol,
        side,
        quantity,
        price,
        ending.at_ms(),
        counterparty=to,
        rfq_id=rfq_id,
        kind="efp" if efp else None,
        client_id=ending.client_id,
    )
    _show_block(call, options)


@block.command
def accept(block_id: str, /, *, options: Remote = REMOTE) -> None:
    """Accept what was proposed: the margin of both sides is judged, and it trades."""
    _show_block(deal_calls.accept(block_id), options)


@block.command
def decline(block_id: str, /, *, options: Remote = REMOTE) -> None:
    """Decline what was proposed to you."""
    _show_block(deal_calls.end(block_id), options)


@block.command
def withdraw(block_id: str, /, *, options: Remote = REMOTE) -> None:
    """Withdraw what you proposed."""
    _show_block(deal_calls.end(block_id), options)


@block.command(name="list")
def list_blocks(
    *,
    status: Literal["open", "closed", "all"] = "open",
    limit: int = 50,
    options: Remote = REMOTE,
) -> None:
    """Show what you proposed and what was proposed to you, newest first.

    Parameters
    ----------
    status
        Which of them; ended ones are kept for a while.
    limit
        How many.
    """
    with options.trader() as client:
        rows, answer = ask(client, deal_calls.blocks(status, limit))
    if options.json:
        out.document(answer)
    else:
        out.show(_blocks_table(rows) if rows else "no blocks")


@block.command
def rule(
    symbol: str, /, *, min_quantity: int, range_bps: int = 0, options: Remote = REMOTE
) -> None:
    """Set what a contract takes as a block (the operator).

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    min_quantity
        The least lots of a block; 0 for no blocks.
    range_bps
        How far beyond the prices of the day it may be, in basis points: 200 is 2 %.
    """
    with options.operator() as client:
        one, answer = ask(client, deal_calls.set_rule(symbol, min_quantity, range_bps))
    if options.json:
        out.document(answer)
    elif not one.block_min_quantity:
        out.show(f"{one.symbol}: no blocks")
    else:
        within = one.block_range
        prices = f", {within.low} to {within.high} now" if within else ""
        out.show(f"{one.symbol}: blocks of {one.block_min_quantity} lots and more{prices}")


def _show_block(call: Call[dt.Block], options: Remote) -> None:
    with options.trader() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(_blocks_table([one]))


def _blocks_table(rows: Iterable[dt.Block]) -> "RenderableType":
    columns = (
        "block", "symbol", "side", "lots>", "price>", "status", "with", "role", "kind", "rfq",
        "trade", "expires (UTC)",
    )  # fmt: skip
    cells = (
        (
            one.block_id, one.symbol, one.side, one.quantity, one.price, one.status,
            one.counterparty, one.role, one.kind, one.rfq_id, one.trade_id,
            out.moment(one.expires_at),
        )
        for one in rows
    )  # fmt: skip
    return out.table(columns, cells, less=LEAVE_OUT)


# Requests for quotes


@rfq.default
def request(
    symbol: str,
    quantity: str,
    /,
    *,
    side: Literal["buy", "sell", "either"] = "either",
    ending: Ending = USUAL,
    options: Remote = REMOTE,
) -> None:
    """Ask everybody for quotes: wellhead rfq H100-USE-2027M03 80 --side buy

    Nobody is told who asks. Answers are blocks: `wellhead block list`.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    quantity
        Lots.
    side
        What you would do, if you say it.
    """
    call = deal_calls.request_quotes(
        symbol, quantity, ending.at_ms(), side=side, client_id=ending.client_id
    )
    _show_rfq(call, options)


@rfq.command(name="withdraw")
def withdraw_rfq(rfq_id: str, /, *, options: Remote = REMOTE) -> None:
    """Withdraw a request; what was proposed in answer stays until it ends."""
    _show_rfq(deal_calls.withdraw_rfq(rfq_id), options)


@rfq.command(name="list")
def list_rfqs(*, options: Remote = REMOTE) -> None:
    """Show the open requests of everybody, oldest first."""
    with options.client() as client:
        rows, answer = ask(client, deal_calls.rfqs())
    if options.json:
        out.document(answer)
    else:
        out.show(_rfqs_table(rows) if rows else "no requests")


def _show_rfq(call: Call[dt.Rfq], options: Remote) -> None:
    with options.trader() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(_rfqs_table([one]))


def _rfqs_table(rows: Iterable[dt.Rfq]) -> "RenderableType":
    columns = ("rfq", "symbol", "side", "lots>", "status", "expires (UTC)")
    cells = (
        (one.rfq_id, one.symbol, one.side, one.quantity, one.status, out.moment(one.expires_at))
        for one in rows
    )
    return out.table(columns, cells, less=LEAVE_OUT)
