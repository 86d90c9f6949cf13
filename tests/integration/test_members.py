"""Whose client an account is: a history nobody changes, and ports that are whole or not at all."""

import asyncio
from types import SimpleNamespace

import asyncpg
import pytest

from exchange.io.errors import DatabaseUnavailable, IdempotencyConflict
from exchange.io.members import HasMember, HasNoMember, Members, PortGoing, PortStatus, Proposal
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.stored import Stored
from exchange.rules.protections import Limits, Protections
from exchange.services.limit_keeper import LimitKeeper
from exchange.services.verify.guards import guard_differences
from tests.support.waiting import until_locked_out

LATER = 1 << 62
LIMIT_FIELDS = ("qty_lots", "amount_usd_micros", "order_id", "price_ticks", "ref_id")
ALPHA, BETA, CAROL, HOUSE = range(4)
ASK = Proposal(CAROL, BETA, "one", "alpha fails", LATER)


@pytest.fixture
async def rows(pool):
    """Give the door; carol is a client of alpha."""
    accounts = PostgresAccounts(pool)
    for name, kind in (
        ("alpha", "member"), ("beta", "member"), ("carol", "customer"), ("insurance", "house"),
    ):  # fmt: skip
        await accounts.create(account_id=name, name=name, kind=kind)
    found = Members(pool)
    await found.join(CAROL, ALPHA, "admin", 1)
    await found.join(CAROL, ALPHA, "admin", 2)  # said again: one row
    return found


async def members(rows: Members) -> list[int | None]:
    return [row.member_idx for row in await rows.history(CAROL)]


async def test_a_port_is_done_once_whoever_answers_at_the_same_time(rows, pool):
    one, again = await rows.propose(ASK, "admin", 3)
    assert not again and one.from_idx == ALPHA
    assert await rows.propose(ASK._replace(reason="again"), "admin", 4) == (one, True)
    with pytest.raises(IdempotencyConflict):
        await rows.propose(ASK._replace(to_idx=ALPHA), "admin", 4)
    with pytest.raises(PortGoing):
        await rows.propose(ASK._replace(client_key="two"), "admin", 4)
    with pytest.raises(HasMember):
        await rows.join(CAROL, BETA, "admin", 4)
    done = [rows.answer(one.port_id, PortStatus.DONE, BETA, "beta", 5) for _ in range(4)]
    ends = [rows.answer(one.port_id, PortStatus.WITHDRAWN, None, "admin", 5) for _ in range(2)]
    said = await asyncio.gather(*done, *ends)
    assert sum(said) == 1
    found = await rows.port(one.port_id, None, 6)
    assert await members(rows) == ([ALPHA, BETA] if found.status == "done" else [ALPHA])
    assert len(await rows.events(one.port_id)) == 2
    assert await rows.port(one.port_id, ALPHA, 6) is None  # it is not for alpha


async def test_PORT_013_offers_of_a_default_are_found_by_their_name_whatever_became_of_them(rows):
    one, _ = await rows.propose(ASK._replace(client_key="default-7-2-1"), "exchange", 3)
    assert await rows.answer(one.port_id, PortStatus.DECLINED, BETA, "beta", 5)
    await rows.propose(ASK._replace(client_key="default-70-2-1"), "exchange", 6)
    assert [(port.port_id, port.status) for port in await rows.offers("default-7-")] == [
        (one.port_id, "declined")
    ]
    assert await rows.offers("default-_-") == []


async def test_who_is_killed_before_the_end_of_an_answer_changed_nothing_and_says_it_again(
    rows, pool, database
):
    one, _ = await rows.propose(ASK, "admin", 3)
    owner = await database.connect_owner()
    async with owner.transaction():
        await owner.execute("LOCK TABLE membership IN ACCESS EXCLUSIVE MODE")
        answer = asyncio.create_task(rows.answer(one.port_id, PortStatus.DONE, BETA, "beta", 5))
        pid = await until_locked_out(pool)
        # The port is said to be done, its membership is not written.
        await pool.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable):
            await answer
    await owner.close()
    assert (await rows.port(one.port_id, None, 6)).status == "proposed"
    assert await members(rows) == [ALPHA]
    assert await rows.answer(one.port_id, PortStatus.DONE, BETA, "beta", 6)
    assert not await rows.answer(one.port_id, PortStatus.DONE, BETA, "beta", 7)
    assert await members(rows) == [ALPHA, BETA]
    assert await rows.clients(BETA) == [CAROL] and await rows.clients(ALPHA) == []
    assert await rows.members_of([ALPHA, CAROL]) == {CAROL: "beta"}


