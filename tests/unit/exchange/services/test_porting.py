"""Clients of a member that fails are offered to others by themselves, or closed out; over any kill.

Alpha is a member with a long position; carol and dave are its clients; beta and gamma could take
them. Bob is a stranger on the other side.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from exchange.io.members import PortStatus
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.porting import HOUR_NS, WINDOW_NS, Failing, Receiver, failing_of, receiver_of
from exchange.rules.restraints import Credit, NoticeKind, Reason
from exchange.services.porting import Porter
from exchange.services.restraints import Restrainer
from exchange.services.stress.world import World, row
from matching.codes import AccountState, Kind, Side, TradingState
from tests.support.memory_defaults import MemoryDefaults
from tests.support.memory_members import MemoryMembers
from tests.support.memory_restraints import MemoryRestraints
from tests.unit.exchange.services.test_liquidation import SIZES

HOUSE, ALPHA, BETA, GAMMA, CAROL, DAVE, BOB = range(7)
KINDS = {HOUSE: "house", ALPHA: "member", BETA: "member", GAMMA: "member", CAROL: "customer",
         DAVE: "customer", BOB: "customer"}  # fmt: skip
NAMES = dict(enumerate(("insurance", "alpha", "beta", "gamma", "carol", "dave", "bob")))
USD = 1_000_000
CASH = {BETA: 60_000 * USD, GAMMA: 50_000 * USD}


class Stage:
    """A market of one contract at 1,000; a lot may lose 200 micro-dollars in the matrix."""

    def __init__(self) -> None:
        self.world = World(SIZES, 10**18, HOUSE)
        for idx in KINDS:
            self.put(Kind.OPEN_ACCOUNT, account_idx=idx)
            cash = CASH.get(idx, 100_000)
            self.put(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=cash)
        self.put(Kind.LIST, price_ticks=1_000, amount_usd_micros=1, qty_lots=1_000,
                 state=TradingState.CONTINUOUS)  # fmt: skip
        self.put(Kind.STAGE_SHOCKS, price_ticks=-200, qty_lots=200)
        self.put(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
        for buyer in (CAROL, DAVE):
            self.order(BOB, Side.SELL, 1_000, 10)
            self.order(buyer, Side.BUY, 1_000, 10)
        registry = SimpleNamespace(
            rows={idx: SimpleNamespace(account_id=name) for idx, name in NAMES.items()}
        )
        self.members = MemoryMembers(registry)
        self.rows = MemoryDefaults(dict(KINDS))
        self.rows.names = NAMES
        self.notices = MemoryRestraints()
        self.asleep = False
        self.wake()

    async def join(self) -> "Stage":
        for idx in (CAROL, DAVE):
            await self.members.join(idx, ALPHA, "operator", 1)
        return self

    def wake(self) -> None:
        """Start the services anew, as after a kill."""
        mirror = self.world.mirror
        self.porter = Porter(mirror, self._send, self.members, self.rows, self.notices)
        self.restrainer = Restrainer(
            mirror, self._send, self.notices, self._kinds, orphans=self.porter.orphans
        )

    async def _kinds(self) -> dict[int, str]:
        return KINDS

    async def _send(self, commands: np.ndarray) -> None:
        if not self.asleep:
            self.world.send(commands)
            self.restrainer.observe(commands)

    def put(self, kind: Kind, **fields: int) -> None:
        self.world.send(row(kind, **fields))

    def order(self, idx: int, side: Side, price: int, lots: int) -> None:
        self.put(Kind.PLACE, account_idx=idx, side=side, price_ticks=price, qty_lots=lots)

    def fail(self, idx: int = ALPHA) -> int:
        """Let a member's liquidation begin, as `Liquidation` does; return its number."""
        self.put(Kind.SET_ACCOUNT, account_idx=idx, state=AccountState.REDUCE_ONLY, order_id=1,
                 price_ticks=AccountState.ACTIVE)  # fmt: skip
        going = self.world.mirror.liquidations[idx]
        self.rows.lasts[idx] = going
        return going.liquidation_id

    def end(self, idx: int = ALPHA) -> None:
        self.put(Kind.SET_ACCOUNT, account_idx=idx, state=AccountState.ACTIVE, order_id=2,
                 ref_id=self.rows.lasts[idx].liquidation_id)  # fmt: skip

    async def steps(self, count: int = 1) -> None:
        for _ in range(count):
            self.world.pass_time()
            await self.porter.step()
            await self.restrainer.step()

    def asked(self, idx: int) -> list[tuple[int, str]]:
        return [
            (one.to_idx, one.status) for one in self.members.ports_.values()
            if one.account_idx == idx
        ]  # fmt: skip

    def kinds(self, idx: int) -> list[str]:
        return [one.kind for one, _ in self.notices.told if one.account_idx == idx]

    def state(self, idx: int) -> int:
        return self.world.mirror.accounts[idx].state

    def lots(self, idx: int) -> int:
        return self.world.mirror.position(idx, 0).qty_lots


