"""`wellhead risk`: who stands where, down to the postings behind the cash."""

from wellhead import desk_calls
from wellhead import desk_types as kt
from wellhead.cli import out
from wellhead.cli.funds import risk
from wellhead.cli.margin import show_margin, show_scenarios
from wellhead.cli.options import REMOTE, Remote, ask

SHOWN = 8  # of the scenarios, the worst first


@risk.default
def overview(*, limit: int = 50, state: str | None = None, options: Remote = REMOTE) -> None:
    """Show every account's risk, the nearest to its end first, and the totals of the house.

    Parameters
    ----------
    limit
        How many accounts.
    state
        Only those that are ok, below_initial, below_maintenance or bankrupt.
    """
    with options.operator() as client:
        found, answer = ask(client, desk_calls.risk(limit, state))
    if options.json:
        out.document(answer)
        return
    columns = (
        "account", "state", "used>", "equity>", "maintenance>", "initial>", "free>", "liquidity>",
        "worst scenario", "its loss>",
    )  # fmt: skip
    cells = (
        (
            row.account_id, row.state, share(row), out.usd(row.equity),
            out.usd(row.maintenance_margin), out.usd(row.initial_margin), out.usd(row.free),
            out.usd(row.liquidity), worst(row), out.usd(row.worst_loss),
        )
        for row in found.accounts
    )  # fmt: skip
    less = ("worst scenario", "its loss", "liquidity", "initial")
    out.show(out.table(columns, cells, less=less) if found.accounts else "no accounts")
    show_totals(found.totals)


def share(row: kt.RiskRow) -> str:
    """Return how much of its equity an account's maintenance is; at 100 % it is due."""
    if row.used_bps is None:
        return "all"
    return f"{row.used_bps // 100}.{row.used_bps % 100:02d} %"


def worst(row: kt.RiskRow) -> str:
    """Return the worst scenario by its name, its number where it has none."""
    if row.worst_scenario is None:
        return "none"
    return row.worst_name or f"number {row.worst_scenario}"


def show_totals(totals: kt.RiskTotals) -> None:
    """Show all accounts together."""
    states = ", ".join(f"{count} {state}" for state, count in totals.by_state.items() if count)
    known = {
        "accounts": f"{totals.accounts} ({states})",
        "cash": out.usd(totals.cash),
        "equity": out.usd(totals.equity),
        "initial margin": out.usd(totals.initial_margin),
        "maintenance margin": out.usd(totals.maintenance_margin),
        "liquidity": out.usd(totals.liquidity),
        "concentration": out.usd(totals.concentration),
        "missing": out.usd(totals.missing),
        "insurance fund": out.usd(totals.insurance_fund),
    }
    out.show(out.pairs(known))


@risk.command
def account(account_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show one account: its margin, positions, scenarios, and the postings behind its cash.

    Parameters
    ----------
    account_id
        alice
    """
    with options.operator() as client:
        found, answer = ask(client, desk_calls.account(account_id))
    if options.json:
        out.document(answer)
        return
    row = found.account
    out.show(f"{row.account_id} ({row.kind}): {row.state}, {share(row)} of its equity used")
    show_margin(found.margin)
    lost = {one.symbol: one for one in found.position_losses}
    columns = ("symbol", "side", "lots>", "mark>", "value>", "since settlement>", "worst loss>")
    cells = [
        (
            one.symbol, one.side, one.quantity, one.mark_price, out.usd(one.value),
            out.usd(one.unsettled_pnl),
            out.usd(max(lost[one.symbol].losses)) if lost[one.symbol].losses else "",
        )
        for one in found.positions
    ]  # fmt: skip
    if cells:
        out.show(out.table(columns, cells))
    ranked = sorted(found.scenarios, key=lambda one: (-one.loss, one.scenario))
    show_scenarios([one for one in ranked[:SHOWN] if one.loss > 0], "worst scenarios")
    show_postings(found.postings)


@risk.command
def postings(
    account_id: str, /, *, limit: int = 100, cursor: str | None = None, options: Remote = REMOTE
) -> None:
    """Show the postings behind an account's cash, newest first.

    Parameters
    ----------
    account_id
        alice
    limit
        How many.
    cursor
        Where the page before has ended, as its next_cursor.
    """
    with options.operator() as client:
        rows, answer = ask(client, desk_calls.postings(account_id, limit, cursor))
    if options.json:
        out.document(answer)
        return
    show_postings(list(rows))
    if rows.next_cursor:
        out.note(f"more: --cursor {rows.next_cursor}")


def show_postings(rows: list[kt.Posting]) -> None:
    """Show postings on an account's cash."""
    columns = ("time (UTC)", "transfer>", "version>", "seq>", "reason", "amount>", "balance>")
    cells = (
        (
            out.moment(row.ts), row.transfer_id, row.version, row.seq, row.reason,
            out.usd(row.amount), out.usd(row.balance),
        )
        for row in rows
    )  # fmt: skip
    out.show(out.table(columns, cells, less=("seq",)) if rows else "nothing posted")


@risk.command
def transfer(transfer_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show one transfer of the ledger with all its postings.

    Parameters
    ----------
    transfer_id
        As `wellhead risk postings` names it.
    """
    with options.operator() as client:
        one, answer = ask(client, desk_calls.transfer(transfer_id))
    if options.json:
        out.document(answer)
        return
    out.show(f"transfer {one.transfer_id}: {one.reason}, seq {one.seq}, {out.moment(one.ts)} UTC")
    cells = (
        (side.account, side.account_id, side.version, out.usd(side.amount), out.usd(side.balance))
        for side in one.postings
    )
    out.show(out.table(("ledger account", "account", "version>", "amount>", "balance>"), cells))
