"""The loop looks while an answer is near, and sleeps when none is."""

import asyncio

from exchange.io import awake as module
from exchange.io.awake import COMMIT_NS, FEW_COMMANDS, SLEEP_MAX, Awake, linger_ns_of, processors

LINGER_NS = 300_000


class Night:
    """An `Awake` with a clock of its own, in a loop whose turns are counted."""

    def __init__(self, linger_ns: int = LINGER_NS) -> None:
        self.now_ns = 10**9
        self.looks = 0
        self.awake = Awake(linger_ns, self._look)

    def _look(self) -> int:
        self.looks += 1
        return self.now_ns

    async def is_awake(self) -> bool:
        """Say whether the loop still turns by itself."""
        before = self.looks
        for _ in range(3):
            await asyncio.sleep(0)
        return self.looks > before + 1

    async def commit(self, count: int = 1, ns: int = 200_000) -> None:
        self.awake.begin(count)
        await asyncio.sleep(0)
        self.now_ns += ns
        self.awake.end()


def test_it_looks_while_few_commands_commit_and_no_longer():
    async def main() -> None:
        night = Night()
        night.awake.begin(FEW_COMMANDS)
        assert await night.is_awake()
        night.awake.end()
        assert not await night.is_awake()
        night.awake.begin(FEW_COMMANDS + 1)
        assert not await night.is_awake()
        night.awake.end()

    asyncio.run(main())


def test_a_commit_that_takes_long_is_not_waited_for_awake():
    async def main() -> None:
        night = Night()
        await night.commit()  # so that it would linger
        night.awake.begin(1)
        night.now_ns += COMMIT_NS - 1
        assert await night.is_awake()
        night.now_ns += 2
        assert not await night.is_awake()
        night.awake.end()
        assert not await night.is_awake()
        night.awake.begin(1)
        assert await night.is_awake()

    asyncio.run(main())


def test_with_a_database_far_away_it_looks_ever_more_rarely_and_comes_back():
    async def main() -> None:
        night = Night()
        looked = []
        for number in range(260):
            night.awake.begin(1)
            if await night.is_awake():
                looked.append(number)
            night.now_ns += 2 * COMMIT_NS
            night.awake.end()
        assert looked == [0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256]
        for _ in range(SLEEP_MAX):
            await night.commit()
        night.now_ns += LINGER_NS
        await night.commit()
        night.awake.begin(1)
        assert await night.is_awake()

    asyncio.run(main())


def test_it_lingers_behind_the_second_of_a_quick_succession_and_not_behind_one_alone():
    async def main() -> None:
        night = Night()
        await night.commit()
        assert not await night.is_awake()
        night.now_ns += LINGER_NS - 1
        await night.commit()
        assert await night.is_awake()
        night.now_ns += LINGER_NS - 1
        assert await night.is_awake()
        night.now_ns += 1
        assert not await night.is_awake()
        await night.commit()  # too late for a succession
        assert not await night.is_awake()

    asyncio.run(main())


def test_with_many_commands_or_without_leave_it_sleeps():
    async def main() -> None:
        night = Night()
        await night.commit()
        await night.commit(FEW_COMMANDS + 1)
        assert not await night.is_awake()
        never = Night(linger_ns=0)
        for _ in range(3):
            await never.commit()
            assert not await never.is_awake()

    asyncio.run(main())


def test_only_one_of_it_looks_however_many_commits_there_are():
    async def main() -> None:
        night = Night()
        for _ in range(20):
            night.awake.begin(1)
            night.awake.end()
        night.looks = 0
        await asyncio.sleep(0)
        assert night.looks <= 1

    asyncio.run(main())


def test_who_has_one_processor_leaves_it_to_the_database(monkeypatch, tmp_path):
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(module, "QUOTA", quota)
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: {3}, raising=False)
    assert linger_ns_of(300) == 0
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: {0, 3}, raising=False)
    assert linger_ns_of(300) == 300_000
    assert linger_ns_of(0) == 0
    for text, count in (("max 100000", 2), ("100000 100000", 1), ("150000 100000", 1.5), ("", 2)):
        quota.write_text(f"{text}\n")
        assert processors() == count, text
        assert (linger_ns_of(300) > 0) is (count > 1)
    quota.unlink()
    monkeypatch.delattr(module.os, "sched_getaffinity")
    monkeypatch.setattr(module.os, "cpu_count", lambda: None)
    assert linger_ns_of(300) == 0