async def test_PORT_008_clients_of_a_failing_member_are_offered_and_told_once_and_only_reduce():
    stage = await Stage().join()
    await stage.steps()
    assert stage.members.ports_ == {} and stage.porter.orphans() == frozenset()
    number = stage.fail()
    stage.order(CAROL, Side.BUY, 900, 1)
    await stage.steps(3)
    # To who has most: beta; what carol needs counts for dave, and beta still has most.
    assert stage.asked(CAROL) == stage.asked(DAVE) == [(BETA, "proposed")]
    one = next(iter(stage.members.ports_.values()))
    assert one.reason == f"alpha fails: liquidation {number}"
    assert stage.kinds(CAROL) == [
        NoticeKind.MEMBER_FAILED, NoticeKind.PORT_PROPOSED, NoticeKind.RESTRAINED
    ]  # fmt: skip
    assert stage.kinds(BETA) == [NoticeKind.PORT_OFFER] * 2
    assert stage.state(CAROL) == stage.state(DAVE) == AccountState.REDUCE_ONLY
    assert not stage.world.mirror.accounts[CAROL].orders
    assert stage.state(BOB) == AccountState.ACTIVE
    words = await stage.notices.words()
    assert words[CAROL].reasons == (Reason.MEMBER_FAILED,)


async def test_PORT_010_who_declines_or_says_nothing_is_asked_once_and_the_next_one_takes_it():
    stage = await Stage().join()
    stage.fail()
    await stage.steps()
    now = stage.world.mirror.ts_ns
    first, _ = stage.members.ports_.values()
    assert await stage.members.answer(first.port_id, PortStatus.DECLINED, BETA, "beta", now)
    await stage.steps()
    assert stage.asked(CAROL) == [(BETA, "declined"), (GAMMA, "proposed")]
    assert stage.asked(DAVE) == [(BETA, "proposed")]
    stage.world.pass_time(3600)  # dave's offer ends
    await stage.steps()
    assert stage.asked(DAVE) == [(BETA, "expired"), (GAMMA, "proposed")]
    port = [one for one in stage.members.ports_.values() if one.account_idx == DAVE][-1]
    now = stage.world.mirror.ts_ns
    assert await stage.members.answer(port.port_id, PortStatus.DONE, GAMMA, "gamma", now)
    await stage.steps(3)
    assert stage.state(DAVE) == AccountState.ACTIVE, "gamma answers for it now"
    assert stage.kinds(DAVE)[-2:] == [NoticeKind.PORTED, NoticeKind.RELEASED]
    assert stage.lots(DAVE) == 10, "nothing moved"


