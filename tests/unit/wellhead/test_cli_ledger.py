"""The ledger as tables for people, and as CSV and JSON for programs, without any database."""

import csv
import io
import json

import pytest

from wellhead.cli import ledgers
from wellhead.cli.app import run
from wellhead.cli.exits import Exit

BALANCES = [
    ("asset:UST:3", 1, 1_234_500_000, 8),
    ("cash:3", 2, 222_000_000_000_001, 7),
    ("custody:UST", 1, -1_234_500_000, 8),
    ("deposits:usd", 2, -222_000_000_000_001, 7),
]
MONEY = ["222000000.000001", "-222000000.000001"]
POSTING = (1, 1_700_000_000 * 10**9, 7, 0, "deposit", 5, "cash:3", 1, 1_234_500_000, 98_765_000_000)


@pytest.fixture
def say(monkeypatch, capsys):
    """Return what `wellhead ledger` says over a ledger that was read."""

    def said(rows: list[tuple[object, ...]], *arguments: str) -> str:
        monkeypatch.setattr(ledgers, "_read", lambda node, use: rows)
        assert run(["ledger", *arguments]) == Exit.OK
        return capsys.readouterr().out

    return said


def test_balances_in_a_table_look_like_money_elsewhere(say):
    said = say(BALANCES, "trial-balance")
    assert "222,000,000.000001" in said
    assert "-222,000,000.000001" in said
    assert " 1234.5 " in said  # units of an asset, as `wellhead collateral` shows them


def test_postings_in_a_table_have_both_amounts_as_money(say):
    said = say([POSTING], "postings")
    assert "1,234.50" in said
    assert "98,765.00" in said


def test_programs_read_balances_without_separators(say):
    found = json.loads(say(BALANCES, "trial-balance", "--json"))
    assert [row["balance"] for row in found["accounts"] if row["asset"] == "USD"] == MONEY
    rows = csv.DictReader(io.StringIO(say(BALANCES, "trial-balance", "--to=-")))
    assert [row["balance"] for row in rows if row["asset"] == "USD"] == MONEY


def test_a_dash_after_a_space_is_the_standard_output_too(say):
    assert say(BALANCES, "trial-balance", "--to", "-") == say(BALANCES, "trial-balance", "--to=-")


def test_what_each_asset_sums_to_is_said_in_its_own_wholes(monkeypatch, capsys):
    rows = [("cash:3", 1, 1_500_000, 7), ("custody:UST", 1, -2_500_000, 8)]
    monkeypatch.setattr(ledgers, "_read", lambda node, use: rows)
    assert run(["ledger", "trial-balance"]) == Exit.DAMAGE
    assert "USD sums to 1.50, UST sums to -2.5" in capsys.readouterr().err


def test_a_name_that_ends_so_is_written_as_parquet(say, tmp_path):
    to = tmp_path / "postings.parquet"
    say([POSTING], "postings", "--to", str(to))
    data = to.read_bytes()
    assert data[:4] == data[-4:] == b"PAR1"
    assert (1_234_500_000 * 100).to_bytes(16, "big") in data  # eight digits after the point
    assert [path.name for path in tmp_path.iterdir()] == [to.name]
