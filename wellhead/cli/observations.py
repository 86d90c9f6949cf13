"""Observations: import, fetch, list, verify and export what GPU-hours are offered at."""

import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclopts import App

from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.serving import NodeOptions, settings

NODE = NodeOptions()
NS_PER_S = 1_000_000_000
SHOWN = ("number>", "day", "provider", "region", "sku", "hub", "grade", "GPUs>", "USD>", "kind",
         "source")  # fmt: skip

observations = App(name="observations", help="Prices that the index is computed from.")


@observations.command(name="import")
def import_file(
    file: Path,
    /,
    *,
    source: str = "",
    licence: str = "",
    node: NodeOptions = NODE,
) -> None:
    """Record the prices of a CSV file; what is recorded already is recognised.

    Parameters
    ----------
    file
        Columns: date or ts, provider, sku, usd_per_gpu_hour, kind; and, where there are, region,
        gpus_per_instance, source, instance, grade, term_months. Packed where it ends in .gz.
    source
        Who says so, for rows that do not name one.
    licence
        Under which the prices may be kept and shown; known for the sources that ship.
    """
    import time

    from exchange.io.observation_files import import_file as read
    from exchange.rules.observation_rows import Given

    given = Given(now_ns=time.time_ns(), source=source, licence=licence)
    _show_outcome(_use(node, lambda store, _: read(store, file, given)), node)


@observations.command
def fetch(name: str, /, *, node: NodeOptions = NODE) -> None:
    """Ask a source of sources.json over HTTPS now, and record what it says.

    Parameters
    ----------
    name
        Its name there. Its host must stand in WELLHEAD_OBSERVATION_HOSTS.
    """
    import time

    from exchange.io.fetching import FetchRefused
    from exchange.io.observation_fetch import fetch_and_record, load_sources
    from exchange.rules.observation_sources import SourceInvalid

    found = settings(node)
    try:
        sources = load_sources(found.sources_path, found.observation_hosts)
        if name not in sources:
            known = ", ".join(sources) or "none"
            raise CliError(Exit.USAGE, "source_unknown", f"{found.sources_path} has {known}")
        work = _use(node, lambda store, _: fetch_and_record(store, sources[name], time.time_ns()))
    except SourceInvalid as error:
        raise CliError(Exit.USAGE, "source_invalid", str(error)) from error
    except FetchRefused as error:
        raise CliError(Exit.REFUSED, "fetch_refused", str(error)) from error
    _show_outcome(work, node)


def _show_outcome(outcome: Any, node: NodeOptions) -> None:
    counts = {
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "quarantined": outcome.quarantined,
    }
    if node.json:
        out.document(counts)
        return
    out.show(out.pairs(counts))
    if outcome.quarantined:
        out.note("`wellhead observations quarantine` says why")


@observations.command(name="list")
def list_rows(
    *,
    sku: str | None = None,
    hub: str | None = None,
    provider: str | None = None,
    source: str | None = None,
    before: int | None = None,
    limit: int = 20,
    node: NodeOptions = NODE,
) -> None:
    """List observations, newest first.

    Parameters
    ----------
    sku
        Of one model: H100-SXM.
    hub
        Of one hub: USE.
    provider
        Of one provider.
    source
        Of one source.
    before
        Only those with a smaller number.
    limit
        How many.
    """
    wanted = {"sku": sku, "hub": hub, "provider": provider, "source": source}
    place = {} if before is None else {"before": before}

    async def use(store: Any, _: Any) -> Any:
        return await store.newest(**wanted, **place, limit=limit), await store.head()

    rows, head = _use(node, use)
    if node.json:
        found = [_plain(row) for row in rows]
        out.document({"observations": found, "head": _head(head)})
        return
    cells = [
        (
            row.number, _day(row.ts_ns), row.provider, row.region, row.sku, row.hub, row.grade,
            row.size_gpus, _usd(row.price_usd_micros), row.kind, row.source,
        )
        for row in rows
    ]  # fmt: skip
    out.show(out.table(SHOWN, cells) if cells else "no observations")
    out.show(f"{head.number} in all, digest {head.digest.hex()}")


