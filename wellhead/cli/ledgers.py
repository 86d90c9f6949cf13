"""The ledger: own postings over the API, and the whole of it where the data folder is."""

import csv
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from wellhead.cli import account, out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.ledger_files import write_parquet
from wellhead.cli.serving import NodeOptions, settings

NODE = NodeOptions()
Target = Annotated[Path | None, Parameter(allow_leading_hyphen=True)]  # `-` is standard output
NS_PER_S = 1_000_000_000
EMPTY = "nothing posted"
MONEY = ("amount>", "balance>")

ledger = App(name="ledger", help="Own postings; trial balance, statements, signed heads.")
ledger.default(account.entries)


@ledger.command(name="trial-balance")
def trial_balance(*, to: Target = None, node: NodeOptions = NODE) -> None:
    """Show every ledger account with its balance, and that each asset sums to zero.

    Parameters
    ----------
    to
        Write it there instead: as Parquet where the name ends so, else as CSV; `-` is the
        standard output.
    """
    rows = _read(node, lambda statements: statements.trial_balance())
    sums: dict[str, int] = {}
    for code, _, balance, _ in rows:
        sums[_asset(code)] = sums.get(_asset(code), 0) + balance
    if node.json:
        accounts = [
            {"account": code, "asset": _asset(code), "postings": count,
             "balance": _amount(code, balance), "seq": seq}
            for code, count, balance, seq in rows
        ]  # fmt: skip
        out.document({"accounts": accounts, "balanced": not any(sums.values())})
    else:
        columns = ("account", "asset", "postings>", "balance>", "seq>")
        cells = [
            (code, _asset(code), count, _amount(code, balance), seq)
            for code, count, balance, seq in rows
        ]
        _give(columns, cells, to)
        out.note(", ".join(f"{asset} sums to {_sum(asset, sums[asset])}" for asset in sorted(sums)))
    if any(sums.values()):
        raise SystemExit(Exit.DAMAGE)


@ledger.command
def statement(
    account_id: str,
    /,
    *,
    month: str | None = None,
    to: Target = None,
    node: NodeOptions = NODE,
) -> None:
    """Show what was posted to an account in a month, cash and assets.

    Parameters
    ----------
    account_id
        alice
    month
        2026-11; this one when not given.
    to
        Write it there instead: as Parquet where the name ends so, else as CSV; `-` is the
        standard output.
    """
    first, last = _month(month)

    async def use(statements: Any) -> Any:
        if not await statements.has_account(account_id):
            return None
        return await statements.statement(account_id, _ns(first), _ns(last))

    rows = _read(node, use)
    if rows is None:
        said = f"there is no account {account_id}: `wellhead accounts list` has them"
        raise CliError(Exit.REFUSED, "account_unknown", said)
    columns = ("account", "version>", "time (UTC)", "seq>", "leg>", "reason", "ref>", "amount>",
               "balance>")  # fmt: skip
    cells = [
        (code, version, _time(ts_ns), seq, leg, reason, ref_id, _amount(code, amount),
         _amount(code, balance))
        for code, version, ts_ns, seq, leg, reason, ref_id, amount, balance in rows
    ]  # fmt: skip
    _answer(
        "entries", columns, cells, to, node, f"nothing was posted to {account_id} in {first:%Y-%m}"
    )


@ledger.command
def postings(
    *, after_seq: int = 0, limit: int = 100, to: Target = None, node: NodeOptions = NODE
) -> None:
    """Show postings of all ledger accounts after a command, oldest first.

    Parameters
    ----------
    after_seq
        Only those of later commands.
    limit
        How many.
    to
        Write them there instead: as Parquet where the name ends so, else as CSV; `-` is the
        standard output.
    """
    rows = _read(node, lambda statements: statements.postings(after_seq, limit))
    columns = ("transfer>", "time (UTC)", "seq>", "leg>", "reason", "ref>", "account", "version>",
               "amount>", "balance>")  # fmt: skip
    cells = [
        (transfer, _time(ts_ns), seq, leg, reason, ref_id, code, version, _amount(code, amount),
         _amount(code, balance))
        for transfer, ts_ns, seq, leg, reason, ref_id, code, version, amount, balance in rows
    ]  # fmt: skip
    _answer("postings", columns, cells, to, node)


@ledger.command
def heads(*, sign: bool = False, node: NodeOptions = NODE) -> None:
    """Show the heads of the chain over all postings, one a closed day.

    Parameters
    ----------
    sign
        First sign the days closed since the last one, with the key in the data folder.
    """
    from exchange.io.statements import Statements, ledger_key

    async def use(statements: Statements) -> Any:
        if sign:
            await statements.seal(ledger_key(settings(node).data_dir))
        return await statements.heads()

    columns = ("day", "last transfer>", "digest", "key", "signed")
    cells = [
        (
            str(date(1970, 1, 1) + timedelta(one.head.day)),
            one.head.last_transfer_id,
            one.head.digest.hex(),
            one.public_key.hex(),
            "yes" if one.is_signed else "NO",
        )
        for one in _read(node, use)
    ]
    _answer("heads", columns, cells, None, node, "no head yet: a day is sealed once it is over")


