"""The desk of those who own GPUs or need them: what hedges a plan."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Literal

from wellhead import hedge_calls
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit, why
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.client import Client
from wellhead.errors import ApiError
from wellhead.hedge_types import Hedge, HedgeLeg, HedgeMonth, HedgeOrder, Regression

TIMEOUT_S = 120.0  # the first look at a site's prices takes a while


def hedge(
    plan: Path,
    /,
    *,
    buy: bool = False,
    cover: Literal["never_more", "nearest"] = "never_more",
    html: Path | None = None,
    send: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Show what hedges a plan of GPUs: exposure by month, strip, margin, what is locked, basis.

    Parameters
    ----------
    plan
        A CSV file: sku,hub,gpus,from,to and, if you like, cost, load_factor, pue, power_price, kw
        and provider. Days are written 2027-03-31; both belong to the row.
    buy
        The plan is of GPU-hours that you need, such as a training run, not of GPUs you own.
    cover
        never_more hedges in no hour more than there is; nearest takes the nearest lot.
    html
        Write the report as one page with plots to this file.
    send
        Place the orders: limit orders at the mark, until cancelled; those of one plan once only.
    """
    call = hedge_calls.hedge(
        _rows(plan), side="buy" if buy else "sell", cover=cover, report=html is not None
    )
    with options.trader(TIMEOUT_S) as client:
        found, answer = ask(client, call)
        if html is not None:
            html.write_text(found.report or "", encoding="utf-8")
        if options.json:
            out.document(answer)
        else:
            _show(found.hedge)
            if html is not None:
                out.note(f"report written to {html}")
        if send:
            _send(client, found.hedge.orders, hashlib.sha256(call.content).hexdigest()[:12])


def _rows(plan: Path) -> list[dict[str, str]]:
    try:
        return hedge_calls.read_plan(plan.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{plan}: {why(error)}") from error


MONTHS = ("series", "month", "GPU-hours>", "hedged>", "open value>", "cost>", "power>",
          "price - power>")  # fmt: skip
STRIP = ("strip", "for", "lots>", "GPU-hours>", "price>", "value>")
BASIS = ("basis", "site", "windows>", "beta>", "R²>")


def _show(found: Hedge) -> None:
    """Show a hedge."""
    out.show(out.table(MONTHS, map(_month, found.months)))
    if found.strip:
        out.show(out.table(STRIP, map(_leg, found.strip)))
    for series in found.unhedged:
        out.show(f"{series}: no contract hedges it")
    out.show(out.table(BASIS, _bases(found)))
    out.show(out.pairs(_totals(found)))


def _leg(leg: HedgeLeg) -> tuple[object, ...]:
    whose = f"{leg.series} at {leg.ratio}" if leg.proxy else leg.series
    return leg.symbol, whose, leg.quantity, leg.gpu_hours, leg.price, _cents(leg.value)


def _cents(amount: Decimal | None) -> str:
    """Return money of a plan, to the cent: it is an estimate, --json has all digits."""
    return "" if amount is None else f"{amount:,.2f}"


def _month(row: HedgeMonth) -> tuple[object, ...]:
    return (
        row.series,
        row.month,
        row.gpu_hours,
        row.hedged_gpu_hours,
        _cents(row.open_value),
        _cents(row.cost),
        _cents(row.power_cost),
        "" if row.power_margin is None else f"{row.power_margin:.3f}",
    )


def _bases(found: Hedge) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in found.basis:
        site = " ".join(part for part in (one.provider, one.region) if part) or "all sites"
        rows.append((f"{one.series} site to hub", site, *_fit(one.site_to_hub)))
        rows.append((f"{one.series} hub to world", "", *_fit(one.hub_to_world)))
    return rows


def _fit(fit: Regression) -> tuple[object, ...]:
    if fit.beta is None:
        return fit.windows, "too few", ""
    return fit.windows, fit.beta, fit.r_squared


def _totals(found: Hedge) -> dict[str, object]:
    """Return the sums as names and values."""
    totals = found.totals
    locked = "locked beyond cost and power" if found.side == "sell" else "locked below budget"
    return {
        "GPU-hours": f"{totals.gpu_hours}, {totals.hedged_share * 100:.1f} % hedged",
        "value of the strip": _cents(totals.hedged_value),
        locked: _cents(totals.locked_margin),
        "fees at most": _cents(totals.fees_at_most),
        "initial margin alone": _cents(totals.initial_margin_alone),
        "initial margin more": _cents(totals.initial_margin_more),
        "free after": _cents(totals.free_after),
    }


def _send(client: Client, orders: list[HedgeOrder], name: str) -> None:
    """Place the orders one by one; what is refused stops the rest.

    Their client order ids follow from the plan: the same one is never placed twice.

    Errors:
        CliError: which orders stand, and which was refused.
    """
    for number, order in enumerate(orders, 1):
        try:
            client.place(
                order.symbol, order.side, order.quantity, order.price,
                client_order_id=f"hedge-{name}-{number}",
            )  # fmt: skip
        except ApiError as error:
            message = f"{order.symbol}: {error.detail}; {number - 1} of {len(orders)} are placed"
            raise CliError(Exit.REFUSED, error.code, message) from error
        out.note(f"{order.side} {order.quantity} {order.symbol} at {order.price}: placed")
