"""What is done once a day: each job says from what is stored whether it is due."""

import dataclasses

import asyncpg
import pytest

from exchange.io.errors import DatabaseUnavailable, Unavailable
from exchange.io.price_data import load_price_data
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.statements import Statements
from exchange.io.stress_results import StressResults
from exchange.io.views import Span, Views
from exchange.rules.mirror import Mirror
from exchange.rules.stress_play import STORIES, Machine
from exchange.rules.tenors import NS_PER_DAY
from exchange.services.night import Night, NightlySeal, NightlyStress
from tests.integration.test_statements import three_days

DAY = 20_779
NOON_NS = DAY * NS_PER_DAY + NS_PER_DAY * 3 // 4


@dataclasses.dataclass
class Settled:
    is_done: bool = True

    def is_settled_since(self, ts_ns: int) -> bool:
        return self.is_done


@dataclasses.dataclass
class Noon:
    ns: int = NOON_NS

    def now_ns(self) -> int:
        return self.ns


def nightly(pool, agenda: Settled, clock: Noon) -> NightlyStress:
    machine = Machine(load_price_data().steps)
    results, accounts = StressResults(pool), PostgresAccounts(pool)
    return NightlyStress(results, accounts, Mirror(), agenda, clock, machine)  # type: ignore[arg-type]


async def test_every_story_is_played_once_a_settlement_whatever_was_killed(pool):
    agenda, clock, results = Settled(False), Noon(), StressResults(pool)
    await nightly(pool, agenda, clock).run_if_due()
    assert await results.last_day() == 0  # the settlement is not complete
    agenda.is_done = True
    await nightly(pool, agenda, clock).run_if_due()
    first = await results.of_day()
    assert len(first) == 2 * len(STORIES)
    await nightly(pool, agenda, clock).run_if_due()  # another leader, the same day
    assert await results.of_day() == first
    clock.ns += NS_PER_DAY
    await nightly(pool, agenda, clock).run_if_due()
    assert await results.last_day() == first[0].day + 1
    assert await results.of_day(first[0].day) == first
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("DELETE FROM stress_result")


async def test_a_job_that_fails_is_tried_again_and_holds_up_no_other():
    done: list[str] = []

    async def fails() -> None:
        done.append("first")
        raise DatabaseUnavailable("gone")

    async def works() -> None:
        done.append("second")

    night = Night((fails, works))
    await night.step()
    await night.step()
    assert done == ["first", "second"] * 2


async def test_the_node_seals_closed_days_by_itself_and_only_once(database, pool, tmp_path):
    await three_days(database)
    for _ in range(2):
        await NightlySeal(database, tmp_path).run_if_due()
        statements = Statements(await database.connect())
        written = await statements.heads()
        assert len(written) == 3 and all(one.is_signed for one in written)
        assert not await statements.is_seal_due()
    assert await statements.wrong_heads() == []


async def test_without_room_for_its_key_a_day_is_sealed_later(database, tmp_path):
    await three_days(database)
    seal = NightlySeal(database, tmp_path / "full")
    with pytest.raises(Unavailable, match=r"the key of the ledger cannot be had: .*ledger"):
        await seal.run_if_due()
    (tmp_path / "full").mkdir()
    await seal.run_if_due()
    assert len(await Statements(await database.connect()).heads()) == 3


async def test_a_statement_has_every_posting_of_the_account_page_by_page(database, pool):
    await three_days(database)
    whole = await Views(pool).statement(3, Span(limit=1_000))
    assert whole.cursor is None and len(whole.rows) > 4
    found, cursor = [], None
    while cursor is not None or not found:
        page = await Views(pool).statement(3, Span(limit=2, cursor=cursor))
        found += page.rows
        cursor = page.cursor
    assert found == whole.rows
    (transfer,) = {row.transfer_id for row in found[:1]}
    sides = await Views(pool).transfer(transfer)
    assert sum(side.amount_usd_micros for side in sides) == 0
    assert await Views(pool).transfer(10**6) == []
