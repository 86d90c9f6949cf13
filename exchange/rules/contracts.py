"""Contracts and their symbols.

    H100-USE-2027M03      SKU, hub, delivery period; the grade is N
    H100.T-USE-2027M03    another grade stands behind a dot

A symbol is at most 32 ASCII bytes and has one spelling only: parsing it and
writing it again gives the same text.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from exchange.rules.calendar import last_trade_ns
from exchange.rules.grades import GRADE_BY_SYMBOL, GRADE_DEFAULT, Grade
from exchange.rules.regions import HUB_BY_SYMBOL, Hub
from exchange.rules.skus import SKU_BY_SHORT, Sku
from exchange.rules.tenors import (
    CODE_FORMS,
    Period,
    PeriodError,
    ns_of,
    parse_period,
)
from matching.limits import CLIENT_ORDER_ID_BYTES, TICK_VALUE_USD_MICROS_MAX

SYMBOL_BYTES_MAX: Final = CLIENT_ORDER_ID_BYTES
QTY_MAX_LOTS: Final = 10_000  # one order
BAND_FRONT_BPS: Final = 300
BAND_BACK_BPS: Final = 600
BAND_FRONT_DAYS: Final = 92  # delivery starts within a quarter: the front

# Names for common sizes, in GPUs (one lot is one GPU).
BLOCK_SIZES_LOTS: Final = (("node", 8), ("pod", 64), ("campus", 1024))


class Part(StrEnum):
    """Which part of a symbol is wrong."""

    SYMBOL = "symbol"
    SKU = "sku"
    GRADE = "grade"
    HUB = "hub"
    PERIOD = "period"


class SymbolError(ValueError):
    """A text that names no contract: `part`, `found` and `allowed` say why."""

    def __init__(self, part: Part, found: str, allowed: str) -> None:
        super().__init__(f"unknown {part.value} {found[:40]!r}; allowed: {allowed}")
        self.part = part
        self.found = found
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Series:
    """A SKU at a hub in a grade: what a curve of contracts is on."""

    sku: Sku
    hub: Hub
    grade: Grade

    @property
    def symbol(self) -> str:
        """The first two parts of a contract's symbol: `H100-USE` or `H100.T-USE`."""
        grade = "" if self.grade.symbol == GRADE_DEFAULT else f".{self.grade.symbol}"
        return f"{self.sku.short}{grade}-{self.hub.symbol}"


@dataclass(frozen=True, slots=True)
class Contract:
    """One futures contract. One lot is one GPU for every UTC hour of the period."""

    series: Series
    period: Period

    @property
    def symbol(self) -> str:
        """The contract's name."""
        return f"{self.series.symbol}-{self.period.code}"

    @property
    def lot_gpu_hours(self) -> int:
        """GPU-hours in one lot."""
        return self.period.hours

    @property
    def tick_value_usd_micros(self) -> int:
        """What one tick is worth per lot: 744_000 ($0.744) in a 31-day month."""
        value = self.period.hours * self.series.sku.tick_usd_micros
        assert value <= TICK_VALUE_USD_MICROS_MAX
        return value

    @property
    def delivery_start_ns(self) -> int:
        """First moment of delivery."""
        return ns_of(self.period.start)

    @property
    def delivery_end_ns(self) -> int:
        """First moment after delivery."""
        return ns_of(self.period.end)

    @property
    def last_trade_ns(self) -> int:
        """When trading ends."""
        return last_trade_ns(self.period)


def parse_series(text: str) -> Series:
    """Return the series of `H100-USE` or `H100.T-USE`.

    Errors:
        SymbolError: which part is wrong, and what is allowed.
    """
    model, dash, hub_text = text.partition("-")
    if not dash:
        raise SymbolError(Part.SYMBOL, text, "SKU-HUB as in H100-USE")
    sku, grade = _parse_model(model)
    return Series(sku, _parse_hub(hub_text), grade)


def _parse_model(text: str) -> tuple[Sku, Grade]:
    short, dot, grade_text = text.partition(".")
    sku = SKU_BY_SHORT.get(short)
    if sku is None:
        raise SymbolError(Part.SKU, short, ", ".join(SKU_BY_SHORT))
    if dot and grade_text == GRADE_DEFAULT:
        raise SymbolError(
            Part.GRADE, grade_text, f"{short} alone: grade {GRADE_DEFAULT} is implied"
        )
    grade = GRADE_BY_SYMBOL.get(grade_text if dot else GRADE_DEFAULT)
    if grade is None:
        raise SymbolError(Part.GRADE, grade_text, ", ".join(GRADE_BY_SYMBOL))
    return sku, grade


def _parse_hub(text: str) -> Hub:
    hub = HUB_BY_SYMBOL.get(text)
    if hub is None:
        raise SymbolError(Part.HUB, text, ", ".join(HUB_BY_SYMBOL))
    return hub


def parse_symbol(text: str) -> Contract:
    """Return the contract of a symbol; the inverse of `Contract.symbol`.

    Errors:
        SymbolError: which part is wrong, and what is allowed.
    """
    if not text.isascii() or len(text) > SYMBOL_BYTES_MAX:
        raise SymbolError(Part.SYMBOL, text, f"at most {SYMBOL_BYTES_MAX} ASCII characters")
    series, dash, code = text.rpartition("-")
    if not dash or text.count("-") != 2:
        raise SymbolError(Part.SYMBOL, text, "SKU-HUB-PERIOD as in H100-USE-2027M03")
    try:
        return Contract(parse_series(series), parse_period(code))
    except PeriodError as error:
        raise SymbolError(Part.PERIOD, code, f"{CODE_FORMS} ({error})") from error


def band_bps(period: Period, on: date) -> int:
    """Return the price band of contracts on `period` as of a day: front or back."""
    front = (period.start - on).days <= BAND_FRONT_DAYS
    return BAND_FRONT_BPS if front else BAND_BACK_BPS
