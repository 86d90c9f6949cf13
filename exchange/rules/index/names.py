"""One name's print of a day: which step of the fallback gives it (INDX_008, INDX_009)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from exchange.rules.index.method import Method
from exchange.rules.index.moves import NO_CHANGE, Move, change, clamp, limited
from exchange.rules.index.panel import Panel, digest_of
from exchange.rules.index.prints import QUORUM_STEPS, Found, Step
from exchange.rules.index.spreads import Spread
from exchange.rules.median import median
from exchange.rules.money import BPS, div_half_even
from exchange.rules.tenors import DAY


class Value(NamedTuple):
    """What two operators said a day's print is, where there is no quorum."""

    usd_micros: int
    said: tuple[tuple[str, str], ...]  # who and why


class Dated(NamedTuple):
    """A price of a day."""

    day: date
    usd_micros: int


NO_VALUES: Final[Mapping[tuple[str, date], Value]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What is remembered of one index from day to day."""

    name: str
    panel: Panel | None = None  # the last one that had a quorum
    last: Dated | None = None  # the last print
    sound: tuple[Dated, ...] = ()  # the last prints that were no mean of others
    spreads: tuple[Spread, ...] = ()  # of a hub, the newest last
    days_without_quorum: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What a day says about one name."""

    day: date
    panel: Panel
    world: Found | None = None  # today's print of GLB, for a hub
    spread: Spread | None = None
    value: Value | None = None
    method: Method
    method_name: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A print before it is remembered."""

    usd_micros: int
    step: Step
    document: Mapping[str, Any]
    raw_usd_micros: int
    move: Move
    limits: tuple[str, ...] = field(default=())
    inputs: str = ""


def remembered(name: Name, today: Today) -> Name:
    """Return the name with today's spread."""
    if today.spread is None:
        return name
    spreads = (*name.spreads, today.spread._replace(day=today.day.isoformat()))
    return replace(name, spreads=spreads[-today.method.spread_days :])


def print_of(name: Name, today: Today) -> tuple[Name, Found | None]:
    """Return what is remembered and the print of a day; None before a name's first print."""
    name = remembered(name, today)
    draft = (
        _by_panel(name, today)
        or _by_spread(name, today)
        or _by_committee(name, today)
        or _by_mean(name, today)
    )
    if draft is None:
        return name, None
    is_sound = draft.step != Step.MEAN
    dated = Dated(today.day, draft.usd_micros)
    after = replace(
        name,
        panel=today.panel if draft.step == Step.PANEL else name.panel,
        last=dated,
        sound=(*name.sound, dated)[-today.method.mean_prints :] if is_sound else name.sound,
        days_without_quorum=0 if draft.step in QUORUM_STEPS else name.days_without_quorum + 1,
    )
    return after, _found(name, after, draft, today)


def _found(name: Name, after: Name, draft: _Draft, today: Today) -> Found:
    explanation: dict[str, Any] = {
        "previous": None
        if name.last is None
        else {"day": name.last.day.isoformat(), "usd_micros": name.last.usd_micros},
        "raw_usd_micros": draft.raw_usd_micros,
        "move_usd_micros": draft.move._asdict(),
        "limits": list(draft.limits),
        "providers": today.panel.providers,
        "offers": len(today.panel.offers),
        "tier": today.panel.tier,
        "quorum": draft.step in QUORUM_STEPS,
        "days_without_quorum": after.days_without_quorum,
    }
    return Found(
        name=name.name,
        day=today.day,
        price_usd_micros=draft.usd_micros,
        step=int(draft.step),
        method=today.method_name,
        inputs=draft.inputs or digest_of(draft.document),
        document=draft.document,
        explanation=explanation,
    )


def _by_panel(name: Name, today: Today) -> _Draft | None:
    """Step 1: the median of the name's own panel, if it has a quorum."""
    panel = today.panel
    if not panel.has_quorum:
        return None
    target, inputs = panel.usd_micros, panel.inputs
    if name.last is None:
        return _Draft(target, Step.PANEL, panel.document, target, Move(), inputs=inputs)
    found = NO_CHANGE if name.panel is None else change(name.panel, panel, today.method)
    price, limits = limited(name.last.usd_micros, target, found, today.method)
    held = price - name.last.usd_micros - found.total
    move = Move(matched=found.matched, entry=found.entry, exit=found.exit, held=held)
    return _Draft(price, Step.PANEL, panel.document, target, move, limits, inputs)


def _by_spread(name: Name, today: Today) -> _Draft | None:
    """Step 2: the worldwide print of the day and the middle of the hub's spreads."""
    world, method = today.world, today.method
    if world is None or world.step != Step.PANEL:
        return None
    first = (today.day - (method.spread_days - 1) * DAY).isoformat()
    spreads = [one for one in name.spreads if one.day >= first]
    if len(spreads) < method.spread_days_min:
        return None
    target = world.price_usd_micros + median(one.usd_micros for one in spreads)
    if target <= 0:
        return None
    document = {
        "benchmark": world.inputs,
        "name": world.name,
        "spreads": [list(s) for s in spreads],
    }
    if name.last is None:
        return _Draft(target, Step.SPREAD, document, target, Move())
    parts = _world_move(name.last.day, world)
    previous = name.last.usd_micros
    rest = target - previous - parts.total
    taken = clamp(rest, previous * method.panel_cap_bps // BPS)
    move = parts._replace(fallback=taken)
    price = max(1, previous + move.total)
    move = move._replace(fallback=price - previous - parts.total)
    limits = ("panel",) if taken != rest else ()
    return _Draft(price, Step.SPREAD, document, target, move, limits)


def _world_move(since: date, world: Found) -> Move:
    """Return the parts of the worldwide move since a day: only of one day can they be told."""
    before = world.explanation["previous"]
    if before is None or before["day"] != since.isoformat():
        return Move()
    return Move(**world.explanation["move_usd_micros"])


def _by_committee(name: Name, today: Today) -> _Draft | None:
    """Step 4, which goes before step 3: two people looked, and said why."""
    if today.value is None:
        return None
    price = today.value.usd_micros
    before = price if name.last is None else name.last.usd_micros
    document = {"committee": [list(one) for one in today.value.said], "usd_micros": price}
    return _Draft(price, Step.COMMITTEE, document, price, Move(fallback=price - before))


def _by_mean(name: Name, today: Today) -> _Draft | None:
    """Step 3: the mean of the last three prints that were no such mean themselves."""
    if name.last is None or not name.sound:
        return None
    price = div_half_even(sum(one.usd_micros for one in name.sound), len(name.sound))
    document = {"mean_of": [[one.day.isoformat(), one.usd_micros] for one in name.sound]}
    move = Move(fallback=price - name.last.usd_micros)
    return _Draft(price, Step.MEAN, document, price, move)
