"""The ledger by month: made when needed, kept sound, taken out when it is over."""

import asyncio
import json
import shutil

import asyncpg
import pytest

from exchange.io.errors import Invalid
from exchange.io.ledger import Ledger
from exchange.io.migrate import FOLDER, migrate
from exchange.io.statements import Statements, ledger_key
from exchange.io.stored import stored
from exchange.rules.chain import NS_PER_DAY, ChainRow, heads
from exchange.rules.clearing_house import ClearingHouse
from exchange.services.verify import verify
from exchange.services.verify.guards import guard_differences
from tests.integration.test_clearing import clear
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.market import restore_small, small_engine
from tests.support.tables import forced
from wellhead.cli.app import run

MONTH_NS = 31 * NS_PER_DAY
NAMES = ["2023_11", "2023_12", "2024_01"]  # of a flow of three months


class OfBefore(Ledger):
    """Writes as the version did that knew no months."""

    async def _make_months(self, transfers):
        pass

    async def _copy(self, table, rows):
        if rows and table == "posting":
            rows = [row[:-1] for row in rows]
            names = ("transfer_id", "ledger_account_id", "version", "amount_usd_micros",
                     "balance_usd_micros")  # fmt: skip
            await self._connection.copy_records_to_table(table, records=rows, columns=names)
        else:
            await super()._copy(table, rows)


