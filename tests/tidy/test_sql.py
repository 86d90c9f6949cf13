"""SQL is written as SQL: in exchange/io/sql and in migrations, nowhere else."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.house import ROOT, Source, docstring_nodes, found, paths, planted, product, texts

SQL_HOMES = ("exchange/io/sql/", "migrations/")
STATEMENT = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\(|TRUNCATE\s)"
    r"|\bUPDATE\s+\w+\s+SET\s|\b(CREATE|ALTER|DROP)\s+(TABLE|INDEX|VIEW|SCHEMA)\s"
    r"|\bINSERT\s+INTO\s+\w+|\bSELECT\s.+\sFROM\s+\w+",
    re.DOTALL,
)
MIGRATION_NAME = re.compile(r"migrations/(\d{4,14})_[a-z0-9_]+\.sql")


def sql_in_python(source: Source) -> Iterator[tuple[int, str]]:
    prose = docstring_nodes(source.tree)
    for node in ast.walk(source.tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in prose and STATEMENT.search(node.value):
            yield node.lineno, f"SQL in Python: {node.value.strip()[:40]!r}"


def misnamed_migrations(names: list[str]) -> list[str]:
    """Return the migrations without a number, or with the number of another."""
    numbers = [m.group(1) if (m := MIGRATION_NAME.fullmatch(name)) else "" for name in names]
    return [n for n, k in zip(names, numbers, strict=True) if not k or numbers.count(k) > 1]


def squawk(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run the migration linter; it reads .squawk.toml and asks no network."""
    program = Path(sys.executable).with_name("squawk")
    if not program.exists():
        pytest.skip("squawk is not installed for this platform")
    command = [program, *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_python_holds_no_sql():
    assert found(sql_in_python, product()) == []


def test_sql_files_are_in_their_homes():
    strays = [p for p in paths() if p.endswith(".sql") and not p.startswith((*SQL_HOMES, "tests/"))]
    assert strays == []


def test_migrations_are_numbered_once():
    names = [p for p in paths() if p.startswith("migrations/") and p.endswith(".sql")]
    assert misnamed_migrations(names) == []


def test_migrations_pass_the_linter():
    files = [ROOT / s.path for s in texts() if MIGRATION_NAME.fullmatch(s.path)]
    if files:
        result = squawk(*files)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "line",
    [
        'q = "SELECT 1 "',
        'q = "INSERT INTO posting VALUES ($1)"',
        'q = f"UPDATE {table} SET x = 1" + "DROP TABLE posting "',
        'q = """\n  SELECT a\n  FROM b"""',
    ],
)
def test_planted_sql_is_found(line):
    assert found(sql_in_python, [planted(line)])


def test_prose_about_sql_passes():
    line = '"""Use INSERT INTO posting."""\nraise Missing("select a contract from the list")'
    assert found(sql_in_python, [planted(line)]) == []


def test_a_planted_misnamed_migration_is_found():
    assert misnamed_migrations(["migrations/0001_a.sql", "migrations/0002_b.sql"]) == []
    assert len(misnamed_migrations(["migrations/0001_a.sql", "migrations/0001_b.sql"])) == 2
    assert misnamed_migrations(["migrations/ledger.sql"])


def test_a_planted_bad_migration_is_found_by_the_linter(tmp_path):
    bad = tmp_path / "0001_bad.sql"
    bad.write_text("ALTER TABLE posting ADD COLUMN seq bigint NOT NULL;\n")
    shutil.copy(ROOT / ".squawk.toml", tmp_path)
    assert squawk(bad).returncode != 0
