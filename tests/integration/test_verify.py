"""Verification: silent on what is sound, and exact about each piece of damage."""

import asyncio

import asyncpg
import pytest

from exchange.io.db import Database
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.ledger import Ledger
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.rules.clearing_house import ClearingHouse
from exchange.services.verify import Report, verify
from exchange.services.verify.guards import GUARDS
from tests.support.flow import Flow
from tests.support.market import restore_small, small_engine
from tests.support.tables import CLEARED

TABLES = (*CLEARED, "journal_batch", "state_hash", "snapshot", "snapshot_part")
BATCHES = 80
CLEARED_BATCHES = 70


@pytest.fixture(scope="module")
def sound(postgres):
    """Give the name of a database with a journal, hashes, snapshots, ledger and views."""
    database = asyncio.run(postgres.fresh())
    asyncio.run(fill(database))
    yield database.owner_url.partition("?")[0].rpartition("/")[2]
    asyncio.run(postgres.drop(database))


@pytest.fixture
async def copy(postgres, sound):
    """Give a copy of it."""
    name = f"{sound}_copy"
    await postgres.execute(f"CREATE DATABASE {name} TEMPLATE {sound}")
    database = Database(postgres.database(name), postgres.database(name, "wellhead_app"), None)
    yield database
    await postgres.drop(database)


async def fill(database: Database) -> None:
    """Write what an engine, its sequencer and clearing leave behind."""
    pool = await database.pool(size_max=2)
    journal = PostgresJournal(pool, database, await Leadership(pool, "test").take())
    await journal.open()
    flow, house = Flow(61, engine=small_engine(), combinations=True), ClearingHouse()
    engine, snapshots = flow.engine, Snapshots(pool)
    connection = await database.connect()
    for number, batch in enumerate(flow.batches(BATCHES)):
        await journal.append(batch)
        if number % 20 == 15:
            await journal.record_hash(batch.last_seq, engine.state_hash())
        if number in (30, 60):
            saved = Snapshot(
                seq=batch.last_seq, blob=engine.save(), state_hash=engine.state_hash(),
                journal_checksum=journal.checksum,
            )  # fmt: skip
            await snapshots.write(saved)
        if number < CLEARED_BATCHES:
            house.apply(batch.commands, batch.events)
            await Ledger(connection).write(house.take())
    await connection.close()
    await journal.close()
    await pool.close()


async def damaged(database: Database, *statements: str) -> Report:
    """Run statements as the owner, triggers off, and verify."""
    owner = await asyncpg.connect(database.owner_url)
    async with owner.transaction():
        for table in TABLES:
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            assert (await owner.execute(statement)).split()[-1] != "0", "nothing was damaged"
        for table in TABLES:
            await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for table, name in GUARDS:
            await owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    await owner.close()
    return await verify(database, restore_small)


def flip(column: str, byte: int) -> str:
    """Return SQL for a column with one bit of one byte changed."""
    return f"set_byte({column}, {byte}, get_byte({column}, {byte}) # 1)"


def named(report: Report) -> set[tuple[str, str]]:
    return {(finding.table, finding.field) for finding in report.findings}


async def test_what_is_sound_is_found_sound(copy):
    told = []
    report = await verify(copy, restore_small, lambda *args: told.append(args))
    assert report.findings == []
    assert report.is_sound
    assert report.replayed_seq == report.journal_seq > report.cleared_seq > 0
    assert (report.batches, report.hashes, report.snapshots) == (BATCHES + 1, 4, 2)
    assert told[-1] == ("done", report.journal_seq, report.journal_seq)


async def test_an_empty_database_is_sound(database):
    assert (await verify(database, restore_small)).is_sound


# A batch in the middle that begins with an accepted order: byte 48 of a command is in its lots,
# byte 40 of an event in its price.
MIDDLE = (
    "first_seq = (SELECT min(first_seq) FROM journal_batch"
    " WHERE first_seq > 400 AND get_byte(commands, 16) = 20 AND get_byte(events, 8) = 20)"
)


async def test_a_flipped_byte_in_commands_is_located(copy):
    report = await damaged(
        copy, f"UPDATE journal_batch SET commands = {flip('commands', 48)} WHERE {MIDDLE}"
    )
    first = report.findings[0]
    assert not report.is_sound
    assert ("journal_batch", "commands or epoch") in named(report)
    assert first.place.startswith("command")
    assert report.replayed_seq < report.journal_seq