def three_months(flow):
    """Yield an opening, and a batch in each of the two months after it."""
    yield flow.opening()
    for _ in range(2):
        rows = [flow.any() for _ in range(60)] + [flow.deposit(3, 5_000_000)]
        yield flow.batch(rows, MONTH_NS - NS_PER_DAY // 2)


async def names_of(connection):
    query = "SELECT DISTINCT tableoid::regclass::text FROM posting ORDER BY 1"
    return [row[0] for row in await connection.fetch(query)]


async def test_what_an_older_version_stored_moves_into_its_months(postgres, tmp_path):
    database = await postgres.bare()
    for file in FOLDER.glob("*.sql"):
        if not file.name.startswith(("0060", "0061")):
            shutil.copy(file, tmp_path)
    await migrate(database, folder=tmp_path)
    flow, house = Flow(7), ClearingHouse()
    batches = list(three_months(flow))
    await keep(database, batches)
    for batch in batches:
        house.apply(batch.commands, batch.events)
    effects = house.take()
    of_id = {row.transfer_id: row for row in effects.transfers}
    lines = [ChainRow(*of_id[row.transfer_id], *row[1:-1]) for row in effects.postings]
    connection = await database.connect()
    await OfBefore(connection).write(effects)

    assert await migrate(database) == 2
    assert await names_of(connection) == [f"posting_{name}" for name in NAMES]
    assert await Statements(connection).computed() == list(heads(lines))
    assert await Ledger(connection).violations(history=True) == []
    async with stored(database) as rows:
        assert await guard_differences(rows) == []
    # And it goes on, for an account that did nothing since the first month too.
    later = flow.batch([flow.deposit(11, 7_000_000)], 50 * MONTH_NS)
    await keep(database, [later])
    await clear(database, flow.seq)
    assert (await names_of(connection))[-1] == "posting_2028_04"
    assert await Ledger(connection).violations(history=True) == []
    await postgres.drop(database)


async def test_the_application_makes_months_and_nothing_else(database):
    connection = await database.connect()
    times = [0, 1, 2**63 - 1, 1_700_000_000 * 10**9]
    made = "SELECT make_ledger_months($1)"
    assert await connection.fetchval(made, times) == 3
    assert await connection.fetchval(made, times) == 0
    names = await connection.fetch("SELECT name FROM ledger_month ORDER BY from_ns")
    assert [row[0] for row in names] == ["1970_01", "2023_11", "2262_04"]
    for statement in (
        "CREATE TABLE transfer_2025_01 PARTITION OF transfer FOR VALUES FROM (1) TO (2)",
        "INSERT INTO transfer_2023_11 SELECT * FROM transfer",
        "INSERT INTO ledger_month VALUES ('2025_01', 1, 2)",
        "UPDATE ledger_opening SET version = 1",
        "SELECT archive_ledger_month('1970-01')",
        "DROP TABLE posting_1970_01",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    owner = await database.connect_owner()
    for statement in ("DELETE FROM posting_2023_11", "TRUNCATE transfer_2023_11 CASCADE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    with pytest.raises(asyncpg.ProgramLimitExceededError):
        await connection.execute(made, [0] * 1001)


@pytest.fixture
async def sealed(database, tmp_path):
    """Give a flow of three months, cleared and sealed, its journal and its connection's owner."""
    flow = Flow(7, engine=small_engine())
    await keep(database, three_months(flow))
    await clear(database, flow.seq)
    owner = await database.connect_owner()
    await Statements(owner).seal(ledger_key(tmp_path))
    yield flow, owner
    owner.terminate()


async def test_a_statement_reads_the_months_it_is_of(sealed):
    _, owner = sealed
    query = (
        "EXPLAIN SELECT * FROM posting AS p JOIN transfer AS t USING (transfer_id, ts_ns)"
        " WHERE p.ts_ns >= $1 AND p.ts_ns < $2 AND t.ts_ns >= $1 AND t.ts_ns < $2"
    )
    first = await owner.fetchval("SELECT from_ns FROM ledger_month WHERE name = '2023_12'")
    plan = "\n".join(row[0] for row in await owner.fetch(query, first, first + MONTH_NS))
    assert "posting_2023_12" in plan and "posting_2023_11" not in plan
    assert "transfer_2023_12" in plan and "transfer_2024_01" not in plan


async def test_an_archived_month_is_gone_and_the_ledger_goes_on_from_it(database, sealed):
    flow, owner = sealed
    statements = Statements(owner)
    for month, complaint in (
        ("2023-12", "not the oldest"), ("2023-10", "no month"), ("x", "no month"),
    ):  # fmt: skip
        with pytest.raises(Invalid, match=complaint):
            await statements.archive(month)
    before = await statements.trial_balance()
    assert "posting_2023_11" in await statements.archive("2023-11")
    with pytest.raises(Invalid, match="archived since"):
        await statements.archive("2023-11")
    assert await statements.trial_balance() == before
    assert await names_of(owner) == ["posting_2023_12", "posting_2024_01"]
    kept = await owner.fetchval("SELECT count(*) FROM posting_2023_11 JOIN transfer_2023_11"
                                " USING (transfer_id, ts_ns)")  # fmt: skip
    assert kept > 20
    later = flow.batch([flow.any() for _ in range(40)] + [flow.deposit(11, 7_000_000)])
    await keep(database, [later])
    await clear(database, flow.seq)
    assert await Ledger(owner).violations(history=True) == []
    assert await statements.wrong_heads() == []
    report = await verify(database, restore_small)
    assert report.is_sound, report.findings
    await owner.execute("DROP TABLE posting_2023_11, transfer_2023_11")
    await forced(database, "UPDATE ledger_opening SET balance_usd_micros = balance_usd_micros + 1"
                           " WHERE ledger_account_id = 4")  # fmt: skip
    assert {v.rule for v in await Ledger(owner).violations(history=True)} == {
        "posting continues its balance", "balance is the sum of postings",
    }  # fmt: skip
    report = await verify(database, restore_small)
    assert ("ledger_opening", "balance_usd_micros") in {(f.table, f.field) for f in report.findings}


async def test_all_but_the_last_month_can_go_and_what_is_not_sealed_stays(database, sealed):
    flow, owner = sealed
    statements = Statements(owner)
    # A month ahead, without a transfer, is not the oldest; the last one with transfers is open.
    await statements.archive("2023-11")
    await statements.archive("2023-12")
    with pytest.raises(Invalid, match="not sealed"):
        await statements.archive("2024-01")
    house = await Ledger(owner).load()
    assert house.books.transfer_id == await owner.fetchval("SELECT max(transfer_id) FROM transfer")
    later = flow.batch([flow.deposit(11, 7_000_000)], 90 * MONTH_NS)
    await keep(database, [later])
    await clear(database, flow.seq)
    assert await Ledger(owner).violations(history=True) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("INSERT INTO transfer SELECT 3, seq, leg, reason, ref_id, {later} FROM transfer"
         " WHERE transfer_id = 3", "transfers are numbered without a gap"),
        ("UPDATE transfer SET leg = leg + 1, seq = 1 WHERE transfer_id ="
         " (SELECT max(transfer_id) FROM transfer)", "transfers follow their commands"),
        ("UPDATE transfer SET ts_ns = {later} WHERE transfer_id = 30",
         "transfers follow their commands"),
        ("INSERT INTO posting SELECT transfer_id, ledger_account_id, version, amount_usd_micros,"
         " balance_usd_micros, {later} FROM posting WHERE ledger_account_id = 4 AND version = 1",
         "posting continues its balance"),
    ],
)  # fmt: skip
async def test_a_number_that_is_in_two_months_is_found(database, sealed, statement, rule):
    """Which no key can hold: the time is in each key."""
    _, owner = sealed
    later = "(SELECT from_ns FROM ledger_month WHERE name = '2024_03')"
    await forced(database, statement.format(later=later))
    assert rule in {v.rule for v in await Ledger(owner).violations(history=True)}


async def test_commands_show_and_archive_months(database, sealed, monkeypatch, capsys):
    monkeypatch.setenv("WELLHEAD_DATABASE_URL", database.owner_url)

    def said(*arguments):
        capsys.readouterr()
        code = run(["ledger", *arguments, "--json"])
        return code, capsys.readouterr()

    code, _ = await asyncio.to_thread(said, "archive", "2023-11")
    assert code == 0
    code, text = await asyncio.to_thread(said, "archive", "2023-11")
    assert code == 1 and "archived since" in text.err + text.out
    code, text = await asyncio.to_thread(said, "months")
    shown = json.loads(text.out)["months"]
    assert code == 0 and [row["month"] for row in shown][:3] == ["2023-11", "2023-12", "2024-01"]
    assert [bool(row["archived"]) for row in shown][:2] == [True, False]
