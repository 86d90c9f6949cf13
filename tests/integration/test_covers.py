"""Pledged receipts as cover, through Postgres and the core: told, given back, over crashes."""

import asyncio

import pytest

from exchange.io.covers import Covers
from exchange.io.delivery import ESCROW_ID, PostgresReceipts
from exchange.io.delivery_check import delivery_findings
from exchange.io.delivery_issuers import Curtailment, Issuers
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_transfers import PostgresTransfers
from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery import deeds
from exchange.rules.delivery.cover import hours_of
from exchange.rules.delivery.receipts import NS_PER_HOUR, Status, receipt_id_of
from exchange.rules.operations import stage_commands, swap_command
from exchange.services.covers import CoverDesk
from exchange.services.delivery import DeliveryDesk
from matching.codes import Kind, Side, TradingState
from tests.support.leader import leader
from tests.support.receipts import receipt
from tests.support.rows import command

DOLLAR = 1_000_000
SYMBOL = "H100-USE-2027M03"
HOURS = hours_of(parse_symbol(SYMBOL))
CLOUD, LAB, ESCROW, HOUSE = range(4)


class Clock:
    def __init__(self, hour):
        self.ns = hour * NS_PER_HOUR

    def now_ns(self):
        return self.ns


class Floor:
    """A cloud that is short of March and has nodes for it."""

    def __init__(self, house, pool):
        self.house, self.pool = house, pool
        self.clock = Clock(HOURS[0] - 100)
        self.receipts, self.issuers = PostgresReceipts(pool), Issuers(pool)
        self.begin()

    def begin(self):
        """Begin as a process does that knows nothing."""
        mirror, send = self.house.mirror, self.house.sequencer.submit
        self.delivery = DeliveryDesk(self.receipts, None, lambda idx: 0, self.clock)
        self.desk = CoverDesk(Covers(self.pool), mirror, send, self.clock)
        self.seen = mirror.seq

    async def open(self):
        accounts, transfers = PostgresAccounts(self.pool), PostgresTransfers(self.pool)
        for name in ("cloud", "lab", ESCROW_ID):
            await accounts.create(account_id=name, name=name, kind="member")
        for idx in (CLOUD, LAB):
            done = await transfers.request(
                account_idx=idx, amount_usd_micros=100_000 * DOLLAR, client_key="in"
            )
            await transfers.wait_decided(done.transfer_id)
        await self.issuers.admit(CLOUD, bytes([7] * 32), "audit", "48 h, no fault", 48, "op")
        await self.send(command(
            kind=Kind.LIST, contract_idx=0, symbol=SYMBOL, price_ticks=2_000,
            amount_usd_micros=744_000, qty_lots=10_000, state=TradingState.CONTINUOUS,
        ))  # fmt: skip
        shocks = [-500 * DOLLAR, 500 * DOLLAR] * 4
        await self.send(stage_commands(0, shocks))
        await self.send(swap_command(8, 2))
        for idx, side in ((CLOUD, Side.SELL), (LAB, Side.BUY)):
            await self.send(command(
                kind=Kind.PLACE, account_idx=idx, contract_idx=0, side=side, price_ticks=2_000,
                qty_lots=10,
            ))  # fmt: skip

    async def send(self, rows):
        seq = self.house.mirror.seq
        await self.house.sequencer.submit(rows)
        async with asyncio.timeout(20):
            while self.house.mirror.seq < seq + len(rows):
                await self.house.sleep()

    async def step(self):
        """Let both desks work, and hear what was committed."""
        await self.delivery.step()
        await self.desk.step()
        await self.house.sleep()
        async for batch in self.house.journal.read(self.seen):
            if batch.last_seq > self.house.mirror.seq:
                break
            self.desk.observe(batch.commands, batch.events)
            self.seen = batch.last_seq
            if self.seen >= self.house.mirror.seq:
                break

    async def until(self, what):
        async with asyncio.timeout(20):
            while not await what():
                await self.step()

    async def issued(self, name, nodes):
        one = receipt(
            receipt_id=receipt_id_of(name), nodes=nodes, start_hour=HOURS[0], end_hour=HOURS[1],
            status=Status.BONDING,
        )  # fmt: skip
        one = await self.receipts.issue(one, self.clock.ns)
        await self.until(lambda: self.is_in(one, Status.ACTIVE))
        return one.receipt_id, one

    async def is_in(self, one, status):
        return (await self.receipts.get(one.receipt_id)).status == status

    async def act(self, one, act):
        await self.receipts.act(one.receipt_id, act, self.clock.ns)

    async def pledge(self, one):
        await self.act(one, lambda it: deeds.pledge(it, CLOUD, ESCROW, SYMBOL))

    async def covers(self, lots):
        async def told():
            return self.lots == lots

        await self.until(told)

    async def lose_cash(self, left):
        """Take cash out until so much more than the requirement is left."""
        account = self.house.core.state.accounts[CLOUD]
        free = int(account["cash_usd_micros"]) - self.house.core.requirement(CLOUD)
        rows = command(Kind.WITHDRAW, account_idx=CLOUD, amount_usd_micros=free - left)
        await self.send(rows)

    @property
    def lots(self):
        return self.house.mirror.position(CLOUD, 0).cover_lots

    @property
    def required(self):
        return self.house.core.requirement(CLOUD) // DOLLAR


