"""One contract on the real engine, spoken to in the words of the cases."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from exchange.rules.mirror import Mirror
from exchange.rules.records import Order
from matching.codes import Code, EventKind, Flag, Kind, OrderType, Peg, Side, Stp, Tif, TradingState
from matching.engine import Engine
from matching.limits import QTY_LOTS_MAX, TRANSFER_USD_MICROS_MAX
from matching.state import Sizes
from matching.wire import pack_halves
from tests.support.rows import command, stamped
from tests.vectors.cases import Json, Skipped

PRICE_BITS = 18
SECOND_NS = 1_000_000_000
TIFS = {"GTC": Tif.GTC, "GTT": Tif.GTD, "IOC": Tif.IOC, "FOK": Tif.FOK, "GFA": Tif.GFA,
        "GFN": Tif.GFN}  # fmt: skip
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
PEGS = {"bid": Peg.BID, "ask": Peg.ASK, "mid": Peg.MID}
TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
REASONS = {
    Code.CLIENT_ORDER_ID_REPEATED: ("duplicate_id",),
    Code.CLIENT_ORDER_ID_CONFLICT: ("duplicate_id",),
    Code.ORDER_UNKNOWN: ("unknown_order",),
    Code.TIF_NOT_ALLOWED: ("tif_not_allowed",),
    Code.MARKET_ORDER_RESTS: ("invalid_order", "bad_tif"),
    Code.POST_ONLY_NOT_RESTING: ("invalid_order",),
    Code.QTY_NOT_POSITIVE: ("invalid_order",),
    Code.EXPIRY_INVALID: ("missing_expiry", "expiry_in_past"),
    Code.POST_ONLY_WOULD_TRADE: ("post_only_would_trade",),
    Code.REDUCE_ONLY_WOULD_INCREASE: ("reduce_only_would_increase",),
    Code.PRICE_OUT_OF_BAND: ("outside_band",),
    Code.STOPS_FULL: ("too_many_stops",),
}


class Core(Protocol):
    """What applies commands: the engine, or the oracle."""

    def apply(self, commands: np.ndarray) -> np.ndarray:
        """Apply stamped commands, return events."""


def real_core() -> Core:
    """Return a small engine with the widest price domain."""
    return Engine(
        Sizes(
            price_bits=PRICE_BITS, accounts=64, contracts=2, positions=65, orders=1025,
            client_ids=1025, scenarios=8,
        )
    )  # fmt: skip


@dataclass
class Said:
    """What the exchange answered to one step, in its own numbers."""

    refused: Code | None = None
    order_id: int = 0
    trades: list[tuple[int, int, int]] = field(default_factory=list)  # maker id, price, lots
    filled: int = 0
    resting: int = 0
    cancelled: int = 0  # of the order the step is about
    met: list[tuple[int, int, int]] = field(default_factory=list)  # of a call: buyer, seller, lots
    variations: dict[int, int] = field(default_factory=dict)  # by account

    def reasons(self) -> tuple[str, ...]:
        """Return the case words for the refusal."""
        return REASONS.get(self.refused, (self.refused.name,)) if self.refused else ()


class Market:
    """One contract, accounts by user name, orders by the case's ids."""

    def __init__(self, core: Core, mark_ticks: int, tick_value: int = 1) -> None:
        self.core = core
        self.mirror = Mirror(PRICE_BITS)
        self.now_ns = SECOND_NS  # second 0 of the case
        self.users: dict[str, int] = {}
        self.orders: dict[str, int] = {}  # the last order of each id
        self.names: dict[int, str] = {}
        self.triggered: set[int] = set()
        self.send(
            Kind.LIST, symbol="CASE", price_ticks=mark_ticks, amount_usd_micros=tick_value,
            qty_lots=QTY_LOTS_MAX, state=TradingState.CONTINUOUS,
        )  # fmt: skip

    def send(self, kind: Kind, client: str = "", symbol: str = "", **fields: int) -> Said:
        """Send one command, keep the mirror up to date, return what was said."""
        batch = stamped(
            [command(kind, client=client, symbol=symbol, **fields)], self.mirror.seq + 1,
            self.now_ns,
        )  # fmt: skip
        events = self.core.apply(batch)
        self.mirror.apply(batch, events)
        triggered = events["order_id"][events["kind"] == EventKind.TRIGGERED]
        self.triggered.update(triggered.tolist())
        return _said(events)

    def account(self, user: str) -> int:
        """Return a user's account, opened and rich when first named."""
        if user not in self.users:
            self.open(user, TRANSFER_USD_MICROS_MAX)
        return self.users[user]

    def open(self, user: str, money: int) -> None:
        """Open a user's account with so much money."""
        self.users[user] = account_idx = len(self.users)
        self.send(Kind.OPEN_ACCOUNT, account_idx=account_idx)
        self.send(Kind.DEPOSIT, account_idx=account_idx, amount_usd_micros=money)

    def place(self, order: Json, stp: Stp) -> Said:
        """Place an order of a case."""
        price = 0 if order["type"] == "market" else _whole(order["price"])
        flags = Flag.POST_ONLY * bool(order.get("post_only"))
        flags |= Flag.REDUCE_ONLY * bool(order.get("reduce_only"))
        expires_ns = 0
        if "expires_at" in order:
            expires_ns = self.at(order["expires_at"])
        said = self.send(
            Kind.PLACE, client=order["id"], account_idx=self.account(order["user"]),
            side=SIDES[order["side"]], order_type=TYPES[order["type"]], tif=TIFS[order["tif"]],
            stp=stp, flags=flags, price_ticks=price, qty_lots=_whole(order["size"]),
            expires_ns=expires_ns, amount_usd_micros=pack_halves(0, _display(order)),
        )  # fmt: skip
        self._named(order, said)
        return said

    def place_pegged(self, order: Json) -> Said:
        """Place a pegged order; the offset of a case is a distance, away from the other side."""
        side, away = SIDES[order["side"]], _whole(order["offset"])
        said = self.send(
            Kind.PLACE, client=order["id"], account_idx=self.account(order["user"]), side=side,
            order_type=OrderType.PEGGED, state=PEGS[order["ref"]], qty_lots=_whole(order["size"]),
            amount_usd_micros=pack_halves(0, _display(order)),
            ref_id=pack_halves(-away if side == Side.BUY else away, 0),
        )  # fmt: skip
        self._named(order, said)
        return said

    def _named(self, order: Json, said: Said) -> None:
        if said.refused is None:
            self.orders[order["id"]] = said.order_id
            self.names[said.order_id] = order["id"]

    def cancel(self, user: str, name: str) -> Said:
        """Cancel by the exchange's id where it is known, else by the client's."""
        return self.send(Kind.CANCEL, account_idx=self.account(user), **self._target(name))

    def amend(self, user: str, name: str, change: Json) -> Said:
        """Change price, total size, or the size by a difference."""
        fields = self._target(name)
        if "price" in change:
            fields["price_ticks"] = _whole(change["price"])
        order = self.order(name)
        if "size" in change:
            fields["qty_lots"] = _whole(change["size"])
        elif "size_delta" in change:
            total = order.leaves_lots + order.filled_lots if order else QTY_LOTS_MAX // 2
            # A total of nothing is said as -1: 0 means that the size stays.
            fields["qty_lots"] = max(total + _whole(change["size_delta"]), 0) or -1
        return self.send(Kind.AMEND, account_idx=self.account(user), **fields)

    def uncross(self) -> tuple[int, Said]:
        """End the call; return its price and what was said."""
        said = self.send(Kind.END_CALL)
        trades = self.mirror.contracts[0].trades
        return (trades[-1].price_ticks if said.met else 0), said

    def indicative(self) -> tuple[int, int]:
        """Return the price and the lots of the call as they are said a second later."""
        self.now_ns += SECOND_NS
        self.send(Kind.TICK)
        call = self.mirror.contracts[0].call
        return call.indicative_ticks, call.indicative_lots

    def pass_time(self, seconds: float) -> None:
        """Go to a second of the case; what expires there expires."""
        self.now_ns = self.at(seconds)
        self.send(Kind.TICK)

    def at(self, seconds: float) -> int:
        """Return a second of the case in nanoseconds."""
        return SECOND_NS + int(seconds * SECOND_NS)

    def give_positions(self, positions: Json, price_ticks: int) -> None:
        """Give users their positions by trades with one another, at a price."""
        longs = [[user, lots] for user, lots in positions.items() if lots > 0]
        shorts = [[user, -lots] for user, lots in positions.items() if lots < 0]
        if sum(lots for _, lots in longs) != sum(lots for _, lots in shorts):
            raise Skipped("positions do not sum to zero")
        while longs:
            lots = min(longs[-1][1], shorts[-1][1])
            self.cross(longs[-1][0], shorts[-1][0], lots, price_ticks)
            for rest in (longs, shorts):
                rest[-1][1] -= lots
                if rest[-1][1] == 0:
                    rest.pop()

    def cross(self, buyer: str, seller: str, lots: int, price_ticks: int) -> None:
        """Let two users trade with each other."""
        for user, side in ((seller, Side.SELL), (buyer, Side.BUY)):
            said = self.send(
                Kind.PLACE, account_idx=self.account(user), side=side, price_ticks=price_ticks,
                qty_lots=lots,
            )  # fmt: skip
            assert said.refused is None, said.refused
        assert said.filled == lots, "somebody stood between the two"

    def order(self, name: str) -> Order | None:
        """Return the order of a case's id, ended or not."""
        return self.mirror.order(self.orders.get(name, 0))

    def position(self, user: str) -> int:
        """Return a user's signed position."""
        return self.mirror.position(self.account(user), 0).qty_lots

    def book(self) -> dict[str, list[list[int]]]:
        """Return all levels: price, lots, orders; best first."""
        sides = zip(("bids", "asks"), Side, strict=True)
        return {name: [list(row) for row in self.mirror.depth(0, s, 1 << 30)] for name, s in sides}

    def _target(self, name: str) -> dict[str, Any]:
        if name in self.orders:
            return {"order_id": self.orders[name]}
        return {"client": name}


