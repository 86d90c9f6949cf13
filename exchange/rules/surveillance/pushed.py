"""SURV_004 to SURV_006: trades that are meant to move a price.

Momentum ignition: a burst of takes that moves the price, then trades the other way at what it made.
Ramping: one owner alone walks the price through the window that a settlement is averaged over.
Marking the close: one owner is most of the last minute before the settlement, and the price moves.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from exchange.rules.calendar import SETTLEMENT_HOUR
from exchange.rules.money import BPS
from exchange.rules.settlement import WINDOW_NS
from exchange.rules.surveillance.alerts import EVIDENCE_MAX, Alert, Pattern, Quiet, evidence
from exchange.rules.surveillance.happenings import Settled, Traded, direction
from exchange.rules.tenors import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND

BURST_NS: Final = 10 * NS_PER_SECOND
BURST_TRADES: Final = 5
BURST_BPS: Final = 100
TURN_NS: Final = 60 * NS_PER_SECOND
TURN_SHARE_BPS: Final = 5_000  # of the burst's lots, traded the other way

RAMP_TRADES: Final = 6
RAMP_BPS: Final = 100
RAMP_SHARE_BPS: Final = 5_000  # of all lots of the window

CLOSE_NS: Final = 60 * NS_PER_SECOND
CLOSE_LOTS: Final = 20
CLOSE_BPS: Final = 100
CLOSE_SHARE_BPS: Final = 6_000
KEPT_MAX: Final = 5_000  # trades of one contract in the last minute
WALK_KEPT: Final = EVIDENCE_MAX // 2  # takes at each end of a walk
RUN_MAX: Final = 50  # takes of one owner that a burst is judged by

Pushes = tuple[tuple[str, int], ...]  # who pushed the price with a trade, and which way


class _Run:
    """The takes of one owner in one direction of late, and the price before the first of them."""

    def __init__(self) -> None:
        self.trades: deque[Traded] = deque(maxlen=RUN_MAX)
        self.before_ticks: deque[int] = deque(maxlen=RUN_MAX)

    def add(self, trade: Traded, before_ticks: int) -> None:
        """Add a take; those before the span of a burst are dropped."""
        while self.trades and trade.ts_ns - self.trades[0].ts_ns > BURST_NS:
            self.trades.popleft()
            self.before_ticks.popleft()
        self.trades.append(trade)
        self.before_ticks.append(before_ticks)


class _Walk:
    """One owner's takes in one direction inside a settlement's window, while none falls back."""

    def __init__(self, from_ticks: int) -> None:
        self.first: list[Traded] = []
        self.latest: deque[Traded] = deque(maxlen=WALK_KEPT)  # behind the first ones
        self.from_ticks = from_ticks
        self.count = 0
        self.lots = 0

    def add(self, trade: Traded) -> None:
        """Add a take; of very many the first and the last are kept, as evidence is."""
        self.count += 1
        self.lots += trade.qty_lots
        (self.first if len(self.first) < WALK_KEPT else self.latest).append(trade)

    @property
    def trades(self) -> list[Traded]:
        """The takes that are kept, in order."""
        return [*self.first, *self.latest]

    @property
    def last_ticks(self) -> int:
        """The price of the last take."""
        return (self.latest or self.first)[-1].price_ticks


class _Burst:
    """Takes that moved the price, and what was traded the other way since."""

    def __init__(self, trades: Iterable[Traded], way: int, from_ticks: int) -> None:
        self.trades = list(trades)
        self.way = way
        self.from_ticks = from_ticks
        self.turned_lots = 0


class _Tape:
    """The trades of one contract of the last minutes, with who pushed the price by them."""

    def __init__(self) -> None:
        self.trades: deque[tuple[Traded, Pushes]] = deque(maxlen=KEPT_MAX)
        self.last_ticks = 0
        self.dropped_ticks = 0  # the price before the oldest trade that is kept
        self.runs: dict[tuple[str, int], _Run] = defaultdict(_Run)
        self.bursts: dict[str, _Burst] = {}
        self.window_ns = 0  # the settlement whose window is counted
        self.window_lots = 0
        self.walks: dict[tuple[str, int], _Walk] = {}

    def drop(self, ts_ns: int) -> None:
        """Drop trades that are too old, or too many for one more."""
        while self.trades and (
            ts_ns - self.trades[0][0].ts_ns > CLOSE_NS or len(self.trades) == KEPT_MAX
        ):
            self.dropped_ticks = self.trades.popleft()[0].price_ticks

    def forget(self, ts_ns: int) -> None:
        """Drop owners that have done nothing for a while, and a window that is over."""
        self.drop(ts_ns)
        for owner, run in list(self.runs.items()):
            if ts_ns - run.trades[-1].ts_ns > BURST_NS:
                del self.runs[owner]
        for name, burst in list(self.bursts.items()):
            if ts_ns - burst.trades[-1].ts_ns > TURN_NS:
                del self.bursts[name]
        if ts_ns > self.window_ns:
            self.walks.clear()

    def add(self, trade: Traded, pushes: Pushes) -> int:
        """Add a trade; return the price before it, 0 for none."""
        self.drop(trade.ts_ns)
        self.trades.append((trade, pushes))
        before_ticks, self.last_ticks = self.last_ticks, trade.price_ticks
        return before_ticks


class Pushed:
    """Follows the tape of each contract."""

    def __init__(self) -> None:
        self._tapes: dict[int, _Tape] = defaultdict(_Tape)
        self._quiet = Quiet()
        self._daily = Quiet(NS_PER_DAY // 2)

    def traded(self, trade: Traded, taker: str, maker: str) -> Sequence[Alert]:
        """Take in a trade."""
        tape = self._tapes[trade.contract_idx]
        way = direction(trade.side)
        # In a call both sides were there; which of them pushed shows in the price alone.
        pushes: Pushes = ((taker, way), (maker, -way)) if trade.in_call else ((taker, way),)
        before_ticks = tape.add(trade, pushes)
        if taker == maker or trade.in_call:
            return ()
        alerts: list[Alert] = []
        if tape.bursts:
            alerts += self._turned(tape, trade, ((taker, way), (maker, -way)))
        _note_burst(tape, trade, taker, way, before_ticks)
        if _to_settlement_ns(trade.ts_ns) <= WINDOW_NS:
            alerts += self._ramped(tape, trade, taker, way, before_ticks)
        return alerts

    def settled(self, one: Settled) -> Sequence[Alert]:
        """Judge the last minute before a settlement."""
        return [*self._marked(one)]

    def _marked(self, one: Settled) -> Iterator[Alert]:
        tape = self._tapes[one.contract_idx]
        late = [two for two in tape.trades if one.ts_ns - two[0].ts_ns <= CLOSE_NS]
        early = [trade for trade, _ in tape.trades if one.ts_ns - trade.ts_ns > CLOSE_NS]
        before_ticks = early[-1].price_ticks if early else tape.dropped_ticks
        if not late or not before_ticks:
            return
        lots = sum(trade.qty_lots for trade, _ in late)
        moved = late[-1][0].price_ticks - before_ticks
        if lots < CLOSE_LOTS or abs(moved) * BPS < CLOSE_BPS * before_ticks:
            return
        for owner, own in _pushed_by(late, 1 if moved > 0 else -1).items():
            own_lots = sum(trade.qty_lots for trade in own)
            key = (Pattern.MARKING_THE_CLOSE, owner, one.contract_idx)
            if own_lots * BPS >= CLOSE_SHARE_BPS * lots and self._daily.may_speak(key, one.ts_ns):
                yield _alert(
                    Pattern.MARKING_THE_CLOSE, owner, own, moved, before_ticks,
                    lots=own_lots, all_lots=lots,
                )  # fmt: skip

    def forget(self, ts_ns: int) -> None:
        """Drop what can be no part of a pattern any more."""
        for tape in self._tapes.values():
            tape.forget(ts_ns)
        self._quiet.forget(ts_ns)
        self._daily.forget(ts_ns)

    def _turned(self, tape: _Tape, trade: Traded, sides: Pushes) -> Iterator[Alert]:
        """Judge a fill of somebody who has just moved the price the other way."""
        for owner, way in sides:
            burst = tape.bursts.get(owner)
            if burst is None or way != -burst.way:
                continue
            if trade.ts_ns - burst.trades[-1].ts_ns > TURN_NS:
                del tape.bursts[owner]
                continue
            burst.turned_lots += trade.qty_lots
            lots = sum(one.qty_lots for one in burst.trades)
            if burst.turned_lots * BPS < TURN_SHARE_BPS * lots:
                continue
            del tape.bursts[owner]
            if self._quiet.may_speak(("ignition", owner, trade.contract_idx), trade.ts_ns):
                moved = burst.trades[-1].price_ticks - burst.from_ticks
                yield _alert(
                    Pattern.MOMENTUM_IGNITION, owner, [*burst.trades, trade], moved,
                    burst.from_ticks, lots=lots, turned_lots=burst.turned_lots,
                )  # fmt: skip

    def _ramped(
        self, tape: _Tape, trade: Traded, owner: str, way: int, before_ticks: int
    ) -> Iterator[Alert]:
        """Judge who walks the price through a settlement's window, in which it is."""
        settlement_ns = trade.ts_ns + _to_settlement_ns(trade.ts_ns)
        if tape.window_ns != settlement_ns:
            tape.window_ns, tape.window_lots = settlement_ns, 0
            tape.walks.clear()
        tape.window_lots += trade.qty_lots
        walk = tape.walks.get((owner, way))
        if walk is None or way * (trade.price_ticks - walk.last_ticks) < 0:
            walk = tape.walks[owner, way] = _Walk(before_ticks or trade.price_ticks)
        walk.add(trade)
        moved = trade.price_ticks - walk.from_ticks
        if walk.count < RAMP_TRADES or way * moved * BPS < RAMP_BPS * walk.from_ticks:
            return
        key = (Pattern.WINDOW_RAMPING, owner, trade.contract_idx)
        is_most = walk.lots * BPS >= RAMP_SHARE_BPS * tape.window_lots
        if is_most and self._daily.may_speak(key, trade.ts_ns):
            yield _alert(
                Pattern.WINDOW_RAMPING, owner, walk.trades, moved, walk.from_ticks,
                trades=walk.count, lots=walk.lots, all_lots=tape.window_lots,
            )  # fmt: skip


