"""What the database itself refuses, and what the violation view finds when it was forced."""

import asyncpg
import pytest

from exchange.io.ledger import Ledger
from exchange.rules.clearing_house import ClearingHouse
from tests.support.flow import Flow
from tests.support.journals import keep
from tests.support.tables import forced

KEPT = (
    "ledger_account",
    "transfer",
    "posting",
    "trade",
    "position_event",
    "settlement",
    "variation",
    "journal_minute",
)
TRANSFER = "INSERT INTO transfer SELECT 10000, 10000, 0, 'deposit', 1, max(ts_ns) FROM transfer; "
AT = "(SELECT max(ts_ns) FROM transfer)"
AT_FIRST = "(SELECT ts_ns FROM transfer WHERE transfer_id = 1)"


@pytest.fixture
async def cleared(database):
    """Give the connection of a ledger that holds what a flow did."""
    batches = list(Flow(51).batches(60))
    await keep(database, batches)
    house = ClearingHouse()
    for batch in batches:
        house.apply(batch.commands, batch.events)
    connection = await database.connect()
    await Ledger(connection).write(house.take())
    assert await Ledger(connection).violations(history=True) == []
    yield connection
    connection.terminate()


@pytest.mark.parametrize("table", KEPT)
async def test_what_happened_cannot_be_changed_by_the_application(cleared, table):
    column = {"journal_minute": "minute_ns", "ledger_account": "code"}.get(table, "seq")
    column = "version" if table == "posting" else column
    for statement in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await cleared.execute(statement)


@pytest.mark.parametrize("table", KEPT)
async def test_what_happened_is_not_changed_by_the_owner_by_accident(database, cleared, table):
    owner = await database.connect_owner()
    await owner.execute("SET session_replication_role = replica")
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    await owner.close()


@pytest.mark.parametrize(
    ("postings", "complaint"),
    [
        ("", "has 0 postings"),
        (f"(10000, 3, 9000, 5, 5, {AT})", "does not continue"),
        (
            "(10000, 3, (SELECT version + 1 FROM balance WHERE ledger_account_id = 3), 5,"
            " (SELECT balance_usd_micros + 5 FROM balance WHERE ledger_account_id = 3),"
            f" {AT})",
            "1 postings that sum to 5",
        ),
        (
            "(1, 4, (SELECT version + 1 FROM balance WHERE ledger_account_id = 4), 5,"
            " (SELECT balance_usd_micros + 5 FROM balance WHERE ledger_account_id = 4),"
            f" {AT_FIRST})",
            "transfer 1 is closed",
        ),
    ],
)
async def test_a_transfer_that_does_not_balance_is_not_committed(cleared, postings, complaint):
    insert = f"INSERT INTO posting VALUES {postings}" if postings else ""
    with pytest.raises(asyncpg.CheckViolationError, match=complaint):
        async with cleared.transaction():
            await cleared.execute(TRANSFER + insert)


async def test_a_posting_of_nothing_is_refused(cleared):
    with pytest.raises(asyncpg.CheckViolationError, match="amount_usd_micros"):
        await cleared.execute(f"INSERT INTO posting VALUES (1, 3, 9000, 0, 0, {AT_FIRST})")


PLANTED = {
    "UPDATE balance SET balance_usd_micros = balance_usd_micros + 1 WHERE ledger_account_id = 3": {
        "balances sum to zero",
        "balance is the sum of postings",
    },
    "UPDATE position SET qty_lots = qty_lots + 1 WHERE qty_lots > 0 AND contract_idx = 0": {
        "positions sum to zero",
        "open interest is the sum of longs",
        "position is the sum of its events",
    },
    "UPDATE position SET carry_usd_micros = carry_usd_micros + 1 WHERE account_idx = 2": {
        "variation margin sums to zero",
        "position was paid its variation margin",
    },
    "UPDATE posting SET amount_usd_micros = amount_usd_micros + 1 WHERE transfer_id = 20": {
        "transfer sums to zero",
        "posting continues its balance",
        "balance is the sum of postings",
    },
    "DELETE FROM posting WHERE transfer_id = 3": {
        "transfer sums to zero",
        "posting continues its balance",
        "balance is the sum of postings",
    },
    "DELETE FROM transfer WHERE transfer_id = 3": {"transfers are numbered without a gap"},
    "UPDATE variation SET amount_usd_micros = amount_usd_micros + 1 WHERE account_idx = 2": {
        "variation margin is posted in full",
        "settlement pays what it collects",
        "position was paid its variation margin",
    },
    "UPDATE settlement SET paid_usd_micros = paid_usd_micros + 1": {
        "settlement pays what it collects",
    },
    "DELETE FROM position_event WHERE (account_idx, seq) IN"
    " (SELECT account_idx, min(seq) FROM position_event GROUP BY account_idx LIMIT 1)": {
        "position is the sum of its events",
        "position costs what its fills cost",
        "trade has two sides",
        "order is filled by its trades",
    },
    "DELETE FROM trade WHERE seq = (SELECT max(seq) FROM trade)": {
        "trade has two sides",
        "kline is made of its trades",
    },
    "UPDATE kline SET high_ticks = high_ticks + 1": {"kline is made of its trades"},
    "UPDATE order_history SET filled_lots = filled_lots - 1 WHERE filled_lots > 0": {
        "order is filled by its trades",
    },
    "UPDATE follower SET last_seq = last_seq + 1": {"clearing does not lead the journal"},
    "UPDATE contract SET open_interest_lots = open_interest_lots + 1": {
        "open interest is the sum of longs",
    },
    "UPDATE balance SET balance_usd_micros = 5 WHERE ledger_account_id = 2": {
        "settlement account is empty",
        "balances sum to zero",
        "balance is the sum of postings",
    },
}


@pytest.mark.parametrize("statement", PLANTED, ids=range(len(PLANTED)))
async def test_a_planted_violation_shows_up(database, cleared, statement):
    await forced(database, statement)
    violations = await Ledger(cleared).violations(history=True)
    assert {v.rule for v in violations} >= PLANTED[statement]