def _display(order: Json) -> int:
    """Return what an iceberg shows, 0 for any other order.

    Ours show anew when nothing shows any more: a display that is filled up earlier is another's.
    """
    if order.get("min_visible", 1) != 1:
        raise Skipped("a display that is filled up before it is gone")
    return _whole(order.get("peak", 0))


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Skipped(f"not a whole number: {value!r}")
    return value


def _said(events: np.ndarray) -> Said:
    reply = events[0]
    said = Said(order_id=int(reply["order_id"]))
    if reply["kind"] == EventKind.REFUSED:
        said.refused = Code(int(reply["code"]))
        return said
    if reply["kind"] in (EventKind.ACCEPTED, EventKind.AMENDED):
        said.resting = int(reply["leaves_lots"])
    for event in events:
        qty = int(event["qty_lots"])
        if event["kind"] == EventKind.TRADE and event["code"] == Code.AUCTION_TRADE:
            said.met.append((int(event["order_id"]), int(event["maker_order_id"]), qty))
        elif event["kind"] == EventKind.TRADE and event["order_id"] == said.order_id:
            said.trades.append((int(event["maker_order_id"]), int(event["price_ticks"]), qty))
            said.filled += qty
        elif event["kind"] == EventKind.CANCELLED and event["order_id"] == said.order_id:
            said.cancelled += qty
        elif event["kind"] == EventKind.VARIATION:
            said.variations[int(event["account_idx"])] = int(event["amount_usd_micros"])
    return said
