"""The exchange for delivery through Postgres and the core: called, paid, moved, over crashes."""

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest

from exchange.io.billing import Billing
from exchange.io.delivery import ESCROW_ID, PostgresReceipts
from exchange.io.delivery_check import delivery_findings
from exchange.io.delivery_issuers import Issuers
from exchange.io.efd import Exchanges
from exchange.io.efd_check import efd_findings
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_transfers import PostgresTransfers
from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.exchange import Entry
from exchange.rules.delivery.exchange_check import faults_of_result
from exchange.rules.delivery.receipts import NS_PER_HOUR, Status, receipt_id_of
from exchange.rules.tenors import ns_of
from exchange.services.clearing import Clearing
from exchange.services.delivery import DeliveryDesk
from exchange.services.efd import EfdDesk
from matching.codes import Code, Kind, Side, TradingState
from tests.support.leader import leader
from tests.support.receipts import receipt
from tests.support.rows import command

DOLLAR = 1_000_000
SYMBOL = "H100-USE-2027M03"
PERIOD = parse_symbol(SYMBOL).period
CLOUD, LAB, POOR, RIVAL, ESCROW = range(5)
START = 1_000_000 * DOLLAR
SETTLED, HOURS = 2_000, 744


class Clock:
    def __init__(self, ns):
        self.ns = ns

    def now_ns(self):
        return self.ns


