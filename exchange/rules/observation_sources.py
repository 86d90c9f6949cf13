"""Sources that are fetched: one row of data each, which says where it is and what its fields mean.

A new source needs no code: a URL that answers with JSON, where in it the rows are, and for each
column of an observation either the path of a field (`region.name`) or a constant (`=azure`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from types import MappingProxyType
from typing import Any, Final

from exchange.rules.addresses import AddressInvalid, https_address
from exchange.rules.money import DECIMAL, MICROS_DIGITS
from exchange.rules.observation_rows import COLUMNS
from exchange.rules.observations import is_text

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
ROWS_MAX: Final = 20_000
DIVIDE_MAX: Final = 1_000_000
SOURCES_MAX: Final = 100
PRICE: Final = "usd_per_gpu_hour"
CONSTANT: Final = "="
NEEDED: Final = ("provider", "sku", PRICE, "kind")
_MICRO: Final = Decimal(1).scaleb(-MICROS_DIGITS)
_MEMBERS: Final = {"name", "url", "licence", "rows", "fields", "divide_by", "nightly"}
_EXPONENT_MAX: Final = 30  # beyond it a number is written with its exponent: no price, no size


class SourceInvalid(ValueError):
    """A row of the sources that says nothing usable; the message says which, and what."""


class AnswerInvalid(ValueError):
    """An answer of a source that is not what its row says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One source."""

    name: str  # also the `source` of its observations
    host: str
    target: str  # path and query
    licence: str
    rows: str  # path of the list in the answer; empty: the answer is the list
    fields: Mapping[str, str]  # column -> path, or "=constant"
    divide_by: int = 1  # GPUs that the price is for
    is_nightly: bool = False


def parse_sources(text: str, hosts: Sequence[str]) -> dict[str, SourceSpec]:
    """Return the sources of a file by name.

    Args:
        hosts: the only ones that may be asked, whatever a row says.

    Errors:
        SourceInvalid: a row is wrong, or asks another host.
    """
    try:
        found = json.loads(text)
        rows = found["sources"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceInvalid('not of the form {"sources": [...]}') from error
    if not isinstance(rows, list) or len(rows) > SOURCES_MAX:
        raise SourceInvalid(f"sources is a list of at most {SOURCES_MAX}")
    specs = [parse_source(row, hosts) for row in rows]
    by_name = {spec.name: spec for spec in specs}
    if len(by_name) != len(specs):
        raise SourceInvalid("two sources have the same name")
    return by_name


def parse_source(row: Any, hosts: Sequence[str]) -> SourceSpec:
    """Return one source of its row.

    Errors:
        SourceInvalid: what is wrong.
    """
    if not isinstance(row, dict) or not _text_of(row, "name") or not NAME.fullmatch(row["name"]):
        raise SourceInvalid("name: small letters, digits and hyphens")
    try:
        return _source(row, hosts)
    except SourceInvalid as error:
        raise SourceInvalid(f"source {row['name']}: {error}") from error


def _source(row: Mapping[str, Any], hosts: Sequence[str]) -> SourceSpec:
    if unknown := set(row) - _MEMBERS:
        raise SourceInvalid(f"there is no member {sorted(unknown)[0]!r}")
    licence, rows = _text_of(row, "licence"), _text_of(row, "rows")
    if not licence or not is_text(licence):
        raise SourceInvalid("licence: under which its prices may be kept and shown")
    divide_by, nightly = row.get("divide_by", 1), row.get("nightly", False)
    if type(divide_by) is not int or not 1 <= divide_by <= DIVIDE_MAX:
        raise SourceInvalid(f"divide_by: 1 to {DIVIDE_MAX} GPUs")
    if type(nightly) is not bool:
        raise SourceInvalid("nightly: true or false")
    host, target = _address(_text_of(row, "url"), hosts)
    return SourceSpec(
        name=row["name"], host=host, target=target, licence=licence, rows=rows,
        fields=_fields(row.get("fields")), divide_by=divide_by, is_nightly=nightly,
    )  # fmt: skip


def _text_of(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name, "")
    if not isinstance(found, str):
        raise SourceInvalid(f"{name} is a text")
    return found


def _address(url: str, hosts: Sequence[str]) -> tuple[str, str]:
    """Return host and target of a URL that may be asked."""
    try:
        address = https_address(url)
    except AddressInvalid as error:
        raise SourceInvalid(f"url: {error}") from error
    if address.host not in hosts:
        allowed = "see WELLHEAD_OBSERVATION_HOSTS"
        raise SourceInvalid(f"the host {address.host} is not allowed: {allowed}")
    return address.host, address.target


def _fields(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict) or not all(isinstance(v, str) and v for v in found.values()):
        raise SourceInvalid("fields: column to path, or to =constant")
    if unknown := set(found) - set(COLUMNS) | {"source"} & set(found):
        raise SourceInvalid(f"fields: there is no column {sorted(unknown)[0]!r} to fill")
    if missing := [name for name in NEEDED if name not in found]:
        raise SourceInvalid(f"fields: {missing[0]} is due")
    return MappingProxyType(dict(found))


def rows_of(body: bytes, spec: SourceSpec) -> list[dict[str, Any]]:
    """Return the rows of a source's answer, with the columns of an observation.

    Prices are divided by the GPUs they are for, and rounded to the micro-dollar, half to even.

    Errors:
        AnswerInvalid: it is no JSON, or the list is not where the row says.
    """
    try:
        document = json.loads(body.decode(), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, DecimalException) as error:
        raise AnswerInvalid(f"no JSON: {type(error).__name__}") from error
    found = _at(document, spec.rows)
    if not isinstance(found, list):
        raise AnswerInvalid(f"no list at {spec.rows or 'its top'!r}")
    if len(found) > ROWS_MAX:
        raise AnswerInvalid(f"{len(found)} rows, at most {ROWS_MAX}")
    return [_row(one, spec) for one in found]


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _at(value: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _row(one: Any, spec: SourceSpec) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column, path in spec.fields.items():
        constant = path.startswith(CONSTANT)
        row[column] = path[1:] if constant else _plain(_at(one, path))
    row[PRICE] = _price(row[PRICE], spec.divide_by)
    return row


def _plain(value: Any) -> Any:
    """Return a value as text; what is neither text nor number stays, and is no row."""
    if isinstance(value, Decimal):
        small = abs(value.adjusted()) <= _EXPONENT_MAX if value.is_finite() else False
        return f"{value:f}" if small else str(value)
    if type(value) is int:
        return str(value) if abs(value) < 10**_EXPONENT_MAX else "too large"
    return value


def _price(text: Any, divide_by: int) -> Any:
    """Return the price of one GPU, where it is a number."""
    try:
        whole = Decimal(text) if isinstance(text, str) else None
    except DecimalException:
        return text
    if whole is None or not whole.is_finite() or abs(whole.adjusted()) > _EXPONENT_MAX:
        return text
    each = DECIMAL.divide(whole, Decimal(divide_by))
    if each >= Decimal(10) ** 12:
        return text
    return f"{each.quantize(_MICRO, rounding=ROUND_HALF_EVEN, context=DECIMAL):f}"
