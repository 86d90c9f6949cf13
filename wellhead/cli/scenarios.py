"""Margin scenarios: look at what is published, verify it, build and swap, test it on history."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from cyclopts import App

from wellhead import scenario_calls
from wellhead import scenario_types as st
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import LOCAL, REMOTE, Local, Remote, ask

BUILD_TIMEOUT_S = 300.0
BACKTEST_PAGE = Path("docs/backtest.md")

scenarios = App(name="scenarios", help="Margin scenarios: publish, verify, swap, backtest.")


@scenarios.command(name="list")
def list_sets(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """List published sets, newest first.

    Parameters
    ----------
    limit
        How many.
    """
    with options.client() as client:
        rows, answer = ask(client, scenario_calls.published(limit))
    if options.json:
        out.document(answer)
        return
    columns = ("set", "day", "scenarios>", "worst>", "error>", "matrix", "built", "chosen")
    cells = (
        (
            one.set_id, one.day, one.scenario_count, one.worst_count, _percent(one.error_max_ppm),
            one.matrix_hash, out.moment(one.built_ts), out.moment(one.chosen_ts),
        )
        for one in rows
    )  # fmt: skip
    out.show(out.table(columns, cells))
    live: Json = answer["live"]
    used = "the named stories alone" if live["set_id"] is None else f"set {live['set_id']}"
    out.show(
        f"live: {used}, worst {live['worst_count']} of {live['scenario_count']} scenarios,"
        f" matrix {live['matrix_hash']}"
    )


@scenarios.command
def show(set_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show a set: how it was made, and every row with its story."""
    with options.client() as client:
        found, answer = ask(client, scenario_calls.one(set_id))
    if options.json:
        out.document(answer)
    else:
        _show_set(found)


def _show_set(found: st.ScenarioSet) -> None:
    errors = found.error.values()
    facts = {
        "set": found.set_id,
        "day": found.day,
        "price data until": found.data_until,
        "scenarios": f"{found.scenario_count} of {found.full_count}",
        "windows of two days": f"{found.windows_count}, {found.moved_count} with a move",
        "error at most": _percent(max(error["max_ppm"] for error in errors)),
        "inputs": found.inputs_hash,
        "rows": found.rows_hash,
        "matrix": found.matrix_hash,
    }
    out.show(out.pairs(facts))
    columns = ("no.>", "scenario", "H100-GLB>", "A100-GLB>", "story")
    out.show(out.table(columns, (_row(at, row) for at, row in enumerate(found.rows))))
    if found.addons is not None:
        _show_addons(found.addons)


def _show_addons(found: st.Addons) -> None:
    out.show(f"add-ons of one lot, hash {found.addons_hash}")
    columns = (
        "contract", "a day's move>", "half spread>", "impact>", "fee>", "daily volume>",
        "closes within>", "crowd above>",
    )  # fmt: skip
    cells = (
        (symbol, _percent(100 * move_bps), *(out.usd(_usd(part)) for part in parts[:3]), *parts[3:])
        for symbol, move_bps, *parts in found.addons
    )
    out.show(out.table(columns, cells))


def _usd(usd_micros: int) -> Decimal:
    return Decimal(usd_micros).scaleb(-6)


def _row(number: int, row: st.ScenarioRow) -> tuple[object, ...]:
    fronts = [row.fronts_ppm.get(sku, {}).get("GLB", 0) for sku in ("H100-SXM", "A100-80GB")]
    return (number, row.name, *map(_percent, fronts), row.story)


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.2f} %"


@scenarios.command
def build(*, day: str | None = None, options: Remote = REMOTE) -> None:
    """Build and publish a set at the last settlement prices; nothing is swapped.

    Parameters
    ----------
    day
        From which time to delivery is counted, as 2026-11-22; today when not given.
    """
    with options.operator(timeout_s=BUILD_TIMEOUT_S) as client:
        found, answer = ask(client, scenario_calls.build(day))
    if options.json:
        out.document(answer)
        return
    out.show(f"set {found.set_id} of {found.day}: matrix {found.matrix_hash}")
    _show_dry_run(member_of(answer))


def member_of(answer: Json) -> st.DryRun:
    """Return the dry run of an answer."""
    return scenario_calls.dry_run("").parse(answer)


