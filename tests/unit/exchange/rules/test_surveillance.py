"""Each pattern is seen in real events, honest trading next to it is not, and nor is a busy day."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pytest

from exchange.rules.contracts import parse_symbol
from exchange.rules.demo import MAKERS, TAKERS, Rng, Walk, maker_quotes, taker_order
from exchange.rules.surveillance import Alert, Pattern, Watcher
from exchange.rules.surveillance.alerts import EVIDENCE_MAX, evidence
from exchange.rules.surveillance.happenings import Changed, Gone, Placed, Traded, happenings
from exchange.rules.surveillance.pulled import Pulled
from exchange.rules.surveillance.watcher import MEMORY_NS
from exchange.rules.tenors import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND
from matching.codes import EventKind, Kind, Side, Stp, Tif, TradingState
from tests.oracle.engine import Oracle
from tests.oracle.view import depth
from tests.support.rows import SECOND_NS, command

DAY_NS = 20_000 * NS_PER_DAY
MORNING_NS = DAY_NS + 9 * NS_PER_HOUR
CLOSE_NS = DAY_NS + 16 * NS_PER_HOUR
SYMBOL = "H100-USE-2027M03"
OWNERS = ("crook", "crook", "maker", "other", "more")
MS = SECOND_NS // 1_000


@dataclass
class Floor:
    """A market of the naive engine, watched."""

    now_ns: int = MORNING_NS
    owners: tuple[str, ...] = OWNERS
    engine: Oracle = field(default_factory=Oracle)
    seq: int = 0
    alerts: list[Alert] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    events: list[np.ndarray] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watcher = Watcher(lambda idx: self.owners[idx])
        for idx in range(len(self.owners)):
            self.do(command(Kind.OPEN_ACCOUNT, account_idx=idx))
            self.do(command(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=10**15, ref_id=1))
        self.do(
            command(
                Kind.LIST, symbol=SYMBOL, price_ticks=2_000, amount_usd_micros=744_000,
                qty_lots=10_000, state=TradingState.CONTINUOUS,
            )
        )  # fmt: skip

    def do(self, row: np.ndarray, after_ns: int = MS) -> np.ndarray:
        self.seq, self.now_ns = self.seq + 1, self.now_ns + after_ns
        row["seq"], row["ts_ns"] = self.seq, self.now_ns
        found = self.engine.apply(row)
        self.rows.append(row)
        self.events.append(found)
        self.alerts += self.watcher.take(row, found)
        for event in found[found["kind"] == EventKind.TRADE].tolist():
            sign = 1 if event[2] == Side.BUY else -1
            for idx, way in ((event[4], sign), (event[8], -sign)):
                self.positions[idx] = self.positions.get(idx, 0) + way * event[10]
        return found

    def place(self, who: int, side: Side, price: int, lots: int, after_ns: int = MS, **more: int):
        row = command(
            Kind.PLACE, account_idx=who, side=side, price_ticks=price, qty_lots=lots, **more
        )
        return int(self.do(row, after_ns)["order_id"][0])

    def take(self, who: int, side: Side, price: int, lots: int, after_ns: int = MS):
        return self.place(who, side, price, lots, after_ns, tif=Tif.IOC)

    def cancel(self, who: int, order_id: int, after_ns: int = MS) -> None:
        self.do(command(Kind.CANCEL, account_idx=who, order_id=order_id), after_ns)

    def amend(self, who: int, order_id: int, change: dict[str, int]) -> None:
        row = command(Kind.AMEND, account_idx=who, order_id=order_id, **change)
        assert int(self.do(row)["kind"][0]) == EventKind.AMENDED

    def last_ticks(self) -> int:
        return depth(self.engine.ex, 0, Side.BUY)[0][0]

    def patterns(self) -> list[Pattern]:
        return [alert.pattern for alert in self.alerts]


@pytest.fixture
def floor():
    return Floor()


def test_a_trade_between_accounts_of_one_owner_is_told_at_once_and_then_once_a_minute(floor: Floor):
    for _ in range(3):
        floor.place(0, Side.SELL, 2_000, 5)
        floor.place(1, Side.BUY, 2_000, 5)
    (alert,) = floor.alerts
    assert (alert.pattern, alert.subject, alert.figures["lots"]) == (Pattern.WASH_TRADE, "crook", 5)
    trade_seq = int(floor.events[-5]["seq"][0])
    assert alert.seqs == (trade_seq,) and floor.now_ns - alert.last_ns < SECOND_NS
    floor.do(command(Kind.TICK), 61 * SECOND_NS)
    assert floor.alerts[1].figures == {"trades": 2, "lots": 10}


def test_a_trade_with_oneself_is_a_wash_trade_too_and_one_with_others_is_not(floor: Floor):
    floor.place(2, Side.SELL, 2_000, 5)
    floor.place(3, Side.BUY, 2_000, 5)
    assert not floor.alerts
    floor.place(3, Side.SELL, 2_000, 5)
    floor.place(3, Side.BUY, 2_000, 5, stp=Stp.NONE)
    assert floor.patterns() == [Pattern.WASH_TRADE]


def shown(floor: Floor, prices: tuple[int, ...], lots: int) -> list[int]:
    return [floor.place(0, Side.BUY, price, lots) for price in prices]


@pytest.mark.parametrize(
    ("prices", "pattern"),
    [((1_999,), Pattern.SPOOFING), ((1_999, 1_998, 1_997, 1_996), Pattern.LAYERING)],
)
def test_lots_shown_on_one_side_and_pulled_after_a_trade_on_the_other(
    floor: Floor, prices: tuple[int, ...], pattern: Pattern
):
    floor.place(0, Side.SELL, 2_001, 5)
    order_ids = shown(floor, prices, 200 // len(prices))
    floor.take(2, Side.BUY, 2_001, 5)
    for order_id in order_ids:
        floor.cancel(0, order_id, 20 * MS)
    assert pattern in floor.patterns()
    alert = next(one for one in floor.alerts if one.pattern == pattern)
    assert alert.subject == "crook" and len(alert.seqs) >= len(prices) + 2
    kinds = {int(floor.rows[seq - 1]["kind"][0]) for seq in alert.seqs}
    assert kinds == {Kind.PLACE, Kind.CANCEL}


def test_a_maker_that_quotes_both_sides_and_moves_them_after_a_fill_is_no_spoofer(floor: Floor):
    for turn in range(50):
        bid = floor.place(2, Side.BUY, 1_999, 50)
        ask = floor.place(2, Side.SELL, 2_001, 50)
        floor.take(3, Side.BUY if turn % 2 else Side.SELL, 2_001 if turn % 2 else 1_999, 3)
        floor.cancel(2, bid)
        floor.cancel(2, ask)
    assert not floor.alerts


def test_an_order_that_stood_long_or_traded_itself_was_meant(floor: Floor):
    floor.place(0, Side.SELL, 2_001, 5)
    (order_id,) = shown(floor, (1_999,), 200)
    floor.take(2, Side.BUY, 2_001, 5, 11 * SECOND_NS)
    floor.cancel(0, order_id)
    assert not floor.alerts


def test_what_was_shown_too_long_ago_is_forgotten_between_messages_of_one_batch():
    """An amended order is behind younger ones: when these are amended too, its time is over."""
    second, pulled = NS_PER_SECOND, Pulled()

    def shown(seq: int, at_s: float, order_id: int, side: Side, ticks: int, lots: int) -> Placed:
        return Placed(seq, int(at_s * second), 0, 0, order_id, side, ticks, lots)

    list(pulled.placed(shown(1, 100, 1, Side.SELL, 1_010, 100), "crook"))
    list(pulled.placed(shown(2, 101, 2, Side.BUY, 990, 1), "crook"))
    list(pulled.changed(Changed(*shown(3, 102, 1, Side.SELL, 1_011, 1)), "crook"))
    list(pulled.placed(shown(4, 115.5, 3, Side.BUY, 999, 200), "crook"))
    now_ns = int(115.5 * second)
    pulled.traded(Traded(5, now_ns, 0, Side.SELL, 1_011, 1, 0, 1, 1, 9, False))
    list(pulled.changed(Changed(*shown(6, 115.5, 2, Side.BUY, 989, 1)), "crook"))
    (alert,) = pulled.gone(Gone(7, now_ns, 0, 0, 3, 200), "crook")
    assert alert.figures["pulled_lots"] == 200


def test_hundreds_of_messages_a_second_without_a_trade_are_stuffing(floor: Floor):
    for _ in range(210):
        floor.cancel(0, floor.place(0, Side.BUY, 1_990, 1, 2 * MS), 2 * MS)
    (alert,) = floor.alerts
    assert alert.pattern == Pattern.QUOTE_STUFFING and len(alert.seqs) <= EVIDENCE_MAX
    slow = Floor()
    for _ in range(210):
        slow.cancel(0, slow.place(0, Side.BUY, 1_990, 1, 5 * MS), 5 * MS)
    assert not slow.alerts


def ladder(floor: Floor, side: Side, lots: int = 5) -> None:
    """Rest ten orders of others, each 5 ticks farther away."""
    step = 5 if side == Side.SELL else -5
    for rung in range(10):
        floor.place(3, side, 2_000 + step * rung, lots)


def test_a_burst_that_moves_the_price_and_is_sold_into_is_ignition(floor: Floor):
    ladder(floor, Side.SELL)
    for rung in range(7):
        floor.take(0, Side.BUY, 2_000 + 5 * rung, 5, 200 * MS)
    floor.place(4, Side.BUY, 2_032, 50)  # somebody follows
    assert not floor.alerts
    floor.take(0, Side.SELL, 2_032, 30, SECOND_NS)
    (alert,) = floor.alerts
    assert alert.pattern == Pattern.MOMENTUM_IGNITION and alert.figures["moved_bps"] >= 100


def test_a_burst_that_is_kept_is_a_purchase(floor: Floor):
    ladder(floor, Side.SELL)
    for rung in range(7):
        floor.take(0, Side.BUY, 2_000 + 5 * rung, 5, 200 * MS)
    floor.place(4, Side.BUY, 2_032, 50)
    floor.take(0, Side.SELL, 2_032, 30, 61 * SECOND_NS)
    assert not floor.alerts


def ramp(floor: Floor, begin_ns: int) -> None:
    ladder(floor, Side.SELL)
    floor.now_ns = begin_ns
    for rung in range(8):
        floor.take(0, Side.BUY, 2_000 + 5 * rung, 5, 60 * SECOND_NS)


def test_who_walks_the_price_through_the_settlement_window_is_ramping(floor: Floor):
    ramp(floor, CLOSE_NS - 20 * 60 * SECOND_NS)
    assert floor.patterns() == [Pattern.WINDOW_RAMPING]
    early = Floor()
    ramp(early, MORNING_NS + 60 * SECOND_NS)
    assert not early.alerts


def test_whoever_is_less_than_half_of_the_window_does_not_ramp(floor: Floor):
    floor.now_ns = CLOSE_NS - 21 * 60 * SECOND_NS
    floor.place(2, Side.SELL, 2_000, 100)
    floor.take(4, Side.BUY, 2_000, 100)
    ramp(floor, CLOSE_NS - 20 * 60 * SECOND_NS)
    assert not floor.alerts


def close(floor: Floor, who: int, lots: int) -> None:
    floor.place(2, Side.SELL, 2_000, 20)
    floor.take(4, Side.BUY, 2_000, 20)
    floor.place(3, Side.SELL, 2_024, 50)
    floor.now_ns = CLOSE_NS - 30 * SECOND_NS
    floor.take(who, Side.BUY, 2_024, lots)
    floor.take(4, Side.BUY, 2_024, 5)
    floor.now_ns = CLOSE_NS
    floor.do(command(Kind.SETTLE, price_ticks=2_024))


def test_who_is_most_of_the_last_minute_and_moves_it_marks_the_close(floor: Floor):
    close(floor, 0, 20)
    (alert,) = floor.alerts
    assert (alert.pattern, alert.subject) == (Pattern.MARKING_THE_CLOSE, "crook")
    assert alert.figures["moved_ticks"] == 24
    shared = Floor()
    close(shared, 0, 5)
    assert not shared.alerts


def test_evidence_is_in_order_and_bounded():
    assert evidence([5, 3, 5]) == (3, 5)
    many = evidence(range(1_000))
    assert len(many) == EVIDENCE_MAX and (many[0], many[-1]) == (0, 999)


def test_what_happened_is_read_from_a_batch_in_order(floor: Floor):
    floor.place(2, Side.SELL, 2_000, 5)
    floor.place(3, Side.BUY, 2_000, 5)
    batch = np.concatenate(floor.rows), np.concatenate(floor.events)
    found = [one for one in happenings(*batch) if isinstance(one, Placed | Traded)]
    assert [one.seq for one in found] == sorted(one.seq for one in found)
    assert isinstance(found[-1], Traded) and found[-1].qty_lots == 5


def test_a_call_is_told_by_its_trades_whatever_ends_it(floor: Floor):
    floor.do(command(Kind.SET_STATE, state=TradingState.AUCTION))
    floor.place(2, Side.SELL, 2_000, 5)
    floor.place(3, Side.BUY, 2_000, 5)
    floor.do(command(Kind.SET_STATE, state=TradingState.CONTINUOUS))
    floor.place(2, Side.SELL, 2_000, 5)
    floor.place(3, Side.BUY, 2_000, 5)
    batch = np.concatenate(floor.rows), np.concatenate(floor.events)
    traded = [one for one in happenings(*batch) if isinstance(one, Traded)]
    assert [one.in_call for one in traded] == [True, False]


def test_a_watcher_that_begins_in_the_middle_sees_what_one_from_the_start_sees(floor: Floor):
    for turn in range(40):
        floor.place(0, Side.SELL, 2_000, 5, 30 * SECOND_NS)
        floor.place(1 if turn % 4 else 2, Side.BUY, 2_000, 5)
    batches = list(zip(floor.rows, floor.events, strict=True))
    place_ns = int(floor.rows[-10]["ts_ns"][0])
    late = Watcher(lambda idx: OWNERS[idx])
    seen = [
        alert
        for rows, events in batches
        if int(rows["ts_ns"][0]) >= place_ns - MEMORY_NS
        for alert in late.take(rows, events)
    ]
    after = [alert for alert in floor.alerts if alert.last_ns >= place_ns]
    assert after and after == [alert for alert in seen if alert.last_ns >= place_ns]


def busy_day(orders: int) -> Floor:
    """Trade as the simulated makers and takers of the demo do, around prices that wander."""
    names = [style.name for style in (*MAKERS, *TAKERS)]
    floor = Floor(now_ns=CLOSE_NS - 16 * 60 * SECOND_NS, owners=tuple(names))
    contract, on = parse_symbol(SYMBOL), date(2026, 11, 22)
    rng, walk = Rng(11), Walk(0)
    standing: dict[int, list[int]] = {}
    placed = 0
    while placed < orders:
        walk, rng = walk.step(rng)
        for who, maker in enumerate(MAKERS):
            position = floor.positions.get(who, 0)
            quotes, rng = maker_quotes(maker, contract, walk.fair_ticks(2_000), position, on, rng)
            for order_id in standing.pop(who, []):
                floor.cancel(who, order_id)
            standing[who] = [
                floor.place(who, quote.side, quote.price_ticks, quote.qty_lots, 5 * MS)
                for quote in quotes
            ]
            placed += len(quotes)
        for place, taker in enumerate(TAKERS):
            who = len(MAKERS) + place
            bid, ask = best(floor, Side.BUY), best(floor, Side.SELL)
            quote, rng = taker_order(taker, contract, bid, ask, floor.positions.get(who, 0), rng)
            if quote is not None:
                floor.take(who, quote.side, quote.price_ticks, quote.qty_lots, 20 * MS)
                placed += 1
        floor.do(command(Kind.TICK), SECOND_NS)
    floor.now_ns = max(floor.now_ns, CLOSE_NS)
    floor.do(command(Kind.SETTLE, price_ticks=floor.last_ticks()))
    return floor


def best(floor: Floor, side: Side) -> int:
    levels = depth(floor.engine.ex, 0, side)
    return levels[0][0] if levels else 0


def test_ten_thousand_orders_of_honest_people_raise_no_alert():
    floor = busy_day(10_000)
    trades = sum(int((e["kind"] == EventKind.TRADE).sum()) for e in floor.events)
    assert trades > 200  # it was a market
    assert not floor.alerts  # five would be allowed
