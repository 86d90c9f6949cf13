"""The stream of commands of a seed, one after the other."""

from random import Random
from typing import Any

from matching.codes import AccountState, Kind, TradingState
from tests.oracle.state import Command, Exchange
from tests.sim.dealer import Dealer
from tests.sim.ender import Ender
from tests.sim.house import House
from tests.sim.mover import Mover
from tests.sim.profile import Profile
from tests.sim.protections import Protector, healing
from tests.sim.trader import Trader

Fields = dict[str, int]
START_NS = 1_760_000_000_000_000_000
LEAP_NS = 13 * 3600 * 1_000_000_000

NOTHING = dict.fromkeys(Command._fields, 0)
RARE = (Kind.LIST, Kind.LIST_COMBINATION, Kind.SET_BAND, Kind.SET_STATE, Kind.SET_ACCOUNT)
JUNK_LIMITS = {
    "side": (-128, 127), "order_type": (-128, 127), "tif": (-128, 127), "stp": (-128, 127),
    "state": (-128, 127), "flags": (-(1 << 15), (1 << 15) - 1),
    "account_idx": (-(1 << 31), (1 << 31) - 1), "contract_idx": (-(1 << 31), (1 << 31) - 1),
    "ref_id": (-(1 << 63), (1 << 63) - 1), "order_id": (-(1 << 63), (1 << 63) - 1),
    "price_ticks": (-(1 << 63), (1 << 63) - 1), "qty_lots": (-(1 << 63), (1 << 63) - 1),
    "amount_usd_micros": (-(1 << 63), (1 << 63) - 1), "expires_ns": (-(1 << 63), (1 << 63) - 1),
}  # fmt: skip