async def test_a_flipped_byte_in_commands_that_has_no_effect_is_located(copy):
    unused = 127  # the highest byte of request_id, of an origin that is not checked
    report = await damaged(
        copy, f"UPDATE journal_batch SET commands = {flip('commands', unused)} WHERE {MIDDLE}"
    )
    assert [(f.table, f.field) for f in report.findings] == [("journal_batch", "commands or epoch")]
    assert report.replayed_seq == report.journal_seq


async def test_a_flipped_byte_in_events_is_located_with_event_and_field(copy):
    report = await damaged(
        copy, f"UPDATE journal_batch SET events = {flip('events', 40)} WHERE {MIDDLE}"
    )
    event, row = report.findings
    assert (event.table, event.field) == ("journal_batch", "events.price_ticks")
    assert event.place.endswith("its event 0")
    assert int(event.expected) ^ 1 == int(event.found)
    assert (row.table, row.field) == ("journal_batch", "events")
    assert report.replayed_seq == report.journal_seq


@pytest.mark.parametrize(
    "where", [MIDDLE, "first_seq = 1", "first_seq = (SELECT max(first_seq) FROM snapshot)"]
)
async def test_a_flipped_byte_in_a_checksum_is_located(copy, where):
    where = where.replace(
        "max(first_seq) FROM snapshot",
        "max(first_seq) FROM journal_batch"
        " WHERE first_seq + count <= (SELECT max(seq) FROM snapshot) + 1",
    )
    report = await damaged(
        copy, f"UPDATE journal_batch SET checksum = {flip('checksum', 3)} WHERE {where}"
    )
    assert [(f.table, f.field) for f in report.findings] == [("journal_batch", "checksum")]


async def test_a_flipped_byte_in_the_last_checksum_is_located(copy):
    last = "first_seq = (SELECT max(first_seq) FROM journal_batch)"
    report = await damaged(
        copy, f"UPDATE journal_batch SET checksum = {flip('checksum', 3)} WHERE {last}"
    )
    assert [(f.table, f.field) for f in report.findings] == [
        ("journal_batch", "commands, epoch or checksum")
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("epoch = epoch + 1", "commands or epoch"),
        ("ts_ns = ts_ns + 1", "ts_ns"),
        ("events = substr(events, 1, octet_length(events) - 64)", "events"),
    ],
)
async def test_a_changed_column_of_the_journal_is_located(copy, change, field):
    report = await damaged(copy, f"UPDATE journal_batch SET {change} WHERE {MIDDLE}")
    assert ("journal_batch", field) in named(report)


async def test_a_missing_batch_is_located(copy):
    report = await damaged(copy, f"DELETE FROM journal_batch WHERE {MIDDLE}")
    gap = report.findings[0]
    assert (gap.table, gap.field, gap.found) == ("journal_batch", "row", "no row")
    assert gap.place.startswith(f"commands {report.replayed_seq + 1} to ")


async def test_a_changed_state_hash_is_located(copy):
    report = await damaged(
        copy,
        f"UPDATE state_hash SET hash = {flip('hash', 0)}"
        " WHERE seq = (SELECT max(seq) FROM state_hash)",
    )
    assert named(report) == {("state_hash", "hash")}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (f"UPDATE snapshot_part SET bytes = {flip('bytes', 200)}", ("snapshot_part", "bytes")),
        (f"UPDATE snapshot SET state_hash = {flip('state_hash', 1)}", ("snapshot", "state_hash")),
        (
            f"UPDATE snapshot SET journal_checksum = {flip('journal_checksum', 1)}",
            ("snapshot", "journal_checksum"),
        ),
        ("UPDATE snapshot SET seq = seq + 1", ("snapshot", "state_hash")),
    ],
)
async def test_a_changed_snapshot_is_located(copy, change, name):
    # Both tables have one newest seq; the foreign key is off with the other triggers.
    report = await damaged(copy, f"{change} WHERE seq = (SELECT max(seq) FROM snapshot)")
    assert name in named(report) or ("snapshot", "seq") in named(report)
    assert {f.table for f in report.findings} <= {"snapshot", "snapshot_part"}


