"""Surveillance over a real journal: each alert once, whatever happens to it in between."""

import asyncio

import asyncpg
import pytest

from exchange.io.alerts import JOURNAL, Alerts
from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.errors import Conflict
from exchange.io.observations import Batch as Arrival
from exchange.io.observations import PostgresObservations
from exchange.io.registry_accounts import PostgresAccounts
from exchange.rules.observations import Draft
from exchange.rules.surveillance import Alert, Pattern
from exchange.services.surveillance import Surveillance
from matching.codes import Kind, Side
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.rows import SECOND_NS, command
from tests.support.waiting import PATIENCE_S

DAY_NS = 24 * 3600 * SECOND_NS
NOW_NS = 20_500 * DAY_NS


def place(account_idx: int, side: Side) -> "command":
    return command(
        Kind.PLACE, account_idx=account_idx, side=side, price_ticks=2_000, qty_lots=3, stp=1
    )


def washes(flow: Flow, count: int) -> list[Batch]:
    """Return batches in which account 0 sells to account 1, one a minute and a half."""
    return [
        flow.batch([place(0, Side.SELL), place(1, Side.BUY)], 90 * SECOND_NS) for _ in range(count)
    ]


async def watch(database: Database, until_seq: int, now_ns: int = NOW_NS) -> None:
    """Watch until a command was read, and once all that was submitted."""
    stop = asyncio.Event()

    def read(seq: int) -> None:
        if seq >= until_seq:
            stop.set()

    watching = Surveillance(database, now_ns=lambda: now_ns, on_read=read)
    await asyncio.wait_for(watching.run(stop), PATIENCE_S)


async def store_of(database: Database) -> Alerts:
    return Alerts(await database.pool(size_max=1))


async def own(database: Database, *names: str) -> None:
    """Register accounts, the first ones of the engine."""
    accounts = PostgresAccounts(await database.pool(size_max=1))
    for place_, name in enumerate(names):
        await accounts.create(account_id=f"a{place_}", name=name)


async def test_alerts_are_written_once_though_it_is_killed_and_started_again(database: Database):
    await own(database, "crook", "crook", "maker")
    flow = Flow(3)
    first = [flow.opening(), *washes(flow, 5)]
    await keep(database, first)
    store = await store_of(database)
    await watch(database, first[-1].last_seq)
    found = await store.alerts()
    assert len(found) == 5 and {row.pattern for row in found} == {"wash_trade"}
    assert found[0].subject == "crook" and found[0].seqs == [first[-1].last_seq]
    await watch(database, first[-1].last_seq)  # nothing new: nothing written
    await keep(database, washes(flow, 2))
    await watch(database, flow.seq)
    assert len(await store.alerts()) == 7
    assert (await store.places())[JOURNAL] == flow.seq


async def test_of_two_that_watch_one_writes(database: Database):
    store = await store_of(database)
    alert = Alert(
        pattern=Pattern.WASH_TRADE, subject="x", contract_idx=0, seqs=(4,), first_ns=1, last_ns=2
    )
    await store.write(JOURNAL, 0, 5, [alert])
    with pytest.raises(Conflict):
        await store.write(JOURNAL, 0, 5, [alert])
    await store.write(JOURNAL, 5, 6, [alert])  # the same commands raise the same alert
    assert len(await store.alerts()) == 1


async def test_what_was_written_stays(database: Database):
    store = await store_of(database)
    alert = Alert(
        pattern=Pattern.LAYERING, subject="x", contract_idx=0, seqs=(4,), first_ns=1, last_ns=2
    )
    await store.write(JOURNAL, 0, 5, [alert])
    (row,) = await store.alerts()
    assert await store.note(row.alert_id, "escalated", "told the regulator", "key")
    assert not await store.note(row.alert_id + 1, "escalated", "nobody", "key")
    assert [one.status for one in await store.alerts(status="escalated")] == ["escalated"]
    connection = await database.connect()
    for statement in ("UPDATE alert SET subject = 'y'", "DELETE FROM alert_note"):
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(statement)


def offer(provider: str, usd_micros: int, ts_ns: int = NOW_NS) -> Draft:
    return Draft(
        provider=provider, region="us-east4", sku="H100-SXM", hub="USE", grade="N", size_gpus=8,
        price_usd_micros=usd_micros, kind="offer", ts_ns=ts_ns, source="test", licence="test",
    )  # fmt: skip


async def test_a_submission_far_from_all_others_is_told(database: Database):
    observations = PostgresObservations(await database.pool(size_max=2))
    rows = [offer(f"p{n}", 2_000_000 + n) for n in range(5)] + [offer("far", 4_000_000)]
    old = [offer("history", 9_000_000, NOW_NS - 9 * DAY_NS)]
    await observations.record(old + rows, Arrival(via="file", name="test"))
    await watch(database, 0)
    (row,) = await (await store_of(database)).alerts()
    assert (row.pattern, row.subject, row.symbol) == ("submission_outlier", "far", None)
    assert row.figures["others"] == 5 or row.figures["others"] == 6
