"""Hypothesis drives engine, oracle and mirror by hand-sized steps, and shrinks what differs."""

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numba import config

from matching.codes import (
    BY_LEGS,
    AccountState,
    CallPhase,
    Flag,
    Kind,
    MoveReason,
    OrderType,
    Peg,
    Side,
    Stp,
    Tif,
    TradingState,
)
from matching.wire import pack_halves, pack_legs, pack_text, spread_base_ticks
from matching.wire_life import pack_children
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity, Command
from tests.property.planted import BUGS, PlantedFollower
from tests.property.stop_rules import StopRules
from tests.sim.everybody import everybody
from tests.sim.followers import Disagreement, Follower
from tests.sim.run import rows_of

CAPACITY = Capacity(
    price_bits=12,
    accounts=4,
    contracts=5,
    positions=12,
    orders=10,
    client_ids=6,
    scenarios=8,
    deals=6,
    taker_makers=4,
    account_cancels=2,
    command_events=6,
)
MARK_TICKS, TICK_VALUE, DAY_NS = 100, 7, 24 * 3600 * 1_000_000_000
WORDS = ("client_a", "client_b", "client_c", "client_d")

accounts = st.integers(0, 2)
SPREAD, STRIP = 2, 3
contracts = st.integers(0, 3)  # two single ones, their spread, their strip
prices = st.integers(MARK_TICKS - 4, MARK_TICKS + 4)
lots = st.integers(1, 6)
parts = st.sampled_from((0, 0, 1, 2, 3))
AMENDS = (
    Flag.NEW_DISPLAY, Flag.NEW_OFFSET, Flag.NEW_TIF, Flag.NEW_FLAGS | Flag.POST_ONLY,
    Flag.NEW_FLAGS | Flag.REDUCE_ONLY, Flag.NEW_FLAGS, Flag.NEW_DISPLAY | Flag.QTY_IS_OPEN,
)  # fmt: skip
clients = st.sampled_from(("", "", "a", "b", "c"))
SHOCKS = (-20, -9, -3, 0, 4, 9, 15, 21)
SHOCK_FIELDS = ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns", *WORDS)


