"""SURV_002 and SURV_003: orders that were never meant to trade.

Spoofing: somebody shows a lot on one side, trades a little on the other, and takes away what it
showed. A maker that quotes both sides shows as much on each, so what counts is how much more was
shown on the side that was taken away. Stuffing: so many orders and cancellations a second that
nobody else can follow.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from exchange.rules.surveillance.alerts import Alert, Pattern, Quiet, evidence
from exchange.rules.surveillance.happenings import Changed, Gone, Placed, Traded
from exchange.rules.tenors import NS_PER_SECOND
from matching.codes import Side

SHOWN_NS: Final = 10 * NS_PER_SECOND  # shown longer than this, an order was there to be hit
PULLED_NS: Final = 5 * NS_PER_SECOND  # after the trade
SHOWN_RATIO: Final = 5  # lots shown and pulled to lots on the side that traded
PULLED_LOTS_MIN: Final = 20
LAYERS_MIN: Final = 3  # prices
KEPT_MAX: Final = 2_000  # orders, fills and messages of one account in one contract

STUFFED_NS: Final = NS_PER_SECOND
STUFFED_MESSAGES: Final = 400
STUFFED_FILLS_MAX: Final = 4  # more than this, and it trades


class _Order:
    """An order while it may still be part of a pattern."""

    __slots__ = ("filled_lots", "gone_ns", "gone_seq", "placed", "pulled_lots")

    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        self.filled_lots = 0
        self.pulled_lots = 0
        self.gone_seq = 0
        self.gone_ns = 0


class _Desk:
    """What one account did in one contract of late."""

    def __init__(self) -> None:
        # By order_id, oldest first. The first of a dict is behind all that were deleted before it.
        self.orders: OrderedDict[int, _Order] = OrderedDict()
        self.fills: deque[tuple[int, int, int, int]] = deque(maxlen=KEPT_MAX)  # seq, ts, side, lots
        self.messages: deque[tuple[int, int]] = deque(maxlen=KEPT_MAX)  # seq, ts_ns
        self.shown_lots = [0, 0]  # of `orders`, by side
        self.pulled_lots = [0, 0]
        self.forgot_ns = -1  # when `forget` was called last

    def show(self, placed: Placed) -> None:
        """Note an order."""
        self.orders[placed.order_id] = _Order(placed)
        self.shown_lots[placed.side] += placed.qty_lots

    def pull(self, order: _Order, by: Gone | Changed, qty_lots: int) -> None:
        """Note what was taken away of one."""
        order.pulled_lots += qty_lots
        order.gone_seq, order.gone_ns = by.seq, by.ts_ns
        self.pulled_lots[order.placed.side] += qty_lots

    def change(self, one: Changed) -> _Order | None:
        """Note an amendment; return the order that lots were taken away of, None for none.

        One that moves away from the market is as if cancelled and placed anew; so is one that
        nothing is known of any more, as far as it is placed.
        """
        order = self.orders.get(one.order_id)
        shown = Placed(*one[:7], one.leaves_lots)
        if order is None:
            self.show(shown)
            return None
        open_lots = order.placed.qty_lots - order.filled_lots - order.pulled_lots
        better = one.price_ticks - order.placed.price_ticks
        if better * (1 if one.side == Side.BUY else -1) < 0:
            # Another key, for its number is the new one's: it is as old as it was.
            self.orders[-one.seq] = self.orders.pop(one.order_id)
            self.forgot_ns = -1  # behind it may be one that is too old
            self.show(shown)
            fewer_lots = open_lots
        else:
            fewer_lots = open_lots - one.leaves_lots
        if fewer_lots > 0:
            self.pull(order, one, fewer_lots)
        elif fewer_lots < 0:
            order.placed = order.placed._replace(qty_lots=order.placed.qty_lots - fewer_lots)
            self.shown_lots[one.side] -= fewer_lots
        return order if fewer_lots > 0 else None

    def hear(self, one: Placed | Changed | Gone) -> bool:
        """Count a message; return whether there were many within a second."""
        self.messages.append((one.seq, one.ts_ns))
        return len(self.messages) >= STUFFED_MESSAGES

    def may_spoof(self, side: int) -> bool:
        """Return whether enough was pulled from a side to look closer."""
        least = max(PULLED_LOTS_MIN, SHOWN_RATIO * self.shown_lots[1 - side])
        return self.pulled_lots[side] >= least

    def fills_since(self, ts_ns: int, most: int) -> int | None:
        """Return how many fills there were since; None for more than `most`."""
        # The newest ones say it: who sends thousands of orders may have thousands of fills.
        if len(self.fills) > most and self.fills[-1 - most][1] >= ts_ns:
            return None
        return sum(1 for fill in islice(reversed(self.fills), most) if fill[1] >= ts_ns)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is known."""
        return not (self.orders or self.fills or self.messages)

    def forget(self, ts_ns: int) -> None:
        """Drop what is too old, or too much."""
        self.forgot_ns = ts_ns
        while self.orders:
            first = self.orders[next(iter(self.orders))]
            young = ts_ns - first.placed.ts_ns <= SHOWN_NS + PULLED_NS
            if young and len(self.orders) <= KEPT_MAX:
                break
            self.orders.popitem(last=False)
            self.shown_lots[first.placed.side] -= first.placed.qty_lots
            self.pulled_lots[first.placed.side] -= first.pulled_lots
        while self.fills and ts_ns - self.fills[0][1] > PULLED_NS:
            self.fills.popleft()
        while self.messages and ts_ns - self.messages[0][1] >= STUFFED_NS:
            self.messages.popleft()


