"""Commands that keep an account or the exchange safe, and those that quote."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from wellhead import protect_calls
from wellhead import protect_types as wt
from wellhead.calls import Call, Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

kill = App(name="kill", help="Stop an account, a key, a member or the exchange, at once.")
protect = App(name="protect", help="Own limits, timer and quote groups.")


def _kill(call: Call[wt.Killed], options: Remote) -> None:
    with options.operator() as client:
        killed, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    for one in killed.accounts:
        out.show(f"{one.account_id}: frozen, {one.cancelled_count} orders cancelled")
    if killed.halted:
        commands = f"{killed.commands} commands"
        out.show(f"halted, {killed.cancelled_count} orders cancelled in {commands}")
        out.note("wellhead resume lets it go on")
    elif not killed.accounts:
        out.show(f"revoked, {killed.cancelled_count} orders cancelled")


@kill.command(name="account")
def kill_account(account_id: str, /, *, options: Remote = REMOTE) -> None:
    """Freeze an account and cancel everything it has, in one command.

    `wellhead accounts state ACCOUNT active` lets it trade again.
    """
    _kill(protect_calls.kill(account_id=account_id), options)


@kill.command(name="key")
def kill_key(key: str, /, *, options: Remote = REMOTE) -> None:
    """Revoke a key, close its connections and cancel the orders of its account."""
    _kill(protect_calls.kill(key=key), options)


@kill.command(name="member")
def kill_member(name: str, /, *, options: Remote = REMOTE) -> None:
    """Kill every account whose owner has this name."""
    _kill(protect_calls.kill(member_name=name), options)


@kill.command(name="exchange")
def kill_exchange(*, options: Remote = REMOTE) -> None:
    """Halt the whole exchange and cancel every order."""
    _kill(protect_calls.kill(exchange=True), options)


def _halt(call: Call[wt.Halt], options: Remote) -> None:
    with options.operator() as client:
        now, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show("halted: only cancels are taken" if now.halted else "orders are taken")


def halt(*, options: Remote = REMOTE) -> None:
    """Halt the whole exchange: no orders anywhere, cancels are allowed."""
    _halt(protect_calls.halt(), options)


def resume(*, options: Remote = REMOTE) -> None:
    """Let a halted exchange go on."""
    _halt(protect_calls.resume(), options)


@Parameter(name="*", group="Limits")
@dataclass(frozen=True, kw_only=True)
class LimitFlags:
    """Limits of an account; what is not given is no limit."""

    order_quantity: int = 0
    """Lots of one order."""

    order_notional: str | None = None
    """USD of one order."""

    position: int = 0
    """Lots held in one contract, with all that rests on a side."""

    orders_per_second: int = 0
    """Orders and amendments in a second."""

    open_orders: int = 0
    """Orders that rest at a time."""

    def fields(self) -> dict[str, Any]:
        """Return them by the names that calls have."""
        return asdict(self)


NO_LIMITS = LimitFlags()


def given(flags: LimitFlags, *, none: bool) -> LimitFlags:
    """Return the limits to set.

    Errors:
        CliError: limits and none.
    """
    if none and flags != NO_LIMITS:
        raise CliError(Exit.USAGE, "usage", "limits, or --none: not both")
    return flags


def limits(
    account_id: str, /, *, none: bool = False,
    flags: LimitFlags = NO_LIMITS, options: Remote = REMOTE,
) -> None:  # fmt: skip
    """Set all that an operator allows an account at once; without any, show who allows what.

    Parameters
    ----------
    account_id
        The account; of its member's limits and these the stricter holds.
    none
        Take all limits of an operator away.
    """
    if not none and flags == NO_LIMITS:
        with options.operator() as client:
            found, answer = ask(client, protect_calls.account_limits(account_id))
        show_allowed(found, answer, options)
        return
    call = protect_calls.set_limits(account_id, **given(flags, none=none).fields())
    with options.operator() as client:
        own, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(_limits(own))


def show_allowed(found: wt.AllowedLimits, answer: Json, options: Remote) -> None:
    """Show the limits of an account that hold, and who allows what."""
    if options.json:
        out.document(answer)
        return
    out.show(f"{found.account_id}: {_limits(found.limits)}")
    out.show(f"by an operator: {_limits(found.by_operator)}")
    out.show(f"by its member: {_limits(found.by_member)}")


def _limits(own: wt.OwnLimits) -> str:
    given = (
        (own.order_quantity, "lots in one order"),
        (own.order_notional, "USD in one order"),
        (own.position, "lots of a contract"),
        (own.orders_per_second, "orders a second"),
        (own.open_orders, "open orders"),
    )
    return ", ".join(f"{most} {what}" for most, what in given if most) or "no limits"


# What a member does


def quote(
    symbol: str,
    /,
    *,
    bid: str | None = None,
    ask_: Annotated[str | None, Parameter(name="--ask")] = None,
    group: int = 0,
    may_trade: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Quote both sides of a contract: wellhead quote H100-USE-2027M03 --bid 5@2.140 --ask 5@2.160

    Parameters
    ----------
    symbol
        A contract; its last quote is replaced.
    bid
        QUANTITY@PRICE to buy; withdrawn when not given.
    ask_
        QUANTITY@PRICE to sell; withdrawn when not given.
    group
        Quote group, 0 to 3: `wellhead protect group` protects it.
    may_trade
        Let it trade at once; else a side that would is refused.
    """
    one = protect_calls.quote_of(symbol, _side(bid), _side(ask_))
    call = protect_calls.quote_mass([one], group, post_only=not may_trade)
    with options.trader() as client:
        results, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    _show_quote(results[0])


