"""The service of liquidation: by itself, one command at a time, and over any kill."""

import asyncio
from typing import Any

import numpy as np
import pytest

from exchange.io.errors import IdempotencyConflict
from exchange.rules.adl_public import faults_of_published, proof_in
from exchange.rules.margin_calls import CALL_NS, GRACE_NS, CallState
from exchange.services.liquidation import Liquidation
from exchange.services.stress.world import Keep, World, row
from matching.codes import AccountState, Kind, Side, TradingState
from matching.sizes import Sizes
from tests.support.memory_defaults import MemoryDefaults
from tests.support.waiting import until

HOUSE, ALICE, BOB, CAROL, FLAT = range(5)
SIZES = Sizes(accounts=16, contracts=1, positions=32, orders=64, client_ids=64, scenarios=8)
CASH = {HOUSE: 5_000, ALICE: 3_000, BOB: 100_000, CAROL: 100_000, FLAT: 77}


class Accounts:
    """The registry, as far as the service asks."""

    async def create(self, **_: Any) -> Any:
        return type("Account", (), {"account_idx": HOUSE})()


class Stage:
    """A market of one contract at 1,000; a long lot may lose 200 in the matrix."""

    def __init__(self, kinds: dict[int, str] | None = None, keep: Keep | None = None) -> None:
        self.world = World(SIZES, 10**18, HOUSE, keep=keep)
        self.rows = MemoryDefaults({HOUSE: "house"} | (kinds or {}))
        for idx, usd in CASH.items():
            self.world.say(row(Kind.OPEN_ACCOUNT, account_idx=idx))
            self.world.say(row(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=usd))
        self.world.say(
            row(Kind.LIST, price_ticks=1_000, amount_usd_micros=1, qty_lots=1_000,
                state=TradingState.CONTINUOUS),
            row(Kind.STAGE_SHOCKS, price_ticks=-200, qty_lots=200),
            row(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1),
        )  # fmt: skip
        self.place(BOB, Side.SELL, 1_000, 10)
        self.place(ALICE, Side.BUY, 1_000, 10)
        self.asleep = False
        self.wake()

    def wake(self) -> None:
        """Start the service anew, as after a kill: it knows what the mirror and the rows know."""
        self.service = Liquidation(self.world.mirror, self._send, self.rows, Accounts())  # type: ignore[arg-type]

    def place(self, idx: int, side: Side, price: int, lots: int) -> None:
        fields = {"account_idx": idx, "side": side, "price_ticks": price, "qty_lots": lots}
        self.world.send(row(Kind.PLACE, **fields))

    async def _send(self, commands: np.ndarray) -> None:
        if not self.asleep:
            self.world.send(commands)
            self.service.observe(commands)

    def mark(self, price: int) -> None:
        self.world.send(row(Kind.MARK, price_ticks=price))

    async def steps(self, count: int) -> None:
        for _ in range(count):
            if self.service._liquidator is None:
                await self.service._prepare()
            self.world.pass_time()
            while await self.service.step():
                pass

    def lots(self, idx: int) -> int:
        return self.world.mirror.position(idx, 0).qty_lots

    def equity(self, idx: int) -> int:
        account = self.world.mirror.accounts[idx]
        return account.cash_usd_micros + account.unsettled_usd_micros


async def test_slices_through_the_book_until_equity_is_enough():
    stage = Stage()
    stage.place(ALICE, Side.BUY, 990, 1)  # an order of hers, to be cancelled
    stage.mark(850)  # equity 1,500; maintenance 1,600
    stage.place(CAROL, Side.BUY, 849, 50)
    await stage.steps(12)
    assert 0 < stage.lots(ALICE) < 10 and stage.lots(HOUSE) == 0
    assert stage.world.mirror.liquidations == {}
    assert stage.world.mirror.accounts[ALICE].state == AccountState.ACTIVE
    assert not stage.world.mirror.accounts[ALICE].orders
    assert stage.equity(ALICE) * 10 >= stage.lots(ALICE) * 200 * 11


async def test_a_slice_stays_within_the_price_band_of_its_contract():
    stage = Stage()
    stage.world.send(row(Kind.SET_BAND, order_id=200))  # 2 %, far nearer than bankruptcy
    stage.mark(845)
    stage.place(CAROL, Side.BUY, 830, 50)
    await stage.steps(25)
    assert 0 < stage.lots(ALICE) < 10 and stage.lots(HOUSE) == 0
    assert stage.world.refused == {}


async def test_without_a_book_the_house_takes_over_and_sells_later():
    stage = Stage()
    stage.mark(850)
    await stage.steps(29)
    assert (stage.lots(ALICE), stage.lots(HOUSE)) == (10, 0)
    await stage.steps(4)
    assert (stage.lots(ALICE), stage.lots(HOUSE)) == (0, 10)
    assert stage.equity(HOUSE) == 5_000 + 1_500  # her equity went with the position
    assert stage.equity(ALICE) == 0 and stage.world.mirror.liquidations == {}
    stage.place(CAROL, Side.BUY, 849, 500)
    await stage.steps(12)
    assert stage.lots(HOUSE) == 0


async def test_the_fund_pays_what_is_missing_and_nobody_else_is_touched():
    stage = Stage()
    stage.mark(500)  # equity -2,000
    await stage.steps(2)
    assert stage.equity(ALICE) == 0 and stage.lots(ALICE) == 0
    assert stage.equity(HOUSE) == 3_000
    assert (stage.lots(BOB), stage.rows.kept) == (-10, {})


