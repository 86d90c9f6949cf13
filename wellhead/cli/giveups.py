"""Commands of give-ups: offer a fill to another account, answer, list; allocate to several."""

from cyclopts import App

from wellhead import giveup_calls
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.giveup_types import GiveUp

giveup = App(name="giveup", help="Give fills up to another account, and take them.")
COLUMNS = (
    "give-up", "from", "to", "trade", "symbol", "side", "lots>", "price>", "status", "until (UTC)",
)  # fmt: skip


@giveup.command
def offer(
    trade: str,
    to: str,
    lots: int | None = None,
    /,
    *,
    side: str | None = None,
    minutes: int = 60,
    options: Remote = REMOTE,
) -> None:
    """Offer a fill to another account, at the price of the trade.

    Parameters
    ----------
    trade
        As `wellhead fills --json` names it: 1234-0.
    to
        The account that is to take it.
    lots
        All that is left of the fill when not given.
    side
        Of the fill, where the account traded with itself.
    minutes
        How long the other side has.
    """
    call = giveup_calls.offer(trade, to, lots, side=side, expires_ms=minutes * 60_000)
    with options.trader() as client:
        show(*ask(client, call), options)


@giveup.command(name="list")
def list_(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """List what the account gives up, or is offered, newest first."""
    with options.trader() as client:
        rows, answer = ask(client, giveup_calls.giveups(limit))
    if options.json:
        out.document(answer)
        return
    out.show(out.table(COLUMNS, map(cells_of, rows)) if rows else "no give-ups")


@giveup.command
def accept(giveup_id: str, /, *, options: Remote = REMOTE) -> None:
    """Take the lots, if the margin allows it when they move."""
    with options.trader() as client:
        show(*ask(client, giveup_calls.accept(giveup_id)), options)


@giveup.command
def decline(giveup_id: str, /, *, options: Remote = REMOTE) -> None:
    """Leave the lots where they are."""
    with options.trader() as client:
        show(*ask(client, giveup_calls.decline(giveup_id)), options)


@giveup.command
def withdraw(giveup_id: str, /, *, options: Remote = REMOTE) -> None:
    """Withdraw an offer that nobody has answered."""
    with options.trader() as client:
        show(*ask(client, giveup_calls.withdraw(giveup_id)), options)


def allocate(trade: str, /, *parts: str, minutes: int = 60, options: Remote = REMOTE) -> None:
    """Offer parts of one fill to several accounts: wellhead allocate 1234-0 alice=3 bob=2.

    Parameters
    ----------
    trade
        As `wellhead fills --json` names it.
    parts
        Each an account and its lots. A part is refused by itself: those before it stay offered.
    minutes
        How long the other sides have.
    """
    calls = [
        giveup_calls.offer(trade, to, lots, expires_ms=minutes * 60_000)
        for to, lots in map(part_of, parts)
    ]
    if not calls:
        raise CliError(Exit.USAGE, "usage", "name an account and its lots: alice=3")
    with options.trader() as client:
        asked = [ask(client, call) for call in calls]
    if options.json:
        out.document({"giveups": [answer["giveup"] for _, answer in asked]})
        return
    out.show(out.table(COLUMNS, [cells_of(one) for one, _ in asked]))


def part_of(text: str) -> tuple[str, int]:
    """Return account and lots of a part."""
    to, _, lots = text.partition("=")
    if not to or not lots.isdecimal():
        raise CliError(Exit.USAGE, "usage", f"an account and its lots, alice=3, not {text!r}")
    return to, int(lots)


def cells_of(one: GiveUp) -> tuple[object, ...]:
    """Return the cells of a row."""
    status = f"{one.status}: {one.code}" if one.code else one.status
    return (
        one.giveup_id, one.from_account_id, one.to_account_id, one.trade_id, one.symbol, one.side,
        one.quantity, one.price, status, out.moment(one.expires_ts),
    )  # fmt: skip


def show(one: GiveUp, answer: Json, options: Remote) -> None:
    """Show one give-up."""
    if options.json:
        out.document(answer)
    else:
        out.show(out.table(COLUMNS, [cells_of(one)]))
