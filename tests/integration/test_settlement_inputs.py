"""What settlement prices come from, in Postgres: kept once, read back whole, shown with prices."""

import pytest

from exchange.io.ledger import Ledger
from exchange.io.settlements import SettlementInputs
from exchange.io.stored import stored
from exchange.io.views import Span, Views
from exchange.rules.cleared import Effects
from exchange.rules.clearing_rows import SettlementRow
from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.settlement_correction import Change, corrected_run
from exchange.rules.settlement_run import RULES, Evidence, Note, SettlementRun
from exchange.services.verify.settlements import settlement_differences

DUE_NS = 1_700_000_000 * 10**9


ACCRUALS = [
    AccrualRow(0, 6 + at, at + 1, DUE_NS + at, at, 31, False, 1_488_000_000 + at, 5, 5 * at,
               f"{at:064d}")
    for at in range(3)
]  # fmt: skip


def run_of(*ticks: int) -> SettlementRun:
    return SettlementRun(
        DUE_NS,
        tuple(
            Evidence(contract_idx=place, symbol=f"H100-GLB-2027M{place + 4:02d}", settle_ticks=2000,
                     mark_ticks=one, day_bps=300)
            for place, one in enumerate(ticks)
        ),
    )  # fmt: skip


def row_of(seq: int, run: SettlementRun, price_ticks: int, cycle: int = 0) -> SettlementRow:
    rule = RULES.index(run.prices()[0].rule) + 1
    return SettlementRow(0, seq, DUE_NS + seq, price_ticks, 2000, 0, 0, 0, 0, cycle, DUE_NS, rule,
                         0, run.run_id)  # fmt: skip


@pytest.fixture
async def settled(database, pool):
    """Give a database where a contract was settled, then corrected."""
    run = run_of(2010, 2000)
    inputs = SettlementInputs(pool)
    for _ in range(2):  # a process that was killed behind the first keeps it again
        await inputs.keep(run)
    note = Note(run.run_id, "a mark was typed wrongly", ("anna", "ben"))
    fixed = corrected_run(run, [Change("H100-GLB-2027M04", {"price": 2015})], note)
    for _ in range(2):
        await inputs.keep(fixed)
    effects = Effects(0)
    effects.last_seq = 9
    effects.settlements = [row_of(5, run, 2010), row_of(9, fixed, 2015, cycle=4)]
    effects.accruals = ACCRUALS
    connection = await database.connect()
    await Ledger(connection).write(effects)
    yield run
    connection.terminate()


async def test_a_run_is_kept_once_and_read_back_whole(settled, pool):
    assert await SettlementInputs(pool).run(settled.run_id) == settled
    assert await SettlementInputs(pool).run("0" * 64) is None
    assert await pool.fetchval("SELECT count(*) FROM settlement_input") == 4


async def test_settlements_in_delivery_are_read_back_in_their_order(settled, pool):
    assert await SettlementInputs(pool).accruals(0) == ACCRUALS
    assert await SettlementInputs(pool).accruals(1) == []


async def test_a_correction_is_a_revision_beside_the_first_price(settled, pool):
    page = await Views(pool).settlements(Span(), due_ns=DUE_NS)
    assert [(s.row.price_ticks, s.revision) for s in page.rows] == [(2015, 2), (2010, 1)]
    assert [one.superseded for one in page.rows] == [False, True]
    again = await SettlementInputs(pool).run(page.rows[0].row.run)
    assert again is not None and again.run_id == page.rows[0].row.run and again.note is not None
    assert page.rows[1].evidence == settled.evidence[0]
    other = await Views(pool).settlements(Span(), due_ns=DUE_NS + 1)
    assert other.rows == []


async def test_verify_recomputes_prices_and_names_the_one_that_is_wrong(settled, database, pool):
    async with stored(database) as rows:
        assert await settlement_differences(rows) == []
    wrong = run_of(2011, 2000)  # nobody kept it
    connection = await database.connect()
    effects = Effects(9)
    effects.last_seq = 10
    effects.settlements = [row_of(10, wrong, 2011)]
    await Ledger(connection).write(effects)
    connection.terminate()
    async with stored(database) as rows:
        (found,) = await settlement_differences(rows)
    assert (found.table, found.found) == ("settlement_input", "no row")