class Floor:
    """A leader, four accounts with money, positions in March, and nodes for it."""

    def __init__(self, house, pool, database):
        self.house, self.pool, self.database = house, pool, database
        self.clock = Clock(ns_of(PERIOD.start) - 4 * 24 * NS_PER_HOUR)
        self.rows, self.receipts = Exchanges(pool), PostgresReceipts(pool)
        self.delivery = DeliveryDesk(self.receipts, None, lambda idx: 0, self.clock)
        self.begin()

    def begin(self):
        """Begin as a process does that knows nothing."""
        self.desk = EfdDesk(
            self.rows, self.house.mirror, self.house.sequencer.submit, lambda idx: 1 << 62,
            self.clock,
        )  # fmt: skip
        self.seen = self.house.mirror.seq

    async def open(self):
        accounts, transfers = PostgresAccounts(self.pool), PostgresTransfers(self.pool)
        for name in ("cloud", "lab", "poor", "rival", ESCROW_ID):
            await accounts.create(account_id=name, name=name)
        for idx in (CLOUD, LAB, POOR, RIVAL):
            amount = 100 * DOLLAR if idx == POOR else START
            done = await transfers.request(
                account_idx=idx, amount_usd_micros=amount, client_key="in"
            )
            await transfers.wait_decided(done.transfer_id)
        await self.send(
            kind=Kind.LIST, contract_idx=0, symbol=SYMBOL, price_ticks=SETTLED,
            amount_usd_micros=744_000, qty_lots=10_000, state=TradingState.CONTINUOUS,
        )  # fmt: skip
        for idx, lots in ((LAB, 16), (POOR, 16)):
            await self.trade(idx, CLOUD, lots)
        key = bytes([7] * 32)
        await Issuers(self.pool).admit(CLOUD, key, "audit", "48 h, no fault", 48, "op")
        self.receipt = await self.issue()

    async def send(self, **fields):
        seq = self.house.mirror.seq
        await self.house.sequencer.submit(command(**fields))
        await self.until(lambda: self.house.mirror.seq > seq)

    async def trade(self, buyer, seller, lots):
        for idx, side in ((seller, Side.SELL), (buyer, Side.BUY)):
            await self.send(
                kind=Kind.PLACE, account_idx=idx, contract_idx=0, side=side, price_ticks=SETTLED,
                qty_lots=lots,
            )  # fmt: skip

    async def until(self, what):
        async with asyncio.timeout(60):
            while not what():
                await self.house.sleep()

    async def issue(self):
        first, end = (ns_of(day) // NS_PER_HOUR for day in (PERIOD.start, PERIOD.end))
        one = receipt(
            receipt_id=receipt_id_of("march"), nodes=("a", "b", "c", "d", "e"), start_hour=first,
            end_hour=end, status=Status.BONDING,
        )  # fmt: skip
        one = await self.receipts.issue(one, self.clock.ns)
        async with asyncio.timeout(60):
            while (await self.receipts.get(one.receipt_id)).status != Status.ACTIVE:
                await self.delivery.step()
                await self.house.sleep()
        return await self.receipts.get(one.receipt_id)

    async def step(self):
        """Let both desks work, and hear what was committed."""
        await self.delivery.step()
        await self.desk.step()
        await self.knows()
        await self.house.quiet()
        async for batch in self.house.journal.read(self.seen):
            self.desk.observe(batch.commands, batch.events)
            self.seen = batch.last_seq
            if self.seen >= self.house.mirror.seq:
                break

    async def knows(self):
        """Let clearing go on: a desk that began a moment ago waits for what it began with."""
        if not self.desk._knows:
            await self.clear()
        await self.house.sleep()

    async def ended(self):
        async with asyncio.timeout(60):
            while await self.pool.fetchval(
                "SELECT count(*) FROM efd_leg LEFT JOIN efd_leg_end USING (leg_id)"
                " WHERE outcome IS NULL"
            ) or await self.pool.fetchval(
                "SELECT count(*) FROM cdr_payment AS p WHERE NOT EXISTS"
                " (SELECT FROM cdr_event AS e WHERE e.payment_id = p.payment_id)"
            ):
                await self.step()

    async def clear(self):
        await self.house.quiet()
        stop, seq = asyncio.Event(), self.house.mirror.seq
        if await self.rows.cleared_seq() >= seq:
            return
        posted = lambda at: stop.set() if at >= seq else None  # noqa: E731
        await asyncio.wait_for(Clearing(self.database, on_posted=posted).run(stop), 60)

    async def session(self):
        await self.desk.step()
        (listed,) = await self.rows.sessions(symbol=SYMBOL, since_ns=0, after=0, limit=5)
        return listed.session

    async def say(self, session, idx, side, lots, ticks, key="one"):
        wish = Entry(0, idx, key, side, lots, ticks, self.clock.ns)
        return await self.rows.enter(session, wish)

    def cash(self, idx):
        return int(self.house.core.state.accounts[idx]["cash_usd_micros"])

    def lots(self, idx):
        return self.house.mirror.position(idx, 0).qty_lots


@pytest.fixture
async def floor(database, pool):
    async with leader(database, pool) as house:
        floor = Floor(house, pool, database)
        await floor.open()
        yield floor


async def test_EFD_006_lots_receipts_and_money_change_hands_once_over_crashes(
    floor, pool, database
):
    session = await floor.session()
    await floor.say(session, CLOUD, Side.SELL, 24, -50)
    await floor.say(session, LAB, Side.BUY, 16, 30)
    await floor.say(session, POOR, Side.BUY, 16, 90)  # it has no cash for a month of a node
    assert await floor.rows.due(floor.clock.ns) == []
    floor.clock.ns = session.call_ns
    with pytest.raises(Refused, match="up to its call"):
        await floor.say(session, RIVAL, Side.BUY, 8, 0)
    bond = floor.receipt.bond_usd_micros
    before = [floor.cash(idx) for idx in range(5)]
    await floor.desk.step()  # called, and killed
    await floor.clear()
    floor.begin()
    for _ in range(3):
        await floor.desk.step()
    body, digest = await floor.rows.result(session.session_id)
    result = json.loads(body)
    assert faults_of_result(result) == []
    assert (result["differential_ticks"], result["lots"]) == (-50, 16)
    assert [row["counted"] for row in result["entries"]] == [24, 16, 0]
    price = 16 * (SETTLED - 50) * HOURS * 1_000
    async with asyncio.timeout(60):  # the price comes into escrow, the move is sent, and killed
        while floor.lots(LAB):
            await floor.delivery.step()
            await floor.desk.step()
            await floor.knows()
    await floor.clear()
    floor.begin()
    await floor.desk.step()
    await floor.ended()
    seq = floor.house.mirror.seq
    for _ in range(3):
        await floor.step()
    assert floor.house.mirror.seq == seq  # nothing is done again
    assert [floor.lots(idx) for idx in (CLOUD, LAB, POOR)] == [-16, 0, 16]
    after = [floor.cash(idx) - was for idx, was in enumerate(before)]
    assert after == [price, -price, 0, 0, 0] and floor.cash(ESCROW) == bond
    (leg,) = await floor.rows.legs(session.session_id)
    got = await floor.receipts.get(leg.receipt_id)
    assert (leg.outcome, got.holder_idx, got.nodes) == ("exchanged", LAB, ("a", "b"))
    assert (got.status, got.exchange) == (Status.ACTIVE, "")
    events = await floor.receipts.history(leg.receipt_id)
    assert [one.kind for one in events][:4] == ["split_off", "exchange", "exchanging", "sold"]
    assert events[1].note.endswith(digest.hex())  # what is signed once a day names the result
    await billed(floor)
    await found_where_planted(floor, database)


async def billed(floor):
    await floor.clear()
    while await Billing(floor.pool).bill():
        pass
    rows = await floor.pool.fetch("SELECT * FROM efd_fee ORDER BY account_idx")
    assert [(row["account_idx"], row["qty_lots"], row["amount_usd_micros"]) for row in rows] == [
        (CLOUD, 16, 16 * HOURS * 500), (LAB, -16, 16 * HOURS * 500),
    ]  # fmt: skip
    charges = await floor.pool.fetch("SELECT charge_id FROM fee_charge WHERE kind = 3")
    assert {row["charge_id"] for row in rows} == {row["charge_id"] for row in charges}
    assert await floor.pool.fetchval("SELECT block FROM trade ORDER BY seq DESC LIMIT 1") == 5


async def found_where_planted(floor, database):
    await floor.clear()
    owner = await database.connect_owner()
    try:
        assert await efd_findings(owner) == await delivery_findings(owner) == []
        for change, table in (
            ("efd_entry SET limit_ticks = 1 WHERE number = 1", "efd_entry"),
            ("efd_result SET body = replace(body, '-50', '-49')", "efd_result"),
            ("efd_leg SET qty_lots = 24", "efd_leg"),
            ("efd_leg_end SET seq = seq - 1", "efd_leg_end"),
        ):
            planted = owner.transaction()
            await planted.start()
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await owner.execute(f"UPDATE {change}")
            assert table in {one.table for one in await efd_findings(owner)}, change
            await planted.rollback()
        assert await owner.fetch("SELECT * FROM violation_efd_fee") == []
        planted = owner.transaction()
        await planted.start()
        await owner.execute("ALTER TABLE efd_fee DISABLE TRIGGER USER")
        await owner.execute("DELETE FROM efd_fee WHERE qty_lots < 0")
        (row,) = await owner.fetch("SELECT expected, found FROM violation_efd_fee")
        assert tuple(row) == (32, 16)
        await planted.rollback()
    finally:
        await owner.close()
    for table in ("efd_session", "efd_entry", "efd_result", "efd_leg", "efd_leg_end", "efd_fee"):
        with pytest.raises(asyncpg.PostgresError):
            await floor.pool.execute(f"DELETE FROM {table}")


async def test_EFD_008_what_one_call_takes_counts_no_more_in_the_next(floor):
    first = await floor.session()
    other = await floor.rows.add(
        replace(first, session_id=f"{SYMBOL}_20270226T1000", call_ns=first.call_ns + 1)
    )
    for session in (first, other):
        await floor.say(session, CLOUD, Side.SELL, 40, 0)
        await floor.say(session, LAB, Side.BUY, 16, 0)
    floor.clock.ns = other.call_ns
    for _ in range(3):  # both are due: the first is called, and its price is on its way
        await floor.desk.step()
    assert await floor.rows.result(other.session_id) is None
    await floor.ended()
    await floor.desk.step()
    bodies = [json.loads((await floor.rows.result(one.session_id))[0]) for one in (first, other)]
    counts = [[row["counted"] for row in body["entries"]] for body in bodies]
    assert counts == [[32, 16], [16, 0]]  # 32 short, five nodes; then 16 short, and nobody long
    assert [body["lots"] for body in bodies] == [16, 0]
    assert (floor.lots(CLOUD), floor.lots(LAB)) == (-16, 0)


async def test_EFD_006_what_fails_leaves_everybody_where_they_were(floor):
    session = await floor.session()
    await floor.say(session, CLOUD, Side.SELL, 24, 0)
    await floor.say(session, LAB, Side.BUY, 8, 0)
    floor.clock.ns = session.call_ns
    await floor.desk.step()
    await floor.trade(CLOUD, LAB, 16)  # the position goes while the price is on its way
    before = [floor.cash(idx) for idx in (CLOUD, LAB)]
    await floor.ended()
    (leg,) = await floor.rows.legs(session.session_id)
    assert (leg.outcome, leg.code) == ("refused", Code.MOVE_EXCEEDS_POSITION)
    one = await floor.receipts.get(leg.receipt_id)
    assert (one.status, one.holder_idx, one.exchange) == (Status.ACTIVE, CLOUD, "")
    price = 8 * SETTLED * HOURS * 1_000
    assert floor.cash(CLOUD) == before[0] and floor.cash(LAB) in (before[1], before[1] + price)
    assert floor.cash(ESCROW) == floor.receipt.bond_usd_micros
    # Another session: now the buyer's money goes first.
    again = await floor.rows.add(
        replace(session, session_id=f"{SYMBOL}_20270226T1000", call_ns=session.call_ns + 1)
    )
    floor.clock.ns = session.call_ns - 1
    await floor.say(again, CLOUD, Side.SELL, 8, 0)
    await floor.say(again, RIVAL, Side.BUY, 8, 0)
    await floor.trade(RIVAL, CLOUD, 8)
    floor.clock.ns = again.call_ns
    floor.house.tasks[1].cancel()  # the outbox: nothing is paid before the money is gone
    await floor.desk.step()
    most = floor.cash(RIVAL) - 20 * DOLLAR
    await floor.send(
        kind=Kind.TRANSFER_CASH, account_idx=RIVAL, ref_id=CLOUD, amount_usd_micros=most
    )
    floor.house.tasks[1] = asyncio.create_task(floor.house.outbox.run())
    await floor.ended()
    (leg,) = await floor.rows.legs(again.session_id)
    assert leg.outcome == "unpaid"
    assert (await floor.receipts.get(leg.receipt_id)).status == Status.ACTIVE
    assert floor.lots(RIVAL) == 8


async def test_EFD_002_what_is_said_is_written_once_and_a_call_too_late_is_void(floor):
    session = await floor.session()
    first = await floor.say(session, LAB, Side.BUY, 16, 30)
    assert await floor.say(session, LAB, Side.BUY, 16, 30) == first
    other = await floor.say(session, LAB, Side.BUY, 8, 30)
    assert other.entry.number == 2
    assert other.digest == other.entry.digest(session.session_id, first.digest)
    gone = await floor.say(session, LAB, Side.BUY, 0, 30)
    assert [one.entry.qty_lots for one in await floor.rows.own(LAB, 0)] == [16, 8, 0]
    for at in range(19):
        await floor.say(session, LAB, Side.BUY, 8, at, f"key{at}")
    with pytest.raises(Refused, match="20 entries"):
        await floor.say(session, LAB, Side.BUY, 8, 1, "key19")
    assert gone.digest != first.digest
    floor.clock.ns = session.opens_ns - 1
    with pytest.raises(Refused, match="from its opening"):
        await floor.say(session, LAB, Side.BUY, 8, 2, "key1")
    floor.clock.ns = parse_symbol(SYMBOL).last_trade_ns
    await floor.desk.step()
    body = json.loads((await floor.rows.result(session.session_id))[0])
    assert (body["void"], body["pairs"], body["legs"]) == ("trading has ended", [], [])
    assert faults_of_result(body) == [] and floor.lots(LAB) == 16
