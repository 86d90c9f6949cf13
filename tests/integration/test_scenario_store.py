"""Published sets of scenarios: written once, never changed, chosen by further rows."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from exchange.io.clock import ManualClock
from exchange.io.errors import Corrupt, Invalid, NotFound
from exchange.io.scenario_child import build_in_child
from exchange.io.scenario_publish import addons_of, publish
from exchange.io.scenario_store import PostgresScenarios
from exchange.rules.agenda_prices import last_settlement_ns
from exchange.rules.mirror import Mirror
from exchange.rules.scenario_addons import AddonSet, MarketRow
from exchange.rules.scenario_dry_run import DryRun
from exchange.rules.scenario_set import ScenarioSet
from exchange.rules.tenors import NS_PER_DAY, NS_PER_HOUR, date_of, ns_of
from exchange.services.scenario_keeper import ScenarioKeeper
from tests.support.scenario_sets import DAY, built, prices
from tests.support.waiting import until

NOTHING = DryRun(
    seq=1, accounts_count=0, before_usd_micros=0, after_usd_micros=0, shortfall_usd_micros=0,
    short=(),
)  # fmt: skip


async def test_a_set_is_written_once_and_comes_back_as_it_was(pool):
    store = PostgresScenarios(pool)
    set_id = await store.publish(built().document(), built())
    assert await store.publish(built().document(), built()) == set_id
    (row,) = await store.list()
    assert (row.set_id, row.day, row.matrix_hash) == (set_id, DAY, built().matrix_hash())
    symbols, matrix = await store.matrix(set_id)
    assert dict(zip(symbols, matrix.tolist(), strict=True)) == built().matrix()
    assert await store.list(before_id=set_id) == []
    assert await store.get(set_id + 1) is None and await store.matrix(0) is None


async def test_the_same_inputs_with_another_outcome_are_no_set(pool):
    store = PostgresScenarios(pool)
    await store.publish(built().document(), built())
    with pytest.raises(Corrupt, match="is another"):
        await store.publish(built().document() | {"rows_hash": "0" * 32}, built())


async def test_what_was_chosen_last_is_used_after_a_restart(pool):
    store = PostgresScenarios(pool)
    assert await store.chosen() is None
    set_id = await store.publish(built().document(), built())
    await store.choose(set_id, "operator", NOTHING)
    assert await PostgresScenarios(pool).chosen() == (set_id, built())
    with pytest.raises(NotFound):
        await store.choose(set_id + 1, "operator", NOTHING)


async def test_nobody_changes_a_published_set(database, pool):
    store = PostgresScenarios(pool)
    set_id = await store.publish(built().document(), built())
    await store.choose(set_id, "operator", NOTHING)
    for change in ("UPDATE scenario_set SET worst_count = 1", "DELETE FROM scenario_choice"):
        for connection in (await database.connect(), await database.connect_owner()):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change)
            await connection.close()


async def test_a_child_builds_what_we_build_and_says_why_it_cannot():
    few = dict(list(prices().items())[::2])
    assert (await build_in_child(DAY, prices())) == json.loads(json.dumps(built().document()))
    with pytest.raises(Invalid, match="begin on"):
        await build_in_child(date(2020, 1, 1), few)


async def test_the_first_add_ons_of_a_set_stay_and_follow_from_it(pool, database):
    store = PostgresScenarios(pool)
    first = await publish(store, Mirror(), built().document())
    assert first.addons == AddonSet(built(), ())
    other = AddonSet(built(), (MarketRow("H100-USE-2027M03", 2_500, 4, 60, 7),))
    await store.publish_addons(first.set_id, other)
    assert await addons_of(store, first.set_id, built()) == first.addons
    assert await store.addons(first.set_id + 1) is None
    for connection in (await database.connect(), await database.connect_owner()):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM scenario_addons")
        await connection.close()


async def test_traded_lots_are_of_whole_days_of_the_window(pool):
    rows = [(3, 86_400, day, 10 + day) for day in range(4)]
    rows += [(4, 86_400, 2, 5), (3, 3_600, 1, 999), (5, 86_400, 9, 1)]
    await pool.executemany(
        "INSERT INTO kline VALUES ($1, $2, $3::bigint * 86400000000000, 1, 1, 1, 1, $4, 1, 1)",
        rows,
    )
    found = await PostgresScenarios(pool).traded_lots([3, 4, 5, 6], NS_PER_DAY, 3 * NS_PER_DAY)
    assert found == {3: 11 + 12, 4: 5}


class House:
    """A keeper with a clock, a build that takes no time, and a record of what was adopted."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.mirror = Mirror()
        self.clock = ManualClock(ns_of(DAY, 18))
        self.settled = True
        self.adopted: list[ScenarioSet] = []
        self.addons: list[AddonSet | None] = []
        self.builds: list[date] = []
        self.store = PostgresScenarios(pool)
        self.keeper = self.restarted()

    def restarted(self) -> ScenarioKeeper:
        agenda: Any = SimpleNamespace(is_settled_since=lambda ns: self.settled)
        return ScenarioKeeper(self.store, self.mirror, agenda, self.adopt, self.clock, self.build)

    def adopt(self, found: ScenarioSet, addons: AddonSet | None) -> None:
        self.adopted.append(found)
        self.addons.append(addons)

    async def build(self, day: date, prices_ticks: object) -> dict[str, Any]:
        self.builds.append(day)
        made = replace(built().made, inputs_hash=f"{day.toordinal():032x}")
        other = replace(built(), day=day, made=made, _table=[], _moves={})
        return built().document() if day == DAY else other.document()


