"""Auctions of defaults in a real Postgres: sealed by it, decided once, read back as they were."""

import asyncpg
import pytest

from exchange.io.default_auctions import DefaultAuctions, NoBidNow
from exchange.io.errors import IdempotencyConflict
from exchange.rules.adl import tag_of
from exchange.rules.auction_steps import CLOSED, OPEN, OVER, Won
from exchange.rules.default_auction import (
    Ask,
    Bid,
    Lot,
    LotResult,
    Piece,
    Result,
    Terms,
    allocate,
    awards_of,
)
from exchange.rules.default_auction_public import PublicMove, faults_of_published

NOW, NUMBER = 10**18, 30
LOT = Lot(1, "H100", (Piece(0, "H100-USE-2027M01", 10, 2_000, 744_000),))
TERMS = Terms(NUMBER, 4, 29, NOW, NOW + 60, (LOT,), (1, 2))
KINDS = ("house", "member", "member", "trader", "trader", "member")


@pytest.fixture
async def rows(pool: asyncpg.Pool) -> DefaultAuctions:
    for idx, kind in enumerate(KINDS):
        await pool.execute(
            "INSERT INTO account (account_idx, account_id, name, kind) VALUES ($1, $2, $2, $3)",
            idx, f"a{idx}", kind,
        )  # fmt: skip
    await pool.execute(
        "INSERT INTO liquidation_event VALUES ($1, $1, 4, 1, -5, 100, 80, 2, $2)", NUMBER, NOW
    )
    return DefaultAuctions(pool)


def result() -> Result:
    rows = allocate(LOT, 10**12, [Ask(tag_of(1, NUMBER), 5, 10_000)], lambda *_: True)
    lot = LotResult(lot=LOT, reserve_usd_micros=10**12, rows=rows)
    return Result(liquidation_id=NUMBER, state_seq=40, price_top_ticks=65_535, lots=(lot,),
                  awards=tuple(awards_of(lot, 65_535)), dues=())  # fmt: skip


async def test_who_may_bid_is_every_member_less_the_excluded_and_who_was_admitted(rows):
    assert await rows.bidders() == {1, 2, 5}
    await rows.admit(3, "op", NOW, admitted=True)
    await rows.admit(5, "op", NOW, admitted=False)
    assert await rows.bidders() == {1, 2, 3}
    await rows.admit(5, "op", NOW, admitted=True)
    assert (await rows.bidders(), await rows.admissions()) == ({1, 2, 3, 5}, {3: True, 5: True})


async def test_bids_are_taken_until_the_close_of_who_was_asked_and_the_last_counts(pool, rows):
    for _ in range(2):
        await rows.open(TERMS)
    for premium, key in ((9, "one"), (9, "one"), (5, "two")):
        await rows.bid(NUMBER, Bid(1, 1, premium, 10_000), key, "key", NOW + 1)
    with pytest.raises(IdempotencyConflict):
        await rows.bid(NUMBER, Bid(1, 1, 8, 10_000), "one", "key", NOW + 1)
    for bid, now in ((Bid(1, 3, 1, 1), NOW), (Bid(2, 1, 1, 1), NOW), (Bid(1, 1, 1, 1), NOW + 60)):
        with pytest.raises(NoBidNow):
            await rows.bid(NUMBER, bid, f"k{bid}{now}", "key", now)
    assert await rows.answered(NUMBER) == {1: 1}
    assert [one[1:4] for one in await rows.own_bids([NUMBER], 1)] == [(1, 5, 10_000)]
    assert await rows.own_bids([NUMBER], 2) == []
    assert await rows.begin_close(NUMBER, NOW + 2) == [Bid(1, 1, 5, 10_000)]
    with pytest.raises(NoBidNow):
        await rows.bid(NUMBER, Bid(1, 2, 1, 1), "late", "key", NOW + 2)
    # The table itself refuses it, and any change of what was said.
    for statement in (
        f"INSERT INTO default_bid (liquidation_id, lot_no, account_idx, client_key, premium_ticks,"
        f" share_bps, who, ts_ns) VALUES ({NUMBER}, 1, 2, 'x', 1, 1, 'me', {NOW})",
        "UPDATE default_bid SET premium_ticks = 1",
        "DELETE FROM default_bid",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await pool.execute(statement)


async def test_a_decision_is_kept_once_and_known_after_a_kill_at_any_point(pool, rows):
    await rows.open(TERMS)
    assert (await rows.going([]))[NUMBER].phase == OPEN
    assert (await rows.going([]))[NUMBER].terms == TERMS
    await rows.begin_close(NUMBER, NOW + 2)
    won = (Won(1, 1, 0, 10, 1_995),)
    for _ in range(2):
        await rows.decide(result(), won, {2}, NOW + 3)
    (known,) = (await rows.going([])).values()
    assert (known.phase, known.won, known.juniors, known.closed_ns) == (CLOSED, won, {2}, NOW + 3)
    assert await rows.moved(100, [NUMBER]) == []
    await pool.execute(
        "INSERT INTO contract (contract_idx, symbol, tick_value_usd_micros, state, mark_ticks,"
        " settle_ticks, ends_ns, listed_seq, listed_ns, open_interest_lots, updated_seq,"
        " last_trade_ticks, volume_lots)"
        " VALUES (0, 'H100-USE-2027M01', 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0)"
    )
    move = "INSERT INTO position_move VALUES ($1, $2, 4, 0, 4, 1, 1, $3, 10, 5)"
    await pool.execute(move, 50, NUMBER, 1_995)
    assert await rows.moved(49, [NUMBER]) == []
    assert await rows.moved(50, [NUMBER]) == [(NUMBER, 1, 0, 10)]
    moves = [PublicMove(one.seq, tag_of(one.winner_idx, NUMBER), *one[2:])
             for one in await rows.moves(NUMBER)]  # fmt: skip
    assert faults_of_published(await rows.result(NUMBER) or {}, moves) == []
    assert await pool.fetch("SELECT * FROM violation_auction") == []
    await rows.end(NUMBER, "done", NOW + 4)
    await rows.end(NUMBER, "withdrawn", NOW + 5)
    seen = await rows.get(NUMBER)
    assert seen is not None and (seen.status, seen.updated_ns) == ("done", NOW + 4)
    assert await rows.going([]) == {} and (await rows.going([NUMBER]))[NUMBER].phase == OVER
    assert [one.status for one in await rows.page(1)] == ["done"] and await rows.page(3) == []
    assert [one.status for one in await rows.changed(NOW + 4)] == ["done"]
    await pool.execute(move, 51, NUMBER, 1_000)  # at another price than was awarded
    found = {row["rule"] for row in await pool.fetch("SELECT * FROM violation_auction")}
    assert found == {"auctioned lots are those of an award", "an award is moved once"}
