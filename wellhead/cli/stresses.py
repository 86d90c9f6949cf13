"""`wellhead risk stress`: what a bad day would do to everybody, or did in last night's play."""

from wellhead import default_types as dt
from wellhead import desk_calls
from wellhead import desk_types as kt
from wellhead.cli import out
from wellhead.cli.defaults import risk as risk
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask


@risk.command
def stress(
    name: str | None = None,
    /,
    *,
    account: str | None = None,
    limit: int = 50,
    margin_period: bool = False,
    nightly: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Play a bad day with everybody's positions of now; nothing is changed.

    Without a name every story is played.

    Parameters
    ----------
    name
        Such as aws-cut, gcp-squeeze, deepseek-day or october-2025; a minus in front turns a
        story round, after `--`: `wellhead risk stress -- -deepseek-day`.
    account
        Only this account.
    limit
        How many accounts are shown.
    margin_period
        Only what counts of a long story within the two days of the margin.
    nightly
        Show what was played after the last settlement instead, as everybody can see it.
    """
    if nightly:
        show_nights(name, options)
    elif name is not None:
        show_story(name, account, limit, margin_period, options)
    elif account is not None:
        show_account_stress(account, margin_period, options)
    else:
        show_stories(margin_period, options)


def show_stories(margin_period: bool, options: Remote) -> None:
    """Play every story with all accounts."""
    with options.operator() as client:
        rows, answer = ask(client, desk_calls.stress(complete=not margin_period))
    if options.json:
        out.document(answer)
        return
    columns = (
        "story", "house result>", "beyond>", "called>", "liquidated>", "defaulted>", "shortfall>",
        "lost>",
    )  # fmt: skip
    cells = (
        (
            one.name, out.usd(one.house_result), out.usd(one.beyond), one.fates.get("called", 0),
            one.fates.get("liquidated", 0), one.fates.get("defaulted", 0),
            out.usd(one.shortfall), out.usd(one.lost),
        )
        for one in rows
    )  # fmt: skip
    out.show(out.table(columns, cells))


def show_story(
    name: str, account_id: str | None, limit: int, margin_period: bool, options: Remote
) -> None:
    """Play one story."""
    call = desk_calls.story(name, account_id, limit, complete=not margin_period)
    with options.operator() as client:
        found, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    one = found.outcome
    out.show(f"{one.name}: {one.story} ({one.source})")
    columns = ("contract", "mark>", "in the story>")
    if found.moves:
        moved = ((row.symbol, row.mark_price, row.stress_price) for row in found.moves)
        out.show(out.table(columns, moved))
    show_struck(found.accounts)
    known = {
        "accounts": ", ".join(f"{count} {fate}" for fate, count in one.fates.items() if count),
        "lost by those who lose": out.usd(one.lost),
        "all gains and losses": out.usd(one.pnl_sum),
        "missing up to the margin": out.usd(one.shortfall),
        "beyond what accounts have": out.usd(one.beyond),
        "house: its positions": out.usd(one.house_pnl),
        "house: its result": out.usd(one.house_result),
        "borne by no layer": out.usd(one.uncovered),
    }
    out.show(out.pairs(known))
    show_layers(found.layers)


def show_layers(layers: list[dt.DrillLayer]) -> None:
    """Show what each layer of the waterfall would give."""
    cells = ((one.layer, one.party, out.usd(one.available), out.usd(one.used)) for one in layers)
    if layers:
        out.show(out.table(("layer", "party", "available>", "used>"), cells))


def show_struck(rows: list[kt.StressAccount]) -> None:
    """Show what a story does to accounts, or what stories do to one."""
    by_name = bool(rows and rows[0].name)
    columns = (
        "story" if by_name else "account", "becomes", "P&L>", "collateral>", "equity>", "after>",
        "maintenance>", "shortfall>",
    )  # fmt: skip
    cells = (
        (
            row.name if by_name else row.account_id, row.fate, out.usd(row.pnl),
            out.usd(row.collateral_change), out.usd(row.equity_before), out.usd(row.equity_after),
            out.usd(row.maintenance_margin), out.usd(row.shortfall),
        )
        for row in rows
    )  # fmt: skip
    out.show(out.table(columns, cells) if rows else "nobody is touched")


def show_account_stress(account_id: str, margin_period: bool, options: Remote) -> None:
    """Play every story with one account."""
    call = desk_calls.account_stress(account_id, complete=not margin_period)
    with options.operator() as client:
        rows, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        show_struck(list(rows))


def show_nights(name: str | None, options: Remote) -> None:
    """Show the results of last night."""
    with options.client() as client:
        found, answer = ask(client, desk_calls.nightly())
    if options.json:
        out.document(answer)
        return
    rows = [row for row in found if name in (None, row.name)]
    if name is not None and found and not rows:
        raise CliError(Exit.USAGE, "usage", f"no story {name} was played on {found[0].day}")
    columns = (
        "day", "story", "part", "house result>", "beyond>", "called>", "liquidated>",
        "defaulted>", "shortfall>",
    )  # fmt: skip
    cells = (
        (
            row.day, row.name, "whole" if row.whole else "margin period",
            out.usd(row.house_result), out.usd(row.beyond), row.called, row.liquidated,
            row.defaulted, out.usd(row.shortfall),
        )
        for row in rows
    )  # fmt: skip
    out.show(out.table(columns, cells) if rows else "nothing was played yet")
