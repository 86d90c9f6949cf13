"""Commands about collateral beside cash: of its owner, and of operators and custodians."""

from cyclopts import App

from wellhead import collateral_calls as cc
from wellhead import money_types as mt
from wellhead import types as wt
from wellhead.calls import Call
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask

collateral = App(name="collateral", help="Assets beside cash: what counts, in and out.")


@collateral.command
def show(*, options: Remote = REMOTE) -> None:
    """Show the account's assets, and what of them margin counts."""
    with options.trader() as client:
        one, answer = ask(client, cc.collateral())
    if options.json:
        out.document(answer)
        return
    columns = ("asset", "quantity>", "leaving>", "value>", "haircut>", "counted>", "why less")
    cells = (
        (
            row.asset,
            row.quantity,
            row.leaving,
            out.usd(row.value),
            f"{row.haircut_bps / 100:g} %",
            out.usd(row.counted),
            row.reason or "",
        )
        for row in one.lines
    )
    out.show(out.table(columns, cells) if one.lines else "no assets beside cash")
    out.show(f"counted {out.usd(one.counted)}, the requirement is {out.usd(one.requirement)}")


@collateral.command
def rules(*, options: Remote = REMOTE) -> None:
    """Show what can be collateral, its haircut and its cap."""
    with options.trader() as client:
        one, answer = ask(client, cc.collateral())
    if options.json:
        out.document(answer)
        return
    columns = ("asset", "name", "issuer", "haircut>", "cap>")
    cells = (
        (
            row.asset,
            row.name,
            row.issuer,
            f"{row.haircut_bps / 100:g} %",
            f"{row.cap_bps / 100:g} %" if row.cap_bps else "none",
        )
        for row in one.rules
    )
    out.show(out.table(columns, cells))


@collateral.command
def withdraw(
    asset: str,
    amount: str,
    address: str,
    /,
    *,
    withdrawal_id: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Withdraw an asset: it is reserved at once, and paid out by admins.

    Parameters
    ----------
    asset
        UST, USDC, BTC, ...
    amount
        How much of it.
    address
        One of the allow-list, there for 24 hours.
    withdrawal_id
        The same again moves nothing.
    """
    call = cc.withdraw(asset, amount, address, withdrawal_id)
    with options.trader() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(_line(one))


@collateral.command
def withdrawals(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """Show own withdrawals, the newest first."""
    with options.trader() as client:
        rows, answer = ask(client, cc.withdrawals(limit))
    _show(rows, answer, options)


@collateral.command
def addresses(*, options: Remote = REMOTE) -> None:
    """Show where withdrawals may go to."""
    _addresses(cc.addresses(), options)


@collateral.command(name="add-address")
def add_address(
    asset: str, address: str, /, *, label: str | None = None, options: Remote = REMOTE
) -> None:
    """Add an address, usable in 24 hours."""
    _addresses(cc.add_address(asset, address, label), options)


@collateral.command(name="remove-address")
def remove_address(asset: str, address: str, /, *, options: Remote = REMOTE) -> None:
    """Remove an address; added again, it has to wait again."""
    _addresses(cc.remove_address(asset, address), options)


@collateral.command
def transfer(
    to: str, amount: str, /, *, transfer_id: str | None = None, options: Remote = REMOTE
) -> None:
    """Send cash to another account of the same member."""
    with options.trader() as client:
        one, answer = ask(client, cc.transfer(to, amount, transfer_id))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{out.usd(one.amount)} USD, {to}: {one.status}")


# Of operators


@collateral.command
def deposit(
    account_id: str,
    asset: str,
    amount: str,
    /,
    *,
    transfer_id: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Confirm that the custodian has an asset for an account."""
    with options.operator() as client:
        one, answer = ask(client, cc.deposit(account_id, asset, amount, transfer_id))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{account_id}: {one.quantity} {one.asset}, {one.status}")


@collateral.command
def waiting(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """Show withdrawals of all accounts that wait for a decision."""
    with options.operator() as client:
        rows, answer = ask(client, cc.open_withdrawals(limit))
    _show(rows, answer, options)


@collateral.command
def decide(request_id: str, action: str, /, *, options: Remote = REMOTE) -> None:
    """Approve, pay or return a withdrawal.

    Parameters
    ----------
    request_id
        As `collateral waiting` shows it.
    action
        approve, pay or return; large ones are approved by two before they are paid.
    """
    with options.operator() as client:
        one, answer = ask(client, cc.decide(request_id, action))
    if options.json:
        out.document(answer)
    else:
        out.show(_line(one))


@collateral.command
def price(asset: str, usd: str, /, *, source: str | None = None, options: Remote = REMOTE) -> None:
    """Say what one whole of an asset is worth now.

    Parameters
    ----------
    asset
        UST, USDC, BTC, ...
    usd
        Of one whole.
    source
        operator when not given, or feed.
    """
    with options.operator() as client:
        one, answer = ask(client, cc.price(asset, usd, source))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.asset}: {out.usd(one.price)} USD by {one.source}")


def _line(one: mt.Withdrawal) -> str:
    approvals = f"{one.approvals} of {one.approvals_needed} approvals"
    return f"{one.request_id}: {one.quantity} {one.asset} {one.status}, {approvals}"


def _show(rows: wt.Page[mt.Withdrawal], answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    columns = ("request>", "account", "asset", "quantity>", "address", "status", "approvals")
    cells = (
        (
            row.request_id,
            row.account_id or "",
            row.asset,
            row.quantity,
            row.address,
            row.status,
            f"{row.approvals} of {row.approvals_needed}",
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no withdrawals")


def _addresses(call: Call[wt.Page[mt.Address]], options: Remote) -> None:
    with options.trader() as client:
        rows, answer = ask(client, call)
    if options.json:
        out.document(answer)
        return
    columns = ("asset", "address", "label", "usable from (UTC)")
    cells = ((row.asset, row.address, row.label, out.moment(row.usable_ts)) for row in rows)
    out.show(out.table(columns, cells) if rows else "no addresses")
