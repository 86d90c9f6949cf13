"""Commands about settlement prices: what they are, why, and whether they can be had again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cyclopts import App

from wellhead import settlement_calls as sc
from wellhead import settlement_types as st
from wellhead.cli import correcting, out, settle_proof
from wellhead.cli import settled as deliveries
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.client import Client

PRICED = ("daily", "correction")  # cycles that say a settlement price
settle = App(name="settle", help="Recompute settlement prices from what was kept.")


def settlements(
    symbol: str | None = None,
    /,
    *,
    date: str | None = None,
    explain: bool = False,
    limit: int = 20,
    options: Remote = REMOTE,
) -> None:
    """Show settlement prices, newest first.

    Parameters
    ----------
    symbol
        Of this contract only.
    date
        Of this day only: 2026-11-22.
    explain
        Show by which rule, and all that was seen.
    limit
        How many.
    """
    with options.client() as client:
        rows, answer = ask(client, sc.settlements(symbol, limit, None, date))
    if options.json:
        out.document(answer)
        return
    if explain and rows:
        for row in rows:
            out.show(out.pairs(_explained(row), title=f"{row.symbol} {row.date or ''}"))
        return
    columns = (
        "symbol",
        "date",
        "cycle",
        "price>",
        "before>",
        "rule",
        "revision>",
        "final",
        "paid>",
    )
    out.show(out.table(columns, map(_row, rows)) if rows else "no settlements yet")


def _row(row: st.Settlement) -> tuple[object, ...]:
    final = "superseded" if row.superseded else "yes" if row.final else "no"
    paid = out.usd(row.paid)
    return (row.symbol, row.date, row.cycle, row.price, row.previous_price, row.rule, row.revision,
            final, paid)  # fmt: skip


def _state(row: st.Settlement) -> str:
    if row.superseded:
        return "superseded"
    return "final" if row.final else "provisional"


def _explained(row: st.Settlement) -> dict[str, object]:
    said: dict[str, object] = {
        "price": row.price,
        "cycle": row.cycle,
        "revision": f"{row.revision}, {_state(row)}",
        "rule": row.rule or "nobody said",
        "it followed": row.source_symbol,
    }
    seen = row.inputs
    if seen is not None:
        said |= {
            "price before": seen.previous_price,
            "mark": seen.mark_price,
            "bid and ask": f"{seen.bid_price or '-'} / {seen.ask_price or '-'}",
            "limit of the day": f"{seen.limit_bps / 100:g} %",
            "last half hour": f"{seen.window_volume} lots at {seen.window_vwap or '-'}",
            "closing call": seen.closing_price,
            "said by two": seen.said_price,
        }
        for spread in seen.spreads:
            what = f"less {spread.price}: {spread.quantity} lots over {spread.months} months"
            said[f"spread to {spread.near_symbol}"] = what
    return said | {"run": row.run, "seq": row.seq}


settle.command(settle_proof.export)
settle.command(settle_proof.prove)
settle.command(deliveries.accruals)
settle.command(correcting.correct)
settle.command(correcting.corrections)
settle.command(correcting.approve)
settle.command(correcting.withdraw)


@dataclass(frozen=True, slots=True)
class Checked:
    """How many prices were computed again, and what was wrong."""

    runs: int
    prices: int
    faults: list[str]


@settle.command
def check(date: str, /, *, options: Remote = REMOTE) -> None:
    """Compute every daily settlement price of a day again from what was kept.

    Parameters
    ----------
    date
        The day: 2026-11-22.
    """
    with options.client() as client:
        rows = list(_all(client, date))
        checked = _checked(client, rows)
    if not rows:
        message = f"nothing was settled for {date} (yet): it is done at 16:00 UTC of business days"
        raise CliError(Exit.REFUSED, "nothing_settled", message)
    if options.json:
        said = {"date": date, "runs": checked.runs, "prices": checked.prices}
        out.document({**said, "faults": checked.faults})
    else:
        out.show(f"{checked.prices} prices of {checked.runs} runs, {len(checked.faults)} faults")
    if checked.faults:
        raise CliError(Exit.DAMAGE, "settlement_wrong", "; ".join(checked.faults[:10]))


def _all(client: Client, date: str) -> Iterator[st.Settlement]:
    """Yield the daily prices of a day, and their corrections, that said what they come from."""
    cursor: str | None = None
    while True:
        page, _ = ask(client, sc.settlements(None, 1000, cursor, date))
        yield from (row for row in page if row.cycle in PRICED)
        cursor = page.next_cursor
        if cursor is None:
            return


def _checked(client: Client, rows: list[st.Settlement]) -> Checked:
    from exchange.rules.money import price_text
    from exchange.rules.settlement_run import SettlementRun, evidence_of, note_of

    by_run: dict[str, list[st.Settlement]] = {}
    for row in rows:
        by_run.setdefault(row.run or "", []).append(row)
    faults = [f"{row.symbol}: nobody said what it comes from" for row in by_run.pop("", [])]
    for run_id, settled in by_run.items():
        found: Any = ask(client, sc.run(run_id))[0]
        try:
            run = SettlementRun(
                int(found.due_ns), tuple(map(evidence_of, found.evidence)), note_of(found.note)
            )
        except (ValueError, KeyError) as error:
            raise CliError(Exit.DAMAGE, "run_unreadable", str(error)) from error
        if run.run_id != run_id:
            faults.append(f"run {run_id[:16]}: what is published has another hash")
            continue
        names = {one.contract_idx: one.symbol for one in run.evidence}
        wanted = {names[one.contract_idx]: one for one in run.prices()}
        for row in settled:
            one = wanted.get(row.symbol)
            again = (price_text(one.price_ticks), one.rule.value) if one else ("none", "none")
            if (str(row.price), row.rule) != again:
                faults.append(
                    f"{row.symbol}: {row.price} by {row.rule}, again {' by '.join(again)}"
                )
    return Checked(len(by_run), len(rows), faults)
