"""Owners, capacity, credit and notices in Postgres: histories, and each notice once."""

import asyncio

import asyncpg
import pytest

from exchange.io.members import Members
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.restraints import Capacity, OwnerRefused, Restraints
from exchange.rules.restraints import Credit, NoticeKind, Word

ALPHA, BETA, CAROL = range(3)


@pytest.fixture
async def rows(pool):
    """Give the door; carol is a client of alpha."""
    for name, kind in (("alpha", "member"), ("beta", "member"), ("carol", "customer")):
        await PostgresAccounts(pool).create(account_id=name, name=name, kind=kind)
    await Members(pool).join(CAROL, ALPHA, "admin", 1)
    return Restraints(pool)


async def test_a_sub_account_is_one_owners_and_has_none_of_its_own(rows):
    for _ in range(2):
        await rows.set_owner(CAROL, ALPHA, "key", 1)
    assert await rows.owners() == {CAROL: ALPHA}
    with pytest.raises(OwnerRefused):
        await rows.set_owner(BETA, CAROL, "key", 2)
    with pytest.raises(OwnerRefused):
        await rows.set_owner(ALPHA, BETA, "key", 2)
    both = (rows.set_owner(CAROL, BETA, "key", 3), rows.set_owner(BETA, ALPHA, "key", 3))
    await asyncio.gather(*both, return_exceptions=True)
    owners = await rows.owners()
    heads = {owners.get(idx, idx) for idx in owners.values()}
    assert all(owners.get(head, head) == head for head in heads), "no chain, whoever was first"
    await rows.set_owner(CAROL, CAROL, "key", 4)
    assert (await rows.owners())[CAROL] == CAROL


async def test_the_last_word_of_each_account_model_and_hub_holds(rows):
    for gpus in (100, 300):
        await rows.set_capacity(Capacity(CAROL, "H100", "USE", gpus, "audit", "key", gpus))
        await rows.set_capacity(Capacity(None, "H100", "USE", 10 * gpus, "survey", "key", gpus))
    supply = await rows.supply()
    assert supply.gpus("H100", "USE") == 3_300 == supply.gpus("H100", "GLB")
    await rows.set_capacity(Capacity(CAROL, "H100", "USE", 0, "sold", "key", 9))
    assert (await rows.supply()).gpus("H100", "USE") == 3_000


async def test_a_members_credit_holds_while_the_account_is_its_client(rows, pool):
    await rows.set_credit(CAROL, ALPHA, Credit(5, 6), "key", 1)
    await rows.set_credit(CAROL, None, Credit(7, 0), "key", 1)
    await rows.set_credit(CAROL, ALPHA, Credit(4, 6), "key", 2)
    both = (Credit(7, 0), Credit(4, 6))
    assert await rows.credits() == {CAROL: both} == await rows.credits(CAROL)
    await Members(pool).join(CAROL, None, "admin", 3)
    assert await rows.credits() == {CAROL: (Credit(7, 0), Credit())}
    assert await rows.turnover(1, [CAROL]) == {}


async def test_CRED_007_the_clients_of_a_member_are_limited_together_and_by_operators_alone(
    rows, pool
):
    await rows.set_credit(ALPHA, None, Credit(0, 0, 9), "key", 1)
    assert await rows.credits(ALPHA) == {ALPHA: (Credit(0, 0, 9), Credit())}
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            """INSERT INTO account_credit (account_idx, member_idx, margin_max_usd_micros,
               turnover_max_gpu_hours, clients_margin_max_usd_micros, who, ts_ns)
               VALUES (2, 0, 0, 0, 5, 'key', 1)"""
        )
    assert await rows.clients_of([ALPHA, BETA]) == {CAROL: ALPHA}
    await Members(pool).join(CAROL, None, "admin", 3)
    assert await rows.clients_of([ALPHA, BETA]) == {}


async def test_a_notice_is_written_once_whoever_writes_it_and_never_changed(rows, pool):
    body = {"reasons": ["fund_call"], "imposed": True, "seen": {}}
    tell = [rows.tell(CAROL, NoticeKind.RESTRAINED, "0", body, 5) for _ in range(4)]
    assert sum(await asyncio.gather(*tell)) == 1
    (one,) = await rows.notices(CAROL)
    assert await rows.words() == {CAROL: Word(("fund_call",), True, one.notice_id)}
    free = {"reasons": [], "imposed": False, "seen": {}}
    assert await rows.tell(CAROL, NoticeKind.RELEASED, str(one.notice_id), free, 6)
    assert (await rows.words())[CAROL].reasons == ()
    assert [x.kind for x in await rows.notices_after(one.notice_id)] == ["released"]
    assert await rows.last_notice() == (await rows.notices(None, limit=1))[0].notice_id
    assert await rows.notices(ALPHA) == []
    for change in ("UPDATE notice SET kind = 'released'", "DELETE FROM capacity",
                   "DELETE FROM account_owner", "DELETE FROM account_credit"):  # fmt: skip
        with pytest.raises(asyncpg.PostgresError):
            await pool.execute(change)
