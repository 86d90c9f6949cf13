"""What is required of the account, and what would be."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import App, Parameter

from wellhead import default_calls, margin_calls
from wellhead import default_types as dt
from wellhead import margin_types as mt
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.margin_calls import Supposed, Supposing

margin = App(name="margin", help="What is required, why, and what would be.")

AMOUNTS = (
    "cash", "unsettled_pnl", "collateral", "equity", "initial_margin", "maintenance_margin",
    "price_loss",
    "fee_reserve", "free",
)  # fmt: skip
LEVEL_ONE_BPS = 10_000
PARTS = ("expected_shortfall", "standalone", "portfolio", "liquidity", "concentration")
SHOWN = 8  # of the scenarios, the worst first


@Parameter(name="*", group="What to suppose")
@dataclass(frozen=True, kw_only=True)
class Suppose:
    """What to suppose, on top of what the account has."""

    order: list[str] | None = None
    """A limit order as SIDE:SYMBOL:LOTS:PRICE, such as buy:H100-USE-2027M01:5:2.150. Repeat it
    for more."""

    position: list[str] | None = None
    """Lots as SYMBOL:LOTS or SYMBOL:LOTS:PRICE, short with a minus. Repeat it for more."""

    price: list[str] | None = None
    """Another mark as SYMBOL:PRICE. Repeat it for more."""

    cash: str | None = None
    """More money than there is, or less with a minus."""

    collateral: str | None = None
    """More collateral counted than there is, or less with a minus."""

    level_bps: int | None = None
    """Another level of margin: 10000 is a member's, 11000 a client's."""

    alone: bool = False
    """Begin with an empty account instead of the own one."""


NOTHING = Suppose()


@margin.default
def show(*, options: Remote = REMOTE) -> None:
    """Show what is required of the account, and which contracts and scenarios make it so."""
    with options.trader() as client:
        one, answer = ask(client, margin_calls.margin())
    if options.json:
        out.document(answer)
        return
    show_margin(one)
    show_scenarios(one.worst_scenarios, f"worst {one.worst_count} of {one.scenario_count}")


@margin.command(name="what-if")
def what_if(
    *, suppose: Annotated[Suppose, Parameter(name="*")] = NOTHING, options: Remote = REMOTE
) -> None:
    """Show what the margin would be with orders, positions, money and prices that are not there.

    Nothing is placed or changed. Each order is judged after those before it.
    """
    more: Supposing = {"alone": suppose.alone}
    more["prices"] = dict(price_of(text) for text in suppose.price or [])
    if suppose.cash is not None:
        more["cash"] = suppose.cash
    if suppose.collateral is not None:
        more["collateral"] = suppose.collateral
    if suppose.level_bps is not None:
        more["level_bps"] = suppose.level_bps
    more["orders"] = [order_of(text) for text in suppose.order or []]
    more["positions"] = [position_of(text) for text in suppose.position or []]
    call = margin_calls.what_if(**more)
    with options.trader() as client:
        found, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    for text, verdict in zip(suppose.order or [], found.orders, strict=True):
        out.show(f"{text}: {said(verdict)}")
    show_margin(found.after)
    worst = sorted(found.scenarios, key=lambda one: (-one.loss, one.scenario))
    show_scenarios(worst[:SHOWN], "worst scenarios")
    out.show("accepted" if found.accepted else f"not covered: {out.usd(found.missing)} USD missing")


def said(verdict: mt.Verdict) -> str:
    """Return what would become of an order."""
    if not verdict.accepted:
        return f"refused, {out.usd(verdict.missing)} USD short"
    return "accepted: it only reduces" if verdict.only_reduces else "accepted"


WRITTEN = {
    "--order": "SIDE:SYMBOL:LOTS:PRICE, such as buy:H100-USE-2027M03:5:2.150",
    "--position": "SYMBOL:LOTS or SYMBOL:LOTS:PRICE, such as H100-USE-2027M03:-5",
    "--price": "SYMBOL:PRICE, such as H100-USE-2027M03:2.150",
}


def split(text: str, name: str, least: int, most: int) -> list[str]:
    """Return the parts of an option's text.

    Errors:
        CliError: there are too few or too many.
    """
    parts = text.split(":")
    if not least <= len(parts) <= most or not all(parts):
        raise CliError(Exit.USAGE, "usage", f"{name} is {WRITTEN[name]}, not {text!r}")
    return parts


def order_of(text: str) -> Supposed:
    """Return an order as it was written."""
    side, symbol, lots, price = split(text, "--order", 4, 4)
    return Supposed(symbol, lots, price, side)


def position_of(text: str) -> Supposed:
    """Return a position as it was written."""
    symbol, lots, *price = split(text, "--position", 2, 3)
    return Supposed(symbol, lots, price[0] if price else None)


def price_of(text: str) -> tuple[str, str]:
    """Return a mark as it was written."""
    symbol, price = split(text, "--price", 2, 2)
    return symbol, price


def show_margin(one: mt.Margin) -> None:
    """Show a margin: sums, parts, contracts."""
    given = {name: getattr(one, name) for name in (*AMOUNTS, *PARTS)}
    shown = {name: out.usd(amount) for name, amount in given.items() if amount is not None}
    level = f"{one.level_bps / 100:g} %"
    if one.wrong_way_bps != LEVEL_ONE_BPS:
        level += f", times {one.wrong_way_bps / LEVEL_ONE_BPS:g}"
    more = {} if one.profile == "none" else {"profile": one.profile}
    out.show(out.pairs({"state": one.state, **shown, "level": level, **more}))
    columns = (
        "symbol", "alone>", "in the worst>", "price loss>", "liquidity>", "concentration>",
        "fee reserve>", "liquidated at>", "nothing at>",
    )  # fmt: skip
    cells = (
        (
            part.symbol,
            out.usd(part.standalone),
            out.usd(part.worst_loss),
            out.usd(part.price_loss),
            out.usd(part.liquidity),
            out.usd(part.concentration),
            out.usd(part.fee_reserve),
            "" if part.liquidation_price is None else str(part.liquidation_price),
            "" if part.bankruptcy_price is None else str(part.bankruptcy_price),
        )
        for part in one.contracts
    )
    if one.contracts:
        out.show(out.table(columns, cells))


def show_scenarios(rows: list[mt.WorstScenario], title: str) -> None:
    """Show scenarios with their stories."""
    if not rows:
        out.show(f"{title}: none")
        return
    columns = (title, "kind", "loss>", "story")
    cells = (
        (row.name or str(row.scenario), row.kind, out.usd(row.loss), row.story or "")
        for row in rows
    )
    out.show(out.table(columns, cells))


@margin.command
def calls(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """List own margin calls, newest first.

    Parameters
    ----------
    limit
        How many.
    """
    with options.trader() as client:
        rows, answer = ask(client, default_calls.own_margin_calls(limit))
    out.document(answer) if options.json else _calls(rows)


@margin.command
def acknowledge(call: str, /, *, options: Remote = REMOTE) -> None:
    """Say that a margin call was seen; it is still due.

    Parameters
    ----------
    call
        Its id, as `wellhead margin calls` shows it.
    """
    with options.trader() as client:
        rows, answer = ask(client, default_calls.acknowledge(call))
    out.document(answer) if options.json else _calls(rows)


def _calls(rows: list[dt.MarginCall]) -> None:
    columns = ("call", "amount>", "met>", "state", "issued (UTC)", "due (UTC)", "reminders>")
    cells = (
        (row.call_id, out.usd(row.amount), out.usd(row.met), row.state, out.moment(row.issued_ts),
         out.moment(row.due_ts), row.reminders)
        for row in rows
    )  # fmt: skip
    out.show(out.table(columns, cells) if rows else "no margin calls")
