"""Observations: what one GPU-hour was offered at, by whom and where, as a chain of rows.

The index is computed from nothing else. Rows are numbered from 1 without a gap, and each carries
the digest of itself and of all rows before it: whoever keeps one digest notices any change of what
it covers, and finds the row. How a row of a source becomes one of these is `observation_rows.py`.
"""

import hashlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from exchange.rules.grades import GRADE_BY_SYMBOL
from exchange.rules.regions import HUB_BY_SYMBOL
from exchange.rules.skus import SKU_BY_SYMBOL

FORMAT: Final = "wellhead observation 1"
FIRST: Final = bytes(32)  # what row 1 follows

NS_PER_DAY: Final = 24 * 3600 * 1_000_000_000
TS_MIN_NS: Final = 16_436 * NS_PER_DAY  # 2015-01-01: before that nobody rented these models
AHEAD_NS_MAX: Final = 300 * 1_000_000_000  # a source's clock may be this far ahead of ours
# Above it stands the price of a node or of a month, or nobody means it; the highest real one of
# the shipped data is 18.62 USD.
PRICE_USD_MICROS_MAX: Final = 100_000_000
SIZE_GPUS_MAX: Final = 1_000_000
TERM_MONTHS_MAX: Final = 120
TEXT_MAX: Final = 64


class OfferKind(StrEnum):
    """What a price is, from the strongest evidence to the weakest."""

    TRADE = "trade"  # a physical trade of our own: a receipt changed hands at it
    OFFER = "offer"  # somebody can take it now at this price
    SPOT = "spot"  # can be taken, and be taken away again
    RATE_CARD = "rate_card"  # a price list says so
    RESERVED = "reserved"  # committed for `term_months`: no price of today's hour


KINDS: Final = frozenset(OfferKind)


class Reason(StrEnum):
    """Why a row is quarantined instead of recorded."""

    NOT_A_ROW = "not_a_row"
    FIELD_MISSING = "field_missing"
    TEXT_INVALID = "text_invalid"
    SKU_UNKNOWN = "sku_unknown"
    HUB_UNKNOWN = "hub_unknown"
    GRADE_UNKNOWN = "grade_unknown"
    KIND_UNKNOWN = "kind_unknown"
    KIND_NOT_ALLOWED = "kind_not_allowed"
    PRICE_INVALID = "price_invalid"
    PRICE_NOT_POSITIVE = "price_not_positive"
    PRICE_TOO_HIGH = "price_too_high"
    SIZE_INVALID = "size_invalid"
    TERM_INVALID = "term_invalid"
    TIME_INVALID = "time_invalid"
    TIME_TOO_OLD = "time_too_old"
    TIME_IN_FUTURE = "time_in_future"
    PROVIDER_NOT_YOURS = "provider_not_yours"
    CONTRADICTS = "contradicts"  # the same offer of the same moment stands at another price


class Draft(NamedTuple):
    """An observation that is not numbered yet."""

    provider: str
    region: str  # raw, as the source says it
    sku: str  # `Sku.symbol`
    hub: str  # "" when the place is unknown or lies in no hub: it counts for GLB alone
    grade: str
    size_gpus: int  # of the offer, 1 where the source does not say
    price_usd_micros: int  # one GPU for one hour
    kind: str  # OfferKind
    ts_ns: int  # when it was so; midnight UTC where the source says only a day
    source: str
    licence: str
    term_months: int = 0  # of reserved ones
    instance: str = ""  # the source's own name of the offer: tells two of one place apart

    @property
    def key(self) -> tuple[str | int, ...]:
        """What makes it this observation and no other: all but price, hub and licence."""
        return (
            self.source, self.provider, self.region, self.sku, self.grade, self.size_gpus,
            self.kind, self.term_months, self.instance, self.ts_ns,
        )  # fmt: skip


class Offer(NamedTuple):
    """An observation as it is recorded, for ever."""

    number: int  # from 1, gap-free
    provider: str
    region: str
    sku: str
    hub: str
    grade: str
    size_gpus: int
    price_usd_micros: int
    kind: str
    ts_ns: int
    source: str
    licence: str
    digest: bytes
    term_months: int = 0
    instance: str = ""

    @property
    def draft(self) -> Draft:
        """The observation without its place in the chain."""
        return Draft(**{name: getattr(self, name) for name in Draft._fields})


class Head(NamedTuple):
    """The end of a chain: its last number, and the digest of all rows until there."""

    number: int
    digest: bytes


EMPTY: Final = Head(0, FIRST)


def canonical(number: int, draft: Draft) -> bytes:
    """Return the bytes that are hashed of a row: a line a field, in the order of `Draft`.

    No text has a line break (`fault`), so two rows never have the same bytes.
    """
    return "\n".join((FORMAT, str(number), *map(str, draft), "")).encode()


def link(previous: bytes, number: int, draft: Draft) -> bytes:
    """Return the digest of a row: SHA-256 of the one before it and its own bytes."""
    return hashlib.sha256(previous + canonical(number, draft)).digest()


def chained(drafts: Iterable[Draft], head: Head = EMPTY) -> Iterator[Offer]:
    """Yield the rows that follow a head."""
    for draft in drafts:
        number = head.number + 1
        head = Head(number, link(head.digest, number, draft))
        yield Offer(number=number, digest=head.digest, **draft._asdict())


