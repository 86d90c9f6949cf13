"""The journal in Postgres: durable, chained, fenced, and sure about lost answers."""

import asyncio

import asyncpg
import pytest

from exchange.io.db import Database
from exchange.io.errors import (
    Corrupt,
    EpochLost,
    JournalDamaged,
    JournalGap,
    JournalUnavailable,
)
from exchange.io.journal_postgres import PostgresJournal, PostgresJournalReader
from exchange.io.leader import Leadership
from tests.support.batches import batch, same
from tests.support.waiting import until_locked_out


@pytest.fixture
async def journal(database: Database, pool: asyncpg.Pool):
    journal = PostgresJournal(pool, database, await Leadership(pool, "test").take())
    await journal.open()
    yield journal
    await journal.close()


async def as_owner(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute(statement)
    await connection.close()


async def fill(journal: PostgresJournal, counts: list[int]) -> list:
    batches, seq = [], 1
    for count in counts:
        batches.append(batch(seq, count))
        await journal.append(batches[-1])
        seq += count
    return batches


async def read(pool: asyncpg.Pool, after_seq: int = 0, until_seq: int | None = None) -> list:
    return [b async for b in PostgresJournalReader(pool).read(after_seq, until_seq)]


async def test_batches_are_read_as_they_were_written(journal, pool):
    written = await fill(journal, [1, 3, 4096, 2])
    got = await read(pool)
    assert [same(a, b) for a, b in zip(written, got, strict=True)] == [True] * 4
    assert await journal.head() == 4102


async def test_an_empty_journal_reads_as_nothing(journal, pool):
    assert await read(pool) == []
    assert await journal.head() == 0


async def test_reading_starts_and_ends_with_whole_batches(journal, pool):
    await fill(journal, [2, 3, 4])
    assert [b.first_seq for b in await read(pool, 2)] == [3, 6]
    assert [b.first_seq for b in await read(pool, 3)] == [3, 6]
    assert [b.first_seq for b in await read(pool, 0, 5)] == [1, 3]
    assert await read(pool, 9) == []


async def test_many_pages_are_read_in_order(journal, pool):
    await fill(journal, [1] * 70)
    assert [b.first_seq for b in await read(pool)] == list(range(1, 71))


async def test_a_batch_that_does_not_follow_is_not_written(journal):
    with pytest.raises(JournalGap):
        await journal.append(batch(2))


async def test_a_paused_old_leader_cannot_write(journal, database, pool):
    await fill(journal, [1])
    new = PostgresJournal(pool, database, await Leadership(pool, "other").take())
    assert await new.open() == 1
    with pytest.raises(EpochLost):
        await journal.append(batch(2))
    await new.append(batch(2))
    await new.close()


async def test_a_new_leader_waits_for_a_commit_under_way(journal, database, pool):
    """Else it would read a head to which the old leader still adds."""
    slow = await database.connect()
    transaction = slow.transaction()
    await transaction.start()
    journal._connection, journal._insert = slow, await slow.prepare(_append_sql())
    await journal.append(batch(1))  # inside the open transaction: not committed
    taking = asyncio.create_task(Leadership(pool, "other").take())
    await until_locked_out(pool)
    assert not taking.done()
    await transaction.commit()
    await taking
    assert await PostgresJournalReader(pool).head() == 1


async def test_an_old_leader_that_wrote_where_the_new_one_writes_is_told(journal, database, pool):
    epoch = await Leadership(pool, "other").take()
    new = PostgresJournal(pool, database, epoch)
    await new.open()
    await new.append(batch(1))
    journal._in_doubt = True
    with pytest.raises(EpochLost):
        await journal.append(batch(1))
    await new.close()


async def test_a_commit_whose_answer_was_lost_is_found(journal, pool):
    await fill(journal, [1])
    before = journal.last_seq, journal.checksum
    await journal.append(batch(2, 5))
    journal._last_seq, journal._checksum = before  # as if the answer had not come
    journal._in_doubt = True
    await journal.append(batch(2, 5))
    await journal.append(batch(7))
    assert [b.first_seq for b in await read(pool)] == [1, 2, 7]


async def test_a_commit_still_under_way_when_it_is_sent_again_counts_once(journal, database, pool):
    hanging = await database.connect()
    transaction = hanging.transaction()
    await transaction.start()
    again = PostgresJournal(pool, database, journal._epoch)
    await again.open()
    journal._connection, journal._insert = hanging, await hanging.prepare(_append_sql())
    await journal.append(batch(1))
    second = asyncio.create_task(again.append(batch(1)))
    await until_locked_out(pool)
    await transaction.commit()
    await second
    assert len(await read(pool)) == 1
    await again.close()


async def test_two_different_batches_at_one_place_are_a_bug_that_is_named(journal):
    await journal.append(batch(1))
    journal._last_seq, journal._checksum, journal._in_doubt = 0, bytes(32), True
    with pytest.raises(Corrupt):
        await journal.append(batch(1, ts_ns=77))


async def test_a_connection_lost_in_a_commit_is_unavailable_then_heals(journal, database, pool):
    await fill(journal, [1])
    pid = journal._connection.get_server_pid()
    owner = await asyncpg.connect(database.owner_url)
    async with owner.transaction():
        await owner.execute("LOCK TABLE journal_batch IN EXCLUSIVE MODE")
        appending = asyncio.create_task(journal.append(batch(2)))
        assert await until_locked_out(pool) == pid
        await owner.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
        with pytest.raises(JournalUnavailable):
            await appending
    await owner.close()
    await journal.append(batch(2))
    assert len(await read(pool)) == 2


async def test_an_idle_connection_that_was_lost_is_made_again(journal, postgres, pool):
    await fill(journal, [1])
    pid = journal._connection.get_server_pid()
    await postgres.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
    await journal.append(batch(2))
    assert len(await read(pool)) == 2


@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE", "UPDATE"])
async def test_the_application_may_not_change_the_journal(journal, pool, verb):
    await fill(journal, [1])
    for table in ("journal_batch", "state_hash"):
        statement = f"{verb} {table}" + (" SET epoch = 9" if verb == "UPDATE" else "")
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedColumnError)):
            await pool.execute(statement)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("SET events = set_byte(events, 5, 1 - get_byte(events, 5))", "commands 2 to 4"),
        ("SET commands = set_byte(commands, 200, 7)", "commands 2 to 4"),
        ("SET checksum = set_byte(checksum, 0, 255 - get_byte(checksum, 0))", "commands 2 to 4"),
        ("SET epoch = 77", "commands 2 to 4"),
        ("SET commands = set_byte(commands, 0, 9)", "numbers its commands wrongly"),
        ("SET events = events || bytea 'x'", "whole rows"),
        ("SET ts_ns = 5", "time"),
        ("SET count = count + 1", "miscounts"),
        ("SET count = 0, commands = ''", "miscounts"),
        ("SET commands = commands || commands", "miscounts"),
        ("SET events = ''", "commands 2 to 4"),
        ("SET events = substr(events, 65)", "commands 2 to 4"),
        ("SET checksum = ''", "commands 2 to 4"),
    ],
)
async def test_a_changed_row_is_found_and_named(journal, database, pool, damage, message):
    await fill(journal, [1, 3, 1])
    await as_owner(database, f"UPDATE journal_batch {damage} WHERE first_seq = 2")
    with pytest.raises(JournalDamaged, match=message):
        await read(pool)


