"""What fills cost is charged through Postgres and the core, each once, over crashes too."""

import asyncio

from exchange.io.billing import Billing
from exchange.io.defaults import Defaults
from exchange.io.registry_accounts import PostgresAccounts
from exchange.rules.billing import NS_PER_MINUTE, day_of
from exchange.services.billing import BillingDesk
from exchange.services.clearing import Clearing
from exchange.services.sequencer import Cadence
from matching.codes import Kind, Side, TradingState
from tests.support.leader import leader
from tests.support.rows import command

HOURS = 744
DOLLAR = 1_000_000


class Desk:
    """A desk beside a leader, with clearing run up to what is asked."""

    def __init__(self, house, pool, database) -> None:
        self.house, self.rows, self.database = house, Billing(pool), database
        self.kinds = Defaults(pool).kinds
        self.begin()

    def begin(self) -> None:
        """Begin as a process does that knows nothing."""
        self.desk = BillingDesk(
            self.rows, self.house.mirror, self.house.sequencer.submit, self.kinds
        )
        self.answered = self.house.core.last_seq

    async def send(self, **fields) -> None:
        seq = self.house.mirror.seq
        await self.house.sequencer.submit(command(**fields))
        await self.until(lambda: self.house.mirror.seq > seq)

    async def until(self, what) -> None:
        async with asyncio.timeout(60):
            while not what():
                await self.house.sleep()

    async def step(self) -> None:
        await self.desk.step()
        await self.house.quiet()
        async for batch in self.house.journal.read(self.answered):
            self.desk.observe(batch.commands, batch.events)
            self.answered = batch.last_seq
            if self.answered >= self.house.mirror.seq:
                break

    async def clear(self) -> None:
        stop, seq = asyncio.Event(), self.house.mirror.seq
        posted = lambda at: stop.set() if at >= seq else None  # noqa: E731
        await asyncio.wait_for(Clearing(self.database, on_posted=posted).run(stop), 60)

    async def fill(self, lots: int) -> None:
        """Let 0 rest and 1 take."""
        for idx, side in ((0, Side.SELL), (1, Side.BUY)):
            await self.send(
                kind=Kind.PLACE, account_idx=idx, contract_idx=0, side=side, price_ticks=2_000,
                qty_lots=lots,
            )  # fmt: skip


async def opened(house, pool, database) -> Desk:
    accounts = PostgresAccounts(pool)
    for name, kind in (("maker", "market_maker"), ("taker", "customer"), ("fund", "house")):
        account = await accounts.create(account_id=name, name=name, kind=kind)
        await accounts.wait_open(account.account_idx)
    desk = Desk(house, pool, database)
    await desk.until(lambda: len(house.mirror.accounts) == 3)
    for idx in range(3):
        await desk.send(kind=Kind.DEPOSIT, account_idx=idx, amount_usd_micros=1_000 * DOLLAR)
    await desk.send(
        kind=Kind.LIST, symbol="H100-USE-2027M03", contract_idx=0, price_ticks=2_000,
        amount_usd_micros=HOURS * 1_000, qty_lots=1_000, state=TradingState.CONTINUOUS,
    )  # fmt: skip
    return desk


def cash(desk: Desk) -> list[int]:
    return [account.cash_usd_micros for account in desk.house.mirror.accounts]


async def test_fills_are_charged_once_at_the_rates_of_then_over_crashes_and_repeats(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk = await opened(house, pool, database)
        await desk.fill(1)  # before anybody was told what it pays
        await desk.step()
        await desk.until(lambda: house.mirror.accounts[1].fee_rates != 0)
        assert [account.fee_rates != 0 for account in house.mirror.accounts] == [True, True, False]
        await desk.fill(2)
        await desk.clear()
        desk.desk._billed_minute = -1
        await desk.step()
        due = [2 * HOURS * (200 + 100), 2 * HOURS * (500 + 100), 0]
        assert cash(desk) == [1_000 * DOLLAR - one for one in due]
        desk.begin()  # killed before it wrote the answers: everything is sent once more
        assert len(await desk.rows.pending()) == 4
        for _ in range(3):
            desk.desk._billed_minute = -1
            await desk.step()
        assert cash(desk) == [1_000 * DOLLAR - one for one in due]
        assert await desk.rows.pending() == []
        await desk.clear()
        fills = await pool.fetch(
            "SELECT account_idx, trading_fee_usd_micros + clearing_fee_usd_micros AS fee"
            " FROM position_event ORDER BY seq, account_idx"
        )
        assert [row["fee"] for row in fills] == [0, 0, *due[:2]]
        assert await pool.fetch("SELECT * FROM violation_fee") == []
        assert await desk.rows.charged_of(0) == {1: 2 * HOURS * 200, 2: 2 * HOURS * 100}


async def test_a_closed_day_gives_tiers_and_rebates_once(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk = await opened(house, pool, database)
        day = day_of(house.mirror.ts_ns) - 1
        await pool.execute(
            "INSERT INTO trade_volume VALUES ($1, 0, 0, 3000000, 1000), ($1, 1, 0, 5, 5)", day
        )
        await pool.execute("INSERT INTO maker_presence VALUES ($1, 0, 0, 80, 100)", day)
        for _ in range(3):
            await desk.clear()
            desk.desk._billed_minute = -1
            await desk.step()
        await desk.until(lambda: house.mirror.accounts[0].fee_rates & 0xFFFFF == 100)
        assert await desk.rows.tier_of(0) == "active"
        assert await desk.rows.tier_of(2) is None
        assert cash(desk)[0] == 1_000 * DOLLAR + 1_000 * 100
        (paid,) = await desk.rows.rebates_of(0, day)
        assert (paid.minutes_present, paid.maker_gpu_hours, paid.rebate_usd_micros) == (
            80, 1_000, 100_000,
        )  # fmt: skip
        assert (await desk.rows.place()).closed_day == day


async def test_a_market_makers_minute_counts_when_every_look_was_good(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk = await opened(house, pool, database)
        await desk.step()
        for side, price in ((Side.BUY, 1_990), (Side.SELL, 2_010)):
            await desk.send(
                kind=Kind.PLACE, account_idx=0, contract_idx=0, side=side, price_ticks=price,
                qty_lots=10,
            )  # fmt: skip
        watch = desk.desk
        watch._minute, watch._present = house.mirror.ts_ns // NS_PER_MINUTE, {}
        await watch._watch()
        watch._minute -= 1  # as if the next had begun
        await watch._watch()
        await desk.send(kind=Kind.MASS_CANCEL, account_idx=0, contract_idx=-1)
        await watch._watch()
        watch._minute -= 1
        await watch._watch()
        found = await pool.fetch("SELECT minutes_present, minutes_open FROM maker_presence")
        assert sum(row["minutes_present"] for row in found) == 1
        assert sum(row["minutes_open"] for row in found) == 2


async def test_a_day_is_closed_only_once_clearing_has_posted_all_of_it(database, pool):
    async with leader(database, pool, Cadence()) as house:
        desk = await opened(house, pool, database)
        await desk.clear()
        await desk.fill(1)  # as if it were the last trade before midnight, not posted yet
        day = day_of(house.mirror.ts_ns) - 1
        for _ in range(2):
            desk.desk._billed_minute = -1
            await desk.step()
            assert (await desk.rows.place()).closed_day < day
        await desk.clear()
        desk.desk._billed_minute = -1
        await desk.step()
        assert (await desk.rows.place()).closed_day == day
