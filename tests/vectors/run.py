"""Running cases, one by one or a whole folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.vectors import (
    bands,
    book,
    daily,
    defaults,
    fees,
    ledgers,
    liquidations,
    mtm,
    per_lot,
    settling,
    span,
    whole_size,
)
from tests.vectors.cases import Failed, Json, Outcome, Skipped, found, judge_policy, load
from tests.vectors.market import Core, real_core

KINDS: dict[str, Callable[[Json, Core], None]] = {
    "book": book.run,
    "mtm": mtm.run,
    "price_bands": bands.run,
    "per_lot_margin": per_lot.run,
    "waterfall": defaults.run_waterfall,
    "loss_socialisation": defaults.run_sharing,
    "final_settlement": defaults.run_sharing,
    "house_pnl": defaults.run_house,
    "dydx": liquidations.run_dydx,
    "adl_queue": liquidations.run_queue,
    "disposal": liquidations.run_disposal,
    "settlement_price": settling.run_price,
    "lifecycle": settling.run_lifecycle,
    "margin_account": daily.run_account,
    "collection": daily.run_collection,
    "span": span.run,
    "informational": whole_size.run,
    "fees": fees.run_rates,
    "fees_account": fees.run_accounts,
    "ledger": ledgers.run,
}
MakeCore = Callable[[], Core]


def run_case(case: Json, make_core: MakeCore = real_core) -> None:
    """Run one case; returns when it passed, raises Skipped or Failed otherwise."""
    judge_policy(case)
    runner = KINDS.get(case["kind"])
    if runner is None:
        raise Skipped(f"kind {case['kind']} not known here")
    try:
        runner(case, make_core())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Failed(f"the case cannot be read: {error!r}") from error


def run_file(path: Path, name: str, make_core: MakeCore = real_core) -> Outcome:
    """Run one file."""
    try:
        run_case(load(path), make_core)
    except Skipped as skipped:
        return Outcome(name, "skipped", str(skipped))
    except Failed as failed:
        return Outcome(name, "failed", str(failed))
    return Outcome(name, "passed")


def run_folder(folder: Path, make_core: MakeCore = real_core) -> Iterator[Outcome]:
    """Run every case under a folder."""
    for path in found(folder):
        yield run_file(path, str(path.relative_to(folder)), make_core)
