"""Clearing: everything once, whatever happens to it."""

import asyncio

import pytest

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.errors import JournalGap
from exchange.io.ledger import ClearingMoved, Ledger, LedgerMismatch
from exchange.io.snapshots import Snapshot, Snapshots
from exchange.rules.assets import asset_code
from exchange.rules.core_books import CoreBooks, books_differ
from exchange.rules.mirror import Mirror
from exchange.services.clearing import Clearing
from exchange.services.clearing.audit import Audit
from matching.codes import EventKind, Kind, MoveReason, Side, TradingState
from matching.wire_life import pack_children
from tests.support.flow import TICK_VALUE_USD_MICROS, Flow
from tests.support.journals import keep
from tests.support.market import small_engine
from tests.support.rows import command
from tests.support.tables import forced, table_hashes


async def clear(database: Database, until_seq: int, group_events: int = 20_000) -> None:
    """Run clearing until a command is posted."""
    stop = asyncio.Event()

    def posted(seq: int) -> None:
        if seq >= until_seq:
            stop.set()

    clearing = Clearing(database, group_events=group_events, on_posted=posted)
    await asyncio.wait_for(clearing.run(stop), 60)


async def ledger_of(database: Database) -> Ledger:
    return Ledger(await database.connect())


def books_of(mirror: Mirror) -> CoreBooks:
    cash = {idx: account.cash_usd_micros for idx, account in enumerate(mirror.accounts)}
    lots = {
        (account.account_idx, contract_idx): held.qty_lots
        for account in mirror.accounts
        for contract_idx, held in account.positions.items()
        if held.qty_lots
    }
    collaterals = [account.collateral for account in mirror.accounts]
    counted = {idx: one.counted_usd_micros for idx, one in enumerate(collaterals)}
    units = {
        (idx, asset_code(asset)): sum(held)
        for idx, one in enumerate(collaterals)
        for asset, held in one.holdings.items()
    }
    counted = {idx: usd_micros for idx, usd_micros in counted.items() if usd_micros}
    return CoreBooks(cash, lots, counted, units)


async def test_ledger_and_positions_are_what_a_mirror_of_the_core_holds(database):
    batches, mirror = list(Flow(5, combinations=True, implied=True).batches(120)), Mirror()
    await keep(database, batches)
    for batch in batches:
        mirror.apply(batch.commands, batch.events)
    await clear(database, mirror.seq)
    ledger = await ledger_of(database)
    found = await ledger.books_at(mirror.seq)
    assert list(books_differ(books_of(mirror), found)) == []
    house = await ledger.load()
    for account in mirror.accounts:
        for contract_idx, held in account.positions.items():
            cleared = house.position(account.account_idx, contract_idx)
            assert cleared.qty_lots == held.qty_lots
            assert cleared.entry_usd_micros == held.entry_usd_micros
            assert cleared.realised_usd_micros == held.realised_usd_micros
    assert await ledger.violations(history=True) == []


async def test_cash_and_positions_of_an_earlier_command_are_those_of_then(database):
    batches, mirror = list(Flow(6, combinations=True).batches(60)), Mirror()
    await keep(database, batches)
    await clear(database, batches[-1].last_seq)
    for batch in batches[:30]:
        mirror.apply(batch.commands, batch.events)
    ledger = await ledger_of(database)
    found = await ledger.books_at(mirror.seq)
    assert list(books_differ(books_of(mirror), found)) == []


async def test_positions_that_were_closed_are_in_the_books_of_before_and_not_of_after(database):
    flow, mirror = Flow(8, combinations=True), Mirror()
    batches = list(flow.batches(40))
    ending = [
        command(Kind.SETTLE, contract_idx=0, price_ticks=2000),
        command(Kind.SET_STATE, contract_idx=0, state=TradingState.EXPIRED),
        command(Kind.CLOSE_OUT, contract_idx=0),
    ]
    batches += [flow.batch([row]) for row in ending]
    await keep(database, batches)
    for batch in batches[:-1]:
        mirror.apply(batch.commands, batch.events)
    before, seq = books_of(mirror), mirror.seq
    mirror.apply(batches[-1].commands, batches[-1].events)
    assert any(lots for (_, contract_idx), lots in before[1].items() if contract_idx == 0)
    assert not any(contract_idx == 0 for _, contract_idx in books_of(mirror)[1])
    await clear(database, mirror.seq)
    ledger = await ledger_of(database)
    assert await ledger.books_at(mirror.seq) == books_of(mirror)
    assert await ledger.books_at(seq) == before
    assert await ledger.violations(history=True) == []


