"""A plan of capacity to sell, or of training to buy: rows as they are written, and what they mean.

Everything is a whole number: GPUs in ten-thousandths (one GPU at a load factor of 0.85 is 8,500),
so that the hours of a plan add up exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exchange.rules.contracts import Series
from exchange.rules.grades import GRADE_BY_SYMBOL, GRADE_DEFAULT
from exchange.rules.money import BPS, DecimalError, scaled_of, scaled_text, usd_micros_of
from exchange.rules.regions import HUB_BY_SYMBOL, hub_of
from exchange.rules.skus import SKU_BY_SHORT, SKU_BY_SYMBOL, SKUS, Sku
from matching.codes import Side

ROWS_MAX: Final = 100
GPUS_MAX: Final = 1_000_000
WORD_MAX: Final = 40
DAYS_MAX: Final = 5 * 366
PUE_SCALE: Final = 1_000  # a PUE of 1.25 is 1,250
PUE_DEFAULT: Final = 1_250
PUE_MAX: Final = 5_000
WATTS_A_KW: Final = 1_000
HOURS_A_DAY: Final = 24
DUE: Final = ("sku", "hub", "gpus", "from", "to")
COLUMNS: Final = (*DUE, "cost", "load_factor", "pue", "power_price", "kw", "provider")
OF_SELLERS: Final = ("pue", "power_price", "kw")


class PlanError(ValueError):
    """A plan that cannot be read: which row (from 1), which column, and what is allowed."""

    def __init__(self, row: int, column: str, detail: str) -> None:
        super().__init__(f"row {row}, {column}: {detail}")
        self.row = row
        self.column = column
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """So many GPUs of one series from a day to another, and what they cost.

    Attributes:
        gpus_bps: GPUs x load factor, in ten-thousandths: what is sold or needed in each hour.
        start, end: first day, and the day behind the last.
        cost_usd_micros: of a GPU-hour that is there, sold or not; of a buyer: its budget.
        watts: of one GPU, 0 where nobody says; pue_milli: of the building.
        power_usd_micros: of a kWh, 0 when the plan does not say.
    """

    series: Series
    gpus: int
    gpus_bps: int
    start: date
    end: date
    cost_usd_micros: int = 0
    watts: int = 0
    pue_milli: int = PUE_DEFAULT
    power_usd_micros: int = 0
    provider: str = ""
    region: str = ""  # as a cloud calls it, empty when the plan names the hub

    @property
    def power_usd_micros_per_gpu_hour(self) -> int:
        """Return what the power of a loaded GPU costs an hour, rounded up."""
        scale = WATTS_A_KW * PUE_SCALE
        return -(-self.watts * self.pue_milli * self.power_usd_micros // scale)


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody has to sell, or needs to buy."""

    side: Side
    rows: tuple[PlanRow, ...]


def plan_of(rows: Sequence[Mapping[str, str]], side: Side, today: date) -> Plan:
    """Return a plan from rows of texts.

    Args:
        rows: by name of column; `COLUMNS` says which there are, `DUE` which must be.
        today: days before it are past, and are left out.

    Errors:
        PlanError: which row is wrong, and what is allowed.
    """
    if not rows:
        raise PlanError(1, "sku", "a plan has a row at least")
    if len(rows) > ROWS_MAX:
        raise PlanError(ROWS_MAX + 1, "sku", f"at most {ROWS_MAX} rows")
    return Plan(side, tuple(_row(n, row, side, today) for n, row in enumerate(rows, 1)))


