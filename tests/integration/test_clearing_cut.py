"""Clearing cut off before and after every single statement it sends."""

from itertools import product

import asyncpg
import pytest

from exchange.io.batch import Batch
from exchange.io.db import LOST, Database
from exchange.io.ledger import Ledger
from exchange.rules.postings import HOUSE_ACCOUNTS
from tests.support.clearing_child import PLANTED
from tests.support.flow import Flow
from tests.support.tables import forced, table_hashes

CUTS_MAX = 200


class DyingConnection:
    """A connection that is lost at its n-th call: before it is sent, or before it is answered."""

    def __init__(self, connection: asyncpg.Connection, calls: int, sent: bool) -> None:
        self._connection, self._calls, self._sent = connection, calls, sent
        self.died = False

    def transaction(self, **options):
        return self._connection.transaction(**options)

    def __getattr__(self, name: str):
        method = getattr(self._connection, name)

        async def call(*args, **kwargs):
            self._calls -= 1
            self.died = self.died or self._calls <= 0
            answer = None if self._calls == 0 and not self._sent else await method(*args, **kwargs)
            if self._calls == 0:
                self._connection.terminate()
                raise ConnectionResetError("cut off")
            return answer

        return call


async def attempt(database: Database, groups: list[list[Batch]], calls: int, sent: bool) -> bool:
    """Clear what is left, a transaction a group; say whether the connection died on the way."""
    connection = await database.connect()
    dying = DyingConnection(connection, calls, sent)
    try:
        house = await Ledger(connection).load()
        for group in groups:
            if group[-1].last_seq > house.seq:
                for batch in group:
                    house.apply(batch.commands, batch.events)
                await Ledger(dying).write(house.take())
    except LOST:
        assert dying.died
    finally:
        connection.terminate()
    return dying.died


def some_groups() -> list[list[Batch]]:
    batches = list(Flow(31).batches(40))
    return [batches[:15], batches[15:]]


async def first_wrong_cut(postgres, expected) -> str:
    """Return the first cut after which the result is another, "" if there is none."""
    groups = some_groups()
    database = await postgres.fresh()
    empty = [f"DELETE FROM {t}" for t in expected if t not in ("follower", "ledger_account")]
    empty += [f"DELETE FROM ledger_account WHERE ledger_account_id > {len(HOUSE_ACCOUNTS)}"]
    empty += ["UPDATE follower SET last_seq = 0"]
    for calls, sent in product(range(1, CUTS_MAX), (False, True)):
        died = await attempt(database, groups, calls, sent)
        if not died:
            await postgres.drop(database)
            return ""
        try:
            await attempt(database, groups, 10_000, False)
        except Exception as error:  # whatever stops clearing shows the bug
            return f"call {calls}, sent {sent}: {error!r}"
        if await table_hashes(database) != expected:
            return f"call {calls}, sent {sent}: another result"
        await forced(database, *empty)
    raise AssertionError("a cut never came after the last statement")


@pytest.fixture
async def expected(database):
    assert not await attempt(database, some_groups(), 10_000, False)
    return await table_hashes(database)


async def test_a_cut_at_any_statement_changes_nothing(postgres, expected):
    assert await first_wrong_cut(postgres, expected) == ""


@pytest.mark.parametrize("planted", PLANTED)
async def test_a_place_outside_the_transaction_is_caught_by_the_cuts(
    postgres, expected, planted, monkeypatch
):
    monkeypatch.setattr(Ledger, "write", PLANTED[planted])
    assert await first_wrong_cut(postgres, expected) != ""