async def test_a_cascade_and_a_delivery_are_in_the_tables_to_the_micro_dollar(database):
    flow, mirror = Flow(9), Mirror()
    batches = list(flow.batches(40))
    child = max(int(row["contract_idx"]) for batch in batches for row in batch.events) + 1
    ending = [
        command(
            Kind.LIST,
            symbol="CHILD",
            contract_idx=child,
            price_ticks=2000,
            qty_lots=1000,
            amount_usd_micros=TICK_VALUE_USD_MICROS,
            state=TradingState.CONTINUOUS,
        ),
        command(Kind.SETTLE, contract_idx=0, price_ticks=2000),
        command(Kind.SET_STATE, contract_idx=0, state=TradingState.EXPIRED),
        command(Kind.CASCADE, contract_idx=0, **pack_children([child])),
        command(Kind.SET_LAST_TRADE, contract_idx=child, expires_ns=flow.ts_ns),
        command(Kind.TICK),
    ]
    worth = 2000 * TICK_VALUE_USD_MICROS
    ending += [
        command(Kind.ACCRUE, contract_idx=child, order_id=ordinal, amount_usd_micros=worth + more,
                ref_id=ordinal, qty_lots=3)
        for ordinal, more in ((1, 11), (2, -5), (3, 99))
    ]  # fmt: skip
    for row in ending:
        batches.append(flow.batch([row]))
        assert int(batches[-1].events[0]["kind"]) != EventKind.REFUSED
    for batch in batches:
        mirror.apply(batch.commands, batch.events)
    short = next(one for one in mirror.contracts[child].positions if one.qty_lots < -1)
    moving = command(
        Kind.TRANSFER_POSITION, contract_idx=child, account_idx=short.account_idx,
        ref_id=(short.account_idx + 1) % len(mirror.accounts), side=Side.BUY, price_ticks=1999,
        qty_lots=1, state=MoveReason.TAKE_OVER,
    )  # fmt: skip
    ending = [
        moving,
        command(
            Kind.ACCRUE,
            contract_idx=child,
            order_id=4,
            amount_usd_micros=worth + 77,
            ref_id=3,
            qty_lots=3,
            state=1,
        ),
        command(Kind.SET_STATE, contract_idx=child, state=TradingState.EXPIRED),
        command(Kind.CLOSE_OUT, contract_idx=child),
    ]
    last = [flow.batch([row]) for row in ending]
    assert all(int(batch.events[0]["kind"]) != EventKind.REFUSED for batch in last)
    for batch in last:
        mirror.apply(batch.commands, batch.events)
    await keep(database, batches + last)
    await clear(database, mirror.seq)
    ledger = await ledger_of(database)
    assert await ledger.violations(history=True) == []
    assert await ledger.books_at(mirror.seq) == books_of(mirror)
    house = await ledger.load()
    assert house.contracts[child].fine_usd_micros == 77
    for account in mirror.accounts:
        for contract_idx, one in account.positions.items():
            cleared = house.position(account.account_idx, contract_idx)
            assert (cleared.qty_lots, cleared.realised_usd_micros) == (
                one.qty_lots, one.realised_usd_micros,
            )  # fmt: skip


async def test_how_batches_share_transactions_is_not_visible(postgres, database):
    batches = list(Flow(7, combinations=True, implied=True).batches(80))
    other = await postgres.fresh()
    for where, group_events in ((database, 1), (other, 1_000_000)):
        await keep(where, batches)
        await clear(where, batches[-1].last_seq, group_events)
    assert await table_hashes(database) == await table_hashes(other)
    await postgres.drop(other)


async def test_the_same_effects_written_twice_are_refused_whole(database):
    batches = list(Flow(8).batches(5))
    ledger = await ledger_of(database)
    house = await ledger.load()
    for batch in batches:
        house.apply(batch.commands, batch.events)
    effects = house.take()
    await ledger.write(effects)
    before = await table_hashes(database)
    with pytest.raises(ClearingMoved):
        await ledger.write(effects)
    assert await table_hashes(database) == before


async def test_a_second_clearing_waits_for_the_first(database):
    batches = list(Flow(9).batches(5))
    await keep(database, batches)
    first = await ledger_of(database)
    assert await first.try_lock()
    second = asyncio.create_task(clear(database, batches[-1].last_seq))
    await asyncio.sleep(0.3)
    assert await first.seq() == 0
    await first._connection.close()
    await second