def _row(number: int, row: Mapping[str, str], side: Side, today: date) -> PlanRow:
    for name in row:
        if name not in COLUMNS:
            raise PlanError(number, name[:40], f"columns are {', '.join(COLUMNS)}")
        if side == Side.BUY and name in OF_SELLERS and row[name]:
            raise PlanError(number, name, "who buys GPU-hours pays no power beside")
    for name in DUE:
        if not row.get(name):
            raise PlanError(number, name, "is due in every row")
    given = {name: text for name, text in row.items() if text}
    start, end = _days(number, given, today)
    series = _series(number, given)
    gpus = _number(number, given, "gpus", 0, 1, GPUS_MAX)
    load_bps = _number(number, given, "load_factor", 4, 1, BPS, BPS)
    return PlanRow(
        series=series,
        gpus=gpus,
        gpus_bps=gpus * load_bps,
        start=start,
        end=end,
        cost_usd_micros=_money(number, given, "cost"),
        watts=_number(number, given, "kw", 3, 1, 10_000, series.sku.watts),
        pue_milli=_number(number, given, "pue", 3, PUE_SCALE, PUE_MAX, PUE_DEFAULT),
        power_usd_micros=_money(number, given, "power_price"),
        provider=_word(number, given, "provider"),
        region="" if given["hub"] in HUB_BY_SYMBOL else given["hub"],
    )


def _days(number: int, row: Mapping[str, str], today: date) -> tuple[date, date]:
    """Return the first day and the one behind the last; both are named in the plan."""
    days = []
    for name in ("from", "to"):
        try:
            days.append(date.fromisoformat(row[name]))
        except ValueError:
            raise PlanError(number, name, "a day is written 2027-03-31") from None
    start, last = days
    if last < start:
        raise PlanError(number, "to", "the last day is not before the first")
    if last < today:
        raise PlanError(number, "to", f"all of it is past: today is {today}")
    if (last - today).days > DAYS_MAX:
        raise PlanError(number, "to", f"at most {DAYS_MAX} days from today")
    return max(start, today), last + timedelta(days=1)


def _series(number: int, row: Mapping[str, str]) -> Series:
    """Return SKU, hub and grade: a hub's symbol or a cloud's own name of a region."""
    name, _, grade = row["sku"].partition(".")
    place = row["hub"]
    hub = place if place in HUB_BY_SYMBOL else hub_of(place)
    if hub is None:
        detail = f"a hub ({', '.join(HUB_BY_SYMBOL)}), or a cloud's region that one covers"
        raise PlanError(number, "hub", detail)
    if grade and grade not in GRADE_BY_SYMBOL:
        raise PlanError(number, "sku", f"a grade is one of {', '.join(GRADE_BY_SYMBOL)}")
    return Series(_sku(number, name), HUB_BY_SYMBOL[hub], GRADE_BY_SYMBOL[grade or GRADE_DEFAULT])


def _sku(number: int, name: str) -> Sku:
    sku = SKU_BY_SYMBOL.get(name) or SKU_BY_SHORT.get(name)
    if sku is None:
        raise PlanError(number, "sku", f"one of {', '.join(one.short for one in SKUS)}")
    return sku


def _word(number: int, row: Mapping[str, str], name: str) -> str:
    found = row.get(name, "")
    if len(found) > WORD_MAX or not found.isprintable():
        raise PlanError(number, name, f"at most {WORD_MAX} printable characters")
    return found


def _number(
    number: int,
    row: Mapping[str, str],
    name: str,
    digits: int,
    low: int,
    high: int,
    default: int = 0,
) -> int:
    """Return a column times 10**digits, within bounds."""
    if name not in row:
        return default
    try:
        found = scaled_of(row[name], digits)
    except DecimalError as error:
        raise PlanError(number, name, str(error)) from None
    if not low <= found <= high:
        allowed = f"from {scaled_text(low, digits)} to {scaled_text(high, digits)}"
        raise PlanError(number, name, allowed)
    return found


def _money(number: int, row: Mapping[str, str], name: str) -> int:
    """Return a price in micro-dollars."""
    try:
        found = usd_micros_of(row.get(name, "0"))
    except DecimalError as error:
        raise PlanError(number, name, str(error)) from None
    if found > 1_000 * 1_000_000:
        raise PlanError(number, name, "at most 1000")
    return found
