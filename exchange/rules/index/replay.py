"""The published history again, from the first observation: is it what was published?"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from exchange.rules.findings import Finding
from exchange.rules.index.history import History, Values
from exchange.rules.index.method import METHOD, Method
from exchange.rules.index.names import NO_VALUES
from exchange.rules.index.panel import COLUMNS, digest_of
from exchange.rules.index.prints import (
    EMPTY,
    Head,
    Print,
    Stamp,
    State,
    chained,
    final_ns,
    published_ns,
)
from exchange.rules.index.prints import digest_of as print_digest
from exchange.rules.observations import Offer
from exchange.rules.tenors import DAY

TABLE = "index_print"


class Group(NamedTuple):
    """Prints that were, or are to be, published together: all names of a day."""

    day: date
    state: State
    revision: int
    observed_to: int  # observations with a higher number were not known


class Published(NamedTuple):
    """A print and what it follows from."""

    row: Print
    document: Mapping[str, Any]


class Replay:
    """Computes groups in the order in which they were published."""

    def __init__(self, offers: Iterable[Offer], method: Method = METHOD) -> None:
        """Begin before the first day of any observation."""
        self._history = History(offers, method)
        self._next = self._history.first_day
        self.head = EMPTY

    @property
    def first_day(self) -> date:
        """The day that comes next.

        Errors:
            ValueError: there are no observations.
        """
        if self._next is None:
            raise ValueError("no index without observations")
        return self._next

    def go(self, group: Group, values: Values = NO_VALUES) -> list[Published]:
        """Return the prints of a group; days without prints that lie before it are passed.

        Errors:
            ValueError: the day is over already, or lies before all observations.
        """
        if self._next is None or group.day < self._next:
            raise ValueError(f"no index can be computed for {group.day} any more")
        while self._next < group.day:
            self._history.final(self._next, group.observed_to)
            self._next += DAY
        if group.state == State.FINAL:
            found = self._history.final(group.day, group.observed_to, values)
            self._next += DAY
        else:
            found = self._history.provisional(group.day, group.observed_to)
        stamp = Stamp(group.state, group.revision, group.observed_to)
        rows = list(chained(found, stamp, self.head))
        if rows:
            self.head = Head(rows[-1].position, rows[-1].digest)
        return [Published(row, one.document) for row, one in zip(rows, found, strict=True)]


def due_groups(
    now_ns: int, observed_to: int, next_final: date, provisional: date | None
) -> Iterator[Group]:
    """Yield what is to be published by a moment, oldest first (INDX_013).

    Args:
        observed_to: the newest observation there is.
        next_final: the first day whose prints are not final.
        provisional: the newest day that has provisional prints.
    """
    day = next_final
    while final_ns(day) <= now_ns:
        revision = 2 if provisional is not None and day <= provisional else 1
        yield Group(day, State.FINAL, revision, observed_to)
        day += DAY
    if published_ns(day) <= now_ns and (provisional is None or day > provisional):
        yield Group(day, State.PROVISIONAL, 1, observed_to)


def chain_findings(prints: Iterable[Print], head: Head = EMPTY) -> Iterator[Finding]:
    """Yield every print that is not chained to the one before it (INDX_014)."""
    for one in prints:
        place = place_of(one)
        if one.position != head.position + 1:
            expected, found = f"print {head.position + 1}", f"print {one.position}"
            yield Finding(TABLE, place, "position", expected, found)
        elif print_digest(head.digest, one) != one.digest:
            yield Finding(
                TABLE, place, "content or digest", print_digest(head.digest, one), one.digest
            )
        head = Head(one.position, one.digest)


def document_findings(inputs: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield whether a document is not the one its name says."""
    found = digest_of(document)
    if found != inputs:
        yield Finding("index_panel", inputs[:16], "document", inputs, found)


def difference(was: Published, now: Published) -> Iterator[Finding]:
    """Yield how a published print differs from the one that is computed now (INDX_014).

    Where the panel differs, the first observation that does is named.
    """
    place = place_of(was.row)
    for name in Print._fields:
        old, new = getattr(was.row, name), getattr(now.row, name)
        if name == "explanation":
            old, new = dict(old), dict(new)
        if old != new:
            yield Finding(TABLE, place, name, str(new), str(old))
    if was.row.inputs != now.row.inputs:
        yield from _offer_differences(place, was.document, now.document)


def _offer_differences(
    place: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Finding]:
    old = {row[0]: row for row in was.get("offers", ())}
    new = {row[0]: row for row in now.get("offers", ())}
    for number in sorted({*old, *new}):
        if old.get(number) == new.get(number):
            continue
        at = f"{place}, observation {number}"
        if number not in old or number not in new:
            yield Finding(TABLE, at, "row", _said(new.get(number)), _said(old.get(number)))
            return
        for name, left, right in zip(COLUMNS, new[number], old[number], strict=True):
            if left != right:
                yield Finding(TABLE, at, name, str(left), str(right))
        return


def _said(row: object) -> str:
    return "counted" if row else "not there"


def place_of(one: Print) -> str:
    """Return how a print is named."""
    return f"print {one.position}: {one.name} {one.day} {one.state}"
