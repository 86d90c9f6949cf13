"""The index in Postgres: published once, computed again to the bit, and every change is found."""

from datetime import date, timedelta
from types import SimpleNamespace

import asyncpg
import numpy as np
import pytest

from exchange.io.clock import ManualClock
from exchange.io.errors import Corrupt
from exchange.io.index_check import index_findings, rebuild
from exchange.io.index_child import publish_in_child
from exchange.io.index_publish import publish
from exchange.io.index_store import AlreadySaid, DayIsFinal, PostgresIndex, Said
from exchange.io.observations import Batch, PostgresObservations
from exchange.rules.index.prints import Step, cutoff_ns, final_ns, published_ns
from exchange.rules.records import Contract
from exchange.services.index_keeper import IndexKeeper
from matching.codes import Kind, TradingState
from tests.support.index_offers import FIRST, USD, daily, days, draft, steady

FILE = Batch(via="file", name="test.csv")
GLB, USE = "H100-GLB", "H100-USE"
MINUTE_NS = 60 * 10**9


async def record(pool, drafts):
    await PostgresObservations(pool).record(sorted(drafts, key=lambda one: one.ts_ns), FILE)


async def go(pool, now_ns):
    async with pool.acquire() as connection:
        return await publish(connection, now_ns)


async def again(pool, first=None):
    async with pool.acquire() as connection:
        return await rebuild(connection, first)


async def findings(pool):
    async with pool.acquire() as connection:
        return await index_findings(connection)