async def test_ports_expire_and_end_when_the_client_leaves(rows):
    late, _ = await rows.propose(ASK._replace(expires_ns=5), "admin", 3)
    assert not await rows.answer(late.port_id, PortStatus.DONE, BETA, "beta", 5)
    assert (await rows.ports(BETA, 5))[0].status == "expired"
    again, _ = await rows.propose(ASK._replace(client_key="two"), "admin", 6)
    await rows.join(CAROL, None, "admin", 7)
    assert not await rows.answer(again.port_id, PortStatus.DONE, BETA, "beta", 8)
    assert await members(rows) == [ALPHA, None]
    with pytest.raises(HasNoMember):
        await rows.propose(ASK._replace(client_key="three"), "admin", 9)


async def test_the_database_itself_refuses_what_the_rules_refuse(rows, pool, database):
    one, _ = await rows.propose(ASK, "admin", 3)
    insert = "INSERT INTO membership (account_idx, member_idx, port_id, who, ts_ns) VALUES "
    for wrong in (
        f"UPDATE port SET status = 'done' WHERE port_id = {one.port_id}",  # and no membership
        f"{insert} ({CAROL}, {BETA}, {one.port_id}, 'x', 1)",  # its port is not done
        f"{insert} ({BETA}, {ALPHA}, NULL, 'x', 1)",
        f"{insert} ({HOUSE}, {ALPHA}, NULL, 'x', 1)",
        f"{insert} ({CAROL}, {HOUSE}, NULL, 'x', 1)",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(wrong)
    for wrong in (
        "UPDATE membership SET member_idx = NULL", "DELETE FROM port_event", "DELETE FROM port",
        "UPDATE port SET to_idx = 0",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(wrong)
    assert await rows.answer(one.port_id, PortStatus.DECLINED, BETA, "beta", 4)
    with pytest.raises(asyncpg.CheckViolationError, match="has ended"):
        await pool.execute("UPDATE port SET status = 'withdrawn'")
    connection = await database.connect()
    assert await guard_differences(Stored(connection)) == []
    await connection.close()


async def test_CRED_002_the_last_word_of_an_operator_and_of_the_member_of_now_hold(rows, pool):
    assert not await rows.knows_limits(CAROL)
    assert await rows.limits_of(CAROL) == (Limits(), Limits())
    await rows.note_limits(CAROL, None, Limits(5, 0, 0, 0, 9), "admin", 3)
    await rows.note_limits(CAROL, ALPHA, Limits(7, 1, 0, 0, 0), "alpha", 4)
    await rows.note_limits(CAROL, ALPHA, Limits(6, 1, 0, 0, 0), "alpha", 5)
    await rows.note_limits(CAROL, BETA, Limits(1, 1, 1, 1, 1), "beta", 6)
    assert await rows.knows_limits(CAROL)
    assert await rows.limits_of(CAROL) == (Limits(5, 0, 0, 0, 9), Limits(6, 1, 0, 0, 0))
    await rows.join(CAROL, None, "admin", 7)
    assert await rows.limits_of(CAROL) == (Limits(5, 0, 0, 0, 9), Limits())
    with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
        await pool.execute("UPDATE account_limit SET qty_max_lots = 0")


async def test_CRED_008_what_was_written_and_never_told_is_told_to_the_core_once(rows):
    accounts = [SimpleNamespace(protections=Protections()) for _ in range(CAROL + 1)]
    mirror, sent = SimpleNamespace(accounts=accounts), []

    async def send(commands):
        sent.append(commands)
        for one in commands:
            said = (int(one[name]) for name in LIMIT_FIELDS)
            accounts[one["account_idx"]].protections.limits = Limits(*said)

    keeper = LimitKeeper(rows, mirror, send)
    assert await keeper.differing() == {}
    await rows.note_limits(CAROL, None, Limits(5, 0, 0, 0, 9), "admin", 3)
    await rows.note_limits(CAROL, ALPHA, Limits(6, 1, 0, 0, 0), "alpha", 4)  # and killed
    before = await keeper.differing()
    assert before == {CAROL: Limits(5, 1, 0, 0, 9)}
    assert await keeper.step({CAROL: Limits(5, 0, 0, 0, 9)}) == 0  # somebody is at it
    assert await keeper.step(before) == 1 and await keeper.step(before) == 0
    await rows.join(CAROL, None, "admin", 7)  # and killed: the member's hold no more
    assert await keeper.step(await keeper.differing()) == 1
    assert accounts[CAROL].protections.limits == Limits(5, 0, 0, 0, 9)
    assert len(sent) == 2
    accounts.clear()  # not opened in the core yet
    assert await keeper.differing() == {}