async def test_beyond_the_fund_the_other_side_is_deleveraged_with_a_proof():
    stage = Stage()
    stage.mark(100)  # equity -6,000, more than the fund has
    await stage.steps(3)
    assert stage.lots(ALICE) == stage.lots(BOB) == 0
    assert 0 <= stage.equity(ALICE) < 10
    assert stage.equity(FLAT) == 77 and stage.equity(HOUSE) == 0
    (loss,) = stage.rows.borne.values()
    assert [(row.place, row.used_usd_micros) for row in loss.rows] == [(3, 5_000), (7, 1_000)]
    assert stage.equity(BOB) == 100_000 + 9_000 - 1_000
    (proof,) = await stage.rows.proofs(next(iter(stage.rows.kept))[0])
    assert faults_of_published(proof) == []
    assert [one["share_lots"] for one in proof["rows"]] == [10]
    assert faults_of_published(proof | {"left_lots": 1}) != []
    with pytest.raises(ValueError, match="not a proof"):
        proof_in({"rows": []})


@pytest.mark.parametrize("price", [850, 500, 100])
async def test_killed_between_any_two_steps_it_ends_the_same(price):
    straight, killed = Stage(), Stage()
    for stage in (straight, killed):
        stage.mark(price)
        stage.place(CAROL, Side.BUY, 95, 50)
    await straight.steps(45)
    for _ in range(45):
        killed.wake()
        await killed.steps(1)
    assert [killed.equity(idx) for idx in CASH] == [straight.equity(idx) for idx in CASH]
    assert [killed.lots(idx) for idx in CASH] == [straight.lots(idx) for idx in CASH]
    assert sum(killed.equity(idx) for idx in CASH) == sum(CASH.values())


async def test_a_name_that_is_taken_stops_liquidation_and_not_the_node(caplog):
    class Taken(Accounts):
        async def create(self, **_: Any) -> Any:
            raise IdempotencyConflict("the account insurance exists already")

    stage = Stage()
    service = Liquidation(stage.world.mirror, stage._send, stage.rows, Taken())  # type: ignore[arg-type]
    task = asyncio.create_task(service.run())
    await until(lambda: "nobody is liquidated" in caplog.text)
    await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()


async def test_what_was_given_is_not_given_again():
    stage = Stage()
    stage.mark(500)
    await stage.service._prepare()
    stage.asleep = True  # the journal is slow
    before = stage.world.mirror.seq
    for _ in range(3):
        await stage.service.step()
    assert stage.service._ticket == 1 and stage.world.mirror.seq == before


async def test_a_member_is_called_and_liquidated_only_when_the_call_is_escalated():
    stage = Stage({ALICE: "member"})
    stage.mark(850)
    await stage.steps(2)
    (call,) = stage.rows.all_calls
    assert (call.amount_usd_micros, call.state) == (500, CallState.ISSUED)
    deposit = row(Kind.DEPOSIT, account_idx=ALICE, amount_usd_micros=200)
    stage.world.send(deposit)
    await stage.steps(1)
    assert stage.rows.all_calls[0].state == CallState.PART_MET
    stage.world.pass_time(CALL_NS // 10**9)
    await stage.steps(1)
    assert stage.rows.all_calls[0].state == CallState.BREACHED
    assert stage.world.mirror.liquidations == {} and stage.lots(ALICE) == 10
    stage.mark(830)
    stage.world.pass_time(GRACE_NS // 10**9)
    await stage.steps(40)
    assert stage.rows.all_calls[0].state == CallState.ESCALATED
    assert stage.lots(ALICE) == 0


async def test_a_member_that_pays_is_left_alone():
    stage = Stage({ALICE: "member"})
    stage.mark(850)
    await stage.steps(1)
    stage.world.send(row(Kind.DEPOSIT, account_idx=ALICE, amount_usd_micros=500))
    await stage.steps(2)
    (call,) = stage.rows.all_calls
    assert call.state == CallState.MET and stage.lots(ALICE) == 10


async def test_VMAR_003_a_member_that_lost_half_its_margin_is_collected_from_once():
    stage = Stage(kinds={ALICE: "member"})
    await stage.steps(1)
    stage.mark(901)  # it has lost 990, and its initial margin is 2,000
    await stage.steps(2)
    assert stage.world.mirror.accounts[ALICE].unsettled_usd_micros == -990
    stage.mark(899)
    await stage.steps(3)
    alice = stage.world.mirror.accounts[ALICE]
    assert (alice.unsettled_usd_micros, alice.cash_usd_micros) == (0, 3_000 - 1_010)
    assert stage.world.mirror.accounts[BOB].cash_usd_micros == 100_000 + 1_010
    assert stage.equity(ALICE) == 1_990


async def test_VMAR_004_a_member_whose_cash_is_below_zero_is_called_for_it():
    stage = Stage(kinds={ALICE: "member"})
    stage.world.send(row(Kind.SET_COLLATERAL, account_idx=ALICE, amount_usd_micros=9_000))
    await stage.steps(1)
    stage.mark(600)  # a loss of 4,000: more than all its cash, with equity enough beside it
    await stage.steps(3)
    alice = stage.world.mirror.accounts[ALICE]
    assert alice.cash_usd_micros == -1_000
    (call,) = stage.rows.all_calls
    assert (call.amount_usd_micros, call.state) == (1_000, CallState.ISSUED)
    stage.world.send(row(Kind.DEPOSIT, account_idx=ALICE, amount_usd_micros=1_000, ref_id=9))
    await stage.steps(1)
    assert stage.rows.all_calls[0].state == CallState.MET
