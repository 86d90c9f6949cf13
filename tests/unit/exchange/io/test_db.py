"""Queries by name, migrations as files, times and texts as Postgres can hold them."""

import pytest

from exchange.io.db import APP_ROLE, Database, queries
from exchange.io.errors import Invalid
from exchange.io.migrate import migration_files, up_part
from exchange.io.store import from_ns, storable, to_ns


@pytest.mark.parametrize("name", ["journal", "leader", "migrate", "registry", "snapshot"])
def test_queries_have_names_and_texts(name):
    found = queries(name)
    assert found and all(text and "-- name:" not in text for text in found.values())


def test_queries_cannot_be_changed():
    with pytest.raises(TypeError):
        queries("journal")["append"] = ""  # type: ignore[index]


def test_migrations_are_found_in_order():
    versions = list(migration_files())
    assert versions == sorted(versions) and versions[0] == "0001"


def test_the_way_up_ends_where_the_way_down_begins():
    assert up_part("-- migrate:up\nA;\n-- migrate:down\nB;\n").strip() == "A;"
    assert up_part("-- migrate:up transaction:true\nA;\n").strip() == "A;"
    assert up_part("A;") == ""


def test_an_operators_database_is_used_in_the_applications_role():
    database = Database.external("postgresql://x")
    assert (database.owner_url, database.app_url) == ("postgresql://x", "postgresql://x")
    assert database.app_role == APP_ROLE


@pytest.mark.parametrize("text", ["\0", "a\ud800", "x" * 11])
def test_a_text_that_postgres_cannot_hold_is_refused(text):
    with pytest.raises(Invalid):
        storable(text, 10, "name")


def test_times_go_there_and_back_by_the_microsecond():
    for ns in (0, 1_700_000_000_123_456_000, -1_000):
        assert to_ns(from_ns(ns, "time")) == ns


@pytest.mark.parametrize("ns", [1 << 80, -(1 << 80)])
def test_a_time_beyond_all_years_is_refused(ns):
    with pytest.raises(Invalid):
        from_ns(ns, "time")
