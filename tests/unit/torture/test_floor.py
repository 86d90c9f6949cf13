"""Waiting for clearing: as long as it takes to catch up, and no longer than it may take."""

from typing import Any

import pytest

from tests.torture import floor
from tests.torture.floor import Floor

LAST_SEQ = 3


class FakeHouse:
    """An exchange whose clearing is at one number after the other, and then stays at the last."""

    def __init__(self, *cleared: int) -> None:
        self.cleared = list(cleared)
        self.asked = 0
        self.is_open = False

    def url_of(self, account_id: str) -> str:
        raise AssertionError("nobody trades here")

    def operator(self) -> Any:
        raise AssertionError("nobody trades here")

    async def database(self) -> Any:
        self.is_open = True
        return self

    async def fetchval(self, query: str) -> int:
        assert "'clearing'" in query
        self.asked += 1
        return self.cleared.pop(0) if len(self.cleared) > 1 else self.cleared[0]

    async def close(self) -> None:
        self.is_open = False


def floor_of(house: FakeHouse) -> Floor:
    """Return a floor that knows of three commands."""
    made = Floor(house, 1)
    made.truth.commands = [None] * LAST_SEQ  # type: ignore[list-item]
    return made


@pytest.mark.parametrize("cleared", [(LAST_SEQ,), (0, 2, LAST_SEQ), (1, LAST_SEQ + 5)])
async def test_clearing_that_catches_up_is_waited_for(cleared):
    house = FakeHouse(*cleared)
    assert await floor_of(house).clearing_stays_behind() == []
    assert house.asked == len(cleared)
    assert not house.is_open


async def test_clearing_that_stays_behind_is_found_and_named(monkeypatch):
    monkeypatch.setattr(floor, "CATCH_UP_S", 0.05)
    house = FakeHouse(0, LAST_SEQ - 1)
    found = await floor_of(house).clearing_stays_behind()
    assert found == [f"clearing is at {LAST_SEQ - 1}, the journal at {LAST_SEQ}"]
    assert house.asked > 2, "it was given time"
    assert not house.is_open
