"""Overdue contributions are asked for once a day, whatever is killed in between."""

from typing import Any

from exchange.io.errors import IdempotencyConflict
from exchange.io.funds import SizingSeen
from exchange.rules.fund_sizing import DAY_NS
from exchange.services.fund_calls import FundCollector
from matching.codes import Kind
from tests.support.memory_restraints import MemoryRestraints
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, HOUSE
from tests.unit.exchange.services.test_waterfall_runs import OF_ALICE, put, stage_of

USD = 1_000_000
KINDS = {HOUSE: "house", ALICE: "member", BOB: "member", CAROL: "customer"}


class Registry:
    """Accounts and transfers, as far as the collector asks."""

    def __init__(self) -> None:
        self.asked: dict[tuple[int, str], tuple[int, int]] = {}
        self.notices = MemoryRestraints()

    async def create(self, *, account_id: str, name: str, kind: str) -> Any:
        assert kind == "fund"
        return type("Account", (), {"account_idx": OF_ALICE - ALICE + int(account_id[5:])})()

    async def request(
        self, *, account_idx: int, amount_usd_micros: int, client_key: str, to_account_idx: int
    ) -> None:
        wish = (amount_usd_micros, to_account_idx)
        if self.asked.setdefault((account_idx, client_key), wish) != wish:
            raise IdempotencyConflict(client_key)


def house() -> tuple[Any, Registry, FundCollector]:
    """Return a stage whose fund was sized a day ago: alice and bob owe it."""
    stage, registry = stage_of(), Registry()
    stage.rows.of_kind |= KINDS
    names = {idx: name for idx, name, _ in stage.rows.of_funds}
    stage.rows.names = names | {ALICE: "alice", BOB: "bob"}
    for idx in (ALICE, BOB):
        put(stage, Kind.DEPOSIT, account_idx=idx, amount_usd_micros=100 * USD)
    asks = {"alice": {"required_usd_micros": 40 * USD}, "bob": {"required_usd_micros": 400 * USD}}
    ts_ns = stage.world.mirror.ts_ns
    stage.rows.sized = [SizingSeen(ts_ns // DAY_NS, 1, ts_ns, 0, 0, {"members": asks})]
    return stage, registry, collector(stage, registry)


def collector(stage: Any, registry: Registry) -> FundCollector:
    return FundCollector(stage.world.mirror, stage.rows, registry, registry, registry.notices)


async def test_DEF_15_free_cash_is_asked_for_a_day_later_and_what_lacks_is_said(caplog):
    stage, registry, desk = house()
    await desk.step()
    assert not registry.asked, "it is not overdue yet"
    stage.world.pass_time(24 * 3600)
    for _ in range(3):
        await desk.step()
    keys = {key for _, key in registry.asked}
    assert keys == {f"fund-call-{stage.world.mirror.ts_ns // DAY_NS}"}
    wishes = {idx: amount for (idx, _), (amount, _) in registry.asked.items()}
    assert wishes[ALICE] == -(40 * USD - 30), "what its share has already is not asked for"
    assert -101 * USD < wishes[BOB] < -99 * USD
    assert caplog.text.count("bob owes the fund") == 1 and "alice owes" not in caplog.text


async def test_DEF_15_after_a_kill_nothing_is_asked_twice_on_a_day():
    stage, registry, desk = house()
    stage.world.pass_time(24 * 3600)
    await desk.step()
    asked = dict(registry.asked)
    put(stage, Kind.DEPOSIT, account_idx=BOB, amount_usd_micros=50 * USD)
    await collector(stage, registry).step()
    assert registry.asked == asked
    stage.world.pass_time(24 * 3600)
    await collector(stage, registry).step()
    assert len(registry.asked) == 2 * len(asked)


async def test_DEF_15_nothing_is_collected_while_the_exchange_is_halted_or_anybody_is_liquidated():
    stage, registry, desk = house()
    stage.world.pass_time(24 * 3600)
    stage.world.mirror.liquidations[CAROL] = object()
    await desk.step()
    stage.world.mirror.liquidations.clear()
    stage.world.mirror.halted = True
    await desk.step()
    assert not registry.asked


async def test_DEF_16_a_member_is_called_and_reminded_once_and_blocked_an_hour_behind_it():
    stage, registry, desk = house()
    assert desk.overdue() is None
    said = []
    for hours in (0, 11, 2, 9, 1, 1, 0.5, 0.6):
        stage.world.pass_time(int(hours * 3600))
        await desk.step()
        desk = collector(stage, registry)  # killed, it says nothing twice
        await desk.step()
        told = [one.kind for one, _ in registry.notices.told if one.account_idx == BOB]
        said.append((len(told), BOB in desk.overdue()))
    assert told == ["fund_call", "fund_reminder", "fund_reminder"]
    assert [count for count, _ in said] == [1, 1, 2, 3, 3, 3, 3, 3]
    assert [blocked for _, blocked in said] == [False] * 6 + [False, True]
    (first, _), *_ = registry.notices.told
    assert first.body["due_ts"] == (stage.rows.sized[0].ts_ns + 24 * 3600 * 10**9) // 10**6
    put(stage, Kind.DEPOSIT, account_idx=OF_ALICE - ALICE + BOB, amount_usd_micros=400 * USD)
    await desk.step()
    assert desk.overdue() == {ALICE}, "who pays is free"
