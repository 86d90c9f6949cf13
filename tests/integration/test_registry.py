"""Accounts, keys, transfers, signatures: each once, over crashes too."""

import asyncio
import time

import pytest

from exchange.io.errors import Conflict, Corrupt, IdempotencyConflict, Invalid, NotFound
from exchange.io.registry import Scope, TransferStatus
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_keys import PostgresApiKeys
from exchange.io.registry_requests import PostgresOrigins, PostgresSignatures
from exchange.io.registry_transfers import PostgresTransfers
from exchange.io.secret_box import SecretBox
from matching.codes import Code
from matching.saved import unpack
from tests.support.leader import Leader, leader
from tests.support.waiting import until

BOX = SecretBox("k" * 32)
DOLLAR = 1_000_000


async def test_an_account_is_opened_in_the_core_and_made_once(database, pool):
    accounts = PostgresAccounts(pool)
    async with leader(database, pool) as house:
        first = await accounts.create(account_id="alice", name="Alice")
        opened = await accounts.wait_open(first.account_idx)
        again = await accounts.create(account_id="alice", name="Alice")
        assert (first.account_idx, again) == (0, opened)
        assert house.core.account_row(0)["cash_usd_micros"] == 0
    with pytest.raises(IdempotencyConflict, match="exists already, with another name"):
        await accounts.create(account_id="alice", name="Mallory")


async def test_slots_are_given_without_a_hole_under_a_crowd(pool):
    accounts = PostgresAccounts(pool)
    made = await asyncio.gather(
        *(accounts.create(account_id=f"a{n % 20}", name="x") for n in range(40))
    )
    assert sorted({a.account_idx for a in made}) == list(range(20))
    assert [a.account_idx for a in await accounts.list()] == list(range(20))


async def test_accounts_end_at_the_cores_limit(pool):
    accounts = PostgresAccounts(pool, accounts_max=1)
    await accounts.create(account_id="a", name="")
    with pytest.raises(Conflict):
        await accounts.create(account_id="b", name="")


@pytest.mark.parametrize("account_id", ["", "a" * 33, "a b", "a\0", "\ud800", "ä"])
async def test_a_bad_account_id_is_refused_and_not_found(pool, account_id):
    accounts = PostgresAccounts(pool)
    with pytest.raises(Invalid):
        await accounts.create(account_id=account_id, name="x")
    assert await accounts.get(account_id) is None


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 201])
async def test_a_name_that_cannot_be_stored_is_refused(pool, name):
    with pytest.raises(Invalid):
        await PostgresAccounts(pool).create(account_id="a", name=name)


async def test_accounts_written_while_nobody_leads_are_opened_at_the_start(database, pool):
    accounts = PostgresAccounts(pool)
    for number in range(5):
        await accounts.create(account_id=f"a{number}", name="")
    async with leader(database, pool):
        await accounts.wait_open(4)


async def test_a_crash_between_opening_and_writing_it_down_opens_nothing_twice(database, pool):
    accounts = PostgresAccounts(pool)
    house = Leader(database, pool, cadence())
    await house.start()
    house.tasks[0].cancel()  # answers are never seen
    account = await accounts.create(account_id="a", name="")
    await until(lambda: house.status.journal_seq == 2)
    await house.crash()
    assert (await accounts.get("a")).opened_seq is None
    async with leader(database, pool) as house:
        await accounts.wait_open(account.account_idx)
        assert len(unpack(house.core.save())["accounts"]) == 1


async def test_a_deposit_and_a_withdrawal_move_money_once(database, pool):
    accounts, transfers = PostgresAccounts(pool), PostgresTransfers(pool)
    async with leader(database, pool) as house:
        await accounts.create(account_id="a", name="")
        wish = {"account_idx": 0, "amount_usd_micros": 5 * DOLLAR, "client_key": "one"}
        first = await transfers.request(**wish)
        assert (await transfers.request(**wish)).transfer_id == first.transfer_id
        done = await transfers.wait_decided(first.transfer_id)
        assert (done.status, done.code) == (TransferStatus.DONE, None)
        assert done.seq is not None
        out = await transfers.request(
            account_idx=0, amount_usd_micros=-2 * DOLLAR, client_key="two"
        )
        assert (await transfers.wait_decided(out.transfer_id)).status == TransferStatus.DONE
        assert house.core.account_row(0)["cash_usd_micros"] == 3 * DOLLAR
    with pytest.raises(IdempotencyConflict):
        await transfers.request(**(wish | {"amount_usd_micros": 1}))


