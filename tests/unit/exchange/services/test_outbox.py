"""The outbox ends when it is told to, in whatever moment that is."""

import asyncio

import numpy as np
import pytest

from exchange.services.outbox import Outbox
from matching.codes import Code, EventKind, Kind, Profile
from matching.engine import Engine, Sizes


class NothingDue:
    """Rows of which none waits."""

    async def accounts_unopened(self) -> list[tuple[int, str]]:
        return []

    async def transfers_sent(self) -> list[object]:
        return []


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancellation_that_meets_a_wake_up_still_ends_it(turns: int):
    outbox = Outbox(NothingDue(), send=None)
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.01)  # it waits now
    outbox.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=60)
    assert running in done and running.cancelled()


class Rows(NothingDue):
    """Accounts that wait, until they are written down as open."""

    def __init__(self, **kinds: str) -> None:
        self.kinds = dict(enumerate(kinds.values()))
        self.opened: dict[int, int] = {}

    async def accounts_unopened(self) -> list[tuple[int, str]]:
        return [pair for pair in self.kinds.items() if pair[0] not in self.opened]

    async def account_opened(self, account_idx: int, seq: int) -> None:
        self.opened.setdefault(account_idx, seq)


class Core:
    """A core that commits what it is sent when it is told to, as far as it is told to."""

    def __init__(self) -> None:
        self.engine = Engine(Sizes(price_bits=12, accounts=8, contracts=2, positions=8, orders=8))
        self.sent: list[np.ndarray] = []

    async def send(self, rows: np.ndarray) -> None:
        self.sent.append(rows.copy())

    def commit(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.concatenate(self.sent)[:count]
        self.sent.clear()
        rows["seq"] = self.engine.last_seq + 1 + np.arange(len(rows))
        rows["ts_ns"] = 1
        return rows, self.engine.apply(rows).copy()

    def level_more_bps(self) -> list[int]:
        return self.engine.state.limits["level_more_bps"][:3].tolist()


async def test_MRGN_107_an_account_is_open_once_it_has_the_level_of_its_kind():
    rows, core = Rows(a="customer", b="member", c="house"), Core()
    outbox = Outbox(rows, core.send)
    await outbox.step()
    outbox.observe(*core.commit(count=9))
    await outbox.step()
    assert rows.opened == {0: 2, 1: 3, 2: 4}  # a client's level is a command of its own
    assert core.level_more_bps() == [1_000, 0, 0]
    assert not core.sent


async def test_COLL_119_a_neocloud_and_a_miner_have_their_rule_from_the_start():
    rows, core = Rows(a="neocloud", b="miner", c="member"), Core()
    outbox = Outbox(rows, core.send)
    await outbox.step()
    outbox.observe(*core.commit(count=9))
    await outbox.step()
    assert rows.opened == {0: 2, 1: 4, 2: 5}
    assert core.engine.state.profiles[:3].tolist() == [Profile.NEOCLOUD, Profile.MINER, 0]


async def test_killed_between_opening_and_level_both_are_sent_again():
    rows, core = Rows(a="customer"), Core()
    first = Outbox(rows, core.send)
    await first.step()
    first.observe(*core.commit(count=1))  # the level is lost with the process
    await first.step()
    assert rows.opened == {}
    outbox = Outbox(rows, core.send)
    await outbox.step()
    commands, events = core.commit(count=2)
    assert [Kind(kind) for kind in commands["kind"]] == [Kind.OPEN_ACCOUNT, Kind.SET_LEVEL]
    assert events[0]["code"] == Code.ACCOUNT_EXISTS and events[1]["kind"] == EventKind.LEVEL_SET
    outbox.observe(commands, events)
    await outbox.step()
    assert rows.opened == {0: 3} and core.level_more_bps()[0] == 1_000
