"""Commands of the auctions of defaults: bid, watch, admit bidders, recompute what came of one."""

from cyclopts import App

from wellhead import default_auction_calls as calls
from wellhead import default_auction_types as at
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.defaults import proof as proof
from wellhead.cli.defaults import risk
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

default_auction = App(
    name="default-auction", help="Bid for what a liquidation could not close; for members."
)
COLUMNS = (
    "liquidation", "lot>", "name", "positions", "status", "until (UTC)", "own premium>",
    "own share>",
)  # fmt: skip


@default_auction.command(name="list")
def list_(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """List the auctions that the account is, or was, asked to bid in, newest first."""
    with options.trader() as client:
        rows, answer = ask(client, calls.auctions(limit))
    show(rows, answer, options)


@default_auction.command
def bid(
    liquidation: str,
    lot: int,
    premium: str,
    share: str | None = None,
    /,
    *,
    bid_id: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Put a sealed bid for a lot: wellhead default-auction bid 4711 1 0.025 0.5.

    Parameters
    ----------
    liquidation
        As `default-auction list` names it.
    lot
        Its number.
    premium
        USD per GPU-hour: so far below the mark a long position is taken, so far above a short
        one. Below zero it is better than the mark; write it after `--`.
    share
        Of the lot, 0 to 1; all of it when not given.
    bid_id
        The same id again is the same bid.
    """
    with options.trader() as client:
        one, answer = ask(client, calls.bid(liquidation, lot, premium, share, bid_id=bid_id))
    show([one], answer, options)


@default_auction.command(name="pass")
def pass_(liquidation: str, lot: int, /, *, options: Remote = REMOTE) -> None:
    """Say that the account does not want a lot, so that nobody waits for it.

    Parameters
    ----------
    liquidation
        As `default-auction list` names it.
    lot
        Its number.
    """
    with options.trader() as client:
        one, answer = ask(client, calls.bid(liquidation, lot, None, "0"))
    show([one], answer, options)


@risk.command
def auctions(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """List all auctions of defaults, newest first; bids are sealed until the close."""
    with options.operator() as client:
        rows, answer = ask(client, calls.all_auctions(limit))
    show(rows, answer, options)


@risk.command
def bidders(
    *, admit: str | None = None, exclude: str | None = None, options: Remote = REMOTE
) -> None:
    """Show whom an operator admitted to auctions or excluded; all other members may bid.

    Parameters
    ----------
    admit
        An account that may bid from now on.
    exclude
        An account that may not.
    """
    if admit and exclude:
        raise CliError(Exit.USAGE, "usage", "one at a time")
    call = calls.bidders()
    if admit or exclude:
        call = calls.admit(str(admit or exclude), admitted=bool(admit))
    with options.operator() as client:
        found, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    cells = ((one.account_id, "admitted" if one.admitted else "excluded") for one in found.bidders)
    table = out.table(("account", "may bid"), cells)
    out.show(table if found.bidders else "nobody was admitted or excluded: members may bid")


@proof.command(name="auction")
def auction_(liquidation: str, /, *, options: Remote = REMOTE) -> None:
    """Recompute who won what in a liquidation's auction, and who is junior, from public rows.

    Parameters
    ----------
    liquidation
        Its id.
    """
    from exchange.rules.default_auction_public import PublicMove, faults_of_published

    with options.client() as client:
        found, answer = ask(client, calls.record(liquidation))
    result, moves = found["result"], found["moves"]
    if result is None:
        raise CliError(Exit.REFUSED, "no_result", "no auction of this liquidation has closed")
    try:
        faults = faults_of_published(result, [PublicMove(**move) for move in moves])
    except (TypeError, ValueError) as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    if options.json:
        out.document({**answer, "faults": faults})
    else:
        bids = sum(len(lot["rows"]) for lot in result["lots"])
        lots = sum(abs(move["qty_lots"]) for move in moves)
        juniors = sum(due["junior"] for due in result["dues"])
        out.show(f"{bids} bids, {lots} lots moved, {juniors} juniors, {len(faults)} faults")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))


def show(rows: list[at.DefaultAuction], answer: Json, options: Remote) -> None:
    """Show auctions, a line a lot."""
    if options.json:
        out.document(answer)
        return
    cells = [cells_of(one, lot) for one in rows for lot in one.lots]
    out.show(out.table(COLUMNS, cells) if cells else "no auctions")


def cells_of(one: at.DefaultAuction, lot: at.AuctionLot) -> tuple[object, ...]:
    """Return the cells of a lot."""
    held = " ".join(
        f"{'+' if row.side == 'buy' else '-'}{row.quantity} {row.symbol}@{row.mark}"
        for row in lot.positions
    )
    own = lot.own_bid
    return (
        one.liquidation_id, lot.lot, lot.name, held, one.status, out.moment(one.closes_ts),
        own.premium if own else "", own.share if own else "",
    )  # fmt: skip
