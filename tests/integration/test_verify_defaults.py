"""A journal with a liquidation, a sale of collateral, a default and a tear-up: verify is silent."""

import asyncpg
import numpy as np
import pytest

from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.defaults import Defaults
from exchange.io.journal_postgres import PostgresJournal
from exchange.io.leader import Leadership
from exchange.io.ledger import Ledger
from exchange.rules.adl import tag_of
from exchange.rules.adl_public import faults_of_published as adl_faults
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.loss_proof import PublicUse, faults_of_published
from exchange.services.verify import verify
from matching.codes import Kind, PriceSource
from matching.engine import Engine
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, FLAT, HOUSE, SIZES
from tests.unit.exchange.services.test_waterfall_runs import NAMES, OF_ALICE, UST, put, stage_of


def restore(blob: bytes | None) -> Engine:
    return Engine.restore(blob, SIZES) if blob is not None else Engine(SIZES)


@pytest.fixture
async def played(database: Database, pool: asyncpg.Pool):
    """Play a default to its end, and write what sequencer, clearing and the service would."""
    batches: list[Batch] = []

    def keep(commands: np.ndarray, events: np.ndarray) -> None:
        batches.append(Batch(int(commands[0]["seq"]), commands.copy(), events.copy()))

    stage = stage_of(keep=keep)
    put(stage, Kind.MOVE_ASSET, account_idx=ALICE, order_id=UST, state=1, price_ticks=40, ref_id=1)
    put(stage, Kind.PRICE_ASSET, order_id=UST, state=PriceSource.OPERATOR, price_ticks=1_000_000,
        expires_ns=stage.world.now_ns)  # fmt: skip
    stage.mark(850)
    stage.place(CAROL, 0, 849, 1)
    await stage.steps(2)  # a slice
    stage.mark(500)
    await stage.steps(3)
    put(stage, Kind.SETTLE, price_ticks=500)
    names = {**NAMES, ALICE: "alice", BOB: "bob", CAROL: "carol", FLAT: "flat"}
    for idx, name in sorted(names.items()):
        kind = "house" if name in ("insurance", "house-second") else "customer"
        await pool.execute(
            "INSERT INTO account (account_idx, account_id, name, kind) VALUES ($1, $2, $2, $3)",
            idx, name, "fund" if idx >= OF_ALICE else kind,
        )  # fmt: skip
    journal = PostgresJournal(pool, database, await Leadership(pool, "test").take())
    await journal.open()
    house, connection = ClearingHouse(), await database.connect()
    for batch in batches:
        await journal.append(batch)
        house.apply(batch.commands, batch.events)
        await Ledger(connection).write(house.take())
    await connection.close()
    await journal.close()
    return stage


async def test_a_default_verifies_to_the_micro_dollar(played, database, pool):
    stage, rows = played, Defaults(pool)
    assert stage.lots(ALICE) == 0 and stage.equity(FLAT) == 77
    for proof in stage.rows.borne.values():
        await rows.keep_loss(proof)
        await rows.keep_loss(proof)
    for (_, _), proof in stage.rows.kept.items():
        await rows.keep_proof(proof, 0)
    report = await verify(database, restore)
    assert report.findings == [] and report.is_sound
    (seen,) = await rows.liquidations()
    used = await rows.parties(seen.liquidation_id)
    assert {row.layer for row in used} == {1, 2, 3, 4, 5, 6, 7}
    published = await rows.losses(seen.liquidation_id)
    uses = [
        PublicUse(seq=row.seq, place=row.layer, tag=tag_of(row.party_idx, seen.liquidation_id),
                  amount_usd_micros=row.amount_usd_micros)
        for row in used
    ]  # fmt: skip
    assert faults_of_published(published, uses) == []
    found = await rows.proofs(seen.liquidation_id)
    assert found and not any(adl_faults(one) for one in found)
    own = await rows.own_losses(BOB)
    assert {row.layer for row in own} == {4, 6, 7} and await rows.own_losses(FLAT) == []
    assert await rows.uses_open(1 << 60, [seen.liquidation_id]) != []
    assert await rows.haircuts(1 << 60) == {}  # settled since
    assert {idx for idx, *_ in await rows.fund_accounts()} == {HOUSE, *range(5, 9)}


async def test_a_changed_use_of_a_layer_is_found(played, database):
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("ALTER TABLE waterfall_use DISABLE TRIGGER ALL")
    await owner.execute("UPDATE waterfall_use SET amount_usd_micros = amount_usd_micros + 1")
    await owner.execute("ALTER TABLE waterfall_use ENABLE ALWAYS TRIGGER append_only")
    await owner.close()
    report = await verify(database, restore)
    assert {finding.table for finding in report.findings} == {"waterfall_use"}
