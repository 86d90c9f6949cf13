"""Delivery through Postgres and the core: issue, buy, an outage with its penalty, close."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.delivery import ESCROW_ID, PostgresReceipts
from exchange.io.delivery_check import delivery_findings
from exchange.io.delivery_issuers import Curtailment, Issuers
from exchange.io.delivery_proofs import Proofs
from exchange.io.errors import IdempotencyConflict, Invalid, NotFound
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.registry_transfers import PostgresTransfers
from exchange.rules.delivery import claims, deeds
from exchange.rules.delivery.deeds import Refused
from exchange.rules.delivery.merkle import leaf, root_by
from exchange.rules.delivery.receipts import Head, Status, first_broken, receipt_id_of
from exchange.rules.layers import Funds
from exchange.services.delivery import DeliveryDesk
from tests.support.leader import leader
from tests.support.receipts import BUYER, ISSUER, OTHER, PRICE, START, at, reading, receipt

ESCROW = 3
DOLLAR = 1_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
HOURS = 8


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ns = at(START - 100)

    def now_ns(self) -> int:
        return self.ns


class Yard:
    """A registry with an issuer, a lab and another account, each with money."""

    def __init__(self, house, pool):
        self.house, self.pool = house, pool
        self.clock = Clock()
        self.receipts, self.issuers = PostgresReceipts(pool), Issuers(pool)
        self.free = None
        self.desk = DeliveryDesk(self.receipts, self.price, self.free_of, self.clock)

    async def price(self, receipt):
        return PRICE

    def free_of(self, idx):
        return self.cash(idx) if self.free is None else self.free

    async def open(self):
        accounts, transfers = PostgresAccounts(self.pool), PostgresTransfers(self.pool)
        for name in ("cloud", "lab", "fund", ESCROW_ID):
            await accounts.create(account_id=name, name=name)
        for idx in (ISSUER, BUYER, OTHER):
            done = await transfers.request(
                account_idx=idx, amount_usd_micros=10_000 * DOLLAR, client_key="in"
            )
            await transfers.wait_decided(done.transfer_id)
        await self.issuers.admit(
            ISSUER, KEY.public_key().public_bytes_raw(), "audit 7", "48 h, no fault", 48, "op"
        )

    def cash(self, idx):
        return int(self.house.core.state.accounts[idx]["cash_usd_micros"])

    def cashes(self):
        return [self.cash(idx) for idx in (ISSUER, BUYER, OTHER, ESCROW)]

    async def until(self, receipt_id, status):
        async with asyncio.timeout(60):
            while True:
                await self.desk.step()
                one = await self.receipts.get(receipt_id)
                if one.status == status:
                    return one
                await self.house.sleep()

    async def settled(self):
        async with asyncio.timeout(60):
            while await self.receipts._value(
                "SELECT count(*) FROM cdr_payment AS p WHERE NOT EXISTS"
                " (SELECT FROM cdr_event AS e WHERE e.payment_id = p.payment_id)"
            ):
                await self.desk.step()
                await self.house.sleep()

    async def issued(self, **change):
        more = {"end_hour": START + HOURS, "shares": ((OTHER, 1_000),)} | change
        one = receipt(status=Status.BONDING, **more)
        one = await self.receipts.issue(one, self.clock.now_ns())
        return await self.until(one.receipt_id, Status.ACTIVE)

    async def act(self, receipt_id, act):
        return await self.receipts.act(receipt_id, act, self.clock.now_ns())

    async def bought(self, **change):
        one = await self.issued(**change)
        await self.act(one.receipt_id, lambda r: deeds.offer(r, ISSUER, BUYER, 200 * DOLLAR))
        now = START - 100
        await self.act(one.receipt_id, lambda r: deeds.buy(r, BUYER, 200 * DOLLAR, now))
        return await self.until(one.receipt_id, Status.ACTIVE)

    async def report(self, given, key=KEY):
        issuer = await self.issuers.issuer(ISSUER)
        signature = key.sign(given.message(issuer.account_id))
        return await self.issuers.record(issuer, given, signature, self.clock.now_ns())


@pytest.fixture
async def yard(database, pool):
    async with leader(database, pool) as house:
        yard = Yard(house, pool)
        await yard.open()
        yield yard


async def test_issue_buy_outage_redeem_and_every_micro_dollar_is_somewhere(yard):
    one = await yard.bought()
    bond, ask = one.bond_usd_micros, 200 * DOLLAR
    start = 10_000 * DOLLAR
    await yard.settled()
    assert yard.cashes() == [start - bond + ask * 9 // 10, start - ask, start + ask // 10, bond]
    await yard.act(one.receipt_id, lambda r: deeds.redeem(r, BUYER, START - 100))
    for hour in range(START, START + HOURS):
        yard.clock.ns = at(hour + 1)
        down = hour - START in range(2, 7)  # node 2 is out for five hours
        answers = [await yard.report(reading("n1", hour))]
        if not down:
            answers.append(await yard.report(reading("n2", hour)))
        assert {answer.status for answer in answers} == {"accepted"}
    yard.clock.ns = at(START + HOURS + 7)
    one = await yard.until(one.receipt_id, Status.CLOSED)
    await yard.settled()
    penalty = 5 * 8 * PRICE * 125 // 100
    assert (one.missed_hours, one.penalty_usd_micros) == (5, penalty)
    from_bond = min(bond, penalty)
    assert from_bond == bond and one.claimed_usd_micros == 0  # the rest was cash
    assert yard.cashes() == [
        start + ask * 9 // 10 - penalty, start - ask + penalty, start + ask // 10, 0
    ]  # fmt: skip
    assert sum(yard.cashes()) == 3 * start
    assert first_broken(await yard.receipts.events(0)) is None


async def test_whoever_steps_and_however_often_money_moves_once(yard):
    one = await yard.issued()
    desks = [DeliveryDesk(yard.receipts, yard.price, yard.free_of, yard.clock) for _ in range(3)]
    await yard.act(one.receipt_id, lambda r: deeds.transfer(r, ISSUER, BUYER))
    await yard.act(one.receipt_id, lambda r: deeds.redeem(r, BUYER, START - 1))
    yard.clock.ns = at(START + HOURS + 7)
    for _ in range(20):
        await asyncio.gather(*(desk.step() for desk in desks))
        await yard.house.sleep()
    await yard.until(one.receipt_id, Status.CLOSED)
    await yard.settled()
    paid = HOURS * 16 * PRICE * 125 // 100
    assert yard.cashes() == [10_000 * DOLLAR - paid, 10_000 * DOLLAR + paid, 10_000 * DOLLAR, 0]
    missed = [e for e in await yard.receipts.history(one.receipt_id) if e.kind == "missed"]
    assert len(missed) == HOURS


async def test_a_seller_without_cash_leaves_a_claim(yard):
    one = await yard.issued()
    await yard.act(one.receipt_id, lambda r: deeds.transfer(r, ISSUER, BUYER))
    await yard.act(one.receipt_id, lambda r: deeds.redeem(r, BUYER, START - 1))
    yard.free = 5
    yard.clock.ns = at(START + HOURS + 7)
    one = await yard.until(one.receipt_id, Status.CLOSED)
    await yard.settled()
    due = HOURS * 16 * PRICE * 125 // 100
    got = yard.cash(BUYER) - 10_000 * DOLLAR
    assert (one.penalty_usd_micros, one.claimed_usd_micros + got) == (due, due)
    assert len(await yard.receipts.claims()) == HOURS

    funds = Funds(first_idx=OTHER)

    def pay(receipt):
        has = yard.cash  # as the core has it
        return claims.pay(
            receipt, claims.parts_of(receipt.claim_open_usd_micros, ISSUER, funds, has), "it is so"
        )

    opened = one.claim_open_usd_micros
    asked = await yard.act(one.receipt_id, pay)
    assert asked.claim_open_usd_micros == 0
    with pytest.raises(Refused, match="nothing of it is open"):
        await yard.act(one.receipt_id, pay)
    await yard.settled()
    one = await yard.receipts.get(one.receipt_id)
    assert (one.claim_paid_usd_micros, one.claim_asked_usd_micros) == (opened, 0)
    assert yard.cash(BUYER) == 10_000 * DOLLAR + due
    assert yard.cash(OTHER) == 10_000 * DOLLAR - opened


async def test_a_price_that_is_not_there_leaves_the_receipt_where_it_was(yard):
    one = await yard.issued()
    dear = 10_001 * DOLLAR
    await yard.act(one.receipt_id, lambda r: deeds.offer(r, ISSUER, BUYER, dear))
    await yard.act(one.receipt_id, lambda r: deeds.buy(r, BUYER, dear, START - 1))
    with pytest.raises(Refused):
        await yard.act(one.receipt_id, lambda r: deeds.withdraw(r, ISSUER))
    one = await yard.until(one.receipt_id, Status.OFFERED)
    assert (one.holder_idx, yard.cash(BUYER)) == (ISSUER, 10_000 * DOLLAR)
    gone = await yard.issued(receipt_id=receipt_id_of("b"), nodes=("z",), gpus_per_node=1)
    assert gone.status == Status.ACTIVE
    void = receipt(receipt_id=receipt_id_of("c"), nodes=("y",), status=Status.BONDING,
                   bond_usd_micros=dear, bond_left_usd_micros=dear)  # fmt: skip
    await yard.receipts.issue(void, yard.clock.now_ns())
    assert (await yard.until(void.receipt_id, Status.VOID)).bond_left_usd_micros == 0


async def test_a_receipt_is_issued_once_and_a_node_is_sold_once(yard):
    one = await yard.issued()
    assert await yard.receipts.issue(replace(one, sku="other"), 1) == one
    with pytest.raises(Refused):
        await yard.issued(receipt_id=receipt_id_of("again"))
    with pytest.raises(NotFound):
        await yard.act("cdr_none", lambda r: deeds.close(r))
    first = await yard.act(one.receipt_id, lambda r: deeds.split_hours(r, ISSUER, START + 2))
    assert first.status == Status.SPLIT
    own = [row.receipt for row in await yard.receipts.own(ISSUER)]
    live = [row for row in own if row.status == Status.ACTIVE]
    assert sum(row.bond_left_usd_micros for row in live) == one.bond_usd_micros
    yard.clock.ns = at(START + HOURS + 7)
    for row in live:
        await yard.until(row.receipt_id, Status.CLOSED)
    await yard.settled()
    assert yard.cashes()[-1] == 0


async def test_readings_are_taken_once_signed_in_order_and_in_time(yard):
    await yard.bought()
    stranger = Ed25519PrivateKey.generate()
    yard.clock.ns = at(START + 1)
    cases = [
        (reading(), KEY, "accepted", None),
        (reading(), KEY, "duplicate", None),
        (reading(uptime_s=3_000), KEY, "quarantined", "hour_reported"),
        (reading(), stranger, "quarantined", "signature_invalid"),
        (reading("n9"), KEY, "quarantined", "node_unknown"),
        (reading(hour=START + 1), KEY, "quarantined", "hour_not_over"),
    ]  # fmt: skip
    for given, key, status, reason in cases:
        assert tuple(await yard.report(given, key)) == (status, reason)
    yard.clock.ns = at(START + 2)
    late = reading(hour=START + 1, counter=1)
    assert (await yard.report(late)).reason == "counter_repeated"
    assert (await yard.report(reading(hour=START + 1))).status == "accepted"
    yard.clock.ns = at(START + 10)
    assert (await yard.report(reading(hour=START + 3))).reason == "hour_too_old"
    found = await yard.issuers.quarantine()
    assert {row.reason for row in found} >= {"hour_reported", "counter_repeated", "hour_too_old"}
    assert len(await yard.issuers.quarantine(reason="hour_too_old")) == 1


async def test_issuers_and_orders_of_the_grid_are_said_once(yard):
    key, issuers = KEY.public_key().public_bytes_raw(), yard.issuers
    with pytest.raises(IdempotencyConflict):
        await issuers.admit(ISSUER, key, "another audit", "x", 48, "op")
    with pytest.raises(IdempotencyConflict):
        await issuers.admit(BUYER, key, "audit", "x", 48, "op")
    with pytest.raises(Invalid):
        await issuers.admit(BUYER, bytes(32), "audit", "x", 47, "op")
    order = Curtailment("USE", START, START + 2, "PJM-1", "op")
    assert await issuers.curtail(order) == await issuers.curtail(order)
    with pytest.raises(IdempotencyConflict):
        await issuers.curtail(order._replace(end_hour=START + 3))
    ended = await issuers.end(ISSUER, "left", "op")
    assert ended.end_reason == "left" and ended.ended_at_ns
    with pytest.raises(NotFound):
        await issuers.end(OTHER, "left", "op")


async def test_every_event_of_a_closed_day_has_a_proof(yard, pool):
    one = await yard.bought()
    proofs = Proofs(pool)
    history = await yard.receipts.history(one.receipt_id)
    assert await proofs.seal(KEY, yard.clock.now_ns()) == []
    assert {proof.root for proof in await proofs.proofs(history)} == {None}
    later = at(START)
    (root,) = await proofs.seal(KEY, later)
    assert await proofs.seal(KEY, later) == []
    for proof in await proofs.proofs(history):
        assert first_broken([proof.event], Head(proof.event.number - 1, proof.before)) is None
        count = root.last_number - root.first_number + 1
        place = proof.event.number - root.first_number
        assert root_by(leaf(proof.event.digest), place, count, proof.path) == root.root
        KEY.public_key().verify(proof.root.signature, root.signed_text)
    assert [signed.root for signed in await proofs.roots()] == [root]


async def test_what_happened_stays(yard, pool, database):
    await yard.bought()
    yard.clock.ns = at(START + 1)
    await yard.report(reading())
    await Proofs(pool).seal(KEY, yard.clock.now_ns())
    owner = await database.connect_owner()
    try:
        assert await delivery_findings(owner) == []
        for change, table in (
            ("cdr_event SET note = 'x' WHERE number = 2", "cdr_event"),
            ("cdr_receipt SET number = 1", "cdr_receipt"),
            ("cdr_payment SET amount_usd_micros = 1", "cdr_payment"),
            ("cdr_telemetry SET uptime_s = 1", "cdr_telemetry"),
            ("cdr_root SET root = before", "cdr_root"),
        ):
            planted = owner.transaction()
            await planted.start()
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            await owner.execute(f"UPDATE {change}")
            assert table in {one.table for one in await delivery_findings(owner)}, change
            await planted.rollback()
    finally:
        await owner.close()
    for table in ("cdr_event", "cdr_payment", "cdr_issuer"):
        for text in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(asyncpg.PostgresError):
                await pool.execute(text)
    with pytest.raises(asyncpg.CheckViolationError, match="does not continue"):
        await pool.execute(
            "INSERT INTO cdr_event SELECT number + 100, receipt_id, kind, ts_ns, note, body, digest"
            " FROM cdr_event WHERE number = 1"
        )
