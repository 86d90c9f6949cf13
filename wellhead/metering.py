"""Telemetry as a supplier has it: a file of what nodes did, hour by hour, and what is sent of it.

A metering file is CSV or JSON lines with `node`, `hour` (2027-03-02T00:00Z), `uptime_s`,
`load_factor` (0 to 1), `gpu_hours`, `kwh` and perhaps `counter`; without one the hour's own number
is the counter, which rises from hour to hour.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

FORMAT: Final = "wellhead telemetry 1"
MS_PER_HOUR: Final = 3_600_000
MILLI: Final = 1_000
BPS: Final = 10_000
HOUR_S: Final = 3_600
SCALED_MAX: Final = 1 << 53  # what a JSON number carries exactly
FIELDS: Final = ("node", "hour", "uptime_s", "load_factor", "gpu_hours", "kwh")
_KINDS: Final = {"node": str, "signature": str}


class MeteringError(ValueError):
    """A file that is no metering; the text says which line, and why."""


class ReadingImpossible(MeteringError):
    """A reading that cannot be true: the exchange would not take it."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What a node did in an hour, as it is sent."""

    node: str
    hour_ts: int
    counter: int
    uptime_s: int
    load_factor_bps: int
    gpu_hours_milli: int
    kwh_milli: int
    signature: str = ""

    def message(self, issuer: str) -> bytes:
        """Return what the issuer signs: docs/delivery.md has it line by line."""
        cells = (
            FORMAT, issuer, self.node, self.hour_ts // MS_PER_HOUR, self.counter, self.uptime_s,
            self.load_factor_bps, self.gpu_hours_milli, self.kwh_milli,
        )  # fmt: skip
        return ("\n".join(map(str, cells)) + "\n").encode()

    def as_json(self) -> dict[str, Any]:
        """Return it as `POST /delivery/telemetry` takes it."""
        return asdict(self)


def read_metering(path: Path) -> list[Metered]:
    """Return the rows of a metering file, in their order.

    Errors:
        MeteringError: it cannot be read, or a row is wrong.
    """
    return [_metered(row, f"{path}, line {at}") for at, row in _lines(path)]


def read_signed(path: Path) -> list[Metered]:
    """Return what `wellhead telemetry sign` wrote.

    Errors:
        MeteringError: it cannot be read, or a row is wrong.
    """
    found = []
    for at, row in _lines(path):
        try:
            found.append(Metered(**row))
        except TypeError as error:
            raise MeteringError(f"{path}, line {at}: not signed telemetry") from error
        if not all(type(row[name]) is _KINDS.get(name, int) for name in row):
            raise MeteringError(f"{path}, line {at}: whole numbers but for node and signature")
        _believed(found[-1], f"{path}, line {at}")
    return found


def _lines(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the rows of a file with the numbers of their lines; a file without any is wrong."""
    rows = _rows(path)
    if not rows:
        raise MeteringError(f"{path}: no readings in it")
    return rows


def _rows(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MeteringError(f"{path}: {error}") from error
    lines = text.splitlines()
    if not text.lstrip().startswith("{"):
        try:
            return list(enumerate(csv.DictReader(lines), 2))
        except csv.Error as error:
            raise MeteringError(f"{path}: {error}") from error
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=Decimal)
        except ValueError as error:
            raise MeteringError(f"{path}, line {at}: {error}") from error
        if not isinstance(row, dict):
            raise MeteringError(f"{path}, line {at}: not an object")
        rows.append((at, row))
    return rows


def _metered(row: Mapping[str, Any], place: str) -> Metered:
    missing = [name for name in FIELDS if row.get(name) in (None, "")]
    if missing:
        raise MeteringError(f"{place}: no {', '.join(missing)}")
    hour_ts = hour_of(str(row["hour"]), place)
    counter = row.get("counter") or hour_ts // MS_PER_HOUR
    one = Metered(
        str(row["node"]), hour_ts, _scaled(counter, "counter", 1, place),
        _scaled(row["uptime_s"], "uptime_s", 1, place),
        _scaled(row["load_factor"], "load_factor", BPS, place),
        _scaled(row["gpu_hours"], "gpu_hours", MILLI, place),
        _scaled(row["kwh"], "kwh", MILLI, place),
    )  # fmt: skip
    _believed(one, place)
    return one


def _believed(one: Metered, place: str) -> None:
    """Refuse what cannot be true of any node, as the exchange does."""
    if not 0 <= one.uptime_s <= HOUR_S:
        said = f"uptime_s is 0 to {HOUR_S}, the seconds of an hour, not {one.uptime_s}"
    elif not 0 <= one.load_factor_bps <= BPS:
        said = f"load_factor is 0 to 1, not {Decimal(one.load_factor_bps) / BPS}"
    elif min(one.counter, one.gpu_hours_milli, one.kwh_milli) < 0:
        said = "counter, gpu_hours and kwh are not below zero"
    elif one.gpu_hours_milli and not one.uptime_s:
        said = "no GPU-hours without uptime: gpu_hours is at most the GPUs of the node x uptime"
    else:
        return
    raise ReadingImpossible(f"{place}: {said}")


def hour_of(text: str, place: str) -> int:
    """Return a whole hour with its zone as milliseconds since 1970.

    Errors:
        MeteringError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.timestamp() % 3600:
        raise MeteringError(
            f"{place}: hour is a whole hour with its zone, like 2027-03-02T00:00Z, not {text[:40]}"
        )
    return int(moment.timestamp()) * 1000


def _scaled(value: object, name: str, times: int, place: str) -> int:
    """Return a decimal in whole units, refused if it has more digits than those."""
    steps = "a whole number" if times == 1 else f"a number in steps of {Decimal(1) / times}"
    wrong = f"{place}: {name} is {steps}, not below zero, not {str(value)[:40]}"
    try:
        found = Decimal(str(value)) * times
    except InvalidOperation as error:
        raise MeteringError(wrong) from error
    if found.is_finite() and found >= SCALED_MAX:
        raise MeteringError(
            f"{place}: {name} is below {SCALED_MAX // times}, not {str(value)[:40]}"
        )
    if not found.is_finite() or found < 0 or found % 1:
        raise MeteringError(wrong)
    return int(found)


def gaps(rows: Sequence[Metered]) -> list[tuple[str, int, int]]:
    """Return node, first hour and first after it (ms) of hours nobody reported, between others."""
    found = []
    for node in sorted({row.node for row in rows}):
        hours = sorted({row.hour_ts for row in rows if row.node == node})
        found += [
            (node, before + MS_PER_HOUR, after)
            for before, after in pairwise(hours)
            if after > before + MS_PER_HOUR
        ]
    return found


def repeats(rows: Sequence[Metered]) -> list[str]:
    """Return what would be refused as a replay: an hour twice, or a counter that does not rise."""
    found = []
    last: dict[str, int] = {}
    seen: dict[tuple[str, int], Metered] = {}
    for row in sorted(rows, key=lambda one: (one.node, one.hour_ts)):
        other = seen.setdefault((row.node, row.hour_ts), row)
        if other is not row:
            found.append(f"{row.node}: the same hour twice")
        elif row.counter <= last.get(row.node, 0):
            found.append(f"{row.node}: counter {row.counter} does not rise")
        last[row.node] = max(row.counter, last.get(row.node, 0))
    return found
