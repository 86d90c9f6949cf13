"""Margin calls and collections, killed before or after any write or command: as if it were not."""

import random
from typing import Any

import numpy as np
import pytest

from exchange.rules.margin_calls import CALL_NS, GRACE_NS, CallState, MarginCall
from exchange.services.stress.world import row
from matching.codes import Kind, Side
from tests.support.memory_defaults import MemoryDefaults
from tests.unit.exchange.services.test_liquidation import ALICE, CAROL, CASH, Stage

MINUTE_S = 60
WRITES = ("issue", "change", "keep_proof", "keep_loss")
SEEDS = range(8)


class Killed(BaseException):
    """The process is gone; nothing of it catches this."""


class MortalRows(MemoryDefaults):
    """Rows whose writer may die right before or right after any write."""

    def __init__(self, kinds: dict[int, str]) -> None:
        super().__init__(kinds)
        self.points: list[int] = []  # of each point that comes: 0 goes on, 1 dies before, 2 after
        self.issued = 0
        self.forgets = False  # the planted bug: who was escalated is known to the process alone
        self.known: set[int] = set()

    def dies(self) -> int:
        """Return what happens at the point that has come."""
        return self.points.pop(0) if self.points else 0

    async def _mortal(self, write: Any, *values: Any) -> Any:
        point = self.dies()
        if point == 1:
            raise Killed
        answer = await write(*values)
        if point == 2:
            raise Killed
        return answer

    async def issue(self, call: MarginCall) -> None:
        await self._mortal(super().issue, call)

    async def change(self, before: MarginCall, after: MarginCall, now_ns: int) -> bool:
        if self.all_calls[before.call_id - 1].state != before.state:
            return False
        if after.state == CallState.ESCALATED:
            self.known.add(after.account_idx)
        return bool(await self._mortal(super().change, before, after, now_ns))

    async def escalated(self) -> set[int]:
        found = await super().escalated()
        return found & self.known if self.forgets else found


class MortalStage(Stage):
    """The market of liquidations, whose service may die at any write and any command."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.collected = 0
        super().__init__(keep=self._keep)
        self.rows = MortalRows({0: "house", ALICE: "member"})
        self.rows.forgets = forgets
        self.wake()

    def _keep(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.collected += int((commands["kind"] == Kind.COLLECT).sum())

    def wake(self) -> None:
        if isinstance(self.rows, MortalRows):
            self.rows.known.clear()
        super().wake()

    async def _send(self, commands: np.ndarray) -> None:
        async def send(rows: np.ndarray) -> None:
            self.world.send(rows)
            self.service.observe(rows)

        assert isinstance(self.rows, MortalRows)
        await self.rows._mortal(send, commands)

    async def look(self, points: list[int]) -> None:
        """Look for a second; die where it is drawn, and start again."""
        assert isinstance(self.rows, MortalRows)
        self.rows.points = points
        try:
            await self.steps(1)
        except Killed:
            self.rows.points = []
            self.wake()


def happens(stage: MortalStage) -> list[Any]:
    """Return what happens to alice, one thing after the other."""
    world = stage.world

    def pays(usd: int) -> None:
        world.send(row(Kind.DEPOSIT, account_idx=ALICE, amount_usd_micros=usd))

    return [
        lambda: stage.mark(899),  # she has lost more than half of her margin: collected
        lambda: stage.mark(850),  # called for 500
        lambda: pays(200),
        lambda: world.pass_time(31 * MINUTE_S),
        lambda: world.pass_time(20 * MINUTE_S),
        lambda: world.pass_time(CALL_NS // 10**9),
        lambda: stage.mark(830),
        lambda: stage.place(CAROL, Side.BUY, 829, 50),
        lambda: world.pass_time(GRACE_NS // 10**9),
    ]


async def end_of(seed: int, *, kills: bool, forgets: bool = False) -> dict[str, Any]:
    """Play it all, and return how it ended."""
    chance, stage = random.Random(seed), MortalStage(forgets=forgets)
    for thing in happens(stage):
        thing()
        for _ in range(6):
            points = [chance.randrange(3) for _ in range(chance.randrange(4))] if kills else []
            await stage.look(points)
        for _ in range(2):
            await stage.look([])  # two looks that live: then it stands as it should
    for _ in range(45):
        await stage.look([])
    assert isinstance(stage.rows, MortalRows)
    return {
        "calls": [(one.amount_usd_micros, one.state, one.met_usd_micros, one.reminders)
                  for one in stage.rows.all_calls],
        "lots": [stage.lots(idx) for idx in CASH],
        "equity": [stage.equity(idx) for idx in CASH],
        "collected": stage.collected,
        "liquidations": dict(stage.world.mirror.liquidations),
    }  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
async def test_DEF_2_killed_at_drawn_writes_of_calls_and_collections_each_is_made_once(seed):
    straight, killed = await end_of(0, kills=False), await end_of(seed, kills=True)
    assert killed == straight
    assert [state for _, state, *_ in straight["calls"]] == [CallState.ESCALATED]
    assert straight["collected"] >= 1 and straight["lots"][ALICE] < 10
    assert sum(straight["equity"]) == sum(CASH.values()) + 200


async def test_an_escalation_that_dies_with_its_process_is_found():
    """A planted bug: who was escalated is known to the process alone."""
    straight = await end_of(0, kills=False)
    found = []
    for seed in SEEDS:
        found.append(await end_of(seed, kills=True, forgets=True) == straight)
    assert not all(found)
