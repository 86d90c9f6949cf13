"""The calendar of contracts."""

from typing import Literal

from wellhead.calendar_calls import ContractDays
from wellhead.calendar_calls import calendar as call_of
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

Event = Literal[
    "listing", "efd_open", "efd_call", "last_trade", "cascade", "delivery_start", "delivery_end",
    "provisional", "final", "expiry", "archive",
]  # fmt: skip
SHOWN_MAX = 6
COLUMNS = ("symbol", "last trade", "becomes", "delivery from", "until", "final", "archived")


def calendar(
    symbol: str | None = None,
    /,
    *,
    series: str | None = None,
    tenor: str | None = None,
    event: Event | None = None,
    first: str | None = None,
    last: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Show when what happens to contracts; all times are UTC.

    Parameters
    ----------
    symbol
        One contract, such as H100-USE-2027M03, with all its moments.
    series
        All contracts of H100-USE.
    tenor
        day, bom, week, month, quarter or calendar.
    event
        Contracts to which this happens in the days from --first to --last.
    first
        A day such as 2027-03-01.
    last
        The last day, included.
    """
    if first is not None and last is not None and last < first:
        raise CliError(Exit.USAGE, "usage", f"--last {last} is before --first {first}")
    call = call_of(symbol, series=series, tenor=tenor, event=event, first=first, last=last)
    with options.client() as client:
        found, answer = ask(client, call)
    if options.json:
        out.document(answer)
    elif symbol is not None and found.contracts:
        out.show(out.pairs(_moments(found.contracts[0])))
    else:
        rows = [_row(one) for one in found.contracts]
        out.show(out.table(COLUMNS, rows) if rows else "nothing happens in these days")


def _moments(one: ContractDays) -> dict[str, object]:
    """Return all moments of a contract."""
    days = f"{one.accrual_first} to {one.accrual_last}, {one.accrual_days} days"
    return {
        "symbol": one.symbol,
        "tenor": one.tenor,
        "listed": one.listed,
        "last trade": one.last_trade,
        "becomes": _into(one.into),
        "delivery": f"{one.delivery_start} to {one.delivery_end}",
        "fixed day by day": days if one.accrual_days else None,
        "provisional": one.provisional,
        "final": one.final,
        "expires": one.expires,
        "archived": one.archived,
    }


def _into(symbols: list[str]) -> str | None:
    """Return what a contract becomes; of a month's days the first and the last."""
    if len(symbols) > SHOWN_MAX:
        return f"{symbols[0]} to {symbols[-1]}, {len(symbols)} contracts"
    return ", ".join(symbols) or None


def _row(one: ContractDays) -> tuple[object, ...]:
    into = one.into[0] + (f" +{len(one.into) - 1}" if len(one.into) > 1 else "") if one.into else ""
    return (
        one.symbol,
        _minute(one.last_trade),
        into,
        one.delivery_start[:10],
        one.delivery_end[:10],
        _minute(one.final),
        one.archived[:10],
    )


def _minute(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else ""