def _side(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    quantity, at, price = text.partition("@")
    if not at:
        raise CliError(Exit.USAGE, "usage", f"{text!r} is not QUANTITY@PRICE")
    return price, quantity


def _show_quote(result: Json) -> None:
    if not result["ok"]:
        error = result["error"]
        raise CliError(Exit.REFUSED, error["code"], error.get("detail", ""))
    for name in ("bid", "ask"):
        side = result[name] or {"status": "none"}
        known = f" {side['order_id']}" if side.get("order_id") else ""
        why = f" ({side['code']})" if side.get("code") else ""
        out.show(f"{name}: {side['status']}{known}{why}")


@protect.command(name="show")
def show(*, options: Remote = REMOTE) -> None:
    """Show what protects the account."""
    with options.trader() as client:
        found, answer = ask(client, protect_calls.protections())
    if options.json:
        out.document(answer)
        return
    out.show(_limits(found.limits))
    due = f"{out.moment(found.cancel_all_due_ts)} UTC" if found.cancel_all_due_ts else "not set"
    out.show(f"everything is cancelled at: {due}")
    for group in found.groups:
        if group.window_ms or group.frozen:
            out.show(_group(group))


def _group(group: wt.QuoteGroup) -> str:
    frozen = ", frozen" if group.frozen else ""
    return (
        f"group {group.group}: {group.quantity} lots, {group.delta} net, {group.fills} fills "
        f"in {group.window_ms} ms{frozen}"
    )


@protect.command(name="cancel-after")
def cancel_after(timeout_ms: int, /, *, options: Remote = REMOTE) -> None:
    """Cancel everything after so many milliseconds unless this is said again; 0 disarms."""
    with options.trader() as client:
        timer, answer = ask(client, protect_calls.cancel_all_after(timeout_ms))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{out.moment(timer.due_ts)} UTC" if timer.due_ts else "not set")


@protect.command(name="group")
def protect_group(
    group: int,
    /,
    *,
    window_ms: int = 0,
    quantity: int = 0,
    delta: int = 0,
    fills: int = 0,
    options: Remote = REMOTE,
) -> None:
    """Protect a quote group: its quotes end when a limit is reached within the window.

    Parameters
    ----------
    group
        0 to 3.
    window_ms
        How long fills are counted together; 0 is no protection.
    quantity
        Lots filled.
    delta
        Lots bought less sold, either way.
    fills
        Count of fills.
    """
    _show_group(protect_calls.set_quote_group(group, window_ms, quantity, delta, fills), options)


@protect.command(name="reset")
def reset(group: int, /, *, options: Remote = REMOTE) -> None:
    """Let a quote group quote again after a limit was reached."""
    _show_group(protect_calls.reset_quote_group(group), options)


def _show_group(call: Call[wt.QuoteGroup], options: Remote) -> None:
    with options.trader() as client:
        group, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(_group(group))