def _note_burst(tape: _Tape, trade: Traded, owner: str, way: int, before_ticks: int) -> None:
    """Note a burst of takes of one owner that moved the price."""
    run = tape.runs[owner, way]
    run.add(trade, before_ticks or trade.price_ticks)
    from_ticks = run.before_ticks[0]
    far = way * (trade.price_ticks - from_ticks) * BPS >= BURST_BPS * from_ticks
    if len(run.trades) >= BURST_TRADES and far:
        tape.bursts[owner] = _Burst(run.trades, way, from_ticks)


def _to_settlement_ns(ts_ns: int) -> int:
    """Return how long it is to the next daily settlement."""
    return (SETTLEMENT_HOUR * NS_PER_HOUR - ts_ns) % NS_PER_DAY


def _pushed_by(trades: Iterable[tuple[Traded, Pushes]], way: int) -> dict[str, list[Traded]]:
    """Return the trades by which each owner pushed a price one way."""
    found: dict[str, list[Traded]] = defaultdict(list)
    for trade, pushes in trades:
        for owner, pushed_way in pushes:
            if pushed_way == way:
                found[owner].append(trade)
    return found


def _alert(
    pattern: Pattern, owner: str, trades: list[Traded], moved_ticks: int, from_ticks: int, /,
    **figures: int,
) -> Alert:  # fmt: skip
    return Alert(
        pattern=pattern,
        subject=owner,
        contract_idx=trades[0].contract_idx,
        seqs=evidence(trade.seq for trade in trades),
        first_ns=trades[0].ts_ns,
        last_ns=trades[-1].ts_ns,
        figures={
            "trades": len(trades),
            "moved_ticks": moved_ticks,
            "moved_bps": abs(moved_ticks) * BPS // from_ticks,
            **figures,
        },
    )