@ledger.command
def months(*, node: NodeOptions = NODE) -> None:
    """Show the months of the ledger, their size, and which of them are archived."""
    columns = ("month", "last transfer>", "MiB>", "archived")
    cells = [
        (name.replace("_", "-"), last_id, f"{size / (1 << 20):.1f}", str(at or ""))
        for name, at, last_id, size in _read(node, lambda statements: statements.months())
    ]
    _answer("months", columns, cells, None, node, "no months yet")


@ledger.command
def archive(month: str, /, *, node: NodeOptions = NODE) -> None:
    """Take the oldest month out of the ledger, once it is over and a signed head covers it.

    Its transfers and postings stay in two tables of their own, to be copied elsewhere and dropped.
    Balances go on from what the month left; statements and postings do not show it any more.

    Parameters
    ----------
    month
        2026-01
    """
    from exchange.io.errors import Invalid
    from exchange.services.node.verifying import change_ledger

    name = f"{_month(month)[0]:%Y-%m}"
    try:
        kept = _run(node, change_ledger, lambda statements: statements.archive(name))
    except Invalid as error:
        raise CliError(Exit.REFUSED, "refused", str(error)) from error
    if node.json:
        out.document({"month": name, "kept_in": kept})
    else:
        out.show(f"{name} is archived in the tables {kept}")


@ledger.command
def check(*, node: NodeOptions = NODE) -> None:
    """Compute the chain anew and compare it with every signed head; quicker than `verify`."""
    wrong = _read(node, lambda statements: statements.wrong_heads())
    if node.json:
        out.document({"sound": not wrong, "findings": [list(row) for row in wrong]})
    for day, field, expected, found in [] if node.json else wrong:
        out.show(f"DAMAGE ledger_head, day {day}, {field}: expected {expected}, found {found}")
    if wrong:
        raise SystemExit(Exit.DAMAGE)
    if not node.json:
        out.show("sound: the postings are those of every signed head")


def _read(node: NodeOptions, use: Callable[[Any], Awaitable[Any]]) -> Any:
    from exchange.services.node.verifying import read_ledger

    return _run(node, read_ledger, use)


def _run(node: NodeOptions, door: Callable[..., Any], use: Callable[[Any], Awaitable[Any]]) -> Any:
    import asyncio

    from exchange.io.errors import StartRefused, Unavailable

    try:
        return asyncio.run(door(settings(node), lambda *_: None, use))
    except (StartRefused, Unavailable) as error:
        raise CliError(Exit.UNAVAILABLE, "unavailable", str(error)) from error


def _answer(
    name: str,
    columns: Sequence[str],
    cells: list[Any],
    to: Path | None,
    node: NodeOptions,
    empty: str = EMPTY,
) -> None:
    if node.json:
        keys = [column.rstrip(">") for column in columns]
        out.document({name: [dict(zip(keys, row, strict=True)) for row in cells]})
    else:
        _give(columns, cells, to, empty)


def _give(columns: Sequence[str], cells: list[Any], to: Path | None, empty: str = EMPTY) -> None:
    """Show a table, or write it as Parquet or CSV; `-` is the standard output."""
    if to is None:
        shown = [_shown(columns, row) for row in cells]
        out.show(out.table(tuple(columns), shown) if shown else empty)
        return
    try:
        if to.suffix == ".parquet":
            write_parquet(to, columns, cells)
            return
        written = nullcontext(sys.stdout) if str(to) == "-" else to.open("w", newline="")
        with written as file:
            rows = csv.writer(file)
            rows.writerow([column.rstrip(">") for column in columns])
            rows.writerows(cells)
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"{to}: {error.strerror}") from error


def _shown(columns: Sequence[str], row: Sequence[object]) -> Sequence[object]:
    """Return a row for people: dollars as in all tables, which CSV and JSON give plainly."""
    if "account" not in columns or _asset(str(row[columns.index("account")])) != "USD":
        return row
    return [
        out.usd(value) if column in MONEY else value
        for column, value in zip(columns, row, strict=True)
    ]


def _asset(code: str) -> str:
    from exchange.rules.ledger_text import asset_of

    return asset_of(code)


def _amount(code: str, amount: int) -> str:
    """Return an amount of a ledger account in whole dollars, or wholes of its asset."""
    from exchange.rules.ledger_text import amount_text

    return amount_text(code, amount)


def _sum(asset: str, amount: int) -> str:
    from exchange.rules.ledger_text import asset_text

    text = asset_text(asset, amount)
    return out.usd(text) if asset == "USD" else text


def _month(text: str | None) -> tuple[datetime, datetime]:
    """Return the first moment of a month and of the next one."""
    try:
        first = datetime.strptime(f"{text} +0000", "%Y-%m %z") if text else datetime.now(UTC)
        first = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return first, (first + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise CliError(Exit.USAGE, "usage", f"--month is like 2026-11, not {text}") from None


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS_PER_S


def _time(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")