async def test_a_journal_with_a_gap_stops_clearing_at_it(database):
    batches = list(Flow(10).batches(10))
    await keep(database, batches)
    gap = batches[5]
    await forced(database, f"DELETE FROM journal_batch WHERE first_seq = {gap.first_seq}")
    with pytest.raises(JournalGap):
        await clear(database, batches[-1].last_seq, 1)
    assert await (await ledger_of(database)).seq() <= gap.first_seq - 1


def with_wrong_variation(batch: Batch, by_usd_micros: int) -> Batch:
    """Return the batch of a core that pays one account too much, and another too little."""
    events = batch.events.copy()
    paid = events["kind"] == EventKind.VARIATION
    events["amount_usd_micros"][paid.nonzero()[0][:2]] += [by_usd_micros, -by_usd_micros]
    return Batch(batch.first_seq, batch.commands, events)


async def test_variation_margin_that_clearing_does_not_find_itself_is_not_posted(database):
    flow = Flow(11)
    batches = list(flow.batches(30))
    settle = flow.batch([command(Kind.SETTLE, contract_idx=0, price_ticks=2222)])
    await keep(database, [*batches, with_wrong_variation(settle, 1)])
    with pytest.raises(LedgerMismatch, match=f"settlement at seq {settle.last_seq}: .* computed"):
        await clear(database, settle.last_seq, 1)
    assert await (await ledger_of(database)).seq() == batches[-1].last_seq


async def test_clearing_goes_on_after_its_connections_are_lost(database):
    batches = list(Flow(12).batches(40))
    await keep(database, batches[:20])
    stop, seen = asyncio.Event(), asyncio.Queue()
    running = asyncio.create_task(Clearing(database, on_posted=seen.put_nowait).run(stop))
    while await seen.get() < batches[19].last_seq:
        pass
    owner = await database.connect_owner()
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'wellhead' AND datname = current_database()"
    )
    await owner.close()
    await keep(database, batches[20:])
    while await asyncio.wait_for(seen.get(), 60) < batches[-1].last_seq:
        pass
    stop.set()
    await running
    assert await (await ledger_of(database)).violations(history=True) == []


@pytest.fixture
async def audited(database, pool):
    """Give a cleared market of the real engine, with a snapshot from its middle."""
    flow = Flow(13, engine=small_engine())
    batches = []
    for batch in flow.batches(40):
        batches.append(batch)
        if len(batches) == 20:
            await keep_snapshot(pool, flow.engine)
    await keep(database, batches)
    await clear(database, flow.seq)
    ledger = await ledger_of(database)
    yield Audit(ledger, pool), flow.seq
    ledger._connection.terminate()


async def keep_snapshot(pool, engine) -> None:
    snapshot = Snapshot(
        seq=engine.last_seq, blob=engine.save(), state_hash=engine.state_hash(),
        journal_checksum=bytes(32),
    )  # fmt: skip
    await Snapshots(pool).write(snapshot)


async def test_the_ledger_agrees_with_a_saved_state_of_the_core(audited):
    audit, seq = audited
    await audit.check_tables()
    await audit.check_core(seq)


MOVED = (
    # Consistent with every rule of the tables: only the core knows better.
    "UPDATE balance SET balance_usd_micros = balance_usd_micros + CASE ledger_account_id"
    " WHEN 5 THEN 7 ELSE -7 END WHERE ledger_account_id IN (5, 6)"
)
SHIFTED = (
    "UPDATE position SET qty_lots = qty_lots + 1, entry_usd_micros = entry_usd_micros"
    " WHERE account_idx = 4 AND contract_idx = 1"
)


@pytest.mark.parametrize(
    ("planted", "found"),
    [(MOVED, "cash of account 2: the core has"), (SHIFTED, "lots of account 4 in contract 1")],
)
async def test_a_ledger_that_left_the_core_stops_clearing(database, audited, planted, found):
    audit, seq = audited
    await forced(database, planted)
    with pytest.raises(LedgerMismatch, match=found):
        await audit.check_core(seq)


async def test_clearing_does_not_start_on_tables_that_contradict_themselves(database, audited):
    await forced(database, SHIFTED)
    with pytest.raises(LedgerMismatch, match="positions sum to zero"):
        await clear(database, audited[1] + 1)
