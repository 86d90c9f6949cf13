"""The settlement prices of all contracts at one moment, found together from what was seen.

Each contract first by itself (`settlement.py`). Who has neither traded nor a close book, and whose
mark has not moved, follows others: by calendar spreads that traded, by the same period at another
hub (so hub spreads stay), or by the month before. Last, strips are made to add up. `Evidence` is
all there is to know: stored, it gives the same prices again, and `run_id` names it by its hash.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, NamedTuple

from exchange.rules.contracts import parse_symbol
from exchange.rules.money import BPS
from exchange.rules.settlement import (
    TRADED_LOTS_MIN,
    PriceRule,
    Quoted,
    Traded,
    settlement_price,
    within_day_ticks,
)
from exchange.rules.settlement_curve import (
    SpreadTraded,
    from_spreads_ticks,
    from_what_is_left_ticks,
)
from exchange.rules.settlement_strips import FIXED, Leg, add_up
from exchange.rules.tenors import Tenor, month_start

# How much a price is believed: traded, quoted, by spreads; then what only followed.
BELIEVED: Final = {PriceRule.VWAP: 4, PriceRule.CLOSING: 4, PriceRule.MID: 3, PriceRule.SPREADS: 2}
DIRECT: Final = 2  # from here on a contract has evidence of its own, which others may follow
MOVED: Final = 1
# What a SETTLE says of the rule: its place here plus one; 0 where nothing was said.
RULES: Final = tuple(PriceRule)
BENCHMARK: Final = "GLB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A calendar spread that traded, from the side of its far month."""

    near_idx: int
    spread_ticks: int  # near less far, volume-weighted
    lots: int
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen of a contract when it was settled; prices in ticks, 0 for none.

    Attributes:
        settle_ticks: the settlement price before; with `settled`, that of this very moment.
        bid_ticks, ask_ticks: the prices by which the least depth stands on each side.
        day_bps: how far the depth of its book lets its price go from `settle_ticks`.
        lots, tick_lots: traded in the window, and the sum of price times lots.
        closing_ticks: the price of its closing call.
        said_ticks: the price that two people said is right, in a correction.
    """

    contract_idx: int
    symbol: str
    settle_ticks: int
    mark_ticks: int
    bid_ticks: int = 0
    ask_ticks: int = 0
    day_bps: int
    lots: int = 0
    tick_lots: int = 0
    closing_ticks: int = 0
    settled: bool = False
    spreads: tuple[Spread, ...] = ()
    said_ticks: int = 0


_SAID: Final = "said_ticks"  # left out where nobody said one: runs keep the names they had
_NAMES: Final = tuple(field.name for field in fields(Evidence) if field.name != _SAID)


class Note(NamedTuple):
    """What a correction says beyond what was seen."""

    revises: str  # the run it begins from
    reason: str
    by: tuple[str, str]  # who proposed, who approved


class Settled(NamedTuple):
    """A settlement price, the rule that gave it and the contract it followed (-1 for none)."""

    contract_idx: int
    price_ticks: int
    rule: PriceRule
    source_idx: int


@dataclass(frozen=True, slots=True)
class SettlementRun:
    """Everything that the settlement prices of a moment come from."""

    due_ns: int
    evidence: tuple[Evidence, ...]
    note: Note | None = None  # of a correction

    @property
    def run_id(self) -> str:
        """Return the hash of all of it: 64 hexadecimal digits."""
        content: list[Any] = [self.due_ns, [evidence_out(one) for one in self.evidence]]
        if self.note is not None:
            content.append(self.note._asdict())
        text = json.dumps(content, separators=(",", ":"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def prices(self) -> list[Settled]:
        """Return the price of every contract that was not settled before."""
        return settle_all(self.evidence)


def evidence_out(one: Evidence) -> dict[str, Any]:
    """Return evidence as JSON of whole numbers and texts."""
    body = {name: getattr(one, name) for name in _NAMES}
    body["spreads"] = [asdict(spread) for spread in one.spreads]
    if one.said_ticks:
        body[_SAID] = one.said_ticks
    return body


def evidence_of(body: dict[str, Any]) -> Evidence:
    """Return evidence from its JSON.

    Errors:
        ValueError: it is none.
    """
    try:
        spreads = tuple(Spread(**one) for one in body["spreads"])
        return Evidence(**{**body, "spreads": spreads})
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no evidence of a settlement: {error}") from error


def note_of(body: dict[str, Any] | None) -> Note | None:
    """Return a correction's note from its JSON.

    Errors:
        ValueError: it is none.
    """
    if body is None:
        return None
    try:
        said_by, agreed_by = body["by"]
        return Note(body["revises"], body["reason"], (said_by, agreed_by))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no note of a correction: {error}") from error


def run_words(run_id: str) -> tuple[int, int, int, int]:
    """Return a hash as the four words of a command."""
    raw = bytes.fromhex(run_id)
    parts = (raw[at : at + 8] for at in range(0, 32, 8))
    a, b, c, d = (int.from_bytes(part, "little", signed=True) for part in parts)
    return a, b, c, d


def run_of_words(words: Sequence[int]) -> str:
    """Return the hash of four words; "" where nothing was said."""
    if not any(words):
        return ""
    return b"".join(int(word).to_bytes(8, "little", signed=True) for word in words).hex()


def settle_all(evidence: Iterable[Evidence]) -> list[Settled]:
    """Return the settlement prices of contracts that are settled together."""
    seen = {one.contract_idx: one for one in sorted(evidence, key=lambda one: one.contract_idx)}
    legs = {idx: _by_itself(one) for idx, one in seen.items()}
    _by_spreads(seen, legs)
    direct = {idx: leg for idx, leg in legs.items() if leg.rank >= DIRECT and not seen[idx].settled}
    for idx, leg in legs.items():
        if leg.rank == 0:
            _by_others(seen, direct, seen[idx], leg)
    add_up(legs.values())
    return [
        Settled(idx, leg.price_ticks, leg.rule, leg.source_idx)
        for idx, leg in legs.items()
        if not seen[idx].settled
    ]


def _by_itself(one: Evidence) -> Leg:
    contract = parse_symbol(one.symbol)
    if one.settled:
        return Leg(one.contract_idx, contract, one.settle_ticks, FIXED, PriceRule.MARK)
    if one.said_ticks:
        return Leg(one.contract_idx, contract, one.said_ticks, FIXED, PriceRule.CORRECTION)
    quoted = Quoted(one.bid_ticks, one.ask_ticks)
    traded = Traded(one.lots, one.tick_lots, 0)
    found = settlement_price(quoted, traded, one.mark_ticks, one.closing_ticks)
    rank = BELIEVED.get(found.rule, MOVED if one.mark_ticks != one.settle_ticks else 0)
    leg = Leg(one.contract_idx, contract, _held(one, found.ticks), rank, found.rule)
    leg.low_ticks, leg.high_ticks = _limits(one, leg.price_ticks)
    return leg


def _held(one: Evidence, price_ticks: int) -> int:
    """Return a price held to the day's limit."""
    if price_ticks == one.mark_ticks:  # always allowed
        return price_ticks
    return within_day_ticks(price_ticks, one.settle_ticks, one.mark_ticks, one.day_bps)


