"""The index: look at it, have it explained, compute all of it again."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cyclopts import App

from wellhead import admin_calls, index_calls
from wellhead import index_types as it
from wellhead.cli import auctions, out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.serving import NodeOptions, settings

NODE = NodeOptions()
STEPS = {1: "panel", 2: "hub spread", 3: "mean of 3", 4: "committee"}
COLUMNS = (
    "index", "day", "state", "price>", "step", "providers>", "offers>", "move>", "matched>",
    "entry>", "exit>", "held>", "fallback>", "limits",
)  # fmt: skip

index = App(name="index", help="The index of each SKU, hub and grade: prints, proofs, errata.")


SOUND = "sound: every print was computed again and is the same, bit for bit"
UNCOMPARED = "compared with nothing: hold the digest against one that you have"
NONE_YET = "no index is printed yet: the first prints take about a minute from the first start"


def _cells(one: it.IndexPrint) -> tuple[object, ...]:
    move = one.move
    parts = (move.matched, move.entry, move.exit, move.held, move.fallback)
    step = STEPS[one.step]
    if not one.quorum:
        step += ": NO QUORUM" + (f" since {one.stale_since}" if one.stale_since else "")
    return (
        one.name, one.day, one.state, out.usd(one.price), step, one.providers, one.offers,
        out.usd(sum(parts)), *map(out.usd, parts), " ".join(one.limits),
    )  # fmt: skip


@index.command(name="list")
def list_indices(*, options: Remote = REMOTE) -> None:
    """List every index with its newest print."""
    with options.client() as client:
        rows, answer = ask(client, index_calls.indices())
    if options.json:
        out.document(answer)
    else:
        out.show(out.table(COLUMNS, map(_cells, rows)) if rows else NONE_YET)


@index.command
def history(
    name: str,
    /,
    *,
    since: str | None = None,
    until: str | None = None,
    limit: int = 30,
    options: Remote = REMOTE,
) -> None:
    """Show the prints of an index, newest first.

    Parameters
    ----------
    name
        H100-USE, or H100.X-USE for another grade than N.
    since
        First day, as 2026-11-01.
    until
        Last day.
    limit
        How many days.
    """
    with options.client() as client:
        rows, answer = ask(client, index_calls.prints(name, since, until, limit))
    if options.json:
        out.document(answer)
    else:
        none = f"no print of {name} in those days"
        out.show(out.table(COLUMNS, map(_cells, rows)) if rows else none)


@index.command
def explain(name: str, day: str | None = None, /, *, options: Remote = REMOTE) -> None:
    """Show how a print came about: every constituent with its weight.

    Parameters
    ----------
    name
        H100-USE
    day
        2026-11-21; the newest when not given.
    """
    with options.client() as client:
        found, answer = ask(client, index_calls.explain(name, day))
    if options.json:
        out.document(answer)
        return
    out.show(out.table(COLUMNS, map(_cells, found.revisions)))
    newest = found.revisions[-1]
    out.show(out.pairs({
        "published": out.moment(newest.published_ts), "method": newest.method,
        "observations until": newest.observed_to, "inputs": newest.inputs,
        "print": newest.position, "digest": newest.digest,
    }))  # fmt: skip
    _show_document(found.document)


def _show_document(document: dict[str, Any]) -> None:
    """Show what a print follows from, by the step that gave it."""
    title, columns, cells = _constituents(document)
    if title:
        out.show(title)
    out.show(out.table(columns, cells))


def _constituents(document: dict[str, Any]) -> tuple[str, Sequence[str], list[tuple[object, ...]]]:
    """Return title, columns and rows of what a print follows from."""
    if "offers" in document:
        columns = ("observation>", "provider", "region", "GPUs>", "price>", "weight>", "status")
        return "", columns, [
            (number, provider, region, gpus, _micros(usd), f"{ppb / 10**7:.2f} %", status)
            for number, provider, region, gpus, usd, ppb, status, _ in document["offers"]
        ]  # fmt: skip
    if "spreads" in document:
        title = f"the print of {document['name']} and the middle of these spreads:"
        rows = [(day, _micros(usd), count) for day, usd, count in document["spreads"]]
        return title, ("day", "spread>", "providers>"), list(rows)
    if "mean_of" in document:
        title = "NO QUORUM: the mean of these prints"
        return title, ("day", "price>"), [(day, _micros(usd)) for day, usd in document["mean_of"]]
    return "NO QUORUM", ("operator", "reason"), [tuple(one) for one in document["committee"]]


def _micros(usd_micros: int) -> str:
    return f"{usd_micros / 1_000_000:.6f}"


@index.command
def errata(*, limit: int = 30, options: Remote = REMOTE) -> None:
    """List final prints that would be others with all that is known now; they stay as they are."""
    with options.client() as client:
        rows, answer = ask(client, index_calls.errata(limit))
    if options.json:
        out.document(answer)
        return
    columns = ("index", "day", "published>", "would be>", "observations until>", "found")
    cells = (
        (one.name, one.day, out.usd(one.published_price), out.usd(one.corrected_price),
         one.observed_to, out.moment(one.found_ts))
        for one in rows
    )  # fmt: skip
    out.show(out.table(columns, cells) if rows else "no final print would be another")


@index.command
def say(name: str, day: str, price: str, /, *, reason: str, options: Remote = REMOTE) -> None:
    """Say what a print is on a day without a quorum; two operators must say the same.

    Parameters
    ----------
    name
        H100-USE
    day
        A day that is over and not final: until 12:00 UTC of the next one.
    price
        USD per GPU-hour.
    reason
        Why, published with the print.
    """
    with options.operator() as client:
        found, answer = ask(client, index_calls.say(name, day, price, reason))
    if options.json:
        out.document(answer)
    else:
        stands = "it stands" if found.stands else "another operator must say the same"
        out.show(
            f"{found.name} {found.day}: {found.price}, said by {found.said_by_count}; {stands}"
        )


@index.command(name="set")
def set_index(symbol: str, price: str, /, *, options: Remote = REMOTE) -> None:
    """Set the index price of one contract by hand, until the next print replaces it.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    price
        What its GPU-hours cost outside, USD per GPU-hour.
    """
    auctions.show_instrument(admin_calls.set_index(symbol, price), options)


@index.command
def rebuild(
    *,
    from_: str | None = None,
    to: Path | None = None,
    shipped: bool = False,
    node: NodeOptions = NODE,
) -> None:
    """Compute the published history again from the raw observations, and compare every print.

    Ends with exit code 5 when anything differs; the first print and observation that do are named.

    Parameters
    ----------
    from_
        First day that is compared, as 2026-07-06; all days when not given.
    to
        Write the history there as CSV, packed with gzip when the name ends in .gz; into a folder
        with the heads of its chain and plots.
    shipped
        Of the price data that ship with the package: needs no database and no node.
    """
    first = None if from_ is None else _day(from_)
    if shipped:
        from exchange.io.index_check import rebuild_shipped

        result = rebuild_shipped()
    else:
        result = _rebuild(node, first)
        if first is not None and not result.compared:
            text = f"nothing was printed from {first} on: nothing to compare"
            raise CliError(Exit.USAGE, "nothing_compared", text)
    if to is not None:
        rows = [one for one in result.prints if first is None or one.day >= first]
        _write(to, rows)
    _report(result, result.findings, node)


@index.command
def verify(*, node: NodeOptions = NODE) -> None:
    """Check the chain of all prints, then compute every one of them again.

    Ends with exit code 5 when anything differs.
    """
    result = _rebuild(node, None, chain=True)
    _report(result, result.findings, node)


def _rebuild(node: NodeOptions, first: date | None, *, chain: bool = False) -> Any:
    import asyncio

    from exchange.io.errors import StartRefused, Unavailable
    from exchange.io.index_check import index_findings, rebuild
    from exchange.services.node.verifying import read_stored
    from wellhead.cli.starting import StartProgress

    async def run(connection: Any) -> Any:
        findings = await index_findings(connection) if chain else []
        result = await rebuild(connection, first)
        result.findings = [*findings, *result.findings]
        return result

    try:
        with StartProgress(as_json=node.json) as progress:
            return asyncio.run(read_stored(settings(node), progress, run))
    except (StartRefused, Unavailable) as error:
        raise CliError(Exit.UNAVAILABLE, "unavailable", str(error)) from error


def _report(result: Any, findings: Sequence[Any], node: NodeOptions) -> None:
    facts = {
        "method": result.method,
        "observations": result.observations,
        "prints": len(result.prints),
        "compared": result.compared,
        "first_day": result.prints[0].day.isoformat() if result.prints else None,
        "last_day": result.prints[-1].day.isoformat() if result.prints else None,
        "digest": result.head.digest,
    }
    if node.json:
        found = [str(finding) for finding in findings]
        out.document(facts | {"sound": not findings, "findings": found})
    else:
        out.show(out.pairs(facts))
        for finding in findings:
            out.show(f"DIFFERENT {finding}")
        if not findings:
            out.show(SOUND if result.compared else UNCOMPARED)
    if findings:
        raise SystemExit(Exit.DAMAGE)


def _write(path: Path, rows: Sequence[Any]) -> None:
    from exchange.io.index_files import write_folder, write_table

    try:
        if path.is_dir():
            write_folder(path, rows)
        else:
            write_table(path, rows)
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"cannot write {path}: {error.strerror}") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CliError(Exit.USAGE, "usage", f"a day as 2026-11-22, not {text}") from None
