"""From a row of a source to an observation: files, submissions and fetched lists speak one form.

A row has the columns of `data/gpu_prices` (`COLUMNS`), all texts. What cannot be recorded becomes a
`Bad` row with the reason, and is kept with the row as it came.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from exchange.rules.grades import GRADE_DEFAULT
from exchange.rules.money import MICROS_DIGITS, DecimalError, scaled_of
from exchange.rules.money import Reason as Wrong
from exchange.rules.observations import (
    NS_PER_DAY,
    TEXT_MAX,
    Draft,
    Fault,
    OfferKind,
    Reason,
    fault,
)
from exchange.rules.quotes import PROVIDER_ALIASES, SOURCES
from exchange.rules.regions import hub_of
from exchange.rules.skus import SKU_BY_RAW_NAME, SKU_BY_SYMBOL

REQUIRED: Final = ("provider", "sku", "usd_per_gpu_hour", "kind")
COLUMNS: Final = (
    "date", "ts", "provider", "region", "sku", "gpus_per_instance", "usd_per_gpu_hour", "kind",
    "source", "instance", "grade", "term_months",
)  # fmt: skip
RAW_MAX: Final = 8_192
DETAIL_MAX: Final = 200
UNSPECIFIED: Final = "unspecified"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_ONE: Final = date(1970, 1, 1)


class Word(NamedTuple):
    """What a source's word for a kind of price means."""

    kind: OfferKind
    grade: str  # where the row itself says none
    term_months: int = 0


