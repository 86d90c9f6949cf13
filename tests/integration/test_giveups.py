"""Fills given up to another account: offered, accepted, moved once, over crashes too."""

import pytest

from exchange.io.errors import IdempotencyConflict
from exchange.io.giveups import (
    FillNotThere,
    FillTooOld,
    FillTooSmall,
    GiveUps,
    GiveUpStatus,
    Offer,
)
from exchange.rules.giveups import FILL_AGE_NS_MAX
from exchange.services.giveups import GiveUpDesk
from exchange.services.sequencer import Cadence
from matching.codes import AccountState, Code, Kind
from tests.integration.test_billing import opened
from tests.support.leader import leader

LATER = 1 << 62


async def test_accepted_lots_move_once_at_the_price_of_the_trade_over_a_crash(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk, rows = await opened(house, pool, database), GiveUps(pool)
        mirror, send = house.mirror, house.sequencer.submit
        await desk.fill(5)
        await desk.clear()
        seq = await pool.fetchval("SELECT max(seq) FROM trade")
        ask = Offer(1, 2, "one", seq, 0, None, 3, LATER)
        one, again = await rows.offer(ask, "key", 1)
        assert not again and (one.side, one.price_ticks, one.qty_lots) == (0, 2_000, 3)
        assert await rows.offer(ask, "key", 2) == (one, True)
        with pytest.raises(IdempotencyConflict):
            await rows.offer(ask._replace(qty_lots=2), "key", 2)
        with pytest.raises(FillTooSmall, match="2 lots"):
            await rows.offer(ask._replace(client_key="two", qty_lots=3), "key", 2)
        with pytest.raises(FillNotThere):
            await rows.offer(ask._replace(client_key="three", giver_idx=2, taker_idx=1), "key", 2)
        number = one.giveup_id
        assert not await rows.answer(number, GiveUpStatus.ACCEPTED, 0, "other", 3)
        assert await rows.answer(number, GiveUpStatus.ACCEPTED, 2, "taker", 1)  # in the same moment
        assert not await rows.answer(number, GiveUpStatus.WITHDRAWN, 1, "key", 3)
        mover = GiveUpDesk(rows, mirror, send)
        await mover.step()
        await desk.until(lambda: 0 in mirror.accounts[2].positions)
        # Killed before it wrote the answer: the next one finds what has moved, and moves nothing.
        later = GiveUpDesk(rows, mirror, send)
        await later.step()
        assert (await rows.get(number, 2)).status == "accepted"  # clearing is not there yet
        await desk.clear()
        before = mirror.seq
        await later.step()
        await later.step()
        done = await rows.get(number, 1)
        assert (done.status, done.move_seq) == ("done", before) and mirror.seq == before
        assert [mirror.accounts[idx].positions[0].qty_lots for idx in range(3)] == [-5, 2, 3]
        assert mirror.accounts[2].positions[0].entry_usd_micros == 3 * 2_000 * 744_000
        assert [name for name, _, _ in await rows.events(number)] == ["offered", "accepted", "done"]
        rest, _ = await rows.offer(ask._replace(client_key="rest", qty_lots=None), "key", 4)
        assert rest.qty_lots == 2


async def test_offers_expire_and_a_refusal_of_the_core_is_kept_and_frees_the_lots(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk, rows = await opened(house, pool, database), GiveUps(pool)
        mover = GiveUpDesk(rows, house.mirror, house.sequencer.submit)
        await desk.fill(2)
        await desk.clear()
        seq = await pool.fetchval("SELECT max(seq) FROM trade")
        gone, _ = await rows.offer(Offer(1, 2, "late", seq, 0, None, 2, 5), "key", 1)
        await mover.step()
        assert (await rows.get(gone.giveup_id, 1)).status == "expired"
        assert not await rows.answer(gone.giveup_id, GiveUpStatus.ACCEPTED, 2, "taker", 6)
        one, _ = await rows.offer(Offer(1, 2, "flat", seq, 0, None, 2, LATER), "key", 1)
        await desk.send(kind=Kind.SET_ACCOUNT, account_idx=2, state=AccountState.FROZEN)
        assert await rows.answer(one.giveup_id, GiveUpStatus.ACCEPTED, 2, "taker", 7)
        start = house.mirror.seq
        await mover.step()
        await desk.until(lambda: house.mirror.seq > start)
        async for batch in house.journal.read(start):
            mover.observe(batch.commands, batch.events)
            if batch.last_seq >= house.mirror.seq:
                break
        await mover.step()
        refused = await rows.get(one.giveup_id, 2)
        assert refused.status == "refused" and Code(refused.code).name == "ACCOUNT_FROZEN"
        again, _ = await rows.offer(Offer(1, 0, "again", seq, 0, None, None, LATER), "key", 9)
        assert again.qty_lots == 2
        trade_ns = await pool.fetchval("SELECT ts_ns FROM trade WHERE seq = $1", seq)
        old = Offer(1, 2, "old", seq, 0, None, None, LATER)
        with pytest.raises(FillTooOld):
            await rows.offer(old, "key", trade_ns + FILL_AGE_NS_MAX + 1)