def _limits(one: Evidence, price_ticks: int) -> tuple[int, int]:
    """Return how far others may move a price: within the day's limit, bid and ask."""
    width_ticks = max(1, one.settle_ticks * one.day_bps // BPS)
    low = max(1, min(one.settle_ticks - width_ticks, one.mark_ticks), one.bid_ticks)
    high = max(one.settle_ticks + width_ticks, one.mark_ticks)
    high = min(high, one.ask_ticks) if one.ask_ticks else high
    return min(low, price_ticks), max(high, price_ticks)


def _by_spreads(seen: dict[int, Evidence], legs: dict[int, Leg]) -> None:
    """Settle months without evidence of their own by the spreads to months that have some."""
    far = [idx for idx, one in seen.items() if one.spreads and legs[idx].rank < DIRECT]
    for idx in sorted(far, key=lambda idx: (legs[idx].contract.period, idx)):
        traded = [
            SpreadTraded(legs[one.near_idx].price_ticks, one.spread_ticks, one.lots, one.months)
            for one in seen[idx].spreads
            if one.near_idx in legs and legs[one.near_idx].rank >= DIRECT
        ]
        price = from_spreads_ticks(traded)
        if price is not None and sum(one.volume_lots for one in traded) >= TRADED_LOTS_MIN:
            _take(seen[idx], legs[idx], price, PriceRule.SPREADS, seen[idx].spreads[0].near_idx)
            legs[idx].rank = BELIEVED[PriceRule.SPREADS]


def _by_others(seen: dict[int, Evidence], direct: dict[int, Leg], one: Evidence, leg: Leg) -> None:
    """Move a price as the same period moved at another hub, else as the month before moved."""
    source, rule = _other_hub(seen, direct, leg), PriceRule.HUB
    if source is None:
        source, rule = _before(direct, leg), PriceRule.CURVE
    if source is None:
        return
    price = from_what_is_left_ticks(
        last_ticks=None,
        prior_ticks=one.settle_ticks,
        preceding_change_ticks=source.price_ticks - seen[source.contract_idx].settle_ticks,
        bid_ticks=one.bid_ticks or None,
        ask_ticks=one.ask_ticks or None,
    )
    assert price is not None
    _take(one, leg, price, rule, source.contract_idx)
    leg.rank = MOVED


def _take(one: Evidence, leg: Leg, price_ticks: int, rule: PriceRule, source_idx: int) -> None:
    leg.price_ticks = _held(one, max(1, price_ticks))
    leg.rule, leg.source_idx = rule, source_idx
    leg.low_ticks = min(leg.low_ticks, leg.price_ticks)
    leg.high_ticks = max(leg.high_ticks, leg.price_ticks)


def _other_hub(seen: dict[int, Evidence], direct: dict[int, Leg], leg: Leg) -> Leg | None:
    """Return the best evidence of the same model, grade and period at another hub."""
    mine = leg.contract
    found = [
        one
        for one in direct.values()
        if one.contract.period == mine.period
        and one.contract.series.sku == mine.series.sku
        and one.contract.series.grade == mine.series.grade
    ]

    def strength(one: Leg) -> tuple[int, int, bool, int]:
        """Return what is compared: the better source first, then more hours traded."""
        traded = seen[one.contract_idx].lots * one.hours
        is_benchmark = one.contract.series.hub.symbol == BENCHMARK
        return one.rank, traded, is_benchmark, -one.contract_idx

    return max(found, key=strength, default=None)


def _before(direct: dict[int, Leg], leg: Leg) -> Leg | None:
    """Return the nearest earlier contract of the same series and tenor that has evidence.

    A day, a week and a balance of month go with their month, else with the nearest one.
    """
    mine = leg.contract
    tenor = mine.period.tenor
    is_short = tenor in (Tenor.DAY, Tenor.WEEK, Tenor.BOM)
    wanted = Tenor.MONTH if is_short else tenor
    found = [
        one
        for one in direct.values()
        if one.contract.series == mine.series
        and one.contract.period.tenor is wanted
        and (is_short or one.contract.period.start < mine.period.start)
    ]
    start = month_start(mine.period.start) if is_short else mine.period.start
    return min(
        found, key=lambda one: (abs((one.contract.period.start - start).days), one.contract_idx),
        default=None,
    )  # fmt: skip
