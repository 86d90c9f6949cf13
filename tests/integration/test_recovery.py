"""Recovery: snapshot and tail, damage skipped or named, the same state in the end."""

import itertools

import asyncpg
import pytest

from exchange.io.errors import Corrupt, EngineHashMismatch
from exchange.io.journal_postgres import PostgresJournalReader
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.services.recovery import Recovery
from exchange.services.sequencer import Cadence
from tests.support.leader import Leader, leader
from tests.support.market import opening, orders, restore_small


async def trade(house: Leader, seed: int, count: int) -> None:
    """Send orders in small pieces and wait until all are committed, and states recorded."""
    stream = orders(seed)
    sent = house.status.seq
    for _ in range(count // 10):
        for row in itertools.islice(stream, 10):
            await house.bus.send(row)
        sent += 10
        while house.status.journal_seq < sent:
            await house.sleep()
        if (recording := house.sequencer._recording) is not None:
            await recording  # while it is still written, the next state that is due is put off


@pytest.fixture
async def filled(database, pool):
    """Give a journal of 509 commands with snapshots on the way, and its last state's hash."""
    async with leader(database, pool, Cadence(snapshot_commands=100, hash_commands=50)) as house:
        await house.bus.send(opening())
        while house.status.journal_seq < 9:
            await house.sleep()
        await trade(house, 5, 500)
        state_hash = house.core.state_hash()
    return state_hash


async def recovered(pool, told=None) -> Recovery:
    progress = (lambda *args: told.append(args)) if told is not None else (lambda *args: None)
    recovery = Recovery(PostgresJournalReader(pool), Snapshots(pool), restore_small, progress)
    await recovery.run()
    return recovery


async def as_owner(database, statement: str) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute(statement)
    await connection.close()


async def test_a_clean_stop_leaves_a_snapshot_of_the_end(filled, pool):
    recovery = await recovered(pool)
    assert recovery.snapshot is not None and recovery.snapshot.seq == 509
    assert recovery.core.state_hash() == filled


async def test_old_snapshots_are_forgotten(filled, pool):
    assert await pool.fetchval("SELECT count(*) FROM snapshot") == 3


async def test_without_snapshots_the_whole_journal_is_replayed_with_progress(filled, pool):
    await pool.execute("DELETE FROM snapshot")
    told: list = []
    recovery = await recovered(pool, told)
    assert recovery.core.state_hash() == filled
    assert told[-1] == (509, 509)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot_part SET bytes = set_byte(bytes, 30, 255 - get_byte(bytes, 30))"
        " WHERE seq = 509",
        "DELETE FROM snapshot_part WHERE seq = 509",
        "UPDATE snapshot SET state_hash = state_hash || 'x' WHERE seq = 509",
        "UPDATE snapshot SET journal_checksum = blob_checksum WHERE seq = 509",
        "UPDATE snapshot SET engine_version = 'other'",
    ],
)
async def test_a_damaged_snapshot_is_skipped(filled, database, pool, damage):
    await as_owner(database, damage)
    recovery = await recovered(pool)
    assert recovery.snapshot is None or recovery.snapshot.seq < 509
    assert recovery.core.state_hash() == filled


async def test_a_snapshot_ahead_of_the_journal_is_not_used(filled, database, pool):
    await as_owner(database, "DELETE FROM journal_batch WHERE first_seq > 400")
    recovery = await recovered(pool)
    assert recovery.core.last_seq <= 409


async def test_a_wrong_recorded_state_is_named(filled, database, pool):
    await pool.execute("DELETE FROM snapshot")
    seq = await pool.fetchval("SELECT min(seq) FROM state_hash")
    await as_owner(database, f"UPDATE state_hash SET hash = 'wrong' WHERE seq = {seq}")
    with pytest.raises(EngineHashMismatch, match=f"after command {seq} "):
        await recovered(pool)


async def test_states_recorded_in_another_form_are_left_alone(filled, database, pool):
    """After an upgrade: neither snapshots nor hashes can be compared, the journal can."""
    await as_owner(database, "UPDATE snapshot SET engine_version = 'other'")
    await as_owner(database, "UPDATE state_hash SET engine_version = 'other', hash = 'wrong'")
    recovery = await recovered(pool)
    assert recovery.snapshot is None and recovery.core.state_hash() == filled


async def test_events_that_do_not_follow_are_named(filled, pool):
    """As if the rules had changed since the journal was written."""
    await pool.execute("DELETE FROM snapshot")

    class Changed:
        def __init__(self) -> None:
            self.engine = restore_small(None)

        def __getattr__(self, name):
            return getattr(self.engine, name)

        def apply(self, commands):
            events = self.engine.apply(commands)
            events["qty_lots"][events["seq"] == 77] += 1
            return events

    with pytest.raises(EngineHashMismatch, match="command 77 "):
        await Recovery(PostgresJournalReader(pool), None, lambda blob: Changed()).run()


async def test_a_core_that_fails_on_replay_halts_with_the_place(filled, pool):
    class Broken:
        def __init__(self) -> None:
            self.engine = restore_small(None)

        def __getattr__(self, name):
            return getattr(self.engine, name)

        def apply(self, commands):
            raise AssertionError("planted")

    with pytest.raises(Corrupt, match="between commands 1 and"):
        await Recovery(PostgresJournalReader(pool), None, lambda blob: Broken()).run()


async def test_running_again_replays_only_what_is_new(database, pool):
    async with leader(database, pool) as house:
        await house.bus.send(opening())
        while house.status.journal_seq < 9:
            await house.sleep()
        standby = await recovered(pool)
        assert standby.core.last_seq == 9
        await trade(house, 1, 20)
        await standby.run()
        assert standby.core.state_hash() == house.core.state_hash()


async def test_state_and_notes_come_back_as_they_were(pool):
    snapshots = Snapshots(pool)
    blob = bytes(range(256)) * 9000  # more than one part
    kept = Snapshot(seq=3, blob=blob * 3, state_hash=b"h", journal_checksum=b"c", notes=b"notes")
    await snapshots.write(kept)
    await snapshots.write(kept)
    assert [found async for found in snapshots.newest()] == [kept]
    assert [found async for found in snapshots.newest(2)] == []
