"""Commands of the default fund: of anybody, of members, of operators; and who bore a default."""

from cyclopts import App

from wellhead import fund_calls
from wellhead import fund_types as ft
from wellhead import money_types as mt
from wellhead.calls import Call
from wellhead.cli import out
from wellhead.cli.default_auctions import proof as proof
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.stresses import risk as risk

fund = App(name="fund", help="The default fund: its size, own share, pay in.")


@fund.command
def show(*, options: Remote = REMOTE) -> None:
    """Show what the default fund had to be today, what it was, and its alarms."""
    with options.client() as client:
        one, answer = ask(client, fund_calls.fund())
    if options.json:
        out.document(answer)
        return
    out.show(out.pairs(_size(one)) if one is not None else "the fund was not sized yet")
    if one is not None:
        _alarms(one)


@fund.command
def share(*, options: Remote = REMOTE) -> None:
    """Show own share of the fund, and what others' defaults took of the account."""
    with options.trader() as client:
        own, answer = ask(client, fund_calls.share())
        losses, more = ask(client, fund_calls.own_losses())
    if options.json:
        out.document({**answer, "losses": more["losses"]})
        return
    known = {"in the fund": out.usd(own.held), "required": out.usd(own.required)}
    when = f" by {out.moment(own.due_by)} UTC" if own.due_by is not None else ""
    out.show(out.pairs({**known, "due": f"{out.usd(own.due)}{when}"}))
    cells = (
        (row.liquidation_id, out.moment(row.ts), row.layer, row.tag, out.usd(row.amount))
        for row in losses
    )
    if losses:
        out.show(out.table(("liquidation", "time (UTC)", "layer", "tag", "paid>"), cells))


@fund.command
def deposit(amount: str, /, *, transfer_id: str | None = None, options: Remote = REMOTE) -> None:
    """Move own free cash into the fund.

    Parameters
    ----------
    amount
        In USD.
    transfer_id
        The same id again moves nothing.
    """
    with options.trader() as client:
        _moved(*ask(client, fund_calls.pay_in(amount, transfer_id)), options)


@risk.command(name="fund")
def whole(*, now: bool = False, options: Remote = REMOTE) -> None:
    """Show the default fund: size, members, the house's layers, the worst scenarios.

    Parameters
    ----------
    now
        By the positions of now instead of the last size that was stored.
    """
    with options.operator() as client:
        found, answer = ask(client, fund_calls.whole_fund(now=now))
    if options.json:
        out.document(answer)
        return
    if found.fund is not None:
        out.show(out.pairs(_size(found.fund)))
        _alarms(found.fund)
    else:
        out.show("the fund was not sized yet")
    out.show(out.pairs({layer.layer: _house(layer) for layer in found.house}))
    members = (
        (row.account_id, out.usd(row.held), out.usd(row.required), out.usd(row.due))
        for row in found.members
    )
    if found.members:
        out.show(out.table(("member", "in the fund>", "required>", "due>"), members))
    covers = (
        (row.scenario, ", ".join(row.account_ids), out.usd(sum(row.losses)))
        for row in found.covers[:8]
    )
    if found.covers:
        out.show(out.table(("scenario>", "two largest", "beyond margin>"), covers))


def _house(layer: ft.HouseLayer) -> str:
    below = f", {out.usd(layer.owes)} below zero" if layer.owes else ""
    return f"{out.usd(layer.held)}{below}"


@risk.command(name="fund-collect")
def collect(
    account: str, amount: str, /, *, transfer_id: str | None = None, options: Remote = REMOTE
) -> None:
    """Move a member's free cash into its share of the fund.

    Parameters
    ----------
    account
        The clearing member.
    amount
        In USD.
    transfer_id
        The same id again moves nothing.
    """
    _operate(fund_calls.collect(account, amount, transfer_id), options)


@risk.command(name="fund-return")
def give_back(
    account: str, amount: str, /, *, transfer_id: str | None = None, options: Remote = REMOTE
) -> None:
    """Give back of a member's share what is above the required.

    Parameters
    ----------
    account
        The clearing member.
    amount
        In USD.
    transfer_id
        The same id again moves nothing.
    """
    _operate(fund_calls.give_back(account, amount, transfer_id), options)


@proof.command
def loss(liquidation: str, /, *, own: bool = False, options: Remote = REMOTE) -> None:
    """Recompute who bore a default: every share of every layer, and the money that was moved.

    Parameters
    ----------
    liquidation
        Its id, as `wellhead fund share` and the postings of those affected name it.
    own
        Compare own losses with the proofs, too.
    """
    from exchange.rules.loss_proof import PublicUse, faults_of_published
    from exchange.rules.money import usd_text

    with options.trader() if own else options.client() as client:
        found, answer = ask(client, fund_calls.losses(liquidation))
        mine = ask(client, fund_calls.own_losses(1_000))[0] if own else []
    try:
        uses = [PublicUse(**use) for use in found["uses"]]
        faults = faults_of_published(found["proofs"], uses)
    except (TypeError, ValueError) as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    public = {(use.seq, use.tag): use.amount_usd_micros for use in uses}
    mine = [row for row in mine if row.liquidation_id == liquidation]
    for row in mine:
        if public.get((row.seq, row.tag)) != int(row.amount * 1_000_000):
            faults.append(f"command {row.seq} took {row.amount} of the account, unpublished")
    if options.json:
        out.document({**answer, "faults": faults})
    else:
        total = usd_text(sum(use.amount_usd_micros for use in uses))
        out.show(f"{len(found['proofs'])} rounds, {total} USD moved, {len(faults)} faults")
        for row in mine:
            out.show(f"own: {out.usd(row.amount)} USD of {row.layer}, command {row.seq}")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))


def _size(one: ft.Fund) -> dict[str, str]:
    return {
        "must be": out.usd(one.size),
        "is": out.usd(one.held),
        "two largest losses beyond margin": out.usd(one.cover_2),
        "in scenario": one.scenario or "none",
        "sized (UTC)": out.moment(one.ts),
    }


def _alarms(one: ft.Fund) -> None:
    for alarm in one.alarms:
        kind = f"{alarm.kind.replace('_', ' ')} of scenario {alarm.scenario}"
        used, limit = alarm.used_bps / 100, alarm.limit_bps / 100
        share = f"is {used:g} % of the fund, from {limit:g} %" if one.held else "and no fund"
        out.show(f"ALARM: {kind} {share}")


def _operate(call: Call[mt.Transfer], options: Remote) -> None:
    with options.operator() as client:
        _moved(*ask(client, call), options)


def _moved(one: mt.Transfer, answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.transfer_id}: {out.usd(abs(one.amount))} USD {one.status}")
