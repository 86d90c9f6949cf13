"""A number on the wire keeps its meaning for ever: it is in the journal.

`frozen_codes.txt` lists every `Enum.NAME number` that was ever released. To add one, run
`tools/freeze_codes.py`, which only appends; a retired name stays in the table, so that its number
is never given to another.
"""

import pytest

from tests.tidy.house import ROOT
from tools.freeze_codes import FROZEN, living_codes, read_frozen

Codes = dict[str, int]


def moved(frozen: Codes, living: Codes) -> list[str]:
    """Return the names whose number is not what it was."""
    return [name for name, number in living.items() if frozen.get(name, number) != number]


def reused(frozen: Codes, living: Codes) -> list[str]:
    """Return the new names that took the number of another name of the same enumeration."""
    owners = {(name.split(".")[0], number): name for name, number in frozen.items()}
    return [
        f"{name} takes {number} from {owner}"
        for name, number in living.items()
        if (owner := owners.get((name.split(".")[0], number), name)) != name
    ]


def unfrozen(frozen: Codes, living: Codes) -> list[str]:
    """Return the names that are not in the table yet."""
    return [name for name in living if name not in frozen]


FINDERS = (moved, reused, unfrozen)


@pytest.mark.parametrize("finder", FINDERS)
def test_codes_keep_their_numbers(finder):
    if not (ROOT / "matching/codes.py").exists():
        pytest.skip("matching/codes.py is not there yet")
    assert finder(read_frozen(FROZEN), living_codes()) == [], "see tools/freeze_codes.py"


def test_the_frozen_table_gives_each_number_once():
    frozen = read_frozen(FROZEN)
    assert len({(name.split(".")[0], number) for name, number in frozen.items()}) == len(frozen)


@pytest.mark.parametrize(
    ("finder", "living"),
    [
        (moved, {"Code.OK": 0, "Code.BOOK_FULL": 2}),
        (reused, {"Code.OK": 0, "Code.NEW": 1}),
        (unfrozen, {"Code.OK": 0, "Code.NEW": 2}),
    ],
)
def test_a_planted_change_of_a_code_is_found(finder, living):
    frozen = {"Code.OK": 0, "Code.BOOK_FULL": 1}
    assert finder(frozen, living)
    assert not any(f(frozen, frozen) for f in FINDERS)


def test_the_same_number_in_another_enumeration_passes():
    assert reused({"Code.OK": 0}, {"Side.BUY": 0}) == []