ROW = {
    "ledger_account": "ledger_account_id = 9",
    "transfer": "transfer_id = 30",
    # A member's, of a transfer that has none of the next member: EXTRA gives it one.
    "posting": "(transfer_id, ledger_account_id) = (SELECT transfer_id, ledger_account_id"
    " FROM posting AS p WHERE transfer_id >= 30 AND ledger_account_id BETWEEN 3 AND 10"
    " AND NOT EXISTS (SELECT FROM posting AS q WHERE q.transfer_id = p.transfer_id"
    " AND q.ledger_account_id = p.ledger_account_id + 1) ORDER BY 1, 2 LIMIT 1)",
    "balance": "ledger_account_id = 6",
    "trade": "seq = (SELECT max(seq) FROM trade) AND leg = 0",
    "position_event": "(account_idx, seq, leg, side) = (SELECT account_idx, seq, leg, side"
    " FROM position_event ORDER BY seq DESC, account_idx, leg, side LIMIT 1)",
    "position": "(account_idx, contract_idx) = (3, 1)",
    "contract": "contract_idx = 2",
    "settlement": "seq = (SELECT min(seq) FROM settlement)",
    "variation": "(account_idx, seq) = (SELECT account_idx, seq FROM variation"
    " ORDER BY seq, account_idx LIMIT 1)",
    "order_history": "(account_idx, order_id) = (SELECT account_idx, order_id FROM order_history"
    " WHERE filled_lots > 0 ORDER BY order_id LIMIT 1)",
    "kline": "(contract_idx, interval_s, open_ns) = (SELECT contract_idx, interval_s, open_ns"
    " FROM kline ORDER BY open_ns DESC, interval_s, contract_idx LIMIT 1)",
    "journal_minute": "first_seq = (SELECT max(first_seq) FROM journal_minute)",
}
FIELD = {
    "ledger_account": "code = 'cash:99', account_idx = 99",
    "transfer": "ref_id = ref_id + 1",
    "posting": "amount_usd_micros = amount_usd_micros + 1",
    "balance": "balance_usd_micros = balance_usd_micros + 1",
    "trade": "price_ticks = price_ticks + 1",
    "position_event": "realised_usd_micros = realised_usd_micros + 1",
    "position": "realised_usd_micros = realised_usd_micros + 1",
    "contract": "mark_ticks = mark_ticks + 1",
    "settlement": "price_ticks = price_ticks + 1",
    "variation": "amount_usd_micros = amount_usd_micros + 1",
    "order_history": "filled_tick_lots = filled_tick_lots + 1",
    "kline": "high_ticks = high_ticks + 1",
    "journal_minute": "first_seq = first_seq + 1",
}


@pytest.mark.parametrize("table", FIELD)
async def test_a_changed_row_is_located_with_its_field(copy, table):
    report = await damaged(copy, f"UPDATE {table} SET {FIELD[table]} WHERE {ROW[table]}")
    found = next(f for f in report.findings if f.table == table)
    assert found.field == FIELD[table].split(" ", 1)[0]
    assert found.expected != found.found
    assert {f.table for f in report.findings} <= {table, "violation"}


@pytest.mark.parametrize("table", ROW)
async def test_a_deleted_row_is_located(copy, table):
    report = await damaged(copy, f"DELETE FROM {table} WHERE {ROW[table]}")
    found = next(f for f in report.findings if f.table == table)
    assert (found.field, found.found) == ("row", "no row")
    assert {f.table for f in report.findings} <= {table, "violation"}


# How to make the key of one more row.
EXTRA = {
    "ledger_account": ("ledger_account_id", 500),
    "transfer": ("transfer_id", 5000),
    "posting": ("ledger_account_id", 1),
    "balance": ("ledger_account_id", 500),
    "trade": ("leg", 5),
    "contract": ("contract_idx", 7),
    "settlement": ("contract_idx", 7),
    "kline": ("contract_idx", 7),
    "journal_minute": ("minute_ns", 6 * 10**16),
}


@pytest.mark.parametrize("table", ROW)
async def test_a_row_too_many_is_found(copy, table):
    key, by = EXTRA.get(table, ("account_idx", 700))
    one = f'SELECT * FROM "{table}" WHERE {ROW[table]}'
    change = f"to_jsonb(one) || jsonb_build_object('{key}', {key} + {by})"
    if table == "ledger_account":
        change += " || jsonb_build_object('code', 'new', 'account_idx', NULL)"
    if table == "transfer":
        change += " || jsonb_build_object('leg', 9)"
    if table == "posting":
        change += " || jsonb_build_object('version', 9999)"
    if table == "journal_minute":
        change += " || jsonb_build_object('first_seq', first_seq + 1)"
    insert = (
        f'WITH one AS ({one}) INSERT INTO "{table}"'
        f' SELECT (jsonb_populate_record(NULL::"{table}", {change})).* FROM one'
    )
    report = await damaged(copy, insert)
    assert table in {f.table for f in report.findings}