@observations.command
def quarantine(*, reason: str | None = None, limit: int = 20, node: NodeOptions = NODE) -> None:
    """List rows that were not recorded, newest first, and how many there are for each reason.

    Parameters
    ----------
    reason
        Only those of this reason.
    limit
        How many.
    """

    async def use(store: Any, _: Any) -> Any:
        return await store.quarantine(reason=reason, limit=limit), await store.reasons()

    rows, reasons = _use(node, use)
    if node.json:
        out.document({"quarantine": [row._asdict() for row in rows], "reasons": reasons})
        return
    columns = ("id>", "from", "source", "reason", "detail", "row")
    cells = [
        (row.quarantine_id, row.name, row.source, row.reason, row.detail, row.raw) for row in rows
    ]
    out.show(out.table(columns, cells) if cells else "nothing is quarantined")
    if reasons:
        out.show(", ".join(f"{name}: {count}" for name, count in reasons.items()))


@observations.command
def export(file: Path, /, *, node: NodeOptions = NODE) -> None:
    """Write the whole chain as a bundle that anybody can verify without an exchange.

    Parameters
    ----------
    file
        Where to; `-` is the standard output.
    """
    from exchange.io.observation_check import bundle_lines

    async def use(store: Any, _: Any) -> Any:
        head = await store.head()
        rows = [row async for row in store.all_rows(until=head.number)]
        try:
            written = nullcontext(sys.stdout) if str(file) == "-" else file.open("w")
            with written as target:
                target.writelines(bundle_lines(head, rows))
        except OSError as error:
            raise CliError(Exit.USAGE, "usage", f"{file}: {error.strerror}") from error
        return head

    head = _use(node, use)
    if str(file) == "-":
        return
    if node.json:
        out.document({"file": str(file), "head": _head(head)})
    else:
        out.show(f"{file}: {head.number} observations, digest {head.digest.hex()}")


@observations.command
def verify(
    bundle: Path | None = None, /, *, head: str | None = None, node: NodeOptions = NODE
) -> None:
    """Recompute the whole chain, of the data folder or of a bundle; name each changed row.

    Ends with exit code 5 when anything differs.

    Parameters
    ----------
    bundle
        A file that `export` wrote: nothing else is needed then.
    head
        One that you kept, as NUMBER:DIGEST: the chain must go through it.
    """
    known = _known(head)
    report = _of_bundle(bundle, known) if bundle else _of_store(known, node)
    findings = [finding._asdict() for finding in report.findings]
    if node.json:
        out.document({"sound": not findings, "head": _head(report.head), "findings": findings})
    else:
        for finding in report.findings:
            out.show(f"DAMAGE {finding}")
        if not findings:
            out.show(f"sound: {report.head.number} observations, {report.head.digest.hex()}")
    if findings:
        raise SystemExit(Exit.DAMAGE)


def _known(text: str | None) -> Any:
    from exchange.rules.observations import Head

    if text is None:
        return None
    number, _, digest = text.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest))
    except ValueError:
        raise CliError(Exit.USAGE, "usage", "--head is like 6113:0363f6...") from None


def _of_bundle(path: Path, known: Any) -> Any:
    from exchange.io.errors import Invalid
    from exchange.io.observation_check import check_bundle

    try:
        with path.open() as lines:
            return check_bundle(lines, known)
    except (OSError, UnicodeDecodeError, Invalid) as error:
        raise CliError(Exit.USAGE, "bundle_invalid", f"{path}: {error}") from error


def _of_store(known: Any, node: NodeOptions) -> Any:
    from exchange.io.observation_check import check_store

    async def use(_: Any, pool: Any) -> Any:
        async with pool.acquire() as connection:
            return await check_store(connection, known)

    return _use(node, use)


def _use(node: NodeOptions, use: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    import asyncio

    from exchange.io.errors import Invalid, StartRefused, Unavailable
    from exchange.services.node.verifying import with_observations

    try:
        return asyncio.run(with_observations(settings(node), lambda *_: None, use))
    except (StartRefused, Unavailable) as error:
        raise CliError(Exit.UNAVAILABLE, "unavailable", str(error)) from error
    except Invalid as error:
        raise CliError(Exit.USAGE, "usage", str(error)) from error


def _plain(row: Any) -> dict[str, Any]:
    return {**row._asdict(), "digest": row.digest.hex()}


def _head(head: Any) -> dict[str, Any]:
    return {"number": head.number, "digest": head.digest.hex()}


def _day(ts_ns: int) -> str:
    moment = datetime.fromtimestamp(ts_ns // NS_PER_S, UTC)
    return moment.strftime("%Y-%m-%d" if ts_ns % (86_400 * NS_PER_S) == 0 else "%Y-%m-%d %H:%M")


def _usd(usd_micros: int) -> str:
    from exchange.rules.money import usd_text

    return usd_text(usd_micros)
