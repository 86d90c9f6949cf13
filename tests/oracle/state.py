"""The exchange as plain objects."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from matching.codes import Side, TradingState
from matching.limits import (
    ACCOUNT_CANCELS_MAX,
    ACCOUNT_STOPS_MAX,
    ACCOUNTS_MAX,
    CLIENT_IDS_MAX,
    COMMAND_EVENTS_MAX,
    CONTRACT_STOPS_MAX,
    CONTRACT_TRAILS_MAX,
    CONTRACTS_MAX,
    DEALS_MAX,
    ORDERS_MAX,
    ORIGINS_MAX,
    POSITIONS_MAX,
    PRICE_BITS_DEFAULT,
    QUOTE_GROUPS,
    SCENARIOS_DEFAULT,
    TAKER_MAKERS_MAX,
    WORST_COUNT_DEFAULT,
)
from matching.wire import COMMAND

ClientWords = tuple[int, int, int, int]
NO_WORDS: ClientWords = (0, 0, 0, 0)


@dataclass(frozen=True)
class Capacity:
    """How much fits. Slot 0 of positions, orders and client ids means none."""

    price_bits: int = PRICE_BITS_DEFAULT
    accounts: int = ACCOUNTS_MAX
    contracts: int = CONTRACTS_MAX
    positions: int = POSITIONS_MAX
    orders: int = ORDERS_MAX
    client_ids: int = CLIENT_IDS_MAX
    origins: int = ORIGINS_MAX
    scenarios: int = SCENARIOS_DEFAULT
    deals: int = DEALS_MAX
    account_stops: int = ACCOUNT_STOPS_MAX
    contract_stops: int = CONTRACT_STOPS_MAX
    contract_trails: int = CONTRACT_TRAILS_MAX
    taker_makers: int = TAKER_MAKERS_MAX
    account_cancels: int = ACCOUNT_CANCELS_MAX
    command_events: int = COMMAND_EVENTS_MAX


class Command(NamedTuple):
    """One COMMAND row; the fields of the record, in its order."""

    seq: int
    ts_ns: int
    kind: int
    side: int
    order_type: int
    tif: int
    stp: int
    state: int
    flags: int
    account_idx: int
    contract_idx: int
    order_id: int
    price_ticks: int
    qty_lots: int
    amount_usd_micros: int
    expires_ns: int
    client_a: int
    client_b: int
    client_c: int
    client_d: int
    ref_id: int
    origin_id: int
    request_id: int

    @property
    def words(self) -> ClientWords:
        return self.client_a, self.client_b, self.client_c, self.client_d

    @property
    def display_lots(self) -> int:
        return self.amount_usd_micros >> 32

    @property
    def offset_ticks(self) -> int:
        return (self.ref_id + (1 << 31)) % (1 << 32) - (1 << 31)

    @property
    def min_lots(self) -> int:
        return self.ref_id >> 32


assert Command._fields == COMMAND.names


@dataclass(eq=False)
class Stop:
    """What an order waits for."""

    order_type: int
    source: int  # TriggerBy
    rises: bool
    trigger_ticks: int
    limit_ticks: int  # 0: it enters at market
    offset: int  # of a trailing stop, in ticks or basis points
    in_bps: bool
    asleep: bool  # a child whose parent has not filled
    extreme_ticks: int = 0
    queued: bool = False  # triggered, not entered yet
    stood: int = 0  # rises with each time that a stop came to its price
    came: int = 0  # of a trailing stop: rises with each that came


@dataclass(eq=False)
class Order:
    order_id: int
    slot: int
    account_idx: int
    contract_idx: int
    side: int
    price_ticks: int
    leaves_lots: int
    filled_lots: int
    tif: int
    stp: int
    flags: int
    expires_ns: int
    display_lots: int = 0  # what shows at a time, 0 for all
    shown_lots: int = 0  # of an iceberg
    lifted_lots: int = 0  # while it is judged on other terms: what it has
    min_lots: int = 0  # what must trade at once
    peg: int = 0
    offset_ticks: int = 0
    market: bool = False  # it waits in a call, without a limit of its own
    life: int = -1  # the time in force that it is listed under, -1 for none
    joined: int = 0  # rises with each that was listed
    over: bool = False  # its call has begun, or its day has ended

    @property
    def visible_lots(self) -> int:
        return self.shown_lots if self.display_lots else self.leaves_lots

    stop: Stop | None = None  # it waits, and is in no book
    link_id: int = 0
    parent_id: int = 0
    child_ids: list[int] = field(default_factory=list)
    more_lots: int = 0  # of a child: filled by its parent, not seen to yet


class Limits(NamedTuple):
    """What an account may do at most; 0 is no limit."""

    qty: int = 0
    notional: int = 0
    position: int = 0
    rate: int = 0
    open_orders: int = 0


@dataclass(eq=False)
class Mmp:
    """Market-maker protection of one quote group, and what it has counted."""

    window_ns: int = 0
    qty_max_lots: int = 0
    delta_max_lots: int = 0
    fills_max: int = 0
    frozen: bool = False
    start_ns: int = 0
    qty_lots: int = 0
    delta_lots: int = 0
    fills: int = 0


@dataclass(eq=False)
class Account:
    cash_usd_micros: int = 0
    unsettled_usd_micros: int = 0
    last_ref_id: int = 0
    state: int = 0
    counted_usd_micros: int = 0
    last_charge_id: int = 0
    last_move_id: int = 0
    fee_rates: int = 0
    holdings: dict[int, list[int]] = field(default_factory=dict)  # asset -> units, leaving units
    limits: Limits = field(default_factory=Limits)
    limits_by_legs: bool = False
    taken: tuple[int, int] = (0, 0)  # a second, and the orders taken in it
    losses_unknown: bool = False  # of its orders: a mark had no time for them
    level_more_bps: int = 0
    profile: int = 0
    timers: list[int] = field(default_factory=lambda: [0, 0])  # when each is due, 0 for never
    mmps: list[Mmp] = field(default_factory=lambda: [Mmp() for _ in range(QUOTE_GROUPS)])


@dataclass(eq=False)
class Position:
    account_idx: int
    contract_idx: int
    qty_lots: int = 0
    cover_lots: int = 0
    unsettled_usd_micros: int = 0
    orders: list[Order] = field(default_factory=list)  # resting or waiting, oldest first

    def resting_lots(self, side: int) -> int:
        return sum(
            order.leaves_lots for order in self.orders if order.side == side and order.stop is None
        )


class Leg(NamedTuple):
    contract_idx: int
    contract: "Contract"
    ratio: int


@dataclass(eq=False)
class Call:
    """The call auction of a contract; phase 0: none is running."""

    phase: int = 0
    after: int = TradingState.CONTINUOUS
    ends_ns: int = 0
    ends_after_ns: int = 0
    ends_before_ns: int = 0
    say_from_ns: int = 0
    said: tuple[int, int, int] = (0, 0, 0)
    edges: tuple[int, int] = (0, 0)


@dataclass(eq=False)
class Guard:
    """How far prices may move."""

    velocity_bps: int = 0
    velocity_ns: int = 0
    daily_bps: int = 0
    daily_next_bps: int = 0
    call_ns: int = 0
    window_ns: int = 0
    measured_from: int = 0
    since_ns: int = 0
    traded: bool = False
    breach: int = 0
    was_set: bool = False


@dataclass(eq=False)
class Contract:
    tick_value_usd_micros: int
    mark_ticks: int
    settle_ticks: int
    band_bps: int
    qty_max_lots: int
    last_trade_ns: int
    symbol: ClientWords
    state: int
    protection_bps: int = 0
    last_trade_ticks: int = 0
    block_min_lots: int = 0
    block_range_bps: int = 0
    day_prices: list[int] = field(default_factory=list)  # traded since the last settlement
    call: Call = field(default_factory=Call)
    guard: Guard = field(default_factory=Guard)
    breaches: int = 0  # of the daily limit, since the last settlement
    index_ticks: int = 0
    shocks: list[int] = field(default_factory=list)
    shocks_staged: list[int] = field(default_factory=list)
    joint_usd_micros: int = 0  # loss of a long lot when all of compute falls
    addon: tuple[int, ...] = (0,) * 6  # spread, impact, fee, volume, close, crowd
    addon_staged: tuple[int, ...] = (0,) * 6
    book: tuple[list[Order], list[Order]] = field(default_factory=lambda: ([], []))
    # each side in time order: who came first stands first, whatever its price
    legs: tuple[Leg, ...] = ()
    implied: bool = False  # its orders trade with those of its legs
    base_ticks: int = 0  # the price of a spread's book that means no difference

    @property
    def is_spread(self) -> bool:
        return bool(self.legs) and self.legs[1].ratio < 0

    @property
    def gross_tick_value(self) -> int:
        return self.tick_value_usd_micros * (2 if self.is_spread else 1)

    def mark_for(self, side: int) -> int:
        """Return the mark against which an order of a side is worse."""
        if not self.legs:
            return self.mark_ticks
        net = sum(leg.ratio * leg.contract.mark_ticks for leg in self.legs)
        if self.is_spread:
            return self.base_ticks + net
        rounded_down = net // len(self.legs)
        exact = rounded_down * len(self.legs) == net
        return rounded_down if side == Side.BUY or exact else rounded_down + 1

    def band_mark(self) -> int:
        """Return the price that the width of the band is a share of."""
        if not self.legs:
            return self.mark_ticks
        return sum(leg.contract.mark_ticks for leg in self.legs) // len(self.legs)

    triggered: list[Order] = field(default_factory=list)  # stops that have not entered yet
    timed: bool = False  # trading ends at last_trade_ns
    ended: bool = False  # it has
    delivers: int = 0  # 1: it is in delivery, 2: it has been settled for the last time
    fine_usd_micros: int = 0  # what a lot is worth beyond the mark then
    accruals: int = 0
    days_fixed: int = 0
    accrued_ns: int = 0


@dataclass(eq=False)
class ClientId:
    account_idx: int
    words: ClientWords
    body: tuple[int, ...]
    order_id: int
    ts_ns: int


@dataclass(eq=False)
class Deal:
    """A block proposal, or a request for quotes: then nobody is the counterparty yet."""

    deal_id: int
    slot: int
    kind: int
    account_idx: int
    counterparty_idx: int
    contract_idx: int
    side: int
    price_ticks: int
    qty_lots: int
    expires_ns: int
    request_id: int
    body: tuple[int, ...]
    words: ClientWords


@dataclass(eq=False)
class Exchange:
    capacity: Capacity
    last_seq: int = 0
    now_ns: int = 0
    accounts: list[Account] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)  # in order of creation
    orders: dict[int, Order] = field(default_factory=dict)  # resting or waiting, by id
    stands: int = 0
    ready: list[int] = field(default_factory=list)  # contracts with triggered stops
    children: list[Order] = field(default_factory=list)  # of brackets, to be seen to
    work: bool = False  # something follows
    joined: int = 0
    lives_over: bool = False  # orders may be left whose call has begun, or whose day has ended
    ending: bool = False  # a contract that has ended may have orders left
    slots_free: list[int] = field(default_factory=list)  # the last freed is taken first
    slots_used: int = 0  # slots 1..slots_used were taken at least once
    client_ids: deque[ClientId] = field(default_factory=deque)  # oldest first
    origins: dict[int, tuple[int, int]] = field(default_factory=dict)
    pegs_waiting: list[int] = field(default_factory=list)  # contracts, the longest first
    orders_valued: int = 0  # of accounts whose losses were unknown, by what follows a command
    implied_waiting: set[int] = field(default_factory=set)  # combinations to look at
    implied_blocked: set[int] = field(default_factory=set)  # and those for the next tick
    scenario_count: int = 0  # before the first swap
    worst_count: int = WORST_COUNT_DEFAULT
    stress_count: int = 0
    floor_count: int = 0
    kept_bps: int = 0
    halted: bool = False
    assets: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # price, time, source
    hits: list[tuple[int, int]] = field(default_factory=list)  # quote groups, in this command
    deals: list[Deal] = field(default_factory=list)  # open, oldest first
    deal_slots_free: list[int] = field(default_factory=list)
    deal_slots_used: int = 0
    asked_ns: dict[int, list[int]] = field(default_factory=dict)  # when each account asked

    def position(self, account_idx: int, contract_idx: int) -> Position | None:
        for position in self.positions:
            if (position.account_idx, position.contract_idx) == (account_idx, contract_idx):
                return position
        return None

    def lots(self, account_idx: int, contract_idx: int) -> int:
        """Return the signed position, 0 when there never was any."""
        position = self.position(account_idx, contract_idx)
        return position.qty_lots if position else 0

    def band(self, contract: Contract) -> tuple[int, int]:
        """Return the lowest sell and the highest buy price allowed."""
        highest = (1 << self.capacity.price_bits) - 1
        if contract.band_bps == 0:
            return 1, highest
        middle = contract.mark_for(Side.BUY)
        width = contract.band_mark() * contract.band_bps // 10_000
        low, high = max(1, middle - width), min(highest, middle + width)
        return min(low, highest), max(high, 1)


def opposite(side: int) -> int:
    return Side.SELL if side == Side.BUY else Side.BUY


def signed(side: int, lots: int) -> int:
    """Return lots bought as positive, lots sold as negative."""
    return lots if side == Side.BUY else -lots