class Pulled:
    """Follows the orders of each account in each contract for some seconds."""

    def __init__(self) -> None:
        self._desks: dict[tuple[int, int], _Desk] = defaultdict(_Desk)
        self._quiet = Quiet()

    def placed(self, one: Placed, owner: str) -> Sequence[Alert]:
        """Take in an order."""
        desk = self._desk(one.account_idx, one.contract_idx, one.ts_ns)
        desk.show(one)
        return [*self._stuffed(desk, one, owner)] if desk.hear(one) else ()

    def changed(self, one: Changed, owner: str) -> Sequence[Alert]:
        """Take in an amendment."""
        desk = self._desk(one.account_idx, one.contract_idx, one.ts_ns)
        order = desk.change(one) if one.leaves_lots else None
        alerts: list[Alert] = []
        if order is not None and desk.may_spoof(one.side):
            alerts += self._spoofed(desk, order, owner)
        if desk.hear(one):
            alerts += self._stuffed(desk, one, owner)
        return alerts

    def traded(self, one: Traded) -> None:
        """Take in a fill of both sides."""
        sides = (
            (one.taker_idx, one.taker_id, one.side),
            (one.maker_idx, one.maker_id, 1 - one.side),
        )
        for account_idx, order_id, side in sides:
            desk = self._desk(account_idx, one.contract_idx, one.ts_ns)
            desk.fills.append((one.seq, one.ts_ns, side, one.qty_lots))
            order = desk.orders.get(order_id)
            if order is not None:
                order.filled_lots += one.qty_lots

    def gone(self, one: Gone, owner: str) -> Sequence[Alert]:
        """Take in a cancellation."""
        desk = self._desk(one.account_idx, one.contract_idx, one.ts_ns)
        order = desk.orders.get(one.order_id)
        alerts: list[Alert] = []
        if order is not None:
            desk.pull(order, one, one.qty_lots)
            if desk.may_spoof(order.placed.side):
                alerts += self._spoofed(desk, order, owner)
        if desk.hear(one):
            alerts += self._stuffed(desk, one, owner)
        return alerts

    def forget(self, ts_ns: int) -> None:
        """Drop accounts that have done nothing for a while."""
        for key, desk in list(self._desks.items()):
            desk.forget(ts_ns)
            if desk.is_empty:
                del self._desks[key]
        self._quiet.forget(ts_ns)

    def _desk(self, account_idx: int, contract_idx: int, ts_ns: int) -> _Desk:
        desk = self._desks[account_idx, contract_idx]
        if ts_ns != desk.forgot_ns or len(desk.orders) > KEPT_MAX:
            desk.forget(ts_ns)  # else another message of the same batch: nothing grew older
        return desk

    def _spoofed(self, desk: _Desk, last: _Order, owner: str) -> Iterator[Alert]:
        """Judge what was pulled on the side of the order that went just now."""
        side, now_ns = last.placed.side, last.gone_ns
        fills = [fill for fill in desk.fills if fill[2] != side]
        if not fills:
            return
        first_ns, last_ns = fills[0][1], fills[-1][1]
        shown = [
            order
            for order in desk.orders.values()
            if order.placed.side == side and order.placed.ts_ns <= last_ns
        ]
        pulled = [
            order
            for order in shown
            if order.gone_ns >= first_ns
            and order.gone_ns - order.placed.ts_ns <= SHOWN_NS
            and order.pulled_lots > order.filled_lots
        ]
        lots = sum(order.pulled_lots for order in pulled)
        meant = max(desk.shown_lots[1 - side], sum(fill[3] for fill in fills), 1)
        if lots < max(PULLED_LOTS_MIN, SHOWN_RATIO * meant):
            return
        contract_idx = last.placed.contract_idx
        if self._quiet.may_speak(("spoof", owner, contract_idx), now_ns):
            prices = len({order.placed.price_ticks for order in shown})
            yield Alert(
                # The first prices are pulled before the others: what counts is what was shown.
                pattern=Pattern.LAYERING if prices >= LAYERS_MIN else Pattern.SPOOFING,
                subject=owner,
                contract_idx=contract_idx,
                seqs=evidence(
                    [order.placed.seq for order in shown]
                    + [order.gone_seq for order in pulled]
                    + [fill[0] for fill in fills]
                ),
                first_ns=min(order.placed.ts_ns for order in shown),
                last_ns=now_ns,
                figures={
                    "pulled_lots": lots,
                    "traded_lots": sum(fill[3] for fill in fills),
                    "shown_other_side_lots": meant,
                    "prices": prices,
                    "side": int(side),
                },
            )

    def _stuffed(self, desk: _Desk, one: Placed | Changed | Gone, owner: str) -> Iterator[Alert]:
        """Judge that many messages within a second."""
        begun_ns = desk.messages[0][1]
        fills = desk.fills_since(begun_ns, STUFFED_FILLS_MAX)
        key = ("stuffing", owner, one.contract_idx)
        if fills is not None and self._quiet.may_speak(key, one.ts_ns):
            yield Alert(
                pattern=Pattern.QUOTE_STUFFING,
                subject=owner,
                contract_idx=one.contract_idx,
                seqs=evidence(seq for seq, _ in desk.messages),
                first_ns=begun_ns,
                last_ns=one.ts_ns,
                figures={"messages": len(desk.messages), "fills": fills},
            )


assert int(Side.BUY) + int(Side.SELL) == 1, "1 - side is the other side"
