"""Commands about limits by owner, what can be delivered, credit and notices."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from wellhead import restraint_calls as calls
from wellhead import restraint_types as rt
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.porting import accounts as accounts
from wellhead.cli.porting import member as member

Every = Annotated[bool, Parameter(name="--all")]
capacity = App(name="capacity", help="What can be delivered, and so what position limits are.")


# Anybody, and owners


@capacity.command
def show(*, options: Remote = REMOTE) -> None:
    """Show the GPUs that can deliver, by model and hub."""
    with options.client() as client:
        one, answer = ask(client, calls.capacity())
    _supply(one, answer, options)


def holdings(*, every: Every = False, options: Remote = REMOTE) -> None:
    """Show what the owner of the account holds in all its accounts, with the limits.

    Parameters
    ----------
    every
        For operators: owners from half of a limit on, and who may only reduce.
    """
    if every:
        with options.operator() as client:
            found, answer = ask(client, calls.all_position_limits())
    else:
        with options.trader() as client:
            one, answer = ask(client, calls.position_limits())
        found = [one]
    if options.json:
        out.document(answer)
        return
    for one in found:
        why = f", only reduces: {', '.join(one.reasons)}" if one.reasons else ""
        out.show(f"{one.owner} ({', '.join(one.accounts)}){why}")
        _holdings(one.holdings)
    if not found:
        out.show("no owner holds half of a limit, and none is restrained")


def _holdings(held: Sequence[rt.Holding]) -> None:
    cells = (
        (one.scope, one.side, f"{one.used_gpu_hours:,}", f"{one.accountable_gpu_hours:,}",
         f"{one.limit_gpu_hours:,}", one.level)
        for one in held
    )  # fmt: skip
    names = ("scope", "side", "GPU-hours>", "accountable>", "limit>", "level")
    out.show(out.table(names, cells) if held else "nothing held that has a limit")


def notices(*, every: Every = False, limit: int = 100, options: Remote = REMOTE) -> None:
    """Show what the account was told: holdings to answer for, restraints, calls of the fund, ports.

    Parameters
    ----------
    every
        For operators: of all accounts.
    limit
        The newest so many.
    """
    if every:
        with options.operator() as client:
            rows, answer = ask(client, calls.all_notices(limit))
    else:
        with options.trader() as client:
            rows, answer = ask(client, calls.notices(limit))
    if options.json:
        out.document(answer)
        return
    cells = ((out.moment(row.ts), row.account_id, row.kind, _said(row)) for row in rows)
    out.show(out.table(("time (UTC)", "account", "notice", "what"), cells) if rows else "none")


def _said(one: rt.Notice) -> str:
    if one.holding is not None:
        held = one.holding
        return (
            f"{held.side} {held.used_gpu_hours:,} of {held.limit_gpu_hours:,} GPU-hours"
            f" of {held.scope}"
        )
    if one.reasons is not None:
        return ", ".join(one.reasons)
    due = "" if one.due_ts is None else f" by {out.moment(one.due_ts)} UTC"
    if one.member is not None:
        client = f"client {one.client}, " if one.client else ""
        port = f", port {one.port_id}" if one.port_id else ""
        return f"{client}member {one.member}{port}{due}"
    return f"{out.usd(one.amount)} USD{due}" if one.amount is not None else ""


# Members


@member.command(name="credit")
def trust_client(
    account_id: str, /, *, margin: str | None = None, turnover: int = 0, none: bool = False,
    options: Remote = REMOTE,
) -> None:  # fmt: skip
    """Trust a client with so much; without any limit, show what holds and what it uses.

    Parameters
    ----------
    account_id
        A client; of these limits and an operator's the stricter holds.
    margin
        USD of initial margin.
    turnover
        GPU-hours traded in a day (UTC).
    none
        Take all limits of the member away.
    """
    call = calls.client_credit(account_id)
    if _sets(margin, turnover, none=none):
        call = calls.trust_client(account_id, initial_margin=margin, turnover_gpu_hours=turnover)
    with options.trader() as client:
        _credit(*ask(client, call), options)


# Operators


@capacity.command(name="set")
def set_capacity(
    sku: str, hub: str, gpus: int, /, *, source: str, account: str | None = None,
    options: Remote = REMOTE,
) -> None:  # fmt: skip
    """Say how many GPUs can deliver: of an account, or as measured of everybody else.

    Parameters
    ----------
    sku
        As in a symbol: H100.
    hub
        As in a symbol: USE.
    gpus
        How many; 0: none any more.
    source
        Where the number is from.
    account
        Who has registered them; a NeoCloud's own are no part of what it is short.
    """
    with options.operator() as client:
        one, answer = ask(client, calls.set_capacity(sku, hub, gpus, source, account_id=account))
    _supply(one, answer, options)


@accounts.command(name="owner")
def set_owner(
    account_id: str, to: str | None = None, /, *, none: bool = False, options: Remote = REMOTE
) -> None:
    """Show whose an account is, make it a sub-account of another, or with --none nobody's.

    Parameters
    ----------
    account_id
        Whose.
    to
        The account of its owner; limits count all accounts of an owner together.
    none
        It is nobody's sub-account any more.
    """
    if none and to is not None:
        raise CliError(Exit.USAGE, "usage", "name an owner, or give --none")
    call = calls.owner(account_id)
    if none or to is not None:
        call = calls.set_owner(account_id, to)
    with options.operator() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.account_id}: owned by {one.owner}; accounts {', '.join(one.accounts)}")


@accounts.command(name="credit")
def trust(
    account_id: str, /, *, margin: str | None = None, turnover: int = 0,
    clients: str | None = None, none: bool = False, options: Remote = REMOTE,
) -> None:  # fmt: skip
    """Trust an account with so much; without any limit, show what holds and what it uses.

    Parameters
    ----------
    account_id
        Whose; of these limits and its member's the stricter holds.
    margin
        USD of initial margin.
    turnover
        GPU-hours traded in a day (UTC).
    clients
        Of a member: USD of initial margin of all its clients together.
    none
        Take all limits of operators away.
    """
    call = calls.credit(account_id)
    if _sets(margin or clients, turnover, none=none):
        call = calls.trust(
            account_id, initial_margin=margin, turnover_gpu_hours=turnover, clients_margin=clients
        )
    with options.operator() as client:
        _credit(*ask(client, call), options)


def _sets(margin: str | None, turnover: int, *, none: bool) -> bool:
    """Return whether limits are to be set.

    Errors:
        CliError: limits and none.
    """
    given = margin is not None or turnover != 0
    if given and none:
        raise CliError(Exit.USAGE, "usage", "limits, or --none: not both")
    return given or none


def _supply(one: rt.Supply, answer: Json, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    cells = (
        (row.sku, row.hub, f"{row.gpus:,}", row.account_id or "others", row.source)
        for row in one.capacity
    )
    names = ("sku", "hub", "GPUs>", "whose", "source")
    out.show(out.table(names, cells) if one.capacity else "nothing is known: there are no limits")
    out.show(f"limits are {one.limit_bps / 100:g} % of it; from {one.accountable_bps / 100:g} %"
             " of a limit on a holding is reported")  # fmt: skip


def _credit(one: rt.AllowedCredit, answer: Json, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    margin, hours = one.credit.initial_margin, one.credit.turnover_gpu_hours
    uses = {
        "initial margin": f"{out.usd(one.initial_margin)} of {_most(margin)}",
        "GPU-hours today": f"{one.turnover_gpu_hours:,} of {_most(hours)}",
        "only reduces": ", ".join(one.reasons) or "no",
    }
    if one.clients_margin is not None:
        most = _most(one.credit.clients_margin)
        uses["initial margin of all clients"] = f"{out.usd(one.clients_margin)} of {most}"
    out.show(out.pairs(uses))


def _most(limit: object) -> str:
    return "no limit" if limit is None else f"{limit:,}"