class Gateways:
    """Origins that number their requests, mostly rightly."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.last = {1: 0, 2: 0, 3: 0}  # the newest of each slot
        self.replaced: list[int] = []

    def envelope(self) -> Fields:
        rng = self.rng
        origin = rng.choice(list(self.last))
        way = rng.random()
        if way < 0.01:
            return {"origin_id": -rng.randint(1, 5), "request_id": 1}
        if way < 0.02 and self.replaced:
            return {"origin_id": rng.choice(self.replaced), "request_id": rng.randint(1, 9)}
        if way < 0.06:
            request = self.last[origin] + rng.choice((-1, 0, 2))
            return {"origin_id": origin, "request_id": request}
        if way < 0.07:
            self.replaced.append(origin)
            del self.last[origin]
            origin += 1024
            self.last[origin] = 0
        self.last[origin] += 1
        return {"origin_id": origin, "request_id": self.last[origin]}


class Market:
    """Draws the next command from a seed and the oracle's state."""

    def __init__(self, rng: Random, profile: Profile, ex: Exchange) -> None:
        self.rng = rng
        self.profile = profile
        self.ex = ex
        self.house = House(rng, profile, ex)
        self.trader = Trader(rng, profile, ex, self.house.contract)
        self.protector = Protector(rng, profile, ex, self.house.contract)
        self.dealer = Dealer(rng, profile, ex, self.house.contract)
        self.mover = Mover(rng, ex, self.house)
        self.ender = Ender(rng, ex, self.house)
        self.gateways = Gateways(rng)
        self.waiting = self.house.setting_up()[::-1]
        self.healing: list[tuple[int, Fields]] = []  # (when, what puts a bad state right)
        self.seq = 0
        self.now_ns = START_NS
        self.draws, self.weights = self._menu()

    def _menu(self) -> tuple[list[Any], list[float]]:
        trader, house, control = self.trader, self.house, self.profile.control
        protector = self.protector
        dealer, deals = self.dealer, self.profile.deals
        menu = [
            (trader.place, 60.0), (trader.cancel, 7.0), (trader.amend, 14.0),
            (trader.mass_cancel, 0.6), (trader.stop, 9.0), (trader.bracket, 3.0),
            (house.mark, 3.0), (house.tick, 2.0),
            (house.transfer, 3.0), (house.collateral, 1.5), (house.set_account, 0.7 * control),
            (house.set_state, 1.2 * control), (house.set_band, 0.5 * control),
            (house.stage, 2.0 * control), (house.swap, 0.7 * control),
            (house.stage_addons, 1.0 * control), (house.set_level, 0.4 * control),
            (house.set_profile, 0.4 * control), (house.set_cover, 0.8 * control),
            (house.set_fees, 0.4 * control),
            (house.list_contract, 0.3 * control), (house.open_account, 0.3 * control),
            (house.list_combination, 0.3 * control), (house.set_implied, 0.5 * control),
            (protector.quote, 14.0), (protector.mmp, 0.8), (protector.reset_mmp, 0.8),
            (protector.timer, 0.8), (protector.limits, 0.5 * control),
            (protector.kill, 0.15 * control), (protector.halt, 0.15 * control),
            (protector.sweep, 0.1 * control),
            (dealer.propose, 6.0 * deals), (dealer.ask, 1.5 * deals), (dealer.accept, 3.0 * deals),
            (dealer.decline, 0.7 * deals), (dealer.set_blocks, 0.3 * deals),
            (dealer.flood, 0.1 * deals),
            (house.start_call, 0.8 * control), (house.end_call, 0.6 * control),
            (house.set_guard, 0.4 * control), (house.set_last_trade, 0.4 * control),
            (house.close_out, 0.4 * control),
            (self.ender.cascade, 0.8 * control), (self.ender.accrue, 1.0 * control),
            (self.mover.lots, 1.0 * control), (self.mover.cash, 0.3 * control),
            (self.mover.units, 0.3 * control),
        ]  # fmt: skip
        return [draw for draw, _ in menu], [weight for _, weight in menu]

    def next(self) -> Command:
        """Return the next command, stamped."""
        if self.waiting:
            fields = self.waiting.pop()
        elif self.healing and self.healing[0][0] <= self.seq:
            fields = self.healing.pop(0)[1]
        elif self.dealer.waiting:
            fields = self.dealer.waiting.pop()
        elif self.ender.waiting:
            fields = self.ender.waiting.pop()
        else:
            fields = self._draw()
        self.seq += 1
        self.now_ns += self._pause_ns(fields)
        return Command(**{**NOTHING, **fields, "seq": self.seq, "ts_ns": self.now_ns})

    def _draw(self) -> Fields:
        rng = self.rng
        if not self.ex.contracts:
            fields = self.house.list_contract(0)
        else:
            draw = rng.choices(self.draws, self.weights)[0]
            if not self.ex.orders and draw in (self.trader.cancel, self.trader.amend):
                draw = self.trader.place
            fields = draw()
            self._heal_later(fields)
        rare = fields["kind"] in RARE
        if rng.random() < (0.3 if rare else self.profile.junk):
            self._spoil(fields)
        if rng.random() < self.profile.envelope:
            fields.update(self.gateways.envelope())
        return fields

    def _heal_later(self, fields: Fields) -> None:
        """A market that stays halted has nothing to say: put it right soon."""
        if fields["kind"] == Kind.SET_LAST_TRADE:  # never mind: it trades again
            self.healing.append((self.seq + self.rng.randint(1, 30), fields | {"expires_ns": 0}))
        if fields["kind"] in (Kind.START_CALL, Kind.SET_LAST_TRADE):
            fields = fields | {"kind": Kind.SET_STATE}
        usual = {Kind.SET_STATE: TradingState.CONTINUOUS, Kind.SET_ACCOUNT: AccountState.ACTIVE}
        if fields["kind"] in usual:
            when = self.seq + self.rng.randint(5, 60)
            good = fields | {"state": usual[Kind(fields["kind"])]}
            self.healing = sorted([*self.healing, (when, good)], key=lambda due: due[0])
        elif good := healing(fields):
            when = self.seq + self.rng.randint(5, 60)
            self.healing = sorted([*self.healing, (when, good)], key=lambda due: due[0])

    def _spoil(self, fields: Fields) -> None:
        """Set one field to something it should not be."""
        rng = self.rng
        known = [name for name in fields if name in JUNK_LIMITS]
        name = rng.choice(known if known and rng.random() < 0.7 else list(JUNK_LIMITS))
        low, high = JUNK_LIMITS[name]
        near = fields.get(name, 0) + rng.choice((-1, 1))
        value = rng.choice((low, high, -1, 0, 1, 6, near, rng.randint(-10, 70_000)))
        fields[name] = min(high, max(low, value))

    def _pause_ns(self, fields: Fields) -> int:
        """Let time pass; a TICK often comes at the very moment an order expires."""
        soon_ns = self.now_ns + LEAP_NS  # a spoiled expiry may be centuries away
        expiries = [order.expires_ns for order in self.ex.orders.values()]
        expiries += [due_ns for account in self.ex.accounts for due_ns in account.timers]
        expiries += [deal.expires_ns for deal in self.ex.deals]
        for contract in self.ex.contracts:
            expiries += [
                contract.call.ends_ns,
                contract.call.say_from_ns * (contract.call.phase > 0),
                contract.last_trade_ns * (contract.timed and not contract.ended),
            ]
        due = [expires_ns for expires_ns in expiries if 0 < expires_ns < soon_ns]
        if fields["kind"] == Kind.TICK and due and self.rng.random() < 0.7:
            return max(0, min(due) - self.now_ns - self.rng.choice((0, 0, 1)))
        if self.rng.random() < self.profile.clock_leap:
            return LEAP_NS
        return self.rng.choice((0, 1, 500))