class Break(NamedTuple):
    """A place where rows are not the chain that was written."""

    number: int
    what: str  # "row": it is missing; "content": any field but the digest; "digest"; both
    expected: str
    found: str


class Links:
    """Follows a chain row by row, and says which row was changed.

    A row whose content was changed has a digest that is not its own, and the next row follows
    that digest still. After a changed digest the next row follows what the content gives.
    """

    def __init__(self, head: Head = EMPTY) -> None:
        self.head = head  # as it is stored
        self._computed = head.digest  # what the content of the last row gives
        self._doubt: Break | None = None

    def take(self, offer: Offer) -> list[Break]:
        """Return what is known to be wrong once this row was seen."""
        found = []
        if offer.number != self.head.number + 1:
            found += [*self.finish(), _gap(self.head.number + 1, offer.number)]
            self._computed = offer.digest  # what was before it is not known: go on from here
        else:
            found += self._follow(offer)
        self.head = Head(offer.number, offer.digest)
        return found

    def _follow(self, offer: Offer) -> list[Break]:
        after_stored = link(self.head.digest, offer.number, offer.draft)
        after_computed = link(self._computed, offer.number, offer.draft)
        found = []
        if self._doubt is not None and offer.digest == after_computed:
            found.append(self._doubt._replace(what="digest"))
            self._doubt = None
        else:
            found += self._certain()
        self._computed = after_stored
        if offer.digest not in (after_stored, after_computed):
            self._doubt = Break(offer.number, "content", after_stored.hex(), offer.digest.hex())
        return found

    def finish(self) -> list[Break]:
        """Return what is left to say once there are no more rows: of the last one, who can know?"""
        return [found._replace(what="content or digest") for found in self._certain()]

    def _certain(self) -> list[Break]:
        found = [] if self._doubt is None else [self._doubt]
        self._doubt = None
        return found


def _gap(expected: int, found: int) -> Break:
    return Break(expected, "row", f"row {expected}", f"row {found}")


def breaks(offers: Iterable[Offer], head: Head = EMPTY) -> Iterator[Break]:
    """Yield every place where rows are not a chain after `head`."""
    links = Links(head)
    for offer in offers:
        yield from links.take(offer)
    yield from links.finish()


class Fault(NamedTuple):
    """Why a row is not recorded."""

    reason: Reason
    detail: str


def fault(draft: Draft, now_ns: int) -> Fault | None:
    """Return the first thing that is wrong with an observation, None if it can be recorded.

    Args:
        now_ns: what lies more than five minutes after it is in the future.
    """
    return _wrong_text(draft) or _wrong_word(draft) or _wrong_number(draft, now_ns)


def is_text(text: str) -> bool:
    """Say whether a text may stand in an observation: printable, at most 64 characters."""
    return len(text) <= TEXT_MAX and text.isprintable() and text == text.strip()


def _wrong_text(draft: Draft) -> Fault | None:
    for name in ("provider", "source", "licence", "region", "instance"):
        text = getattr(draft, name)
        if not is_text(text):
            return Fault(Reason.TEXT_INVALID, f"{name}: printable, at most {TEXT_MAX} characters")
        if not text and name in ("provider", "source", "licence"):
            return Fault(Reason.FIELD_MISSING, name)
    return None


def _wrong_word(draft: Draft) -> Fault | None:
    if draft.sku not in SKU_BY_SYMBOL:
        return Fault(Reason.SKU_UNKNOWN, f"no model that is traded: {draft.sku[:TEXT_MAX]!r}")
    if draft.hub and draft.hub not in HUB_BY_SYMBOL:
        return Fault(Reason.HUB_UNKNOWN, f"one of {', '.join(HUB_BY_SYMBOL)}, or none")
    if draft.grade not in GRADE_BY_SYMBOL:
        return Fault(Reason.GRADE_UNKNOWN, f"one of {', '.join(GRADE_BY_SYMBOL)}")
    if draft.kind not in KINDS:
        return Fault(Reason.KIND_UNKNOWN, f"one of {', '.join(OfferKind)}")
    return None


def _wrong_number(draft: Draft, now_ns: int) -> Fault | None:
    if draft.price_usd_micros <= 0:
        return Fault(Reason.PRICE_NOT_POSITIVE, "USD per GPU-hour, above zero")
    if draft.price_usd_micros > PRICE_USD_MICROS_MAX:
        return Fault(Reason.PRICE_TOO_HIGH, "at most 100 USD for one GPU and one hour")
    if not 1 <= draft.size_gpus <= SIZE_GPUS_MAX:
        return Fault(Reason.SIZE_INVALID, f"1 to {SIZE_GPUS_MAX} GPUs")
    is_reserved = draft.kind == OfferKind.RESERVED
    if not (1 if is_reserved else 0) <= draft.term_months <= (TERM_MONTHS_MAX * is_reserved):
        return Fault(Reason.TERM_INVALID, f"reserved: 1 to {TERM_MONTHS_MAX} months; others: none")
    if draft.ts_ns < TS_MIN_NS:
        return Fault(Reason.TIME_TOO_OLD, "not before 2015")
    if draft.ts_ns > now_ns + AHEAD_NS_MAX:
        return Fault(Reason.TIME_IN_FUTURE, "at most five minutes ahead of our clock")
    return None