async def test_no_expression_is_computed_for_each_insert(database):
    owner = await database.connect_owner()
    find = "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'"
    assert await owner.fetch(find, "journal_batch") == []
    await owner.close()


async def test_a_removed_row_is_found_and_named(journal, database, pool):
    await fill(journal, [1, 3, 1])
    await as_owner(database, "DELETE FROM journal_batch WHERE first_seq = 2")
    with pytest.raises(JournalGap, match="commands 2 to 4"):
        await read(pool)


async def test_two_rows_exchanged_are_found(journal, database, pool):
    await fill(journal, [1, 1, 1, 1])
    swap = "UPDATE journal_batch SET first_seq = {} WHERE first_seq = {}"
    for one, other in ((99, 2), (2, 3), (3, 99)):
        await as_owner(database, swap.format(one, other))
    with pytest.raises(JournalDamaged):
        await read(pool)


async def test_a_reader_ahead_of_the_journal_is_told(journal, pool):
    await fill(journal, [1])
    with pytest.raises(JournalGap, match="ends at command 1"):
        await read(pool, 5)


async def test_a_recorded_hash_comes_with_its_batch(journal, pool):
    await fill(journal, [2, 2])
    await journal.record_hash(2, b"h" * 16)
    await journal.record_hash(2, b"x" * 16)  # the first stays
    assert [b.state_hash for b in await read(pool)] == [b"h" * 16, None]


def _append_sql() -> str:
    from exchange.io.db import queries

    return queries("journal")["append"]
