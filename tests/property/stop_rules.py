"""Steps of the machine with orders that wait for a price: of every kind, in pairs and brackets."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from matching.codes import TRAIL_IS_BPS, Flag, Kind, Side, Tif, TriggerBy
from matching.wire import pack_halves
from tests.oracle.engine import Oracle
from tests.oracle.stops import LIMITED, STOP_TYPES

accounts = st.integers(0, 2)
contracts = st.integers(0, 1)
prices = st.integers(96, 104)
lots = st.integers(1, 6)
parts = st.sampled_from((0, 0, 1, 2))


class StopRules:
    """What the machine does with stops; it sends commands, and knows what was open lately."""

    oracle: Oracle
    now_ns: int
    send: Callable[..., None]
    resting: Callable[[int], tuple[int, int]]

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), qty=lots,
        order_type=st.sampled_from(STOP_TYPES), source=st.sampled_from(TriggerBy), limit=prices,
        trigger=prices, trail=st.sampled_from((0, 0, 1, 3)), in_bps=st.booleans(),
        tif=st.sampled_from((Tif.GTC, Tif.GTC, Tif.GTD, Tif.DAY, Tif.IOC)),
        lives_ns=st.integers(0, 3),
        flags=st.sampled_from((0, 0, Flag.REDUCE_ONLY)), pick=st.none() | st.integers(0, 9),
    )  # fmt: skip
    def place_stop(
        self, account, contract, side, qty, order_type, source, limit, trigger, trail, in_bps, tif,
        lives_ns, flags, pick,
    ):  # fmt: skip
        """A stop, a take-profit, either with a limit, or trailing; perhaps one leg of a pair."""
        linked, owner = (0, account) if pick is None else self.resting(pick)
        limited = order_type in LIMITED
        trail *= 400 if in_bps else 1
        self.send(
            Kind.PLACE, account_idx=owner, contract_idx=contract, side=side, qty_lots=qty,
            order_type=order_type, price_ticks=limit if limited else 0, tif=tif, order_id=linked,
            state=source | (TRAIL_IS_BPS if trail and in_bps else 0),
            amount_usd_micros=pack_halves(0 if trail else trigger, 0), ref_id=pack_halves(trail, 0),
            flags=flags | (0 if pick is None else Flag.LINKED),
            expires_ns=self.now_ns + lives_ns if tif == Tif.GTD else 0,
        )  # fmt: skip

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), qty=lots, price=prices,
        profit=st.integers(0, 4), loss=st.integers(0, 4), source=st.sampled_from(TriggerBy),
        tif=st.sampled_from((Tif.GTC, Tif.IOC)), display=parts,
    )  # fmt: skip
    def place_bracket(
        self, account, contract, side, qty, price, profit, loss, source, tif, display
    ):
        away = 1 if side == Side.BUY else -1
        self.send(
            Kind.PLACE, account_idx=account, contract_idx=contract, side=side, qty_lots=qty,
            price_ticks=price, tif=tif, flags=Flag.BRACKET, state=source,
            amount_usd_micros=pack_halves((price - away * loss) * (loss > 0), display),
            ref_id=pack_halves((price + away * profit) * (profit > 0), 0),
        )  # fmt: skip

    @rule(
        account=accounts, contract=contracts, side=st.sampled_from(Side), qty=lots, price=prices,
        pick=st.integers(0, 9),
    )  # fmt: skip
    def place_linked(self, account, contract, side, qty, price, pick):
        """An order whose other leg rests or waits already."""
        order_id, owner = self.resting(pick)
        self.send(
            Kind.PLACE, account_idx=owner, contract_idx=contract, side=side, qty_lots=qty,
            price_ticks=price, flags=Flag.LINKED, order_id=order_id,
        )  # fmt: skip

    @rule(
        pick=st.integers(0, 9), trigger=st.just(0) | prices, limit=st.sampled_from((0, 0, 98, 103)),
        trail=st.sampled_from((0, 0, 1, 3)), in_bps=st.booleans(), qty=st.integers(-1, 7),
        flags=st.sampled_from((Flag.MAY_WAIT, Flag.MAY_WAIT | Flag.NEW_TIF, 0)),
        tif=st.sampled_from(Tif), lives_ns=st.integers(0, 3),
    )  # fmt: skip
    def amend_stop(self, pick, trigger, limit, trail, in_bps, qty, flags, tif, lives_ns):
        """Any terms of a stop, whatever waits; an order that does not wait has no trigger."""
        waiting = [o for o in self.oracle.ex.orders.values() if o.stop is not None]
        one = waiting[pick % len(waiting)] if waiting else None
        order_id, owner = (one.order_id, one.account_idx) if one else self.resting(pick)
        trails = trail if one is None or one.stop.offset else 0
        self.send(
            Kind.AMEND, account_idx=owner, order_id=order_id, flags=flags, qty_lots=qty, tif=tif,
            price_ticks=limit, state=TRAIL_IS_BPS if trails and in_bps else 0,
            amount_usd_micros=pack_halves(0 if trails else trigger, 0),
            ref_id=pack_halves(trails * (400 if in_bps else 1), 0),
            expires_ns=self.now_ns + lives_ns if tif == Tif.GTD else 0,
        )  # fmt: skip

    @rule(contract=contracts, price=prices)
    def set_index(self, contract, price):
        self.send(Kind.SET_INDEX, contract_idx=contract, price_ticks=price)

    @rule(contract=contracts, first=prices, last=prices)
    def move_last_price(self, contract, first, last):
        """Two trades, whatever the accounts have: stops of one contract see both prices."""
        for price in (first, last):
            for account, side in ((2, Side.SELL), (1, Side.BUY)):
                self.send(
                    Kind.PLACE, account_idx=account, contract_idx=contract, side=side,
                    price_ticks=price, qty_lots=1,
                )  # fmt: skip
