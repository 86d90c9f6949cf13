"""Damage, named: which row of which table, which field, what should be there and what is."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

ABSENT = "no row"


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    table: str
    place: str  # which row: the values of its key
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.table}, {self.place}, {self.field}:"
            f" expected {self.expected}, found {self.found}"
        )


Keys = tuple[str, ...]


def rows_differ(
    table: str,
    keys: Keys,
    expected: Mapping[Hashable, Any],
    found: Mapping[Hashable, Any],
) -> Iterator[Finding]:
    """Yield what differs between NamedTuples by their key, in the order of the keys."""
    for key in sorted(expected.keys() | found.keys()):  # type: ignore[type-var]
        ours, theirs = expected.get(key), found.get(key)
        if ours == theirs:
            continue
        row = ours if ours is not None else theirs
        assert row is not None
        place = ", ".join(f"{name} {getattr(row, name)}" for name in keys)
        if ours is None or theirs is None:
            yield Finding(table, place, "row", _text(ours), _text(theirs))
            continue
        for name, mine, stored in zip(row._fields, ours, theirs, strict=True):
            if mine != stored:
                yield Finding(table, place, name, str(mine), str(stored))


def _text(row: Any) -> str:
    if row is None:
        return ABSENT
    return ", ".join(f"{name} {value}" for name, value in row._asdict().items())