async def test_a_withdrawal_beyond_the_balance_is_refused_with_its_code(database, pool):
    accounts, transfers = PostgresAccounts(pool), PostgresTransfers(pool)
    async with leader(database, pool):
        await accounts.create(account_id="a", name="")
        wish = await transfers.request(account_idx=0, amount_usd_micros=-1, client_key="x")
        got = await transfers.wait_decided(wish.transfer_id)
    assert (got.status, got.code) == (TransferStatus.REFUSED, Code.WITHDRAWAL_EXCEEDS_FREE)


async def test_many_transfers_of_one_account_go_in_order(database, pool):
    accounts, transfers = PostgresAccounts(pool), PostgresTransfers(pool)
    await accounts.create(account_id="a", name="")
    wishes = [
        await transfers.request(account_idx=0, amount_usd_micros=DOLLAR, client_key=f"k{n}")
        for n in range(30)
    ]
    async with leader(database, pool) as house:
        done = [await transfers.wait_decided(wish.transfer_id) for wish in wishes]
        assert {t.status for t in done} == {TransferStatus.DONE}
        assert [t.seq for t in done] == sorted(t.seq for t in done)
        assert house.core.account_row(0)["cash_usd_micros"] == 30 * DOLLAR
    assert [t.transfer_id for t in await transfers.list(0, limit=2)] == [30, 29]


@pytest.mark.parametrize("answers_seen", [False, True])
async def test_a_crash_after_the_deposit_moves_no_money_twice(database, pool, answers_seen):
    accounts, transfers = PostgresAccounts(pool), PostgresTransfers(pool)
    house = Leader(database, pool, cadence())
    await house.start()
    await accounts.create(account_id="a", name="")
    await accounts.wait_open(0)
    if not answers_seen:
        house.tasks[0].cancel()
    wish = await transfers.request(account_idx=0, amount_usd_micros=DOLLAR, client_key="x")
    await until(lambda: house.status.journal_seq == 3)
    await house.crash()
    async with leader(database, pool) as house:
        done = await transfers.wait_decided(wish.transfer_id)
        assert done.status == TransferStatus.DONE
        assert house.core.account_row(0)["cash_usd_micros"] == DOLLAR


@pytest.mark.parametrize("amount", [0, 1 << 54, -(1 << 54), 1 << 70])
async def test_an_amount_that_cannot_move_is_refused(pool, amount):
    with pytest.raises(Invalid):
        await PostgresTransfers(pool).request(
            account_idx=0, amount_usd_micros=amount, client_key="x"
        )


async def test_a_transfer_of_nobody_is_refused(pool):
    with pytest.raises(NotFound):
        await PostgresTransfers(pool).request(account_idx=7, amount_usd_micros=1, client_key="x")


async def test_a_key_signs_with_a_secret_that_the_database_does_not_show(pool):
    await PostgresAccounts(pool).create(account_id="a", name="")
    keys = PostgresApiKeys(pool, BOX)
    new = await keys.create(
        account_idx=0, scopes=frozenset({Scope.READ, Scope.TRADE}), ip_allow=("10.1.2.3/8", "::1")
    )
    assert new.secret_text is not None
    found = await PostgresApiKeys(pool, BOX).find(new.key.key_id)
    assert found == new.key and found.secret == new.secret_text.encode()
    assert (found.account_id, found.ip_allow) == ("a", ("10.0.0.0/8", "::1/128"))
    dump = str(await pool.fetch("SELECT * FROM api_key"))
    assert new.secret_text not in dump and new.secret_text.encode().hex() not in dump
    assert [k.secret for k in await keys.list(0)] == [None]