@scenarios.command(name="dry-run")
def dry_run(set_id: str, /, *, options: Remote = REMOTE) -> None:
    """Show who would fall short if a set were swapped in now."""
    with options.operator(timeout_s=BUILD_TIMEOUT_S) as client:
        found, answer = ask(client, scenario_calls.dry_run(set_id))
    if options.json:
        out.document(answer)
    else:
        _show_dry_run(found)


def _show_dry_run(found: st.DryRun) -> None:
    out.show(
        f"{found.accounts_count} accounts hold something; required {out.usd(found.required_before)}"
        f" before, {out.usd(found.required_after)} after; {found.short_count} fall short by"
        f" {out.usd(found.shortfall)}"
    )
    columns = ("account", "equity>", "before>", "after>", "price loss>", "short>", "already")
    cells = (
        (
            one.account_id,
            *map(out.usd, (one.equity, one.required_before, one.required_after)),
            *map(out.usd, (one.price_loss, one.shortfall)),
            "yes" if one.was_short else "no",
        )
        for one in found.short
    )
    if found.short:
        out.show(out.table(columns, cells))


@scenarios.command
def swap(set_id: str, /, *, options: Remote = REMOTE) -> None:
    """Swap a set in: live for all accounts at once; says first who falls short."""
    with options.operator(timeout_s=BUILD_TIMEOUT_S) as client:
        found, answer = ask(client, scenario_calls.swap(set_id))
    if options.json:
        out.document(answer)
        return
    _show_dry_run(found.dry_run)
    state = "is live" if found.is_live else "is chosen, and will be live in moments"
    out.show(f"set {found.set_id} {state}")


@scenarios.command
def verify(set_id: str, /, *, options: Remote = REMOTE) -> None:
    """Build a published set again from the price data, and compare every hash and shock.

    Needs no key: whoever has this package can check any margin. Ends with exit code 5 when
    anything differs.
    """
    with options.client() as client:
        _, answer = ask(client, scenario_calls.one(set_id))
        matrix, _ = ask(client, scenario_calls.matrix(set_id))
    findings = _differences(answer["scenario_set"], matrix)
    if options.json:
        out.document({"set_id": set_id, "sound": not findings, "findings": findings})
    else:
        for finding in findings:
            out.show(f"DIFFERENT {finding}")
        if not findings:
            out.show(f"sound: set {set_id} was built again and is the same, bit for bit")
    if findings:
        raise SystemExit(Exit.DAMAGE)


def _differences(published: Json, matrix: st.Matrix) -> list[str]:
    """Return what differs between a published set and the one built here."""
    from datetime import date

    from exchange.io.price_data import load_price_data
    from exchange.rules.scenario_build import build as build_set
    from exchange.rules.scenario_set import METHOD

    if published["method"] != METHOD:
        return [f"it was made by method {published['method']}, this program knows {METHOD}"]
    prices = {symbol: int(ticks) for symbol, ticks in published["prices_ticks"]}
    ours = build_set(load_price_data(), date.fromisoformat(published["day"]), prices)
    document: dict[str, Any] = ours.document()
    names = ("inputs_hash", "rows_hash", "matrix_hash", "data_until", "full_count", "rows")
    found = [name for name in names if document[name] != published[name]]
    rows = {one.symbol: one.shocks_usd_micros for one in matrix.contracts}
    own = ours.matrix()
    found += [f"shocks of {s}" for s in sorted({*rows, *own}) if rows.get(s) != own.get(s)]
    return found if published["addons"] is None else found + _addons_differ(published, ours)


def _addons_differ(published: Json, ours: Any) -> list[str]:
    """Return whether the published add-ons do not follow from their table and the rows."""
    from exchange.rules.scenario_addons import addon_set_of
    from exchange.rules.scenario_set import SetCorrupt

    try:
        addon_set_of(published["addons"], ours)
    except (SetCorrupt, ValueError) as error:
        return [f"add-ons: {error}"]
    return []


@scenarios.command
def backtest(*, page: Path = BACKTEST_PAGE, options: Local = LOCAL) -> None:
    """Test the margin on the whole price history, and write the page with its plots.

    Parameters
    ----------
    page
        The page to write; its plots go into a folder of the same name beside it.
    """
    from exchange.io.backtest_page import write_backtest
    from wellhead.cli.measuring import bars

    if not page.parent.is_dir():
        raise CliError(Exit.USAGE, "usage", f"there is no folder {page.parent}")
    with bars(quiet=options.json) as tell:
        result = write_backtest(page, tell)
    if options.json:
        out.document(result)
    else:
        out.show(out.pairs(result))
        out.show(f"written: {page}")
