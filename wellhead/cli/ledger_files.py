"""Tables of the ledger as Parquet files: whole numbers, decimals, moments and texts by column."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

MONEY = ("amount>", "balance>")
TIME = "time (UTC)"
DIGITS = 8  # the most that an asset has; dollars have six


def write_parquet(to: Path, columns: Sequence[str], cells: Sequence[Sequence[Any]]) -> None:
    """Write a table; what is half written never has the name of the file."""
    from exchange.io.parquet import Column, write

    found = [
        Column(
            name="time" if name == TIME else name.rstrip(">"),
            is_text=name != TIME and not name.endswith(">"),
            is_time=name == TIME,
            scale=DIGITS if name in MONEY else None,
        )
        for name in columns
    ]
    rows = (
        [_value(name, value) for name, value in zip(columns, row, strict=True)] for row in cells
    )
    fresh = to.with_suffix(".new")
    with fresh.open("wb") as file:
        write(file, found, rows)
    fresh.rename(to)


def _value(name: str, value: Any) -> int | str:
    if name in MONEY:
        return int(Decimal(str(value)).scaleb(DIGITS))
    if name == TIME:
        moment = datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return int(moment.timestamp()) * 1_000_000
    return int(value) if name.endswith(">") else str(value)