async def test_a_secret_does_not_open_with_another_key(pool):
    await PostgresAccounts(pool).create(account_id="a", name="")
    new = await PostgresApiKeys(pool, BOX).create(account_idx=0)
    with pytest.raises(Corrupt):
        await PostgresApiKeys(pool, SecretBox("x" * 32)).find(new.key.key_id)


async def test_an_ed25519_key_holds_the_public_half_only(pool):
    await PostgresAccounts(pool).create(account_id="a", name="")
    new = await PostgresApiKeys(pool, BOX).create(account_idx=0, public_key=b"p" * 32)
    assert (new.secret_text, new.key.secret, new.key.public_key) == (None, None, b"p" * 32)
    with pytest.raises(Invalid):
        await PostgresApiKeys(pool, BOX).create(account_idx=0, public_key=b"short")


async def test_keys_expire_and_are_revoked_for_ever(pool):
    await PostgresAccounts(pool).create(account_id="a", name="")
    keys = PostgresApiKeys(pool, BOX)
    now_ns = time.time_ns()
    new = await keys.create(account_idx=0, expires_at_ns=now_ns + 1000)
    assert new.key.is_live(now_ns) and not new.key.is_live(now_ns + 2000)
    revoked = await keys.revoke(new.key.key_id)
    assert not revoked.is_live(now_ns)
    assert (await keys.revoke(new.key.key_id)).revoked_at_ns == revoked.revoked_at_ns


@pytest.mark.parametrize("key_id", ["", "wk_" + "0" * 16, "wk_\0" + "a" * 15, "x" * 10_000])
async def test_what_is_no_key_is_not_found(pool, key_id):
    keys = PostgresApiKeys(pool, BOX)
    assert await keys.find(key_id) is None
    with pytest.raises(NotFound):
        await keys.revoke(key_id)


async def test_a_key_needs_an_account_and_networks(pool):
    keys = PostgresApiKeys(pool, BOX)
    with pytest.raises(NotFound):
        await keys.create(account_idx=3)
    with pytest.raises(Invalid):
        await keys.create(account_idx=3, ip_allow=("10.0.0.0/99",))


async def test_a_revocation_elsewhere_is_seen_within_moments(database, pool):
    from exchange.io.notify import API_KEY, listen

    await PostgresAccounts(pool).create(account_id="a", name="")
    here, there = PostgresApiKeys(pool, BOX), PostgresApiKeys(pool, BOX)
    new = await here.create(account_idx=0)
    heard: list[str] = []

    def changed(key_id: str) -> None:
        heard.append(key_id)
        here.changed(key_id)

    listening = asyncio.create_task(listen(database, {API_KEY: changed}))
    await until(lambda: heard == [""])  # it listens
    assert (await here.find(new.key.key_id)).revoked_at_ns is None
    await there.revoke(new.key.key_id)

    async def is_revoked() -> bool:
        return (await here.find(new.key.key_id)).revoked_at_ns is not None

    async with asyncio.timeout(60):
        while not await is_revoked():
            await asyncio.sleep(0.01)
    listening.cancel()


async def test_a_signature_is_accepted_once_by_all_gateways_together(pool):
    one, other = PostgresSignatures(pool), PostgresSignatures(pool)
    soon = time.time_ns() + 10**10
    claims = [
        gateway.claim("k", b"%d" % (n % 50), soon) for gateway in (one, other) for n in range(100)
    ]
    assert sum(await asyncio.gather(*claims)) == 50
    assert not await PostgresSignatures(pool).claim("k", b"7", soon)
    assert await one.claim("another key", b"7", soon)


async def test_old_signatures_are_purged_and_live_ones_kept(pool):
    signatures = PostgresSignatures(pool)
    now_ns = time.time_ns()
    await signatures.claim("k", b"old", now_ns - 120 * 10**9)
    await signatures.claim("k", b"new", now_ns + 60 * 10**9)
    await signatures.purge()
    assert await pool.fetchval("SELECT count(*) FROM request_signature") == 1
    assert not await signatures.claim("k", b"new", now_ns)


async def test_origins_rise(pool):
    origins = PostgresOrigins(pool)
    assert [await origins.next_origin_id() for _ in range(3)] == [1, 2, 3]


def cadence():
    from exchange.services.sequencer import Cadence

    return Cadence()
