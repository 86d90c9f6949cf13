"""Observations from files, and to them: the format of the shipped data, and bundles."""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from exchange.io.errors import Invalid
from exchange.io.observations import TOGETHER, Batch, Observations, Outcome
from exchange.io.price_data import FOLDER
from exchange.rules.observation_rows import REQUIRED, Bad, Given, bad, read_row
from exchange.rules.observations import Draft, Fault, Reason

SHIPPED: Final = ("gpu_spot_offers.csv.gz", "gcp_reserved_curve.csv.gz")
CELL_BYTES_MAX: Final = 131_072  # what the csv module takes

Row = Draft | Bad


async def import_lines(
    store: Observations, lines: Iterable[str], given: Given, batch: Batch
) -> Outcome:
    """Record the rows of a table, some at a time: safe to repeat, and to be killed in.

    Errors:
        Invalid: it is no table of observations.
    """
    outcome = Outcome()
    rows = read_lines(lines, given)
    while some := list(islice(rows, TOGETHER)):
        outcome.add(await store.record(some, batch))
    return outcome


async def import_file(store: Observations, path: Path, given: Given, via: str = "file") -> Outcome:
    """Record a file: CSV, packed with gzip where its name ends in .gz.

    Errors:
        Invalid: it cannot be read, or is no table of observations.
    """
    try:
        with opened(path) as lines:
            return await import_lines(store, lines, given, Batch(via=via, name=path.name))
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise Invalid(f"{path}: {error}") from error


async def import_shipped(store: Observations, now_ns: int) -> Outcome:
    """Record the real prices that ship with the package; what is there is recognised."""
    total = Outcome()
    for name in SHIPPED:
        with (FOLDER / name).open("rb") as packed, _text(packed, packed=True) as lines:
            batch = Batch(via="shipped", name=name)
            found = await import_lines(store, lines, Given(now_ns=now_ns), batch)
        total.accepted += found.accepted
        total.duplicates += found.duplicates
        total.quarantined += found.quarantined
    return total


def read_lines(lines: Iterable[str], given: Given) -> Iterator[Row]:
    """Yield the rows of a CSV table with a header.

    Errors:
        Invalid: a column is missing that every row needs.
    """
    reader = csv.DictReader(lines)
    try:
        header = [(name or "").strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise Invalid(f"no table: {error}") from error
    missing = [n for n in REQUIRED if n not in header and not (n == "provider" and given.provider)]
    if missing or ("date" not in header and "ts" not in header):
        raise Invalid(f"a table of observations has the columns {', '.join(missing) or 'date'}")
    if len(set(header)) != len(header):
        raise Invalid("a column stands twice")
    reader.fieldnames = header
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            broken = {"line": str(reader.line_num)}
            yield bad(broken, given, Fault(Reason.NOT_A_ROW, f"{error}"))
            continue
        yield read_row(row, given)


def read_objects(objects: Sequence[Any], given: Given) -> list[Row]:
    """Return the rows of a decoded JSON list."""
    no_row = Fault(Reason.NOT_A_ROW, "a row is an object")
    return [
        read_row(one, given)
        if isinstance(one, dict)
        else bad({"value": json.dumps(one, default=str)}, given, no_row)
        for one in objects
    ]


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Open a text file, packed or not; bytes that are no UTF-8 are kept as surrogates."""
    with path.open("rb") as raw, _text(raw, packed=path.suffix == ".gz") as text:
        yield text


@contextmanager
def _text(raw: Any, *, packed: bool) -> Iterator[IO[str]]:
    plain = gzip.GzipFile(fileobj=raw) if packed else raw
    with TextIOWrapper(plain, encoding="utf-8", errors="surrogateescape", newline="") as text:
        yield text
