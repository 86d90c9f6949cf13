"""Liquidations, proofs and margin calls in a real Postgres."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from exchange.io.defaults import Defaults
from exchange.io.members import Members
from exchange.io.notify import MARGIN_CALL, listen
from exchange.io.tasks import end_tasks
from exchange.rules.adl import Candidate, Closing, plan
from exchange.rules.adl_public import faults_of_published
from exchange.rules.margin_calls import CALL_NS, GRACE_NS, CallState, issue, pass_time, pay
from tests.support.waiting import until

NOW = 10**18


@pytest.fixture
async def rows(pool: asyncpg.Pool) -> Defaults:
    for idx, (name, kind) in enumerate((("insurance", "house"), ("alice", "member"))):
        await pool.execute(
            "INSERT INTO account (account_idx, account_id, name, kind) VALUES ($1, $2, $2, $3)",
            idx, name, kind,
        )  # fmt: skip
    return Defaults(pool)


async def event(pool: asyncpg.Pool, seq: int, liquidation_id: int, step: int) -> None:
    await pool.execute(
        "INSERT INTO liquidation_event VALUES ($1, $2, 1, $3, -5, 100, 80, 2, $4)",
        seq, liquidation_id, step, NOW + seq,
    )  # fmt: skip


async def test_what_goes_on_is_known_after_a_start(pool, rows):
    await event(pool, 10, 10, 1)
    await event(pool, 12, 10, 2)
    await event(pool, 20, 20, 1)
    going = await rows.open_liquidations(25)
    assert going == {1: (20, NOW + 20, 2)}
    assert await rows.open_liquidations(19) == {}
    assert await rows.last_liquidations("member") == {1: (20, NOW + 20, 2)}
    assert await rows.last_liquidations("customer") == {}
    newest, older = await rows.liquidations()
    assert (newest.liquidation_id, newest.ended_ns) == (20, None)
    assert (older.liquidation_id, older.ended_ns, older.account_id) == (10, NOW + 12, "alice")
    assert [one.liquidation_id for one in await rows.liquidations(before_id=20)] == [10]
    assert await rows.liquidations(account_idx=0) == []


async def test_guar_001_a_use_of_the_guarantee_is_kept_and_the_member_of_a_client_found(pool, rows):
    await pool.execute(
        "INSERT INTO account (account_idx, account_id, name, kind) VALUES (2, 'c', 'c', 'customer')"
    )
    members = Members(pool)
    assert await rows.guarantors([0, 1, 2]) == {}
    await members.join(2, 1, "admin", 1)
    assert await rows.guarantors([0, 1, 2]) == {2: 1}
    await members.join(2, None, "admin", 2)
    assert await rows.guarantors([2]) == {}
    await pool.execute("INSERT INTO waterfall_use VALUES (30, 20, 9, 1, 2, 55, $1)", NOW)
    (lost,) = await rows.own_losses(1)
    assert (lost.layer, lost.amount_usd_micros) == (9, 55)
    (paid,) = await rows.parties(20)
    assert (paid.layer, paid.party_idx) == (9, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("INSERT INTO waterfall_use VALUES (31, 20, 10, 1, 2, 55, $1)", NOW)


async def test_what_is_written_of_a_liquidation_stays(pool, rows):
    await event(pool, 10, 10, 1)
    with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
        await pool.execute("UPDATE liquidation_event SET step = 2")


async def test_a_proof_is_kept_once_and_read_as_it_was(rows):
    closing = Closing(
        liquidation_id=10, round_no=1, symbol="X", qty_lots=3, price_ticks=90, mark_ticks=80,
        tick_value_usd_micros=1, state_seq=9,
    )  # fmt: skip
    other = Candidate(
        account_id=4, qty_lots=-5, entry_usd_micros=-500, value_usd_micros=-400,
        equity_usd_micros=1_000,
    )  # fmt: skip
    proof, _ = plan(closing, [other])
    await rows.keep_proof(proof, 0)
    await rows.keep_proof(replace(proof, left_lots=3), 0)
    (found,) = await rows.proofs(10)
    assert faults_of_published(found) == [] and found["left_lots"] == 0
    assert await rows.proofs(11) == []


async def test_one_call_is_open_at_a_time_and_each_change_is_made_once(pool, rows):
    for amount in (100, 200):
        await rows.issue(issue(0, 1, amount, NOW))
    (call,) = await rows.open_calls()
    assert (call.amount_usd_micros, call.state) == (100, CallState.ISSUED)
    await rows.acknowledge(call.call_id, 0, NOW)  # not the owner
    assert (await rows.open_calls())[0].state == CallState.ISSUED
    await rows.acknowledge(call.call_id, 1, NOW)
    (call,) = await rows.open_calls()
    paid = pay(call, 40)
    assert await rows.change(call, paid, NOW + 1)
    assert not await rows.change(call, paid, NOW + 2)  # from a state that is over
    late = pass_time(paid, NOW + CALL_NS + GRACE_NS)
    assert await rows.change(paid, late, NOW + CALL_NS + GRACE_NS)
    assert await rows.open_calls() == []
    assert await rows.escalated() == {1}
    await pool.execute(
        "INSERT INTO liquidation_event VALUES (7, 7, 1, 1, -5, 100, 80, 0, $1)",
        NOW + CALL_NS + GRACE_NS,
    )
    assert await rows.escalated() == set()  # the default procedure has it
    (seen,) = await rows.calls(account_idx=1)
    assert (seen.account_id, seen.met_usd_micros, seen.state) == ("alice", 40, "escalated")
    assert await rows.kinds() == {0: "house", 1: "member"}


async def test_each_change_of_a_call_is_told_and_read_by_who_shows_it(database, rows):
    heard: list[str] = []
    hearing = asyncio.create_task(listen(database, {MARGIN_CALL: heard.append}))
    await until(lambda: heard == [""])  # it listens
    await rows.issue(issue(0, 1, 1_000, NOW))
    await until(lambda: heard == ["", "1"])
    (now,) = await rows.calls_changed(1 << 62)  # those that are open
    assert (now.call.state, now.account_idx, now.updated_ns) == ("issued", 1, NOW)
    (call,) = await rows.open_calls()
    assert await rows.change(call, pay(call, 1_000), NOW + 5)
    await until(lambda: heard == ["", "1", "1"])
    (ended,) = await rows.calls_changed(NOW + 5)
    assert ended.call.state == "met"
    assert await rows.calls_changed(NOW + 6) == []
    await end_tasks([hearing])
