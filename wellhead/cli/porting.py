"""Commands about clearing members: whose client an account is, its clients, and ports."""

from cyclopts import App

from wellhead import member_calls
from wellhead import member_types as mt
from wellhead.calls import Call, Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.operator import accounts as accounts
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.safety import NO_LIMITS, LimitFlags, given, show_allowed

member = App(name="member", help="What a clearing member does: its clients, and ports.")
COLUMNS = ("port", "client", "from", "to", "status", "until (UTC)", "reason")


# For operators


@accounts.command(name="member")
def set_member(
    account_id: str, to: str | None = None, /, *, none: bool = False, options: Remote = REMOTE
) -> None:
    """Show whose client an account is, make it a member's, or with --none nobody's.

    Parameters
    ----------
    account_id
        Whose.
    to
        The clearing member. From one member to another it goes by `wellhead accounts port`.
    none
        End its membership; a port that is proposed ends too.
    """
    if none and to is not None:
        raise CliError(Exit.USAGE, "usage", "name a member, or give --none")
    call = member_calls.membership(account_id)
    if none or to is not None:
        call = member_calls.set_membership(account_id, to)
    with options.operator() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    cells = ((out.moment(row.ts), row.member or "nobody", row.port_id or "", row.by)
             for row in one.history)  # fmt: skip
    out.show(f"{one.account_id}: client of {one.member or 'nobody'}")
    if one.history:
        out.show(out.table(("since (UTC)", "client of", "port", "by"), cells))


@accounts.command(name="port")
def port_client(
    account_id: str,
    to: str,
    /,
    *,
    reason: str,
    minutes: int = 240,
    options: Remote = REMOTE,
) -> None:
    """Propose a client of a failing member to another one, which accepts in time or does not.

    Parameters
    ----------
    account_id
        The client.
    to
        The member that is to receive it.
    reason
        Why, in up to 64 characters.
    minutes
        How long the member has, at most a week.
    """
    call = member_calls.propose(account_id, to, reason, expires_ms=minutes * 60_000)
    with options.operator() as client:
        show(*ask(client, call), options)


@accounts.command(name="ports")
def list_ports(*, limit: int = 100, withdraw: str | None = None, options: Remote = REMOTE) -> None:
    """List ports, newest first; --withdraw ends one that nobody has answered."""
    with options.operator() as client:
        if withdraw is not None:
            show(*ask(client, member_calls.withdraw(withdraw)), options)
            return
        rows, answer = ask(client, member_calls.ports(limit))
    show_all(list(rows), answer, options)


# For a member


@member.command
def clients(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """List the member's clients."""
    with options.trader() as client:
        rows, answer = ask(client, member_calls.clients(limit))
    if options.json:
        out.document(answer)
        return
    cells = ((one.account_id, one.name, one.kind, one.state, out.usd(one.cash)) for one in rows)
    table = out.table(("client", "name", "kind", "state", "cash>"), cells)
    out.show(table if rows else "no clients")


@member.command(name="client")
def client_(account_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show one client: its money, requirement and positions."""
    with options.trader() as client:
        one, answer = ask(client, member_calls.client(account_id))
    if options.json:
        out.document(answer)
        return
    out.show(f"{one.client.account_id}: {one.client.state}")
    for row in one.balances:
        money = ((row.asset, out.usd(row.equity), out.usd(row.initial_margin), out.usd(row.free)),)
        out.show(out.table(("asset", "equity>", "initial margin>", "free>"), money))
    held = ((row.symbol, row.quantity) for row in one.positions)
    out.show(out.table(("symbol", "lots>"), held) if one.positions else "no positions")


@member.command
def kill(account_id: str, /, *, options: Remote = REMOTE) -> None:
    """Freeze a client and cancel everything it has; an operator alone lets it trade again."""
    with options.trader() as client:
        one, answer = ask(client, member_calls.kill_client(account_id))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.account_id}: frozen, {one.cancelled_count} orders cancelled")


@member.command
def limits(
    account_id: str, /, *, none: bool = False,
    flags: LimitFlags = NO_LIMITS, options: Remote = REMOTE,
) -> None:  # fmt: skip
    """Set all that the member allows a client at once; without any, show who allows what.

    Parameters
    ----------
    account_id
        A client; of these limits and an operator's the stricter holds.
    none
        Take all limits of the member away.
    """
    call = member_calls.client_limits(account_id)
    if none or flags != NO_LIMITS:
        call = member_calls.limit_client(account_id, **given(flags, none=none).fields())
    with options.trader() as client:
        found, answer = ask(client, call)
    show_allowed(found, answer, options)


@member.command
def ports(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """List the clients that are, or were, proposed to the member."""
    with options.trader() as client:
        rows, answer = ask(client, member_calls.own_ports(limit))
    show_all(list(rows), answer, options)


@member.command
def accept(port_id: str, /, *, options: Remote = REMOTE) -> None:
    """Take a client: the member is its member at once."""
    _answer(member_calls.accept(port_id), options)


@member.command
def decline(port_id: str, /, *, options: Remote = REMOTE) -> None:
    """Leave a client where it is."""
    _answer(member_calls.decline(port_id), options)


def _answer(call: Call[mt.Port], options: Remote) -> None:
    with options.trader() as client:
        show(*ask(client, call), options)


def cells_of(one: mt.Port) -> tuple[object, ...]:
    """Return the cells of a row."""
    return (
        one.port_id, one.account_id, one.from_member, one.to_member, one.status,
        out.moment(one.expires_ts), one.reason,
    )  # fmt: skip


def show(one: mt.Port, answer: Json, options: Remote) -> None:
    """Show one port."""
    show_all([one], answer, options)


def show_all(rows: list[mt.Port], answer: Json, options: Remote) -> None:
    """Show ports."""
    if options.json:
        out.document(answer)
        return
    out.show(out.table(COLUMNS, map(cells_of, rows)) if rows else "no ports")
