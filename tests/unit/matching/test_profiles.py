"""Wrong-way risk in the core: covers, NeoClouds that are long, miners; W12 and W13 among them."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.rules.margin import margin_of
from exchange.rules.margin_audit import margin_differs
from exchange.rules.mirror_saved import mirror_from_saved
from matching.codes import Code, CountMode, EventKind, Kind, Profile, Side
from matching.engine import Engine
from matching.saved import unpack
from tests.unit.exchange.rules.test_worked_margin import SHOCKS, expected, inputs
from tests.unit.matching.small import MARK_TICKS, SIZES, TICK_VALUE_USD_MICROS, Market, codes

SHORT, OTHER = 0, 1
LOSS_OF_A_LOT = MARK_TICKS * TICK_VALUE_USD_MICROS * 3 // 10


def market(contracts: int = 1) -> Market:
    """Return the market of the worked examples: contracts A, B and C, dollars as micro-dollars."""
    market = Market(replace(SIZES, accounts=8), contracts=contracts)
    for contract_idx, shocks in zip(range(contracts), SHOCKS.values(), strict=False):
        market.swap(tuple(shocks), contract_idx=contract_idx)
    return market


def sell(market: Market, lots: int, contract_idx: int = 0, account_idx: int = SHORT) -> None:
    """Let an account sell lots at the mark, or buy them where they are negative."""
    side = Side.SELL if lots > 0 else Side.BUY
    other = Side.BUY if lots > 0 else Side.SELL
    market.rested(OTHER, other, abs(lots), MARK_TICKS, contract_idx=contract_idx)
    market.order(account_idx, side, abs(lots), MARK_TICKS, contract_idx=contract_idx)


def cover(market: Market, lots: int, contract_idx: int = 0, account_idx: int = SHORT) -> int:
    """Set a cover and return the requirement that is said."""
    (event,) = market.do(
        Kind.SET_COVER, account_idx=account_idx, contract_idx=contract_idx, qty_lots=lots
    )
    assert event["kind"] == EventKind.COVER_SET
    assert event["amount_usd_micros"] == market.engine.requirement(account_idx)
    return int(event["amount_usd_micros"])


def profile(market: Market, which: Profile, account_idx: int = SHORT) -> int:
    (event,) = market.do(Kind.SET_PROFILE, account_idx=account_idx, state=which)
    assert event["kind"] == EventKind.PROFILE_SET
    return int(event["amount_usd_micros"])


def test_COLL_118_w13_the_covered_part_pays_a_fifth_of_its_shortfall():
    said, our = expected("W13"), market()
    sell(our, -inputs("W13")["position"]["A"])
    assert our.engine.requirement(SHORT) == said["es_outright"]
    assert cover(our, int(said["cover"])) == said["im"]
    assert cover(our, 10**6) == said["es_outright"] // 5  # no more than it is short
    assert cover(our, 0) == said["es_outright"]


def test_COLL_118_w12_none_counts_for_who_is_long():
    said, our = expected("W12"), market()
    cover(our, 100)
    sell(our, -inputs("W12")["position"]["A"])
    assert our.engine.requirement(SHORT) == said["es"]


def test_COLL_118_a_buy_that_may_turn_the_account_long_takes_the_cover_away():
    our = market()
    sell(our, 10)
    assert cover(our, 10) == 500
    our.rested(SHORT, Side.BUY, 10, MARK_TICKS - 5)
    assert our.engine.requirement(SHORT) == 500  # flat at most
    buy = our.rested(SHORT, Side.BUY, 1, MARK_TICKS - 5)
    assert our.engine.requirement(SHORT) == 2_500
    our.order(OTHER, Side.SELL, 5, MARK_TICKS - 5)  # a fill needs no more
    assert our.engine.requirement(SHORT) == 1_250
    our.engine.check()
    our.do(Kind.CANCEL, account_idx=SHORT, order_id=buy)
    assert our.engine.requirement(SHORT) == 250


def test_COLL_119_a_neocloud_that_may_be_long_needs_a_quarter_more():
    our = market()
    sell(our, -10)
    before = our.engine.requirement(SHORT)
    assert profile(our, Profile.NEOCLOUD) == before * 5 // 4
    sell(our, 20)  # short now
    assert our.engine.requirement(SHORT) == profile(our, Profile.NONE)


def test_COLL_119_the_quarter_is_judged_before_the_order():
    our = market()
    profile(our, Profile.NEOCLOUD)
    unit = 250  # of a long lot of A
    cash = 10 * unit * 5 // 4
    our.do(Kind.WITHDRAW, account_idx=SHORT, amount_usd_micros=1_000_000_000 - cash)
    assert codes(our.order(SHORT, Side.BUY, 11, MARK_TICKS))[0] == Code.MARGIN_INSUFFICIENT
    assert codes(our.order(SHORT, Side.BUY, 10, MARK_TICKS)) == [Code.OK]


def test_COLL_123_a_pledge_is_given_back_only_where_margin_allows_it():
    our = market()
    sell(our, 10)
    assert cover(our, 10) == 500

    def release(lots):
        return our.do(
            Kind.SET_COVER, account_idx=SHORT, contract_idx=0, qty_lots=lots,
            state=CountMode.RELEASE,
        )  # fmt: skip

    free = int(our.engine.state.accounts[SHORT]["cash_usd_micros"])
    our.do(Kind.WITHDRAW, account_idx=SHORT, amount_usd_micros=free - 1_500)
    assert codes(release(0)) == [Code.COVER_NEEDED]
    assert our.engine.requirement(SHORT) == 500
    (event,) = release(5)  # 250 for these, 1,250 for the others
    assert (event["kind"], event["amount_usd_micros"]) == (EventKind.COVER_SET, 1_500)
    assert codes(release(4)) == [Code.COVER_NEEDED]
    (event,) = release(7)  # more is never refused
    assert event["kind"] == EventKind.COVER_SET
    assert cover(our, 0) == 2_500  # what the pledge lost is not asked for
    our.engine.check()
    assert release(0)[0]["kind"] == EventKind.COVER_SET


def test_COLL_121_a_miner_needs_what_a_joint_fall_takes():
    our = market()
    sell(our, -10)
    assert our.engine.requirement(SHORT) < 10 * LOSS_OF_A_LOT
    assert profile(our, Profile.MINER) == 10 * LOSS_OF_A_LOT
    our.do(Kind.SETTLE, contract_idx=0, price_ticks=MARK_TICKS + 100)
    assert our.engine.requirement(SHORT) == 10 * LOSS_OF_A_LOT  # until the next matrix
    our.swap(tuple(SHOCKS["A"]))
    more = (MARK_TICKS + 100) * TICK_VALUE_USD_MICROS * 3 // 10
    assert our.engine.requirement(SHORT) == 10 * more
    sell(our, 20)
    assert our.engine.requirement(SHORT) == profile(our, Profile.NONE)  # short: no joint loss


def test_what_is_no_profile_no_cover_or_no_account_is_refused():
    our = market()
    for state in (-1, 3):
        assert codes(our.do(Kind.SET_PROFILE, account_idx=0, state=state)) == [Code.PROFILE_INVALID]
    assert codes(our.do(Kind.SET_PROFILE, account_idx=7)) == [Code.ACCOUNT_UNKNOWN]
    for lots in (-1, 1 << 31):
        answer = our.do(Kind.SET_COVER, account_idx=0, contract_idx=0, qty_lots=lots)
        assert codes(answer) == [Code.COVER_INVALID]
    assert codes(our.do(Kind.SET_COVER, account_idx=7)) == [Code.ACCOUNT_UNKNOWN]
    assert codes(our.do(Kind.SET_COVER, contract_idx=3)) == [Code.CONTRACT_UNKNOWN]
    assert our.engine.state.accounts["limited"].max() == 0


def test_both_are_saved_and_nobody_else_is_judged_more_slowly():
    our = market()
    sell(our, 10)
    cover(our, 5)
    profile(our, Profile.MINER, OTHER)
    assert our.engine.state.accounts["limited"][:3].tolist() == [8, 8, 0]
    again = Engine.restore(our.engine.save(), SIZES)
    assert again.requirement(SHORT) == our.engine.requirement(SHORT)
    assert again.state_hash() == our.engine.state_hash()
    cover(our, 0)
    assert our.engine.state.accounts["limited"][SHORT] == 0


LOTS = st.integers(-30, 30)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), LOTS.filter(bool)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=3),
    st.sampled_from(list(Profile)), st.sampled_from((0, 2_000)),
)  # fmt: skip
def test_the_core_the_mirror_and_the_audit_agree_on_any_portfolio(trades, covers, which, kept):
    our = market(contracts=3)
    our.do(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=2, ref_id=kept)
    for contract_idx, lots in trades:
        sell(our, lots, contract_idx)
    for contract_idx, lots in covers:
        cover(our, lots, contract_idx)
    profile(our, which)
    our.order(SHORT, Side.BUY, 3, MARK_TICKS - 9, contract_idx=1)
    saved = unpack(our.engine.save())
    assert list(margin_differs(saved, range(3))) == []
    mirror = mirror_from_saved(saved)
    found = margin_of(mirror, SHORT).requirement
    assert found.required_usd_micros == our.engine.requirement(SHORT)
    assert found.profile == which