@pytest.mark.parametrize("killed", [False, True])
async def test_PORT_012_whom_nobody_took_is_closed_out_step_by_step_near_the_mark(killed):
    stage = await Stage().join()
    stage.fail()
    stage.put(Kind.SET_ACCOUNT, account_idx=BETA, state=AccountState.REDUCE_ONLY)
    stage.put(Kind.SET_ACCOUNT, account_idx=GAMMA, state=AccountState.REDUCE_ONLY)
    await stage.steps(2)
    assert stage.members.ports_ == {}, "nobody could take them"
    stage.order(BOB, Side.BUY, 995, 300)
    stage.order(BOB, Side.BUY, 900, 100)
    await stage.steps(2)
    assert stage.lots(CAROL) == 10, "not before the window ends"
    stage.world.pass_time(WINDOW_NS // 10**9)
    seen = []
    for _ in range(12):
        if killed:
            stage.asleep = not stage.asleep  # what was sent is lost with the process
            stage.wake()
        await stage.steps()
        seen.append(stage.lots(CAROL))
    assert seen[-1] == 0 and sorted(seen, reverse=True) == seen and len(set(seen)) > 2
    assert stage.lots(DAVE) == 0
    left = stage.world.mirror.accounts[CAROL]
    assert left.cash_usd_micros + left.unsettled_usd_micros == 100_000 - 10 * 5, "at 995, not 900"
    assert stage.kinds(CAROL).count(NoticeKind.CLOSING_OUT) == 1
    assert stage.world.refused == {}


async def test_PORT_011_a_member_that_can_answer_again_keeps_its_clients():
    stage = await Stage().join()
    stage.fail()
    await stage.steps(2)
    stage.end()
    await stage.steps(2)
    assert stage.state(CAROL) == AccountState.REDUCE_ONLY, "over, and nothing is left"
    stage.put(Kind.DEPOSIT, account_idx=ALPHA, amount_usd_micros=10_000 * USD)
    await stage.steps(3)
    assert stage.state(CAROL) == AccountState.ACTIVE and stage.porter.orphans() == frozenset()


async def test_PORT_008_a_kill_between_any_two_steps_offers_nothing_twice():
    stage = await Stage().join()
    stage.fail()
    for _ in range(4):
        stage.wake()
        assert stage.porter.orphans() is None, "nobody is released before the first look"
        await stage.steps()
    assert stage.asked(CAROL) == [(BETA, "proposed")] and len(stage.notices.told) == 3 + 3 + 2


async def test_PORT_009_a_client_that_is_closed_out_itself_is_offered_to_nobody():
    stage = await Stage().join()
    stage.fail()
    stage.fail(CAROL)
    await stage.steps(2)
    assert stage.asked(CAROL) == [] and stage.asked(DAVE) == [(BETA, "proposed")]


async def test_CRED_007_all_clients_of_a_member_beyond_its_limit_only_reduce_until_within():
    stage = await Stage().join()
    stage.notices.member_of = {CAROL: ALPHA, DAVE: ALPHA}
    stage.notices.trust = {ALPHA: {None: Credit(0, 0, 3_999)}}  # 2,000 each
    await stage.steps()
    assert stage.state(CAROL) == stage.state(DAVE) == AccountState.REDUCE_ONLY
    assert stage.state(ALPHA) == AccountState.ACTIVE
    assert (await stage.notices.words())[CAROL].reasons == (Reason.CLIENTS_LIMIT,)
    stage.order(BOB, Side.BUY, 1_000, 1)
    stage.order(DAVE, Side.SELL, 1_000, 1)
    await stage.steps(2)
    assert stage.state(CAROL) == stage.state(DAVE) == AccountState.ACTIVE


async def test_CRED_007_a_member_without_room_is_not_asked():
    stage = await Stage().join()
    stage.notices.trust = {BETA: {None: Credit(0, 0, 2_500)}}
    stage.fail()
    await stage.steps()
    assert stage.asked(CAROL) == [(BETA, "proposed")]
    assert stage.asked(DAVE) == [(GAMMA, "proposed")], "there was room for one"


def test_PORT_010_the_member_with_most_is_asked_and_of_two_alike_the_older():
    three = [Receiver(4, 7), Receiver(3, 7), Receiver(5, 9, 10)]
    assert receiver_of(three, (), 10) == 5
    assert receiver_of(three, (), 11) == 3
    assert receiver_of(three, (3, 5), 1) == 4
    assert receiver_of([Receiver(3, 0)], (), 0) is None
    last = Liquidation(7, 5, 0)
    assert failing_of(1, last, 10_000 * USD, goes_on=False) is None
    assert failing_of(1, last, 10_000 * USD, goes_on=True) == Failing(1, 7, 5)
    assert Failing(1, 7, 5).until_ns == 5 + 4 * HOUR_NS
