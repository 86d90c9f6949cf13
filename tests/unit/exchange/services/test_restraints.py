"""Who is beyond a limit only reduces until it is within; over any kill, and once."""

import numpy as np
import pytest

from exchange.io.errors import Unavailable
from exchange.io.restraints import Capacity
from exchange.rules.restraints import Credit, NoticeKind
from exchange.services.restraints import Restrainer
from exchange.services.stress.world import World, row
from matching.codes import AccountState, Code, Kind, Side, TradingState
from matching.wire import pack_text
from tests.support.memory_restraints import MemoryRestraints
from tests.unit.exchange.services.test_liquidation import SIZES

HOUSE, ALICE, BOB, SUB = range(4)
KINDS = {HOUSE: "house", ALICE: "customer", BOB: "member", SUB: "customer"}
SYMBOL = dict(zip(("client_a", "client_b", "client_c", "client_d"),
                  pack_text("H100-USE-2027M03"), strict=True))  # fmt: skip


class Stage:
    """One contract of which 1,000 GPUs can be delivered: a limit of 100 lots."""

    def __init__(self) -> None:
        self.world = World(SIZES, 10**18, HOUSE)
        self.rows = MemoryRestraints()
        self.owing: set[int] | None = set()
        self.asleep = False
        for idx in KINDS:
            self.put(Kind.OPEN_ACCOUNT, account_idx=idx)
            self.put(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=10**12)
        self.put(Kind.LIST, price_ticks=1_000, amount_usd_micros=1, qty_lots=1_000,
                 state=TradingState.CONTINUOUS, **SYMBOL)  # fmt: skip
        self.put(Kind.STAGE_SHOCKS, price_ticks=-200, qty_lots=200)
        self.put(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
        self.rows.said = [Capacity(None, "H100", "USE", 1_000, "measured", "key", 1)]
        self.wake()

    def put(self, kind: Kind, **fields: int) -> None:
        self.world.send(row(kind, **fields))

    def wake(self) -> None:
        """Start the service anew, as after a kill."""
        self.service = Restrainer(
            self.world.mirror, self._send, self.rows, self._kinds, lambda: self.owing
        )

    async def _kinds(self) -> dict[int, str]:
        return KINDS

    async def _send(self, commands: np.ndarray) -> None:
        if not self.asleep:
            self.world.send(commands)
            self.service.observe(commands)

    def trade(self, buyer: int, lots: int, seller: int = BOB) -> None:
        for idx, side in ((seller, Side.SELL), (buyer, Side.BUY)):
            self.put(Kind.PLACE, account_idx=idx, side=side, price_ticks=1_000, qty_lots=lots)

    def state(self, idx: int) -> int:
        return self.world.mirror.accounts[idx].state

    def kinds(self, idx: int) -> list[str]:
        return [one.kind for one, _ in self.rows.told if one.account_idx == idx]


async def test_POSL_003_half_of_a_limit_is_told_to_owner_once_a_day_and_nobody_is_stopped():
    stage = Stage()
    stage.trade(ALICE, 60)
    for _ in range(3):
        await stage.service.step()
        stage.wake()
    assert stage.kinds(ALICE) == [NoticeKind.ACCOUNTABILITY] * 2, "at the hub, and over all hubs"
    assert stage.state(ALICE) == AccountState.ACTIVE
    stage.world.pass_time(24 * 3600)
    await stage.service.step()
    assert stage.kinds(ALICE) == [NoticeKind.ACCOUNTABILITY] * 4


async def test_POSL_005_beyond_the_limit_all_accounts_of_the_owner_only_reduce_until_within():
    stage = Stage()
    stage.rows.owned = {SUB: ALICE}
    stage.trade(ALICE, 60)
    stage.trade(SUB, 41)
    stage.put(Kind.PLACE, account_idx=SUB, side=Side.BUY, price_ticks=900, qty_lots=1)
    await stage.service.step()
    assert [stage.state(idx) for idx in (ALICE, SUB)] == [AccountState.REDUCE_ONLY] * 2
    assert not stage.world.mirror.accounts[SUB].orders
    told = len(stage.rows.told)
    stage.put(Kind.PLACE, account_idx=ALICE, side=Side.BUY, price_ticks=1_000, qty_lots=1)
    assert stage.world.refused == {Code.ACCOUNT_REDUCE_ONLY: 1}
    await stage.service.step()
    assert len(stage.rows.told) == told
    for idx, side in ((BOB, Side.BUY), (SUB, Side.SELL)):
        stage.put(Kind.PLACE, account_idx=idx, side=side, price_ticks=1_000, qty_lots=1)
    await stage.service.step()  # the core first, the word when it says so
    assert stage.state(SUB) == stage.state(ALICE) == AccountState.ACTIVE
    await stage.service.step()
    assert stage.kinds(SUB) == [NoticeKind.RESTRAINED, NoticeKind.RELEASED]


async def test_RSTR_002_a_kill_between_word_and_command_loses_nothing():
    stage = Stage()
    stage.trade(ALICE, 101)
    stage.asleep = True  # what was said is written, the command is lost with the process
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.ACTIVE
    stage.asleep = False
    stage.wake()
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY
    assert stage.kinds(ALICE).count(NoticeKind.RESTRAINED) == 1


async def test_RSTR_002_what_postgres_or_the_sequencer_did_not_take_is_done_by_the_next_step():
    stage = Stage()
    stage.trade(ALICE, 101)
    tell, stage.rows.tell = stage.rows.tell, refuses  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await stage.service.step()
    stage.rows.tell = tell  # type: ignore[method-assign]
    send, stage.service._send = stage.service._send, refuses
    with pytest.raises(Unavailable):
        await stage.service.step()
    stage.service._send = send
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY
    assert stage.kinds(ALICE).count(NoticeKind.ACCOUNTABILITY) == 2
    assert stage.kinds(ALICE).count(NoticeKind.RESTRAINED) == 1


async def refuses(*_: object) -> bool:
    raise Unavailable("not now")


async def test_RSTR_003_what_an_operator_had_stopped_before_stays_stopped():
    stage = Stage()
    stage.trade(ALICE, 101)
    stage.put(Kind.SET_ACCOUNT, account_idx=ALICE, state=AccountState.REDUCE_ONLY)
    await stage.service.step()
    stage.rows.said = []
    for _ in range(3):
        await stage.service.step()
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY
    assert stage.kinds(ALICE)[-1] == NoticeKind.RELEASED


async def test_CRED_004_and_005_a_client_beyond_its_credit_only_reduces():
    stage = Stage()
    stage.trade(ALICE, 10)  # initial margin 2,000 and more
    stage.rows.trust = {ALICE: {None: Credit(10**9, 0), BOB: Credit(1_000, 500)}}
    stage.rows.traded = {ALICE: 501}
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY
    (one,) = [one for one, _ in stage.rows.told if one.account_idx == ALICE]
    assert one.body["reasons"] == ("margin_limit", "turnover_limit")
    stage.rows.trust, stage.rows.traded = {ALICE: {None: Credit(10**9, 0)}}, {}
    for _ in range(2):
        await stage.service.step()
    assert stage.state(ALICE) == AccountState.ACTIVE


async def test_RSTR_001_the_house_is_never_stopped_whatever_is_said_of_it():
    stage = Stage()
    stage.rows.owned = {HOUSE: ALICE}
    stage.trade(ALICE, 101)
    stage.rows.trust = {HOUSE: {None: Credit(0, 1)}}
    stage.rows.traded = {HOUSE: 9}
    await stage.service.step()
    assert stage.state(HOUSE) == AccountState.ACTIVE
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY


async def test_DEF_16_a_member_that_owes_the_fund_only_reduces_and_unknown_it_stays():
    stage = Stage()
    stage.owing = {BOB}
    await stage.service.step()
    assert stage.state(BOB) == AccountState.REDUCE_ONLY
    stage.owing = None  # the next process has not looked yet
    stage.wake()
    await stage.service.step()
    assert stage.state(BOB) == AccountState.REDUCE_ONLY
    stage.owing = set()
    await stage.service.step()
    assert stage.state(BOB) == AccountState.ACTIVE


async def test_RSTR_004_who_is_liquidated_is_left_to_that():
    stage = Stage()
    stage.trade(ALICE, 101)
    stage.world.mirror.liquidations[ALICE] = object()
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.ACTIVE
    del stage.world.mirror.liquidations[ALICE]
    await stage.service.step()
    assert stage.state(ALICE) == AccountState.REDUCE_ONLY