# A list price is a rate card even where it can be booked: the source does not say that there is
# capacity. Asks of peer hosts stand in a market and can be taken; what peers promise is no node.
KIND_WORDS: Final[Mapping[str, Word]] = MappingProxyType({
    "on-demand": Word(OfferKind.RATE_CARD, GRADE_DEFAULT),
    "spot": Word(OfferKind.SPOT, "X"),
    "community": Word(OfferKind.OFFER, "I"),
    "reserved-1y": Word(OfferKind.RESERVED, GRADE_DEFAULT, 12),
    "reserved-3y": Word(OfferKind.RESERVED, GRADE_DEFAULT, 36),
    "trade": Word(OfferKind.TRADE, GRADE_DEFAULT),
    "offer": Word(OfferKind.OFFER, GRADE_DEFAULT),
    "rate_card": Word(OfferKind.RATE_CARD, GRADE_DEFAULT),
    "reserved": Word(OfferKind.RESERVED, GRADE_DEFAULT),
})  # fmt: skip
LICENCES: Final[Mapping[str, str]] = MappingProxyType(
    {row.source: row.attribution.rpartition(", ")[2] for row in SOURCES}
)
# Trades of our own come from the registry of receipts, never from what somebody says.
SAID_KINDS: Final = frozenset(OfferKind) - {OfferKind.TRADE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is known of rows before they are read."""

    now_ns: int
    source: str = ""  # of rows that name none
    licence: str = ""  # empty: that of a source we know
    provider: str = ""  # the only one that may speak here; empty: any
    default_ns: int | None = None  # the time of rows without one
    age_ns_max: int | None = None  # older ones come too late; None: any age


class Bad(NamedTuple):
    """A row that is not recorded."""

    source: str
    reason: Reason
    detail: str
    raw: str  # as it came, as JSON in ASCII

    @property
    def digest(self) -> bytes:
        """What makes it this row and no other."""
        return hashlib.sha256(f"{self.source}\n{self.reason}\n{self.raw}".encode()).digest()


class _Refused(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.fault = Fault(reason, detail)


def read_row(row: Mapping[Any, Any], given: Given) -> Draft | Bad:
    """Return the observation that a row is, or why it is none."""
    try:
        draft = _draft(_texts(row), given)
    except _Refused as refused:
        return bad(row, given, refused.fault)
    wrong = _out_of_place(draft, given) or fault(draft, given.now_ns)
    return bad(row, given, wrong) if wrong else draft


def bad(row: Mapping[Any, Any], given: Given, wrong: Fault) -> Bad:
    """Return a row as it is quarantined."""
    named = row.get("source")
    named = named if isinstance(named, str) and named else given.source
    source = json.dumps(named)[1:-1][:TEXT_MAX]  # ASCII, whatever it was
    # With more cells than the table has columns, the rest stands under None.
    raw = json.dumps(dict(sorted((name or "rest", value) for name, value in row.items())))
    if len(raw) > RAW_MAX:
        # What is cut off is still told apart.
        raw = f"{raw[:RAW_MAX]} sha256 of all: {hashlib.sha256(raw.encode()).hexdigest()}"
    detail = wrong.detail.encode("ascii", "backslashreplace").decode()
    return Bad(source, wrong.reason, detail[:DETAIL_MAX], raw)


def _texts(row: Mapping[Any, Any]) -> dict[str, str]:
    """Return the row as texts; what is absent is empty."""
    if None in row:
        raise _Refused(Reason.NOT_A_ROW, "more cells than columns")
    found = {name: row.get(name) for name in COLUMNS}
    for name, value in found.items():
        if value is not None and not isinstance(value, str):
            raise _Refused(Reason.NOT_A_ROW, f"{name} is a text")
    return {name: (value or "").strip() for name, value in found.items()}


def _draft(row: Mapping[str, str], given: Given) -> Draft:
    provider = (row["provider"] or given.provider).lower()
    for name in REQUIRED:
        if not (row[name] or (name == "provider" and provider)):
            raise _Refused(Reason.FIELD_MISSING, name)
    word = KIND_WORDS.get(row["kind"])
    if word is None:
        raise _Refused(Reason.KIND_UNKNOWN, f"one of {', '.join(KIND_WORDS)}")
    source = row["source"] or given.source
    region = "" if row["region"] == UNSPECIFIED else row["region"]
    return Draft(
        provider=PROVIDER_ALIASES.get(provider, provider),
        region=region,
        sku=_sku(row["sku"]),
        hub=hub_of(region) or "",
        grade=row["grade"] or word.grade,
        size_gpus=_whole(row["gpus_per_instance"] or "1", Reason.SIZE_INVALID),
        price_usd_micros=_price(row["usd_per_gpu_hour"]),
        kind=word.kind.value,
        ts_ns=_ts_ns(row, given),
        source=source,
        licence=given.licence or LICENCES.get(source, ""),
        term_months=_whole(row["term_months"] or str(word.term_months), Reason.TERM_INVALID),
        instance=row["instance"],
    )


def _sku(raw: str) -> str:
    if raw in SKU_BY_SYMBOL:
        return raw
    if raw in SKU_BY_RAW_NAME:
        return SKU_BY_RAW_NAME[raw].symbol
    raise _Refused(Reason.SKU_UNKNOWN, f"no model that is traded: {raw[:TEXT_MAX]!r}")


def _whole(text: str, reason: Reason) -> int:
    try:
        return scaled_of(text, 0)
    except DecimalError as error:
        raise _Refused(reason, str(error)) from error


def _price(text: str) -> int:
    try:
        return scaled_of(text, MICROS_DIGITS, signed=True)
    except DecimalError as error:
        too_high = error.reason is Wrong.TOO_LARGE
        raise _Refused(
            Reason.PRICE_TOO_HIGH if too_high else Reason.PRICE_INVALID, str(error)
        ) from error


def _ts_ns(row: Mapping[str, str], given: Given) -> int:
    """Return when it was so: `ts` with its offset, or the midnight of `date`, both UTC."""
    try:
        if row["ts"]:
            moment = datetime.fromisoformat(row["ts"])
            if moment.tzinfo is None:
                raise _Refused(Reason.TIME_INVALID, "ts says its offset: 2026-11-22T12:00:00Z")
            return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
        if row["date"]:
            return (date.fromisoformat(row["date"]) - _DAY_ONE).days * NS_PER_DAY
    except (ValueError, OverflowError) as error:
        raise _Refused(Reason.TIME_INVALID, "date is 2026-11-22, ts 2026-11-22T12:00Z") from error
    if given.default_ns is None:
        raise _Refused(Reason.FIELD_MISSING, "date or ts")
    return given.default_ns


def _out_of_place(draft: Draft, given: Given) -> Fault | None:
    if draft.kind not in SAID_KINDS:
        return Fault(Reason.KIND_NOT_ALLOWED, "trades come from the registry of receipts alone")
    if given.provider and draft.provider != given.provider:
        return Fault(Reason.PROVIDER_NOT_YOURS, f"this key speaks for {given.provider}")
    if given.age_ns_max is not None and draft.ts_ns < given.now_ns - given.age_ns_max:
        hours = given.age_ns_max // 3_600_000_000_000
        return Fault(Reason.TIME_TOO_OLD, f"at most {hours} hours ago")
    return None
