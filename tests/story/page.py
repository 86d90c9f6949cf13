"""`docs/story.md`: the story as a page, with the numbers of a run."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from exchange.rules.tenors import NS_PER_SECOND
from tests.story.chapters import CLOUD, DEPOSIT, LAB, LOTS, MAKER, WHO, Row, Told
from tests.story.closing import Due

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "story.md"
HEAD: Final = f"""\
# One quarter, from plan to last micro-dollar

A NeoCloud has {LOTS} GPUs free for the first quarter of 2027 and wants a price today; a lab needs
them. This page is what happens to both, on a real node over its REST API. `python -m tests.story`
lives through it in half a minute, checks that it closes, and writes this page; a test
([tests/integration/test_story.py](../tests/integration/test_story.py)) does so on every run and
compares. Only the clock is simulated, one series is listed alone, and the offers behind the index
are made up; orders, margin, cascades, receipts, signatures, clearing and Postgres are the real
ones.

| When, UTC | What | NeoCloud, USD | Lab, USD | Open interest, lots | Receipt |
|---|---|---|---|---|---|
"""
AFTER: Final = f"""
`2027Q1 {LOTS}` is {LOTS} lots: {LOTS} GPUs in every hour of the quarter. Its three months have gone
three ways: January was exchanged and delivered as GPU-hours, February became its days and settled
in cash against the index, March was traded away before.

## It closes

Each account's cash, worked out from nothing but its fills, the public index and what was agreed:

| Account | Paid in | Futures, q (F - p) | Fees | Receipt | Penalty | Cash |
|---|---|---|---|---|---|---|
"""
TAIL: Final = """
That is what the ledger has, to the micro-dollar. At the end there is no open interest, no order and
no margin held; the escrow is empty, and the receipt is closed, with every event under a signed
root; the trial balance sums to zero, and `wellhead verify`, which replays the journal and compares
every table with it, finds nothing.

## What it was for

January's GPU-hours went for {exchange} each, and its futures made {moved} for who was short: the
price of the first trade, {entry}, and the differential of the call. February settled at {final}:
whoever sold or bought GPU-hours at the index that month ended at {entry}. Nobody had hedged the
outage, and nobody can hedge fees: per GPU-hour 0.0002 or 0.0005 for a trade, 0.0001 for clearing
it, 0.0005 for what is exchanged for delivery, and 0.001 for what is held when delivery begins.

To see the same by hand: `make run`, then [hedging](hedging.md),
[what follows the last trade](contracts.md#after-the-last-trade),
[receipts](delivery.md#a-life-as-the-story-test-plays-it),
[the exchange for delivery](delivery.md#exchange-for-delivery). After a change of rules
`python -m tests.story` writes this page again.
"""


def page(told: Told, dues: dict[str, Due]) -> str:
    """Return the page of a run."""
    rows = "".join(map(_row, told.rows))
    ends = "".join(_end(WHO[who], due) for who, due in dues.items())
    moved = Decimal(told.entry_price) - Decimal(told.moved_price)
    tail = TAIL.format(exchange=told.exchange_price, moved=f"{moved:+}", entry=told.entry_price,
                       final=told.final_price)  # fmt: skip
    return HEAD + rows + AFTER + ends + tail


def _row(row: Row) -> str:
    at = datetime.fromtimestamp(row.at_ns // NS_PER_SECOND, UTC)
    cloud, lab = (f"{Decimal(cash) / 1_000_000:,.2f}" for cash in row.cash_usd_micros[:2])
    cells = (f"{at:%Y-%m-%d %H:%M}", row.what, cloud, lab, row.open_interest or "none",
             row.receipt)  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _end(name: str, due: Due) -> str:
    parts = (Decimal(DEPOSIT), due.futures, -due.fees, due.receipt, due.penalty, due.cash)
    return f"| {name} | {' | '.join(f'{part:,.6f}' for part in parts)} |\n"


assert list(WHO) == [CLOUD, LAB, MAKER], "the table's order"
