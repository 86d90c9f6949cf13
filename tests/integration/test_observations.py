"""Observations in Postgres: recorded once, never changed, and every change is found."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from exchange.io.errors import Invalid
from exchange.io.observation_check import bundle_lines, check_bundle, check_store
from exchange.io.observation_files import import_lines, import_shipped
from exchange.io.observations import Batch, PostgresObservations, Signed, SubmissionRepeated
from exchange.rules.observation_rows import Given, read_row
from exchange.rules.observations import FIRST, Head, breaks

NOW_NS = 1_795_000_000_000_000_000
GIVEN = Given(now_ns=NOW_NS, source="test", licence="MIT")
FILE = Batch(via="file", name="test.csv")
HEADER = "date,provider,region,sku,gpus_per_instance,usd_per_gpu_hour,kind\n"
TABLES = (
    "observation",
    "observation_batch",
    "observation_quarantine",
    "observation_provider",
    "observation_provider_end",
)


def rows(count, **change):
    return [
        read_row({"date": "2026-08-22", "provider": f"p{at}", "region": "us-east1",
                  "sku": "H100-SXM", "usd_per_gpu_hour": "2.5", "kind": "offer", **change}, GIVEN)
        for at in range(count)
    ]  # fmt: skip


async def findings(pool, known=None):
    async with pool.acquire() as connection:
        return (await check_store(connection, known)).findings


async def test_the_shipped_prices_are_recorded_once_and_make_one_chain(pool):
    store = PostgresObservations(pool)
    first = await import_shipped(store, NOW_NS)
    head = await store.head()
    again = await import_shipped(store, NOW_NS)
    assert (first.accepted, first.duplicates, first.quarantined) == (6113, 0, 4787)
    assert (again.accepted, again.duplicates, again.quarantined) == (0, 6113, 4787)
    assert await store.head() == head
    assert await store.reasons() == {"sku_unknown": 4787}
    chain = [row async for row in store.all_rows()]
    assert len(chain) == head.number == 6113 and list(breaks(chain)) == []
    # Another machine that imports the same data gets the same digest.
    assert head.digest.hex().startswith("0363f6ce753aa44b7761fb82")  # see docs/observations.md
    assert await findings(pool, head) == []
    lines = list(bundle_lines(head, chain))
    report = check_bundle(lines, Head(17, chain[16].digest))
    assert (report.head, report.findings) == (head, [])


async def test_each_row_is_answered_and_nothing_is_dropped(pool):
    store = PostgresObservations(pool)
    table = HEADER + (
        "2026-08-22,gcp,us-east1,H100-SXM,8,2.5,on-demand\n"
        "2026-08-22,gcp,us-east1,H100-SXM,8,2.5,on-demand\n"  # the same
        "2026-08-22,gcp,us-east1,H100-SXM,8,2.6,on-demand\n"  # another price of the same moment
        "2026-08-22,gcp,us-east1,H100-SXM,8,2.5,on-demand,too,many\n"
        "2026-08-22,\udcff,us-east1,H100-SXM,8,2.5,on-demand\n"
        "2026-08-22,gcp,us-east1,H100-SXM,8,-1,on-demand\n"
        "2026-08-22,gcp\n"
    )
    found = await import_lines(store, table.splitlines(keepends=True), GIVEN, FILE)
    assert (found.accepted, found.duplicates, found.quarantined) == (1, 1, 5)
    assert await store.reasons() == {
        "contradicts": 1, "not_a_row": 1, "text_invalid": 1, "price_not_positive": 1,
        "field_missing": 1,
    }  # fmt: skip
    raw = {row.reason: row.raw for row in await store.quarantine()}
    assert '"rest": ["too", "many"]' in raw["not_a_row"]
    assert "\\udcff" in raw["text_invalid"]
    assert await findings(pool) == []


async def test_a_file_that_is_no_table_is_refused_whole(pool):
    store = PostgresObservations(pool)
    for table in ("", "a,b\n1,2\n", HEADER.replace("date,", ""), HEADER.replace("kind", "date")):
        with pytest.raises(Invalid):
            await import_lines(store, table.splitlines(), GIVEN, FILE)
    assert (await store.head()).number == 0


async def test_two_writers_at_once_make_one_chain(pool):
    store = PostgresObservations(pool)
    halves = [rows(30), rows(30, region="us-west1"), rows(30)]
    answers = await asyncio.gather(*(store.record(half, FILE) for half in halves))
    accepted = [one.number for some in answers for one in some if one.status == "accepted"]
    assert sorted(accepted) == list(range(1, 61))
    assert await findings(pool) == []


async def test_rows_of_a_batch_that_fails_are_not_there(pool):
    store = PostgresObservations(pool)
    await store.record(rows(2), FILE)
    with pytest.raises(asyncpg.CheckViolationError):
        await store.record(rows(3, region="us-west1"), replace(FILE, via="rumour"))
    assert (await store.head()).number == 2
    assert await findings(pool) == []


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_changes_what_was_recorded(database, pool, table):
    await PostgresObservations(pool).record(rows(2), FILE)
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await pool.execute(statement)
        owner = await database.connect_owner()
        await owner.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
        await owner.close()


async def test_the_database_takes_no_row_that_does_not_continue_the_chain(pool):
    await PostgresObservations(pool).record(rows(2), FILE)
    copied = (
        "INSERT INTO observation SELECT {number}, provider || 'x', region, sku, hub, grade,"
        " size_gpus, price_usd_micros, kind, ts_ns, source, licence, digest, term_months, instance"
        " FROM observation WHERE number = 2"
    )
    for number in (3, 5):
        with pytest.raises(asyncpg.CheckViolationError, match="does not continue"):
            await pool.execute(copied.format(number=number))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE observation SET price_usd_micros = 1 WHERE number = 3",
         [("number 3", "content")]),
        ("UPDATE observation SET digest = sha256('x') WHERE number = 3",
         [("number 3", "digest")]),
        ("DELETE FROM observation WHERE number = 3",
         [("number 3", "row"), ("all", "accepted_count of all")]),
        ("UPDATE observation_batch SET first_number = 2", [("batch 1", "first_number")]),
        ("DELETE FROM observation_quarantine", [("batch 1", "quarantined_count")]),
    ],
)  # fmt: skip
async def test_one_changed_row_is_located(database, pool, change, found):
    mixed = [*rows(5), *rows(1, sku="L4")]
    await PostgresObservations(pool).record(mixed, FILE)
    owner = await database.connect_owner()
    for table in TABLES[:3]:
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    await owner.execute(change)
    await owner.close()
    assert [(one.place, one.field) for one in await findings(pool)] == found


async def test_a_chain_that_was_written_anew_is_not_the_one_that_somebody_kept(pool):
    store = PostgresObservations(pool)
    await store.record(rows(3), FILE)
    head = await store.head()
    assert await findings(pool, head) == []
    for known in (Head(2, head.digest), Head(9, head.digest), Head(0, FIRST[:-1] + b"x")):
        (one,) = await findings(pool, known)
        assert one.field == "kept head"


async def test_a_submission_is_recorded_once_and_its_signature_is_checked(pool):
    store = PostgresObservations(pool)
    await pool.execute(
        "INSERT INTO observation_provider VALUES ('wp_aaaaaaaaaaaaaaaa', 'p0', $1, 'own', 'x')",
        bytes(32),
    )
    batch = Batch(via="submission", name="p0",
                  signed=Signed("wp_aaaaaaaaaaaaaaaa", b"said", bytes(64)))  # fmt: skip
    await store.record(rows(1), batch)
    with pytest.raises(SubmissionRepeated):
        await store.record(rows(2), batch)
    assert (await store.head()).number == 1
    (one,) = await findings(pool)
    assert (one.table, one.field, one.found) == ("observation_batch", "signature", "of nobody")
