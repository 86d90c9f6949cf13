"""Commands of the operator: accounts, money in and out, keys.

They sign with the operator's key, which the node wrote into its data folder.
"""

from pathlib import Path

from cyclopts import App

from wellhead import admin_calls
from wellhead import types as wt
from wellhead.calls import Call, Json
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.credentials import CredentialsError, config_dir, data_dir, write_profile
from wellhead.signing import Credentials

accounts = App(name="accounts", help="Open accounts, move money in and out.")
keys = App(name="keys", help="Make, list and revoke API keys.")


@accounts.command(name="create")
def create_account(
    account_id: str,
    /,
    *,
    name: str | None = None,
    kind: str | None = None,
    member: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Open an account.

    Parameters
    ----------
    account_id
        Its public id, for ever: alice.
    name
        Its owner's name.
    kind
        customer when not given: a client, margined at 110 %. A member, neocloud or miner at 100 %.
    member
        The clearing member whose client it is.
    """
    call = admin_calls.create_account(name or account_id, account_id, kind, member)
    _show_account(call, options)


@accounts.command(name="list")
def list_accounts(*, limit: int = 100, options: Remote = REMOTE) -> None:
    """List accounts; those of kind `simulated` belong to the demo market."""
    with options.operator() as client:
        rows, answer = ask(client, admin_calls.accounts(limit))
    if options.json:
        out.document(answer)
        return
    columns = ("account", "name", "kind", "member", "state", "cash>", "opened (UTC)")
    cells = (
        (
            a.account_id,
            a.name,
            a.kind,
            a.member or "",
            a.state,
            out.usd(a.cash),
            out.moment(a.created_ts),
        )
        for a in rows
    )
    out.show(out.table(columns, cells))


@accounts.command
def state(account_id: str, to: str, /, *, options: Remote = REMOTE) -> None:
    """Make an account active, reduce_only or frozen."""
    _show_account(admin_calls.set_account_state(account_id, to), options)


@accounts.command
def level(account_id: str, level_bps: int, /, *, options: Remote = REMOTE) -> None:
    """Hold an account at a level of the member's margin requirement.

    Parameters
    ----------
    account_id
        Whose.
    level_bps
        10000 for members, 11000 for clients, at most 15000.
    """
    with options.operator() as client:
        one, answer = ask(client, admin_calls.set_level(account_id, level_bps))
    if options.json:
        out.document(answer)
    else:
        share = f"{one.level_bps / 100:g} %"
        out.show(f"{one.account_id}: {share}, required {out.usd(one.required)} USD")


@accounts.command
def profile(account_id: str, to: str, /, *, options: Remote = REMOTE) -> None:
    """Set an account's wrong-way rule: none, neocloud or miner."""
    with options.operator() as client:
        one, answer = ask(client, admin_calls.set_profile(account_id, to))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.account_id}: {one.profile}, required {out.usd(one.required)} USD")


@accounts.command
def cover(account_id: str, symbol: str, lots: str, /, *, options: Remote = REMOTE) -> None:
    """Say how many lots an account's pledged capacity covers, where it is short.

    Parameters
    ----------
    account_id
        Whose.
    symbol
        The contract whose hub, SKU and period the capacity is of.
    lots
        How many; 0 for none.
    """
    with options.operator() as client:
        one, answer = ask(client, admin_calls.set_cover(account_id, symbol, lots))
    if options.json:
        out.document(answer)
    else:
        out.show(
            f"{one.account_id}: {one.symbol}, {one.quantity} lots covered, required"
            f" {out.usd(one.required)} USD"
        )


def _show_account(call: Call[wt.Account], options: Remote) -> None:
    with options.operator() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.account_id}: {one.kind}, {one.state}")


@accounts.command
def deposit(
    account_id: str,
    amount: str,
    /,
    *,
    transfer_id: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Book USD into an account.

    Parameters
    ----------
    account_id
        Whose.
    amount
        Dollars: 100000 or 99.50.
    transfer_id
        A name for it; the same again moves no money.
    """
    _transfer(admin_calls.deposit(account_id, amount, transfer_id), options)


@accounts.command
def withdraw(
    account_id: str,
    amount: str,
    /,
    *,
    transfer_id: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Book USD out of an account: never more than is free.

    Parameters
    ----------
    account_id
        Whose.
    amount
        Dollars: 100000 or 99.50.
    transfer_id
        A name for it; the same again moves no money.
    """
    _transfer(admin_calls.withdraw(account_id, amount, transfer_id), options)


def _transfer(call: Call[wt.Transfer], options: Remote) -> None:
    with options.operator() as client:
        done, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(f"{out.usd(done.amount)} USD: {done.status}")


@keys.command(name="create")
def create_key(
    account_id: str,
    /,
    *,
    scope: list[str] = ["read", "trade"],  # noqa: B006
    label: str | None = None,
    ip: list[str] | None = None,
    expires_at: int | None = None,
    save: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Make an API key; its secret is shown once.

    Parameters
    ----------
    account_id
        Whose.
    scope
        What it may do: read, trade, transfer, admin. Give it several times.
    label
        A note for yourself.
    ip
        Accept it from this address or network only. Give it several times.
    expires_at
        When it ends, milliseconds since 1970.
    save
        Keep it as a profile of this name (mode 0600) instead of showing the secret.
    """
    path = _path_to_save(save, options) if save else None
    call = admin_calls.create_key(account_id, scope, label, ip or (), expires_at)
    with options.operator() as client:
        key, answer = ask(client, call)
        if path is not None:
            found = Credentials(key.key, key.secret or "")
            write_profile(path, found, url=client.url, account_id=key.account_id)
    if options.json:
        out.document(_without_secret(answer, path) if path else answer)
    elif path:
        out.show(f"saved as {path}; use it with --profile {save}")
    else:
        out.show(f"export WELLHEAD_KEY={key.key}\nexport WELLHEAD_SECRET={key.secret}")
        out.note("the secret is not shown again")


def _path_to_save(name: str, options: Remote) -> Path:
    """Return where a profile goes; asked before the key is made, whose secret is told only once."""
    folder = data_dir(options.data)
    home = folder / "profiles" if folder.is_dir() else config_dir()
    path = Path(name) if "/" in name or name.endswith(".json") else home / f"{name}.json"
    if path.exists():
        raise CredentialsError(f"{path} exists already: no key was made")
    return path


def _without_secret(answer: Json, path: Path) -> Json:
    key = {name: value for name, value in answer["key"].items() if name != "secret"}
    return answer | {"key": key | {"saved_as": str(path)}}


@keys.command(name="list")
def list_keys(account_id: str, /, *, options: Remote = REMOTE) -> None:
    """List the keys of an account, without their secrets."""
    with options.operator() as client:
        rows, answer = ask(client, admin_calls.account_keys(account_id))
    if options.json:
        out.document(answer)
        return
    columns = ("key", "scopes", "label", "addresses", "made (UTC)", "state")
    cells = (
        (
            k.key,
            " ".join(k.scopes),
            k.label,
            " ".join(k.ip_allow),
            out.moment(k.created_ts),
            "revoked" if k.revoked else "live",
        )
        for k in rows
    )
    out.show(out.table(columns, cells) if rows else "no keys")


@keys.command(name="revoke")
def revoke_key(key: str, /, *, options: Remote = REMOTE) -> None:
    """Revoke a key for ever."""
    with options.operator() as client:
        one, answer = ask(client, admin_calls.revoke_key(key))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.key}: revoked")
