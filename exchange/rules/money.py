"""Money and prices: whole micro-dollars and ticks inside, decimal strings at the edge.

Nothing is ever rounded on the way in: a text that is not exactly a number of
ticks (or micro-dollars) is refused, and the reason says what would be allowed.
Where a computed amount must be rounded, the function's name says which way.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Final

USD_MICROS: Final = 1_000_000  # in one dollar
TICK_USD_MICROS: Final = 1_000  # $0.001 per GPU-hour: the tick of every SKU today
BPS: Final = 10_000  # basis points in one whole
MICROS_DIGITS: Final = 6
PRICE_DIGITS: Final = 3
WHOLE_DIGITS_MAX: Final = 12  # up to a trillion dollars: far inside int64

_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)

# One context for every Decimal of the rules, so that no thread's setting can change a price.
DECIMAL: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)


class Reason(StrEnum):
    """Why a text is no amount."""

    NOT_A_DECIMAL = "not_a_decimal"
    NEGATIVE = "negative"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LARGE = "too_large"


class DecimalError(ValueError):
    """A text that is not an exact amount: `reason`, `found` and `allowed` say why."""

    def __init__(self, reason: Reason, found: str, allowed: str) -> None:
        super().__init__(f"{reason.value}: {found[:40]!r}; allowed: {allowed}")
        self.reason = reason
        self.found = found
        self.allowed = allowed


def scaled_of(text: str, digits: int, *, signed: bool = False) -> int:
    """Return `text` times 10**digits, exactly.

    Args:
        text: a plain decimal such as "2", "2.5" or "-0.125": no spaces, no plus sign,
            no exponent, no leading zeros, ASCII digits only.
        digits: how many decimals one unit of the result has.
        signed: whether a minus sign is allowed.

    Errors:
        DecimalError: the text is none of that, or has non-zero decimals beyond `digits`.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise DecimalError(Reason.NOT_A_DECIMAL, text, 'a plain decimal such as "2.150"')
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if sign and not signed:
        raise DecimalError(Reason.NEGATIVE, text, "zero or more")
    if len(whole) > WHOLE_DIGITS_MAX:
        raise DecimalError(Reason.TOO_LARGE, text, f"at most {WHOLE_DIGITS_MAX} whole digits")
    if fraction[digits:].strip("0"):
        raise DecimalError(Reason.TOO_MANY_DECIMALS, text, f"at most {digits} decimals")
    scaled = int(whole + fraction[:digits].ljust(digits, "0"))
    return -scaled if sign else scaled


def scaled_text(scaled: int, digits: int, digits_min: int = 0) -> str:
    """Return scaled / 10**digits as a decimal string.

    At least `digits_min` decimals are shown, and no trailing zeros beyond them.
    """
    whole, fraction = divmod(abs(scaled), 10**digits)
    decimals = f"{fraction:0{digits}d}".rstrip("0").ljust(digits_min, "0") if digits else ""
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def usd_micros_of(text: str, *, signed: bool = False) -> int:
    """Return dollars as micro-dollars: "0.744" is 744_000. See `scaled_of` for errors."""
    return scaled_of(text, MICROS_DIGITS, signed=signed)


def usd_text(usd_micros: int) -> str:
    """Return micro-dollars as dollars with two to six decimals: 744_000 is "0.744"."""
    return scaled_text(usd_micros, MICROS_DIGITS, 2)


def price_ticks_of(text: str) -> int:
    """Return a price in USD per GPU-hour as ticks of $0.001: "2.15" is 2_150."""
    return scaled_of(text, PRICE_DIGITS)


def difference_ticks_of(text: str) -> int:
    """Return a difference of prices as ticks: "-0.03" is -30."""
    return scaled_of(text, PRICE_DIGITS, signed=True)


def price_text(price_ticks: int) -> str:
    """Return ticks as USD per GPU-hour, always three decimals: 2_150 is "2.150"."""
    return scaled_text(price_ticks, PRICE_DIGITS, PRICE_DIGITS)


def lots_of(text: str) -> int:
    """Return a size in whole lots: "3" or "3.0" is 3, "0.5" is refused."""
    return scaled_of(text, 0)


def div_ceil(amount: int, parts: int) -> int:
    """Return amount / parts, rounded up: what a customer owes us."""
    return -(-amount // parts)


def div_half_even(amount: int, parts: int) -> int:
    """Return amount / parts to the nearest whole number, ties to the even one."""
    assert parts > 0
    whole, rest = divmod(amount, parts)
    twice = 2 * rest
    return whole + (1 if twice > parts or (twice == parts and whole % 2) else 0)


def round_half_even(value: Decimal) -> int:
    """Return the nearest whole number of a Decimal, ties to the even one."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN, context=DECIMAL))
