"""Requests to the hedge desk: `client.run(hedge_calls.hedge(rows))`."""

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from wellhead.calls import Call, Json, target, whole
from wellhead.hedge_types import Hedged


def hedge(
    plan: Iterable[Mapping[str, Any]],
    *,
    side: str = "sell",
    cover: str | None = None,
    report: bool = False,
) -> Call[Hedged]:
    """What hedges a plan: rows with sku, hub, gpus, from, to, and what docs/hedging.md has more.

    Args:
        side: sell for who owns GPUs, buy for who needs them.
        cover: never_more, as when not given, or nearest.
        report: with a page of HTML.
    """
    rows = [{name: str(text) for name, text in row.items() if text != ""} for row in plan]
    body: Json = {"plan": rows, "side": side}
    if cover is not None:
        body["cover"] = cover
    if report:
        body["report"] = True
    return Call("POST", target("/hedge"), whole(Hedged), body=body, repeatable=True)


def read_plan(lines: Iterable[str]) -> list[dict[str, str]]:
    """Return the rows of a plan in CSV; the first line names the columns, # begins a comment.

    Errors:
        ValueError: a line has more fields than the first.
    """
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    rows = []
    for number, row in enumerate(csv.DictReader(kept, skipinitialspace=True), 1):
        if None in row:
            raise ValueError(f"row {number} has more fields than the first line has names")
        rows.append({name.strip(): (text or "").strip() for name, text in row.items()})
    return rows