class Machine(StopRules, RuleBasedStateMachine):
    """Three accounts, two contracts and what combines them, little money, little room."""

    contracts_traded = 4

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle(CAPACITY)
        self.followers = list(self.make_followers())
        self.pending: list[Command] = []
        self.now_ns = DAY_NS
        self.requests = {1: 0, 1025: 0}

    def make_followers(self) -> list[Follower]:
        return list(everybody(CAPACITY))

    def send(self, kind: Kind, **fields: int) -> None:
        """Let a command join the next batch; the rules look at the oracle for what is there."""
        zero = dict.fromkeys(Command._fields, 0)
        seq = self.oracle.last_seq + len(self.pending) + 1
        sent = {"kind": kind, "seq": seq, "ts_ns": self.now_ns}
        self.pending.append(Command(**{**zero, **fields, **sent}))

    def resting(self, pick: int) -> tuple[int, int]:
        """Return the id and the account of an order that rested at the last flush."""
        orders = list(self.oracle.ex.orders.values())
        if not orders:
            return 12345, 0
        return orders[pick % len(orders)].order_id, orders[pick % len(orders)].account_idx

    @initialize(money=st.sampled_from((300, 3_000, 1_000_000)))
    def open_market(self, money):
        for idx in range(3):
            self.send(Kind.OPEN_ACCOUNT, account_idx=idx)
            self.send(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=money)
        for idx in range(2):
            self.send(
                Kind.LIST, contract_idx=idx, price_ticks=MARK_TICKS, qty_lots=20,
                amount_usd_micros=TICK_VALUE + idx, order_id=300, state=TradingState.CONTINUOUS,
                ref_id=pack_halves(3, 200),
            )  # fmt: skip
            shocks = dict(zip(SHOCK_FIELDS, SHOCKS, strict=True))
            self.send(Kind.STAGE_SHOCKS, contract_idx=idx, **shocks)
        for idx, ratio in ((SPREAD, -1), (STRIP, 1)):
            self.send(
                Kind.LIST_COMBINATION, contract_idx=idx, qty_lots=20, order_id=300,
                state=TradingState.CONTINUOUS, ref_id=1, **pack_legs([(0, 1), (1, ratio)]),
            )  # fmt: skip
        self.send(Kind.SWAP_SCENARIOS, qty_lots=8, order_id=2)
        self.flush()

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), price=prices, qty=lots,
        tif=st.sampled_from((Tif.GTC, Tif.GTC, *Tif)), stp=st.sampled_from(Stp),
        flags=st.sampled_from((0, 0, 0, Flag.POST_ONLY, Flag.REDUCE_ONLY)),
        order_type=st.sampled_from((OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET)),
        client=clients, lives_ns=st.integers(0, 3),
    )  # fmt: skip
    def place(
        self, account, contract, side, price, qty, tif, stp, flags, order_type, client, lives_ns
    ):
        contract %= self.contracts_traded
        if contract == SPREAD:
            price += spread_base_ticks(CAPACITY.price_bits) - MARK_TICKS
        self.send(
            Kind.PLACE, account_idx=account, contract_idx=contract, side=side, qty_lots=qty,
            price_ticks=price if order_type == OrderType.LIMIT else 0, tif=tif, stp=stp,
            flags=flags, order_type=order_type, state=BY_LEGS if contract >= SPREAD else 0,
            expires_ns=self.now_ns + lives_ns if tif == Tif.GTD else 0,
            **dict(zip(WORDS, pack_text(client), strict=True)),
        )  # fmt: skip

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), price=prices, qty=lots,
        tif=st.sampled_from((Tif.GTC, Tif.DAY, Tif.IOC)), stp=st.sampled_from(Stp),
        order_type=st.sampled_from((OrderType.LIMIT, OrderType.MARKET_TO_LIMIT)),
        display=parts, least=parts,
    )  # fmt: skip
    def place_richer(
        self, account, contract, side, price, qty, tif, stp, order_type, display, least
    ):
        self.send(
            Kind.PLACE, account_idx=account, contract_idx=contract, side=side, qty_lots=qty,
            price_ticks=price if order_type == OrderType.LIMIT else 0, tif=tif, stp=stp,
            order_type=order_type, amount_usd_micros=pack_halves(0, display),
            ref_id=pack_halves(0, least),
        )  # fmt: skip

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), qty=lots,
        peg=st.sampled_from(Peg), offset=st.integers(-3, 3), display=parts,
    )  # fmt: skip
    def place_pegged(self, account, contract, side, qty, peg, offset, display):
        self.send(
            Kind.PLACE, account_idx=account, contract_idx=contract, side=side, qty_lots=qty,
            order_type=OrderType.PEGGED, state=peg, amount_usd_micros=pack_halves(0, display),
            ref_id=pack_halves(offset, 0),
        )  # fmt: skip

    @rule(contract=contracts, side=st.sampled_from(Side), price=prices, qty=lots, display=parts)
    def meet_two_of_one_price(self, contract, side, price, qty, display):
        """Drawn one by one, two makers and a taker of one price are rare."""
        for account, taking in ((0, False), (1, False), (2, True)):
            self.send(
                Kind.PLACE, account_idx=account, contract_idx=contract, price_ticks=price,
                side=1 - side if taking else side, tif=Tif.IOC if taking else Tif.GTC,
                qty_lots=qty, amount_usd_micros=0 if taking else pack_halves(0, display),
            )  # fmt: skip

    @rule(pick=st.integers(0, 9), account=st.none() | accounts, client=clients)
    def cancel(self, pick, account, client):
        order_id, owner = self.resting(pick)
        words = dict(zip(WORDS, pack_text(client), strict=True))
        self.send(
            Kind.CANCEL, account_idx=owner if account is None else account,
            order_id=0 if client else order_id, **words,
        )  # fmt: skip

    @rule(
        pick=st.integers(0, 9), account=st.none() | accounts, price=st.just(0) | prices,
        qty=st.integers(-2, 21), is_open=st.booleans(),
    )  # fmt: skip
    def amend(self, pick, account, price, qty, is_open):
        order_id, owner = self.resting(pick)
        self.send(
            Kind.AMEND, account_idx=owner if account is None else account, order_id=order_id,
            price_ticks=price, qty_lots=qty, flags=Flag.QTY_IS_OPEN if is_open else 0,
        )  # fmt: skip

    @rule(
        pick=st.integers(0, 9), flags=st.sampled_from(AMENDS), display=parts, qty=lots,
        tif=st.sampled_from(Tif), lives_ns=st.integers(0, 3), offset=st.integers(-3, 3),
    )  # fmt: skip
    def amend_terms(self, pick, flags, display, qty, tif, lives_ns, offset):
        order_id, owner = self.resting(pick)
        self.send(
            Kind.AMEND, account_idx=owner, order_id=order_id, flags=flags, tif=tif,
            qty_lots=qty if flags & Flag.QTY_IS_OPEN else 0,
            amount_usd_micros=pack_halves(0, display), ref_id=pack_halves(offset, 0),
            expires_ns=self.now_ns + lives_ns if tif == Tif.GTD else 0,
        )  # fmt: skip

    @rule(account=accounts, contract=st.integers(-1, 2), side=st.integers(0, 3))
    def mass_cancel(self, account, contract, side):
        self.send(Kind.MASS_CANCEL, account_idx=account, contract_idx=contract, state=side)

    @rule(
        account=accounts, contract=contracts, buy=prices, sell=prices, group=st.integers(0, 1),
        buy_lots=st.integers(0, 6), sell_lots=st.integers(0, 6), stp=st.sampled_from(Stp),
        flags=st.sampled_from((0, 0, Flag.POST_ONLY)),
    )  # fmt: skip
    def quote(self, account, contract, buy, sell, group, buy_lots, sell_lots, stp, flags):
        self.send(
            Kind.QUOTE, account_idx=account, contract_idx=contract, state=group, stp=stp,
            price_ticks=pack_halves(buy, sell), qty_lots=pack_halves(buy_lots, sell_lots),
            flags=flags,
        )  # fmt: skip

    @rule(account=accounts, group=st.integers(0, 1), window_ns=st.sampled_from((0, 1, DAY_NS >> 6)),
          qty=st.integers(0, 8), delta=st.integers(0, 8), fills=st.integers(0, 3))  # fmt: skip
    def set_mmp(self, account, group, window_ns, qty, delta, fills):
        self.send(
            Kind.SET_MMP, account_idx=account, state=group, expires_ns=window_ns, qty_lots=qty,
            order_id=delta, ref_id=fills,
        )  # fmt: skip

    @rule(account=accounts, group=st.integers(0, 1))
    def reset_mmp(self, account, group):
        self.send(Kind.RESET_MMP, account_idx=account, state=group)

    @rule(account=accounts, which=st.integers(0, 2), after_ns=st.sampled_from((0, 1, 2, DAY_NS)))
    def cancel_all_after(self, account, which, after_ns):
        self.send(Kind.CANCEL_ALL_AFTER, account_idx=account, state=which, expires_ns=after_ns)

    @rule(account=accounts, qty=lots, notional=st.sampled_from((0, 2_000)), position=lots,
          rate=st.integers(0, 2), opened=st.integers(-1, 3), by_legs=st.integers(0, 1))  # fmt: skip
    def set_limits(self, account, qty, notional, position, rate, opened, by_legs):
        self.send(
            Kind.SET_LIMITS, account_idx=account, qty_lots=qty, amount_usd_micros=notional,
            order_id=position, price_ticks=rate, ref_id=opened, state=by_legs,
        )  # fmt: skip

    @rule(account=accounts, what=st.sampled_from((Kind.KILL_ACCOUNT, Kind.SET_LIMITS)))
    def kill_or_free(self, account, what):
        self.send(what, account_idx=account)

    @rule(state=st.sampled_from((0, 0, 1)), contract=st.integers(-1, 2), qty=lots)
    def halt_or_sweep(self, state, contract, qty):
        self.send(Kind.HALT_EXCHANGE, state=state)
        self.send(Kind.SWEEP, contract_idx=contract, qty_lots=qty)

    @rule(contract=contracts, price=st.integers(80, 120), kind=st.sampled_from((11, 12)))
    def mark_or_settle(self, contract, price, kind):
        self.send(Kind(kind), contract_idx=contract, price_ticks=price)

    @rule(account=accounts, kind=st.sampled_from((4, 5)), amount=st.integers(0, 400), ref=lots)
    def transfer(self, account, kind, amount, ref):
        self.send(Kind(kind), account_idx=account, amount_usd_micros=amount, ref_id=ref)

    @rule(giver=accounts, receiver=accounts, contract=contracts, side=st.sampled_from(Side),
          qty=lots, price=st.integers(0, 200),
          why=st.sampled_from((*MoveReason, len(MoveReason))))  # fmt: skip
    def move_lots(self, giver, receiver, contract, side, qty, price, why):
        self.send(
            Kind.TRANSFER_POSITION, account_idx=giver, ref_id=receiver, contract_idx=contract,
            side=side, qty_lots=qty, price_ticks=price, state=why, order_id=3,
        )  # fmt: skip

    @rule(giver=accounts, receiver=accounts, amount=st.integers(0, 400))
    def move_cash(self, giver, receiver, amount):
        self.send(
            Kind.TRANSFER_CASH, account_idx=giver, ref_id=receiver, amount_usd_micros=amount,
        )  # fmt: skip

    @rule(
        account=accounts, amount=st.integers(-1, 400), mode=st.sampled_from((0, 0, 1, 2)),
        kind=st.sampled_from((Kind.SET_COLLATERAL, Kind.SEND_CASH)), ref=lots,
        whom=st.integers(-1, 3),
    )  # fmt: skip
    def count_or_transfer(self, account, amount, mode, kind, ref, whom):
        self.send(
            kind, account_idx=account, amount_usd_micros=amount, state=mode, ref_id=ref,
            order_id=whom,
        )  # fmt: skip

    @rule(account=accounts, amount=st.integers(-50, 50), what=st.integers(0, 5), ref=lots)
    def charge(self, account, amount, what, ref):
        self.send(
            Kind.CHARGE, account_idx=account, amount_usd_micros=amount, state=what, ref_id=ref
        )

    @rule(
        account=accounts, asset=st.integers(0, 3), move=st.integers(1, 5),
        units=st.integers(0, 30), counted=st.integers(-1, 300),
        step=st.sampled_from((1, 1, 1, 0, 2)),
    )  # fmt: skip
    def move_asset(self, account, asset, move, units, counted, step):
        opened = self.oracle.ex.accounts
        last = opened[account].last_move_id if 0 <= account < len(opened) else 0
        ahead = sum(
            one.kind == Kind.MOVE_ASSET and one.account_idx == account for one in self.pending
        )
        self.send(
            Kind.MOVE_ASSET, account_idx=account, order_id=asset, state=move, price_ticks=units,
            amount_usd_micros=counted, ref_id=last + ahead + step,
        )  # fmt: skip

    @rule(
        giver=accounts, taker=accounts, asset=st.integers(0, 3), units=st.integers(0, 30),
        amount=st.integers(0, 400),
    )  # fmt: skip
    def take_asset(self, giver, taker, asset, units, amount):
        self.send(
            Kind.TAKE_ASSET, account_idx=giver, ref_id=taker, state=asset, price_ticks=units,
            amount_usd_micros=amount, order_id=3,
        )  # fmt: skip

    @rule(asset=st.integers(0, 17), price=st.integers(0, 9), source=st.integers(0, 4),
          age_ns=st.integers(-1, 3))  # fmt: skip
    def price_asset(self, asset, price, source, age_ns):
        self.send(
            Kind.PRICE_ASSET, order_id=asset, price_ticks=price, state=source,
            expires_ns=self.now_ns - age_ns,
        )  # fmt: skip

    @rule(contract=contracts, state=st.sampled_from((2, 2, *TradingState)))
    def set_state(self, contract, state):
        self.send(Kind.SET_STATE, contract_idx=contract, state=state)

    @rule(
        contract=contracts, phase=st.sampled_from(CallPhase),
        lasts_ns=st.sampled_from((0, 1, 3)), window_ns=st.sampled_from((0, 0, 5_000)),
    )  # fmt: skip
    def start_call(self, contract, phase, lasts_ns, window_ns):
        self.send(
            Kind.START_CALL, contract_idx=contract, state=phase, amount_usd_micros=window_ns,
            expires_ns=self.now_ns + lasts_ns if lasts_ns else 0,
        )  # fmt: skip

    @rule(contract=contracts)
    def end_call(self, contract):
        self.send(Kind.END_CALL, contract_idx=contract)

    @rule(
        contract=contracts, velocity=st.sampled_from((0, 200)), daily=st.sampled_from((0, 300)),
        call_ns=st.sampled_from((1, DAY_NS)), window_ns=st.sampled_from((0, 5_000)),
    )  # fmt: skip
    def set_guard(self, contract, velocity, daily, call_ns, window_ns):
        self.send(
            Kind.SET_GUARD, contract_idx=contract, price_ticks=velocity,
            amount_usd_micros=2 * (velocity > 0), order_id=pack_halves(daily, 2 * daily),
            expires_ns=call_ns, qty_lots=window_ns,
        )  # fmt: skip

    @rule(contract=contracts, after_ns=st.sampled_from((0, 1, 3)), never=st.booleans())
    def set_last_trade(self, contract, after_ns, never):
        ends_ns = 0 if never else self.now_ns + after_ns
        self.send(Kind.SET_LAST_TRADE, contract_idx=contract, expires_ns=ends_ns)

    @rule(contract=contracts, expire=st.sampled_from((False, False, True)))
    def close_out(self, contract, expire):
        if expire:
            self.send(Kind.SET_STATE, contract_idx=contract, state=TradingState.EXPIRED)
        self.send(Kind.CLOSE_OUT, contract_idx=contract)

    @rule(contract=contracts, children=st.sets(contracts, max_size=3))
    def cascade(self, contract, children):
        words = pack_children(sorted(children))
        self.send(Kind.CASCADE, contract_idx=contract, **words)

    @rule(
        contract=contracts, ordinal=st.sampled_from((1, 2)), finally_=st.sampled_from((0, 0, 1)),
        worth=st.sampled_from((699, 700, 705, 1400)), days=st.sampled_from((0, 2)),
    )  # fmt: skip
    def accrue(self, contract, ordinal, finally_, worth, days):
        self.send(
            Kind.ACCRUE, contract_idx=contract, order_id=ordinal, amount_usd_micros=worth,
            ref_id=days, qty_lots=2, state=finally_,
        )  # fmt: skip

    @rule(account=accounts, state=st.sampled_from((0, *AccountState)), ends=st.integers(0, 1))
    def set_account(self, account, state, ends):
        self.send(Kind.SET_ACCOUNT, account_idx=account, state=state, qty_lots=ends)

    @rule(
        contract=contracts, bps=st.sampled_from((0, 100, 300, 10_000)),
        what=st.sampled_from((0, 1)),
    )  # fmt: skip
    def set_band_or_protection(self, contract, bps, what):
        self.send(Kind.SET_BAND, contract_idx=contract, order_id=bps, state=what)

    @rule(
        contract=contracts, scale=st.integers(-3, 3), worst=st.integers(1, 4), count=lots,
        stress=st.sampled_from((0, 0, 1, 3)), floor=st.sampled_from((0, 0, 2)),
        kept=st.sampled_from((0, 2_000, 10_000, 10_001)),
    )  # fmt: skip
    def swap_scenarios(self, contract, scale, worst, count, stress, floor, kept):
        shocks = {name: scale * shock for name, shock in zip(SHOCK_FIELDS, SHOCKS, strict=True)}
        self.send(Kind.STAGE_SHOCKS, contract_idx=contract, **shocks)
        self.send(
            Kind.SWAP_SCENARIOS, qty_lots=count, order_id=worst, price_ticks=stress,
            amount_usd_micros=floor, ref_id=kept,
        )  # fmt: skip

    @rule(
        contract=contracts, spread=st.sampled_from((0, 7, 1 << 40)),
        impact=st.sampled_from((0, 5_000)), fee=st.sampled_from((0, 3)),
        volume=st.sampled_from((0, 4, 50)), close=st.sampled_from((0, 2, 30)),
        crowd=st.sampled_from((0, 5)),
    )  # fmt: skip
    def stage_addons(self, contract, spread, impact, fee, volume, close, crowd):
        self.send(
            Kind.STAGE_ADDONS, contract_idx=contract, price_ticks=spread, qty_lots=impact,
            amount_usd_micros=fee, expires_ns=volume, client_a=close, client_b=crowd,
        )  # fmt: skip

    @rule(
        account=accounts, maker=st.sampled_from((0, 200, -1)),
        taker=st.sampled_from((200, 500, 1 << 20)), clearing=st.sampled_from((0, 100, -1)),
    )  # fmt: skip
    def set_fees(self, account, maker, taker, clearing):
        self.send(
            Kind.SET_FEES, account_idx=account, price_ticks=maker, qty_lots=taker,
            amount_usd_micros=clearing,
        )  # fmt: skip

    @rule(account=accounts, level=st.sampled_from((9_999, 10_000, 11_000, 15_000)))
    def set_level(self, account, level):
        self.send(Kind.SET_LEVEL, account_idx=account, order_id=level)

    @rule(account=accounts, profile=st.sampled_from((0, 1, 2, 3)))
    def set_profile(self, account, profile):
        self.send(Kind.SET_PROFILE, account_idx=account, state=profile)

    @rule(
        account=accounts, contract=contracts, lots=st.sampled_from((0, 1, 3, 20, -1)),
        mode=st.sampled_from((0, 1)),
    )  # fmt: skip
    def set_cover(self, account, contract, lots, mode):
        self.send(
            Kind.SET_COVER, account_idx=account, contract_idx=contract, qty_lots=lots, state=mode
        )

    def deal(self, pick: int) -> tuple[int, int, int]:
        """Return the id and both accounts of a deal that was open at the last flush."""
        deals = self.oracle.ex.deals
        if not deals:
            return 12345, 0, 1
        one = deals[pick % len(deals)]
        return one.deal_id, one.account_idx, one.counterparty_idx

    @rule(
        account=accounts, whom=accounts, contract=contracts, side=st.sampled_from(Side), qty=lots,
        price=st.integers(MARK_TICKS - 3, MARK_TICKS + 3), kind=st.sampled_from((0, 0, 1, 2)),
        lives_ns=st.integers(0, 4), client=clients, answers=st.none() | st.integers(0, 9),
    )  # fmt: skip
    def propose(self, account, whom, contract, side, qty, price, kind, lives_ns, client, answers):
        request_id = 0 if answers is None else self.deal(answers)[0]
        self.send(
            Kind.PROPOSE, account_idx=account, ref_id=whom, contract_idx=contract, side=side,
            qty_lots=qty, price_ticks=price, state=kind, expires_ns=self.now_ns + lives_ns,
            order_id=request_id, **dict(zip(WORDS, pack_text(client), strict=True)),
        )  # fmt: skip

    @rule(
        account=accounts, contract=contracts, side=st.integers(0, 3), qty=lots, client=clients,
        lives_ns=st.integers(0, 4),
    )  # fmt: skip
    def request_quotes(self, account, contract, side, qty, client, lives_ns):
        self.send(
            Kind.REQUEST_QUOTES, account_idx=account, contract_idx=contract, state=side,
            qty_lots=qty, expires_ns=self.now_ns + lives_ns,
            **dict(zip(WORDS, pack_text(client), strict=True)),
        )  # fmt: skip

    @rule(pick=st.integers(0, 9), account=st.none() | accounts)
    def accept(self, pick, account):
        deal_id, _, whom = self.deal(pick)
        who = max(0, whom) if account is None else account
        self.send(Kind.ACCEPT, account_idx=who, order_id=deal_id)

    @rule(pick=st.integers(0, 9), account=accounts)
    def decline(self, pick, account):
        self.send(Kind.DECLINE, account_idx=account, order_id=self.deal(pick)[0])

    @rule(
        contract=st.integers(0, 2), least=st.integers(-1, 4), bps=st.sampled_from((0, 200, 10_001))
    )
    def set_blocks(self, contract, least, bps):
        self.send(Kind.SET_BLOCKS, contract_idx=contract, qty_lots=least, order_id=bps)

    @rule(origin=st.sampled_from((1, 1025)), step=st.sampled_from((1, 1, 1, 0, 2)), pick=lots)
    def cancel_from_a_gateway(self, origin, step, pick):
        order_id, owner = self.resting(pick)
        self.requests[origin] += step == 1
        self.send(
            Kind.CANCEL, account_idx=owner, order_id=order_id, origin_id=origin,
            request_id=self.requests[origin] + (step > 1),
        )  # fmt: skip

    @rule(pause_ns=st.sampled_from((1, 1, 2, DAY_NS - 1, DAY_NS)))
    def let_time_pass(self, pause_ns):
        self.now_ns += pause_ns
        self.send(Kind.TICK)

    @precondition(lambda self: self.pending)
    @rule()
    def flush(self):
        """Apply the batch: the oracle one by one, the others whole; then compare everything."""
        commands = rows_of(self.pending)
        self.pending = []
        events = self.oracle.apply(commands)
        view = self.oracle.state_view()
        for follower in self.followers:
            follower.batch(commands, events)
            follower.compare(view)

    def teardown(self):
        if self.pending:
            self.flush()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    stateful_step_count=25, max_examples=20 if config.DISABLE_JIT else 60
)


class BrokenMachine(Machine):
    """The same steps against an oracle without time priority, on fewer books to meet sooner."""

    contracts_traded = 2

    def make_followers(self) -> list[Follower]:
        planted = next(bug for bug in BUGS if bug.name == "no time priority")
        return [PlantedFollower(CAPACITY, planted)]


def test_the_machine_finds_a_planted_bug():

    quick = settings(
        max_examples=1_000,
        stateful_step_count=25,
        phases=(Phase.generate,),
        database=None,
        derandomize=True,
    )
    with pytest.raises(Disagreement):
        run_state_machine_as_test(BrokenMachine, settings=quick)
