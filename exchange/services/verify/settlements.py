"""Settlement prices, computed again from what was kept of their moments."""

from collections.abc import Iterator, Sequence

from exchange.io.settlements import PriceKept
from exchange.io.stored import Stored
from exchange.rules.findings import Finding
from exchange.rules.settlement_run import RULES, SettlementRun

TABLE = "settlement_input"


async def settlement_differences(stored: Stored) -> list[Finding]:
    """Return the prices that what was kept does not give, and what was kept that is not itself."""
    found = await stored.wrong_settlement_roots()
    for run_id in await stored.settlement_runs():
        run, prices = await stored.settlement_run(run_id)
        found += run_differences(run_id, run, prices)
        if run is not None and run.note is not None:
            base, _ = await stored.settlement_run(run.note.revises)
            if base is None:
                place = f"run {run_id[:16]}"
                found.append(Finding("settlement_note", place, "revises", "a run", "no row"))
    return found


def run_differences(
    run_id: str, run: SettlementRun | None, prices: Sequence[PriceKept]
) -> Iterator[Finding]:
    """Yield how the prices of a run differ from those that its inputs give.

    Args:
        run: what was kept under this name, None for nothing.
        prices: what was settled in its name.
    """
    place = f"run {run_id[:16]}"
    if run is None:
        yield Finding(TABLE, place, "rows", "what the prices come from", "no row")
        return
    if run.run_id != run_id:
        yield Finding(TABLE, place, "hash", run_id, run.run_id)
        return
    expected = {one.contract_idx: one for one in run.prices()}
    for price in prices:
        where = f"{place}, contract {price.contract_idx}"
        one = expected.get(price.contract_idx)
        if one is None:
            yield Finding("settlement", where, "row", "no row", "a price")
            continue
        wanted = (one.price_ticks, RULES.index(one.rule) + 1, one.source_idx + 1, run.due_ns)
        names = ("price_ticks", "rule", "source", "due_ns")
        for name, ours, theirs in zip(names, wanted, price[1:], strict=True):
            if ours != theirs:
                yield Finding("settlement", where, name, str(ours), str(theirs))