async def change(database, table, statement, *values):
    """Do what nobody may."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    await owner.execute(statement, *values)
    await owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
    await owner.close()


async def test_INDX_013_a_day_is_provisional_at_half_past_midnight_and_final_at_noon(pool):
    await record(pool, daily(steady(6, 3)))
    store, day = PostgresIndex(pool), FIRST
    assert (await go(pool, published_ns(day) - 1)).prints == 0
    assert (await go(pool, published_ns(day))).prints == 2  # GLB and USE
    assert (await go(pool, published_ns(day) + MINUTE_NS)).prints == 0
    (row,) = await store.prints(GLB, day, day)
    assert (row.print.state, row.print.revision, row.is_final) == ("provisional", 1, False)
    await record(pool, [draft("late", USD, ts_ns=cutoff_ns(day) - 1)])
    assert (await go(pool, final_ns(day))).prints == 2
    (row,) = await store.prints(GLB, day, day)
    assert (row.print.state, row.print.revision, row.is_final) == ("final", 2, True)
    assert row.print.explanation["providers"] == 7  # the late one came in time
    explained = await store.explained(GLB, day)
    assert [one.print.state for one in explained.revisions] == ["provisional", "final"]
    assert len(explained.document["offers"]) == 7
    assert (await again(pool)).findings == [] == await findings(pool)


async def test_who_was_away_for_days_publishes_all_of_them_final_and_in_order(pool):
    await record(pool, daily(steady(6, 5)))
    done = await go(pool, published_ns(days(5)[4]))
    assert (done.first, done.last, done.prints) == ("2026-03-01", "2026-03-05", 10)
    rows = await PostgresIndex(pool).prints(USE, FIRST, days(5)[4])
    assert [row.print.state for row in rows] == ["final"] * 4 + ["provisional"]
    newest = await PostgresIndex(pool).newest(USE, before=days(5)[4], limit=2)
    assert [row.day for row in newest] == [days(5)[3], days(5)[2]]


async def test_killed_while_it_publishes_it_is_as_if_it_never_began(pool, monkeypatch):
    await record(pool, daily(steady(6, 3)))

    async def killed(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("exchange.io.index_publish.IndexWriter.add_errata", killed)
        with pytest.raises(RuntimeError):
            await go(pool, final_ns(days(3)[2]))
    assert await PostgresIndex(pool).latest() == []
    assert (await go(pool, final_ns(days(3)[2]))).prints == 6
    assert (await again(pool)).compared == 6


async def test_INDX_014_one_changed_observation_is_located(database, pool):
    await record(pool, daily(steady(6, 4)))
    await go(pool, final_ns(days(4)[3]))
    assert (await again(pool)).findings == []
    statement = "UPDATE observation SET price_usd_micros = price_usd_micros + 1 WHERE number = 15"
    await change(database, "observation", statement)
    found = (await again(pool)).findings
    named = [one for one in found if "observation 15" in one.place]
    assert [one.field for one in named[:1]] == ["usd_micros"]
    assert "2026-03-03" in named[0].place
    assert (await again(pool, first=days(4)[3])).compared == 2
    with pytest.raises(Corrupt, match="does not follow"):
        await go(pool, final_ns(days(5)[4]))


async def test_INDX_014_one_changed_print_breaks_the_chain_at_its_place(database, pool):
    await record(pool, daily(steady(6, 3)))
    await go(pool, final_ns(days(3)[2]))
    assert await findings(pool) == []
    statement = "UPDATE index_print SET price_usd_micros = price_usd_micros + 1 WHERE position = 3"
    await change(database, "index_print", statement)
    (finding,) = await findings(pool)
    assert finding.place.startswith("print 3:")
    assert [one.field for one in (await again(pool)).findings] == ["price_usd_micros"]
    await change(database, "index_panel", "UPDATE index_panel SET document = '{}'")
    assert {one.table for one in await findings(pool)} == {"index_print", "index_panel"}


async def test_INDX_015_late_observations_become_errata_and_change_no_print(pool):
    await record(pool, daily(steady(6, 3)))
    await go(pool, final_ns(days(3)[2]))
    store = PostgresIndex(pool)
    before = await store.prints(GLB, FIRST, days(3)[2])
    await record(pool, [draft(f"late{at}", 1_900_000, days(2)[1]) for at in range(4)])
    assert (await go(pool, final_ns(days(3)[2]) + MINUTE_NS)).errata > 0
    assert (await go(pool, final_ns(days(3)[2]) + 2 * MINUTE_NS)).errata == 0
    assert await store.prints(GLB, FIRST, days(3)[2]) == before
    errata = await store.errata()
    assert {one.day for one in errata} == {days(2)[1], days(3)[2]}
    first = errata[-1]
    assert first.corrected_usd_micros < first.published_usd_micros == before[1].price_usd_micros
    assert (await again(pool)).findings == []


def said(day: date, **more) -> Said:
    values = {"name": GLB, "day": day, "price_usd_micros": 2_500_000, "reason": "two brokers said",
              "said_by": "alice"}  # fmt: skip
    return Said(**(values | more))


async def test_INDX_016_two_operators_decide_a_day_without_a_quorum_until_it_is_final(pool):
    await record(pool, daily(steady(6, 1)))
    day = days(12)[11]
    await go(pool, published_ns(day))
    store = PostgresIndex(pool)
    assert await store.say(said(day)) == 1 == await store.say(said(day))
    with pytest.raises(AlreadySaid):
        await store.say(said(day, price_usd_micros=2_600_000))
    assert await store.say(said(day, said_by="bob", price_usd_micros=2_400_000)) == 1
    assert await store.say(said(day, said_by="carol")) == 2
    with pytest.raises(DayIsFinal):
        await store.say(said(days(12)[10]))
    await go(pool, final_ns(day))
    (row,) = await store.prints(GLB, day, day)
    assert (row.print.step, row.price_usd_micros) == (Step.COMMITTEE, 2_500_000)
    (use,) = await store.prints(USE, day, day)
    assert use.print.step == Step.MEAN
    assert (await again(pool)).findings == []


async def test_nobody_changes_what_was_published(database, pool):
    await record(pool, daily(steady(6, 1)))
    await go(pool, final_ns(FIRST))
    owner = await asyncpg.connect(database.owner_url)
    for table in ("index_print", "index_panel", "index_committee", "index_erratum"):
        for door in (pool, owner):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await door.execute(f"DELETE FROM {table}")
    await owner.close()


async def test_the_child_process_publishes_the_same(database, pool):
    await record(pool, daily(steady(6, 2)))
    done = await publish_in_child(database, final_ns(days(2)[1]))
    assert done.prints == 4
    assert (await again(pool)).findings == []


def contract(idx: int, symbol: str, state: int = TradingState.CONTINUOUS) -> Contract:
    found = Contract(idx, symbol)
    found.state = state
    return found


def keeper_of(pool, clock, contracts, publishes=True):
    sent: list[np.ndarray] = []

    async def send(rows):
        sent.append(rows)
        for row in rows:
            contracts[row["contract_idx"]].index_ticks = int(row["price_ticks"])

    async def publish_now(now_ns):
        return await go(pool, now_ns)

    mirror = SimpleNamespace(contracts=contracts)
    keeper = IndexKeeper(
        PostgresIndex(pool), mirror, send, clock, publish_now if publishes else None
    )
    return keeper, sent


async def test_INDX_017_the_engine_is_told_each_print_once_and_none_without_a_quorum(pool):
    await record(pool, daily(steady(6, 2)))
    contracts = [
        contract(0, "H100-USE-2026M04"),
        contract(1, "H200-USE-2026M04"),
        contract(2, "H100-USE-2026M03", TradingState.EXPIRED),
        contract(3, "H100-USE-2026M04/2026M05"),
    ]
    clock = ManualClock(published_ns(FIRST))
    keeper, sent = keeper_of(pool, clock, contracts)
    await keeper.step()
    assert sent == []  # the first observations may still be coming in
    await keeper.step()
    (rows,) = sent
    told = [(row["kind"], row["contract_idx"], row["price_ticks"]) for row in rows]
    assert told == [(Kind.SET_INDEX, 0, 2_125)]
    await keeper.step()
    assert len(sent) == 1
    other, sent_by_other = keeper_of(pool, clock, contracts, publishes=False)
    await other.step()
    assert sent_by_other == []  # a second keeper, or the same one after a restart

    # Eleven days later nobody has spoken for a week: the print says so, the engine hears nothing.
    contracts[0].index_ticks = 0
    clock.advance(final_ns(FIRST + timedelta(days=12)) - clock.now_ns())
    await keeper.step()
    (row,) = await PostgresIndex(pool).prints(USE, days(13)[12], days(13)[12])
    assert (row.print.step, row.print.has_quorum) == (Step.MEAN, False)
    assert len(sent) == 1
