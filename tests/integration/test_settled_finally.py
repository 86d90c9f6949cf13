"""A week from its last trade to a proof: settled by published prints, exported over REST, checked.

The exchange is the API over its real sequencer, its index and ledger are in Postgres, and time is
ours. Who proves is another process that has a file and no network.
"""

import asyncio
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.clock import ManualClock
from exchange.io.final_prints import FinalPrints
from exchange.io.index_publish import publish
from exchange.io.index_store import PostgresIndex
from exchange.io.ledger import Ledger
from exchange.io.observations import Batch, PostgresObservations
from exchange.io.settlement_roots import SettlementRoots
from exchange.io.settlements import SettlementInputs
from exchange.io.stored import stored
from exchange.io.views import Views
from exchange.rules import agenda_life
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.contracts import parse_symbol
from exchange.rules.final_settlement import FixedDays
from exchange.rules.index.prints import final_ns, published_ns
from exchange.rules.operations import last_trade_command, list_command, settle_command, tick_command
from exchange.rules.settlement import PriceRule
from exchange.rules.settlement_run import Settled
from exchange.rules.tenors import DAY, NS_PER_SECOND, ns_of
from exchange.services.verify.settlements import settlement_differences
from matching.codes import TradingState
from tests.support.api_world import World, running
from tests.support.index_offers import FIRST, daily, days

WEEK = parse_symbol("H100-USE-2026W10")
SYMBOL, LOTS, IDX = WEEK.symbol, 5, 2  # two contracts are listed already
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOT = Path(__file__).resolve().parents[2]


async def publish_index(pool) -> None:
    """Publish nine days of seven providers, each day twice, as the node does."""
    said = {f"p{at}": [2_000_000 + 7_000 * day + 1_000 * at for day in range(9)] for at in range(7)}
    drafts = sorted(daily(said), key=lambda one: one.ts_ns)
    await PostgresObservations(pool).record(drafts, Batch(via="file", name="test.csv"))
    async with pool.acquire() as connection:
        for day in days(9):
            await publish(connection, published_ns(day))
            await publish(connection, final_ns(day))


class Life:
    """A week that is traded, ends, delivers and is settled for the last time."""

    def __init__(self, world: World, clock: ManualClock, pool) -> None:
        self.world, self.clock, self.prints = world, clock, FinalPrints(pool)
        self.days, self.position = FixedDays(), 0

    def until(self, day: date, hour: int) -> None:
        self.clock.advance(ns_of(day, hour) + NS_PER_SECOND - self.clock.now_ns())

    async def trade(self) -> None:
        state = TradingState.CONTINUOUS
        await self.world.command(list_command(IDX, WEEK, 2050, date(2026, 2, 27), state))
        await self.world.command(last_trade_command(IDX, WEEK.last_trade_ns))
        for who, side in (("alice", "buy"), ("bob", "sell")):
            placed = await self.world.place(who, side, "2.050", str(LOTS), symbol=SYMBOL)
            assert "order" in placed, placed
        self.until(date(2026, 2, 27), 16)
        await self.world.command(tick_command())
        await self.world.command(settle_command(Settled(IDX, 2060, PriceRule.VWAP, -1)))

    async def deliver(self) -> None:
        """Do at each noon what the calendar does."""
        for at in range(-1, WEEK.period.days + 3):
            self.until(WEEK.period.start + DAY * at, 12)
            now_ns, mirror = self.clock.now_ns(), self.world.mirror
            for position, name, one in await self.prints.after(self.position, FIRST):
                if one.day < WEEK.period.start + DAY * at:  # it is final by then
                    self.days.add(name, one)
                    self.position = position
            pairs = [(mirror.contracts[IDX], WEEK)]
            for row in list(agenda_life.deliveries(mirror, pairs, self.days, 64, now_ns)):
                await self.world.command(row)


async def clear(world: World, house: ClearingHouse, database) -> None:
    """Let clearing write what the journal has by now."""
    for batch in world.journal.batches:
        if batch.first_seq > house.seq:
            house.apply(batch.commands, batch.events)
    connection = await database.connect()
    await Ledger(connection).write(house.take())
    connection.terminate()


async def wellhead(*words: str, url: str = "http://127.0.0.1:9") -> tuple[int, str]:
    """Run the command in a process of its own; without `url` it reaches nobody."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "WELLHEAD_URL": url}
    code = "import sys; from wellhead.cli import main; sys.exit(main())"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, *words], env=environ, cwd=ROOT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def test_FNST_005_FNST_006_a_week_is_settled_exported_and_proved_by_somebody_else(
    database, pool, tmp_path: Path
):
    await publish_index(pool)
    clock = ManualClock(ns_of(date(2026, 2, 27), 15))
    async with running(clock=clock) as world:
        life = Life(world, clock, pool)
        await life.trade()
        async with world.serving() as ws, world.socket(ws) as anybody:
            await anybody.ask("subscribe", channels=["accruals"])
            assert (await anybody.push("accruals"))["data"] == []
            await life.deliver()
            first = (await anybody.push("accruals"))["data"]
            second = (await anybody.push("accruals"))["data"]
            assert [row["days_fixed"] for row in (*first, *second)] == [0, 1]
            assert second[0]["change"] != first[0]["change"] == "0.00"
        house = ClearingHouse()
        await clear(world, house, database)
        made = await SettlementRoots(pool).seal(KEY, clock.now_ns() + 2 * 86_400 * 10**9)
        assert made == []  # clearing has not gone through that day yet
        clock.advance(86_400 * 10**9)
        await world.command(tick_command())
        await clear(world, house, database)
        services = world.services
        services.settlements, services.index = SettlementInputs(pool), PostgresIndex(pool)
        services.views, services.settlement_roots = Views(pool), SettlementRoots(pool)
        (root,) = await SettlementRoots(pool).seal(KEY, clock.now_ns())
        assert await SettlementRoots(pool).seal(KEY, clock.now_ns()) == []
        assert (root.first_number, root.last_number) == (1, 1)
        files = tmp_path / "week.json.gz", tmp_path / "proof.json"
        async with world.serving():
            listed = await world.call("", "GET", "/settlements/final?state=final")
            assert [row["symbol"] for row in listed.json()["accruals"]] == [SYMBOL]
            done, text = await wellhead(
                "settle", "export", SYMBOL, "--to", str(files[0]), url=world.url
            )
            assert done == 0, text
            done, text = await wellhead(
                "proof", "settlement", SYMBOL, "--to", str(files[1]), url=world.url
            )
            assert done == 0, text
    done, text = await wellhead("settle", "prove", SYMBOL, "--bundle", str(files[0]))
    assert done == 0, text
    assert "7 of 7" in text and "9 of 9" in text and "sound" in text
    done, text = await wellhead("proof", "settlement", SYMBOL, "--file", str(files[1]))
    assert done == 0 and "sound" in text, text
    proof = json.loads(files[1].read_text())
    proof["settlement"]["paid"] = "1.00"
    files[1].write_text(json.dumps(proof))
    done, text = await wellhead("proof", "settlement", SYMBOL, "--file", str(files[1]))
    assert done == 5 and "not under the root" in text
    async with stored(database) as rows:
        assert await settlement_differences(rows) == []