@pytest.fixture
async def floor(database, pool):
    async with leader(database, pool) as house:
        floor = Floor(house, pool)
        await floor.open()
        yield floor


async def test_COLL_122_a_pledge_lowers_the_margin_and_goes_back_only_where_margin_allows_it(
    floor, pool
):
    _, one = await floor.issued("one", ("a",))
    _, two = await floor.issued("two", ("b", "c"))
    assert floor.required == 5_000
    await floor.pledge(one)
    await floor.covers(6)  # 85 % of 8 GPUs
    assert floor.required == 4 * 500 + 600
    await floor.pledge(two)
    await floor.covers(20)
    assert floor.required == 1_000
    floor.begin()  # a new process has nothing to say
    seq = floor.house.mirror.seq
    await floor.step()
    assert floor.house.mirror.seq == seq
    await floor.lose_cash(500 * DOLLAR)

    for receipt_ in (two, one):
        await floor.act(receipt_, lambda it: deeds.unpledge(it, CLOUD))
        await floor.step()
        floor.begin()  # killed while it asks
    await floor.until(lambda: floor.is_in(one, Status.ACTIVE))
    await floor.until(lambda: floor.is_in(two, Status.PLEDGED))
    history = [event.kind for event in await floor.receipts.history(two.receipt_id)]
    assert history == ["issued", "bonded", "covering", "releasing", "release_refused"]
    await floor.covers(13)
    assert floor.required == 1_000

    await floor.issuers.curtail(Curtailment("USE", HOURS[0], HOURS[0] + 372, "PJM-1", "op"))
    await floor.covers(6)  # whatever margin says
    assert floor.required == 2_600
    await floor.issuers.end(CLOUD, "left", "op")
    await floor.covers(0)
    async with pool.acquire() as connection:
        assert await delivery_findings(connection) == []


async def liquidated(floor, paid_usd=0):
    """Have clearing's tables say that the cloud was liquidated, and who paid for it."""
    seq, ts_ns = floor.house.mirror.seq, floor.clock.ns + NS_PER_HOUR
    await floor.pool.execute(
        "INSERT INTO liquidation_event (seq, liquidation_id, account_idx, step, equity_usd_micros,"
        " initial_usd_micros, maintenance_usd_micros, state_before, ts_ns)"
        " VALUES ($1, $1, $2, 2, 0, 0, 0, 0, $3)", seq, CLOUD, ts_ns,
    )  # fmt: skip
    for place, layer in enumerate((2, 3)):  # its own share of the fund, then the house
        await floor.pool.execute(
            "INSERT INTO waterfall_use (seq, liquidation_id, layer, giver_idx, receiver_idx,"
            " amount_usd_micros, ts_ns) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            seq + place, seq, layer, HOUSE, CLOUD, max(1, paid_usd * DOLLAR), ts_ns,
        )  # fmt: skip
        if not paid_usd:
            break


async def test_CDR_019_what_a_closed_out_holder_pledged_goes_free_or_to_the_house(floor, pool):
    await PostgresAccounts(pool).create(account_id="insurance", name="fund", kind="house")
    found = [(await floor.issued(name, (name,)))[1] for name in ("one", "two", "three")]
    for one in found:
        await floor.pledge(one)
    await floor.covers(20)
    await liquidated(floor)  # it is short of ten lots after it: they are covered on
    for _ in range(3):
        await floor.step()
    assert all([await floor.is_in(one, Status.PLEDGED) for one in found])
    for idx, side in ((LAB, Side.SELL), (CLOUD, Side.BUY)):
        await floor.send(command(
            kind=Kind.PLACE, account_idx=idx, contract_idx=0, side=side, price_ticks=2_000,
            qty_lots=10,
        ))  # fmt: skip
    floor.begin()
    await floor.until(lambda: floor.is_in(found[0], Status.ACTIVE))
    assert [(await floor.receipts.get(one.receipt_id)).holder_idx for one in found] == [CLOUD] * 3
    await floor.covers(0)

    floor.clock.ns += 2 * NS_PER_HOUR  # pledged again, and then others pay more than one is worth
    for one in found:
        await floor.pledge(one)
    await floor.covers(20)
    await floor.step()
    assert await floor.is_in(found[0], Status.PLEDGED)  # what was before counts no more
    worth_usd = found[0].value_usd_micros // DOLLAR
    await liquidated(floor, worth_usd + 1)
    floor.begin()
    await floor.until(lambda: floor.is_in(found[0], Status.ACTIVE))
    kept = sorted(found, key=lambda one: one.receipt_id)
    holders = [(await floor.receipts.get(one.receipt_id)).holder_idx for one in kept]
    assert holders == [HOUSE, HOUSE, CLOUD]
    ends = [(await floor.receipts.history(one.receipt_id))[-1] for one in kept]
    assert [one.kind for one in ends] == ["forfeited", "forfeited", "unpledged"]
    assert {one.note for one in ends} == {f"liquidation {floor.house.mirror.seq}"}
    events = await pool.fetchval("SELECT count(*) FROM cdr_event")
    floor.begin()
    for _ in range(3):
        await floor.step()
    assert await pool.fetchval("SELECT count(*) FROM cdr_event") == events
    async with pool.acquire() as connection:
        assert await delivery_findings(connection) == []