async def test_a_place_of_clearing_that_is_no_end_of_a_batch_is_found(copy):
    report = await damaged(
        copy, "UPDATE follower SET last_seq = last_seq - 1 WHERE name = 'clearing'"
    )
    assert ("follower", "last_seq") in named(report)


async def test_clearing_ahead_of_the_journal_is_found(copy):
    report = await damaged(
        copy, "UPDATE follower SET last_seq = last_seq + 100000 WHERE name = 'clearing'"
    )
    assert ("follower", "last_seq") in named(report)


@pytest.mark.parametrize("table", ["trade", "journal_batch", "kline"])
async def test_a_page_that_postgres_cannot_read_is_located(postgres, copy, table):
    owner = await asyncpg.connect(copy.owner_url)
    path = await owner.fetchval(f"SELECT pg_relation_filepath('{table}')")
    folder = await owner.fetchval("SHOW data_directory")
    await owner.execute("CHECKPOINT")
    await owner.close()
    with open(f"{folder}/{path}", "r+b") as file:
        file.seek(8000)  # in the first page, which has a checksum
        byte = file.read(1)[0]
        file.seek(8000)
        file.write(bytes([byte ^ 1]))
    # A copy is read from the files, not from what the server still has in memory.
    name = copy.owner_url.partition("?")[0].rpartition("/")[2]
    await postgres.execute(f"CREATE DATABASE {name}_2 TEMPLATE {name} STRATEGY = file_copy")
    second = Database(postgres.database(f"{name}_2"), postgres.database(f"{name}_2"), None)
    try:
        report = await verify(second, restore_small)
    finally:
        await postgres.drop(second)
    assert any("invalid page" in str(f) for f in report.findings)
    assert table in {f.table for f in report.findings}


@pytest.mark.parametrize(
    ("change", "table", "field"),
    [
        ("ALTER TABLE transfer DISABLE TRIGGER transfer_balanced", "transfer", "transfer_balanced"),
        ("ALTER TABLE posting ENABLE TRIGGER posting_appended", "posting", "posting_appended"),
        ("DROP TRIGGER append_only ON trade", "trade", "append_only"),
        ("GRANT UPDATE ON posting TO wellhead_app", "posting", "UPDATE"),
        ("GRANT UPDATE (reason) ON transfer TO wellhead_app", "transfer", "UPDATE"),
        ("GRANT TRUNCATE ON journal_batch TO wellhead_app", "journal_batch", "TRUNCATE"),
        ("GRANT INSERT ON posting_2023_11 TO wellhead_app", "posting_2023_11", "INSERT"),
        ("DROP TRIGGER append_only ON transfer_2023_11", "transfer_2023_11", "append_only"),
    ],
)
async def test_a_guard_that_is_off_is_found(copy, change, table, field):
    owner = await asyncpg.connect(copy.owner_url)
    await owner.execute(change)
    await owner.close()
    report = await verify(copy, restore_small)
    # A row trigger that is switched off for the whole table is off in each of its months.
    found = [(f.table, f.field) for f in report.findings]
    assert found[0] == (table, field)
    assert {(name[: len(table)], what) for name, what in found} == {(table, field)}


@pytest.mark.parametrize("change", ["", "amount_usd_micros + 1", "account_idx"])
async def test_a_request_that_is_not_what_was_posted_is_found(copy, change):
    owner = await asyncpg.connect(copy.owner_url)
    await owner.execute(
        "INSERT INTO account (account_idx, account_id, name, kind)"
        " SELECT n, 'a' || n, '', 'customer' FROM generate_series(0, 11) AS n"
    )
    await owner.execute(
        "INSERT INTO transfer_request"
        " (account_idx, amount_usd_micros, client_key, status, ref_id, seq)"
        " SELECT account_idx, amount_usd_micros, 'k', 'done', ref_id, seq"
        " FROM transfer JOIN posting USING (transfer_id) JOIN ledger_account"
        " USING (ledger_account_id) WHERE account_idx = 3 AND ref_id > 0 LIMIT 1"
    )
    if change == "account_idx":
        await owner.execute("UPDATE transfer_request SET account_idx = 4")
    elif change:
        await owner.execute(f"UPDATE transfer_request SET amount_usd_micros = {change}")
    await owner.close()
    report = await verify(copy, restore_small)
    expected = [("transfer_request", "ref_id, account_idx, amount_usd_micros")] if change else []
    assert [(f.table, f.field) for f in report.findings] == expected