@pytest.fixture
def house(pool, monkeypatch):
    monkeypatch.setattr("exchange.services.scenario_keeper.settled_prices", lambda _: prices())
    return House(pool)


async def test_a_set_is_built_after_the_settlement_chosen_and_adopted_once(house):
    house.settled = False
    await house.keeper.build_if_due()
    assert house.builds == []
    house.settled = True
    await house.keeper.build_if_due()
    await house.keeper.build_if_due()
    assert house.builds == [date_of(last_settlement_ns(house.clock.now_ns()))]
    assert house.adopted == [built()]
    assert house.addons == [AddonSet(built(), ())]
    assert await house.store.chosen_id() == house.keeper.set_id


async def test_a_restart_goes_on_with_what_was_chosen_and_builds_nothing_twice(house):
    await house.keeper.build_if_due()
    keeper = house.restarted()
    await keeper.load()
    await keeper.build_if_due()
    assert (len(house.builds), house.adopted) == (1, [built(), built()])


async def test_killed_before_the_choice_the_same_set_is_chosen_after_a_restart(house):
    set_id = await house.store.publish(built().document(), built())
    keeper = house.restarted()
    await keeper.build_if_due()
    assert (await house.store.chosen_id(), keeper.set_id) == (set_id, set_id)
    assert len(await house.store.list()) == 1


async def test_a_set_of_another_method_is_no_reason_not_to_open(house):
    set_id = await house.store.publish(built().document() | {"method": 99}, built())
    await house.store.choose(set_id, "operator", NOTHING)
    await house.keeper.load()
    assert house.adopted == []


async def test_the_next_day_has_a_set_of_its_own(house):
    await house.keeper.build_if_due()
    house.clock.advance(NS_PER_DAY + NS_PER_HOUR)
    await house.keeper.build_if_due()
    assert len(set(house.builds)) == 2


async def test_what_an_operator_chose_is_adopted_when_the_keeper_is_woken(house, monkeypatch):
    monkeypatch.setattr("exchange.services.scenario_keeper.START_S", 0)
    monkeypatch.setattr("exchange.services.scenario_keeper.LOOK_S", 3600)
    await house.keeper.build_if_due()
    house.adopted.clear()
    house.keeper._set_id = None
    running = asyncio.create_task(house.keeper.run())
    await until(lambda: house.adopted == [built()])
    house.keeper._set_id = None  # as if another one was chosen
    house.keeper.wake()
    await until(lambda: house.adopted == [built()] * 2)
    running.cancel()


async def test_add_ons_that_no_longer_follow_do_not_keep_a_set_from_use(house, pool):
    set_id = await house.store.publish(built().document(), built())
    document = AddonSet(built(), ()).document() | {"method": 99}
    await pool.execute(
        "INSERT INTO scenario_addons (set_id, addons_hash, document) VALUES ($1, $2, $3::jsonb)",
        set_id, document["addons_hash"], json.dumps(document),
    )  # fmt: skip
    await house.store.choose(set_id, "operator", NOTHING)
    await house.keeper.load()
    assert (house.adopted, house.addons) == ([built()], [None])
