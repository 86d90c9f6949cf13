"""Assets in and out through Postgres and the core: each move once, over crashes too."""

import asyncio

import pytest

from exchange.io.custody_postgres import PostgresCustody
from exchange.io.errors import IdempotencyConflict, NotFound
from exchange.io.registry import TransferStatus
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_transfers import PostgresTransfers
from exchange.services.sequencer import Cadence
from matching.codes import AssetMove, Code, Kind
from matching.limits import ASSETS_MAX
from tests.support.leader import Leader, leader
from tests.support.rows import command

UST = 1
DOLLAR = 1_000_000


def held(house: Leader) -> tuple[int, int]:
    units, leaving = house.core.state.holdings[UST].tolist()
    return units, leaving


def counted(house: Leader) -> int:
    return int(house.core.state.collaterals[0]["counted_usd_micros"])


async def price(house: Leader) -> None:
    """Say that a bill is worth a dollar."""
    now_ns = house.core.now_ns
    await house.sequencer.submit(
        command(Kind.PRICE_ASSET, order_id=UST, price_ticks=DOLLAR, expires_ns=now_ns, state=1)
    )


async def until(house: Leader, what) -> None:
    async with asyncio.timeout(60):
        while not what():
            await house.sleep()


def wish(move: AssetMove, units: int, key: str, **more) -> dict:
    return {"account_idx": 0, "asset": UST, "move": move, "units": units, "client_key": key, **more}


async def test_a_deposit_moves_units_once_and_counts_by_itself(database, pool):
    accounts, custody = PostgresAccounts(pool), PostgresCustody(pool)
    async with leader(database, pool) as house:
        await accounts.create(account_id="a", name="A")
        first = await custody.request(**wish(AssetMove.DEPOSIT, 500, "one"))
        again = await custody.request(**wish(AssetMove.DEPOSIT, 500, "one"))
        assert again.request_id == first.request_id
        done = await custody.wait_decided(first.request_id)
        assert (done.status, done.ref_id) == (TransferStatus.DONE, 1)
        assert held(house) == (500, 0)
        await price(house)
        await until(house, lambda: counted(house) == 495)
    with pytest.raises(IdempotencyConflict):
        await custody.request(**wish(AssetMove.DEPOSIT, 501, "one"))
    with pytest.raises(NotFound):
        await custody.request(**(wish(AssetMove.DEPOSIT, 1, "x") | {"account_idx": 9}))


async def test_a_withdrawal_is_reserved_then_decided_once_and_whole(database, pool):
    accounts, custody = PostgresAccounts(pool), PostgresCustody(pool)
    async with leader(database, pool) as house:
        await accounts.create(account_id="a", name="A")
        for move, units, key in ((AssetMove.DEPOSIT, 500, "in"), (AssetMove.RESERVE, 501, "too")):
            one = await custody.request(**wish(move, units, key, address="x"))
            one = await custody.wait_decided(one.request_id)
        assert (one.status, one.code) == (TransferStatus.REFUSED, Code.ASSET_INSUFFICIENT)
        out = await custody.request(**wish(AssetMove.RESERVE, 200, "out", address="x"))
        out = await custody.wait_decided(out.request_id)
        assert (out.ref_id, held(house)) == (2, (300, 200))  # what was refused took no number
        paid = wish(AssetMove.PAID, 200, "pay", parent_id=out.request_id)
        one = await custody.wait_decided((await custody.request(**paid)).request_id)
        assert one.status == TransferStatus.DONE and held(house) == (300, 0)
        with pytest.raises(IdempotencyConflict, match="decided already"):
            await custody.request(**wish(AssetMove.RETURN, 200, "ret", parent_id=out.request_id))
        assert await custody.withdrawals(0, open_only=True) == []
        assert [w.client_key for w in await custody.withdrawals(None)] == ["out", "too"]


async def test_moves_of_one_account_go_in_turn_and_survive_a_crash(database, pool):
    accounts, custody = PostgresAccounts(pool), PostgresCustody(pool)
    await accounts.create(account_id="a", name="A")
    wishes = [await custody.request(**wish(AssetMove.DEPOSIT, 7, f"k{n}")) for n in range(12)]
    for _ in range(2):  # the first one dies in the middle
        house = Leader(database, pool, Cadence())
        await house.start()
        await until(house, lambda house=house: held(house)[0] >= 21)
        await house.crash()
    async with leader(database, pool) as house:
        done = [await custody.wait_decided(one.request_id) for one in wishes]
        assert {one.status for one in done} == {TransferStatus.DONE}
        assert [one.ref_id for one in done] == list(range(1, 13))
        assert held(house) == (84, 0)
        assert len(house.core.state.holdings) % ASSETS_MAX == 0


async def test_cash_goes_between_two_accounts_through_the_outbox(database, pool):
    accounts, transfers = PostgresAccounts(pool), PostgresTransfers(pool)
    async with leader(database, pool) as house:
        for name in ("a", "b"):
            await accounts.create(account_id=name, name="A")
        wishes = ((9 * DOLLAR, "in", None), (-2 * DOLLAR, "over", 1))
        for amount, key, receiver in wishes:
            one = await transfers.request(
                account_idx=0, amount_usd_micros=amount, client_key=key, to_account_idx=receiver
            )
            one = await transfers.wait_decided(one.transfer_id)
            assert one.status == TransferStatus.DONE
        cash = [int(house.core.account_row(idx)["cash_usd_micros"]) for idx in range(2)]
        assert cash == [7 * DOLLAR, 2 * DOLLAR]
        with pytest.raises(IdempotencyConflict):
            await transfers.request(account_idx=0, amount_usd_micros=-2 * DOLLAR, client_key="over")


async def test_addresses_and_approvals_are_kept(pool):
    accounts, custody = PostgresAccounts(pool), PostgresCustody(pool)
    await accounts.create(account_id="a", name="A", kind="miner")
    for _ in range(2):
        await custody.add_address(0, UST, "vault", "mine")
    (one,) = await custody.addresses(0)
    assert (one.asset, one.address, one.label) == (UST, "vault", "mine")
    assert await custody.remove_address(0, UST, "vault")
    assert not await custody.remove_address(0, UST, "vault")
    await custody.add_address(0, UST, "vault", "again")
    (again,) = await custody.addresses(0)
    assert again.created_at_ns > one.created_at_ns  # it waits anew
    out = await custody.request(**wish(AssetMove.RESERVE, 1, "out", address="vault"))
    for name in ("x", "y", "x"):
        approvers = await custody.approve(out.request_id, name)
    assert approvers == ["x", "y"]
    assert await custody.owners([0, 7]) == {0: ("A", "miner")}
