"""The chain over the ledger in Postgres, its signed heads, and the commands that read it."""

import csv
import json

import pytest

from exchange.io.statements import Statements, ledger_key
from exchange.rules.chain import NS_PER_DAY
from tests.integration.test_clearing import clear
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.tables import forced
from wellhead.cli.app import run


async def three_days(database) -> Flow:
    """Clear a market that goes on for three days."""
    flow = Flow(7)
    batches = [flow.opening()]
    for _ in range(3):
        rows = [flow.any() for _ in range(60)] + [flow.deposit(3, 5_000_000)]
        batches.append(flow.batch(rows, NS_PER_DAY))
    await keep(database, batches)
    await clear(database, flow.seq)
    return flow


async def test_closed_days_are_sealed_once_and_any_change_is_found(database, tmp_path):
    await three_days(database)
    statements = Statements(await database.connect())
    key = ledger_key(tmp_path)
    sealed = await statements.seal(key)
    assert [head.day for head in sealed] == list(range(sealed[0].day, sealed[0].day + 3))
    assert await statements.seal(ledger_key(tmp_path)) == []  # nothing closed since, the same key
    assert (tmp_path / "ledger.key").stat().st_mode & 0o777 == 0o600
    assert all(one.is_signed for one in await statements.heads())
    assert await statements.wrong_heads() == []
    await forced(
        database,
        "UPDATE posting SET balance_usd_micros = balance_usd_micros + 1 WHERE transfer_id = 1",
    )
    wrong = await statements.wrong_heads()
    assert [row[:2] for row in wrong] == [(head.day, "last_transfer_id, digest") for head in sealed]


async def test_a_forged_head_is_found_by_its_signature(database, tmp_path):
    await three_days(database)
    statements = Statements(await database.connect())
    await statements.seal(ledger_key(tmp_path))
    await forced(database, "UPDATE ledger_head SET signature = set_byte(signature, 0, 7)")
    assert {row[1] for row in await statements.wrong_heads()} == {"signature"}


@pytest.fixture
def say(database, monkeypatch, capsys):
    """Return what a command says, and its exit code."""
    monkeypatch.setenv("WELLHEAD_DATABASE_URL", database.owner_url)

    def said(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["ledger", *arguments])
        return code, capsys.readouterr().out

    return said


async def test_commands_show_balances_statements_and_heads(database, say, tmp_path):
    import asyncio

    await three_days(database)
    connection = await database.connect()
    await connection.execute(
        "INSERT INTO account (account_idx, account_id, name, kind)"
        " SELECT n, 'a' || n, '', 'customer' FROM generate_series(0, 11) AS n"
    )
    code, text = await asyncio.to_thread(say, "trial-balance", "--json")
    found = json.loads(text)
    assert code == 0 and found["balanced"]
    assert {row["account"] for row in found["accounts"]} >= {"deposits:usd", "cash:3"}
    file = tmp_path / "statement.csv"
    code, _ = await asyncio.to_thread(
        say, "statement", "a3", "--month", "2023-11", "--to", str(file)
    )
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert code == 0 and sum(row["reason"] == "deposit" for row in rows) >= 4
    assert {row["account"].partition(":")[2] for row in rows if row["account"] == "cash:3"} == {"3"}
    code, _ = await asyncio.to_thread(say, "statement", "a3", "--month", "November")
    assert code != 0
    data = ("--data", str(tmp_path))
    code, text = await asyncio.to_thread(say, "heads", "--sign", "--json", *data)
    assert code == 0 and len(json.loads(text)["heads"]) == 3
    assert (await asyncio.to_thread(say, "check"))[0] == 0
    await forced(database, "UPDATE transfer SET ref_id = ref_id + 1 WHERE transfer_id = 2")
    code, text = await asyncio.to_thread(say, "check")
    assert code != 0 and "DAMAGE ledger_head" in text
    code, text = await asyncio.to_thread(say, "postings", "--limit", "3")
    assert code == 0 and "deposits:usd" in text
