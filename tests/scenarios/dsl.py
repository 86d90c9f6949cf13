"""`run` reads a table of lines and holds the exchange to it.

    alice sell 5 @ 2150 as s1    -> ok rests 5
    bob   buy  3 @ 2160          -> ok fill 3@2150
    bob   buy 90 @ 2160          -> margin_insufficient     # nothing written
    position alice               -> -3

After `->` stands `ok` or the name of a refusal. Fills and cancelled lots are
compared whole: a fill that is not named is a fill too many, and a line that says
nothing must not be refused. `drop 2 ioc_remainder`
is what the order itself lost, `out s1 2 self_trade_prevented` what another lost,
`pays alice 30` a variation margin, `M3 2@2150` a leg of the fill of a combination,
`implied 2@-30` an implied trade of the combination's order itself, `implied S s1 2@-30` one of
another's.
Members are opened with a billion dollars when first named, unless `account alice 500`
comes before; the contract is `contract H100 mark 2150 tick 1 band 0` unless another one
is named first. Every line runs on the engine and on the oracle. The lines of blocks and
requests for quotes are in `deals.py`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from matching.codes import (
    AccountState,
    CallPhase,
    Code,
    EventKind,
    Flag,
    Kind,
    MoveReason,
    OrderType,
    Side,
    TradingState,
)
from matching.engine import Engine
from matching.state import Sizes
from matching.wire import pack_halves
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity
from tests.scenarios import collateral_words, life_words, protection_words
from tests.scenarios.answers import indicated, said, without_rests
from tests.scenarios.combined import combination_fields
from tests.scenarios.deals import DealLines
from tests.scenarios.words import OrderWords, Words, amend_words, order_words
from tests.support.rows import command, stamped

MEMBER_VERBS = protection_words.MEMBER_VERBS | collateral_words.MEMBER_VERBS
RICH_USD_MICROS = 1_000_000_000_000_000
SIZES = {"accounts": 8, "contracts": 8, "positions": 40, "orders": 32, "client_ids": 16}
SHOCK_FIELDS = ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns",
                "client_a", "client_b", "client_c", "client_d")  # fmt: skip


def run(text: str) -> None:
    """Run a scenario; raises AssertionError with the line that came out differently."""
    scenario = Scenario()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].strip()
        if line:
            asked, _, expected = (part.strip() for part in line.partition("->"))
            try:
                scenario.line(Words(asked), expected)
            except AssertionError as found:
                raise AssertionError(f"line {number}: {line}\n{found}") from found


class Scenario(DealLines):
    """An exchange with names instead of numbers."""

    def __init__(self) -> None:
        self.make({})
        self.mirror = Mirror(12)
        self.now_ns = 0
        self.members: dict[str, int] = {}
        self.orders: dict[str, int] = {}
        self.contracts: dict[str, int] = {}
        self.envelope: dict[str, int] = {}
        self.verbs: dict[str, Callable[[Words], Any]] = {
            "account": self.open_account, "contract": self.list_contract, "time": self.set_time,
            "combination": self.list_combination,
            "mark": self.mark, "settle": self.settle, "state": self.set_state,
            "collect": self.collect,
            "band": self.set_band, "tick": lambda _: self.send(Kind.TICK), "shocks": self.shocks,
            "protection": self.set_protection, "swap": self.swap, "gateway": self.gateway,
            "member": self.set_account, "blocks": self.set_blocks, "index": self.index,
            **protection_words.verbs(self), **collateral_words.verbs(self),
            "last_trade": self.last_trade,
            "close_out": lambda words: self.send(
                Kind.CLOSE_OUT, contract_idx=self.contract_of(words)
            ),
            "move": self.move, "pay": self.pay, **life_words.verbs(self),
            "implied": self.set_implied,
            "call": self.start_call, "uncross": self.end_call, "guard": self.guard,
        }  # fmt: skip
        self.views: dict[str, Callable[[Words], str]] = {
            "position": self.position, "cash": self.cash, "book": self.book,
            "order": self.order_state, "free": self.free, "requirement": self.requirement,
            "unsettled": self.unsettled, "queue": self.queue, "band_of": self.band_of,
            "mark_of": self.mark_of,
            "shown": self.shown,
            "block_range": self.block_range, "interest": self.interest, "last": self.last,
            "deals": self.open_deals,
            "auction": self.auction, **collateral_words.views(self),
        }  # fmt: skip

    def make(self, work: dict[str, int]) -> None:
        """Make engine and oracle, with small limits of what one command does."""
        sizes = {"price_bits": 12, "scenarios": 8, **SIZES, **work}
        self.engine = Engine(Sizes(**sizes))
        self.oracle = Oracle(Capacity(**sizes))

    def line(self, words: Words, expected: str) -> None:
        """Do what a line says, compare with what it expects."""
        word = words.take()
        if not self.contracts and word not in ("contract", "account", "time", "work"):
            self.list_contract(Words("H100"))
        if word in self.views:
            found = self.views[word](words)
        elif word in self.verbs:
            found = self.said(self.verbs[word](words), "")
        else:
            events, name = self.member_line(word, words)
            found = self.said(events, name)
        words.end()
        if expected or word in self.views:
            expected = " ".join(expected.split())
            assert without_rests(found, expected) == expected, f"was: {found}"
        else:
            assert found.startswith("ok"), f"refused, and the line does not say so: {found}"

    def send(self, kind: Kind, client: str = "", symbol: str = "", **fields: int) -> np.ndarray:
        """Send a command to engine and oracle alike."""
        row = command(kind, client=client, symbol=symbol, **fields, **self.envelope)
        self.envelope = {}
        batch = stamped([row], self.mirror.seq + 1, self.now_ns)
        events = self.engine.apply(batch)
        assert events.tobytes() == self.oracle.apply(batch).tobytes(), "the oracle says otherwise"
        self.engine.check()
        self.mirror.apply(batch, events)
        return events

    # What the exchange does

    def open_account(self, words: Words) -> np.ndarray:
        name = words.take()
        cash = words.number() if words else 0
        self.members[name] = idx = len(self.members)
        events = self.send(Kind.OPEN_ACCOUNT, account_idx=idx)
        if cash:
            events = self.send(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=cash)
        return events

    def list_contract(self, words: Words) -> np.ndarray:
        fields = {"price_ticks": 2150, "amount_usd_micros": 1, "qty_lots": 1000, "order_id": 0,
                  "state": int(TradingState.CONTINUOUS)}  # fmt: skip
        name = words.take()
        names = {"mark": "price_ticks", "tick": "amount_usd_micros", "max": "qty_lots",
                 "band": "order_id"}  # fmt: skip
        while words:
            word = words.take()
            if word == "blocks":
                fields["ref_id"] = self.block_rule(words)
            elif word == "state":
                fields["state"] = TradingState[words.take().upper()]
            else:
                fields[names[word]] = words.number()
        self.contracts[name] = idx = len(self.contracts)
        return self.send(Kind.LIST, symbol=name, contract_idx=idx, **fields)

    def list_combination(self, words: Words) -> np.ndarray:
        """`combination S = M3 - M4`: a spread; `combination Q = M4 + M5 + M6`: a strip."""
        name = words.take()
        fields = combination_fields(words, self.contracts)
        idx = len(self.contracts)
        events = self.send(Kind(fields.pop("kind")), symbol=name, contract_idx=idx, **fields)
        if events[0]["kind"] != EventKind.REFUSED:
            self.contracts[name] = idx
        return events

    def base(self, contract_idx: int) -> int:
        """Return what is added to prices of a contract: its book knows no negative ones."""
        return self.mirror.contracts[contract_idx].base_ticks

    def set_time(self, words: Words) -> np.ndarray:
        """`time 60`: the clock shows 60 ns, and nothing else happens."""
        self.now_ns = words.number()
        return np.zeros(0)

    def contract_of(self, words: Words) -> int:
        if words.maybe("in"):
            return self.contracts[words.take()]
        return 0

    def mark(self, words: Words) -> np.ndarray:
        price = words.number()
        return self.send(Kind.MARK, contract_idx=self.contract_of(words), price_ticks=price)

    def index(self, words: Words) -> np.ndarray:
        price = words.number()
        return self.send(Kind.SET_INDEX, contract_idx=self.contract_of(words), price_ticks=price)

    def settle(self, words: Words) -> np.ndarray:
        price = words.number()
        return self.send(Kind.SETTLE, contract_idx=self.contract_of(words), price_ticks=price)

    def collect(self, words: Words) -> np.ndarray:
        """`collect 1`, or a correction: `collect 4 at 2148 for 2150 until 90`."""
        fields = {"state": words.number()}
        for word, name in (
            ("at", "price_ticks"),
            ("for", "qty_lots"),
            ("until", "amount_usd_micros"),
        ):
            if words.maybe(word):
                fields[name] = words.number()
        return self.send(Kind.COLLECT, contract_idx=self.contract_of(words), **fields)

    def set_state(self, words: Words) -> np.ndarray:
        state = TradingState[words.take().upper()]
        return self.send(Kind.SET_STATE, contract_idx=self.contract_of(words), state=state)

    def set_band(self, words: Words) -> np.ndarray:
        bps = words.number()
        return self.send(Kind.SET_BAND, contract_idx=self.contract_of(words), order_id=bps)

    def set_protection(self, words: Words) -> np.ndarray:
        """`protection 100`: how far from the best price a market order may go."""
        bps = words.number()
        contract_idx = self.contract_of(words)
        return self.send(Kind.SET_BAND, contract_idx=contract_idx, order_id=bps, state=1)

    def set_implied(self, words: Words) -> np.ndarray:
        """`implied on S`, `implied off S`."""
        state = {"on": 1, "off": 0}[words.take()]
        return self.send(Kind.SET_IMPLIED, contract_idx=self.contracts[words.take()], state=state)

    def set_account(self, words: Words) -> np.ndarray:
        """`member alice frozen`, `member alice frozen ends_orders`."""
        idx, state = self.member(words.take()), AccountState[words.take().upper()]
        ends = 1 if words.maybe("ends_orders") else 0
        return self.send(Kind.SET_ACCOUNT, account_idx=idx, state=state, qty_lots=ends)

    def shocks(self, words: Words) -> np.ndarray:
        """`shocks -9 -3 4 in B200`: profit of one long lot in scenario 0, 1, 2."""
        values = []
        while words and words.left[0] != "in":
            values.append(words.number())
        fields = dict(zip(SHOCK_FIELDS, values, strict=False))
        return self.send(Kind.STAGE_SHOCKS, contract_idx=self.contract_of(words), **fields)

    def swap(self, words: Words) -> np.ndarray:
        """`swap 3 worst 2`: three scenarios, the mean of the two worst."""
        count = words.number()
        words.must("worst")
        return self.send(Kind.SWAP_SCENARIOS, qty_lots=count, order_id=words.number())

    def start_call(self, words: Words) -> np.ndarray:
        """`call opening`, `call closing until 60 window 10 if_due in B200`."""
        fields = {"state": CallPhase[words.take().upper()]}
        fields["expires_ns"] = words.number() if words.maybe("until") else 0
        fields["amount_usd_micros"] = words.number() if words.maybe("window") else 0
        fields["flags"] = 1 if words.maybe("if_due") else 0
        return self.send(Kind.START_CALL, contract_idx=self.contract_of(words), **fields)

    def last_trade(self, words: Words) -> np.ndarray:
        """`last_trade 60`: trading ends at 60 ns; 0 for never."""
        ends_ns = words.number()
        contract_idx = self.contract_of(words)
        return self.send(Kind.SET_LAST_TRADE, contract_idx=contract_idx, expires_ns=ends_ns)

    def end_call(self, words: Words) -> np.ndarray:
        return self.send(Kind.END_CALL, contract_idx=self.contract_of(words))

    def guard(self, words: Words) -> np.ndarray:
        """`guard velocity 500 in 10 daily 2000 4000 call 120 window 30`, each part optional."""
        fields, daily = {"price_ticks": 0}, (0, 0)
        while words and words.left[0] != "in":
            word, number = words.take(), words.number()
            if word == "velocity":
                words.must("within")
                fields |= {"price_ticks": number, "amount_usd_micros": words.number()}
            elif word == "daily":
                daily = (number, words.number())
            else:
                fields[{"call": "expires_ns", "window": "qty_lots"}[word]] = number
        fields["order_id"] = pack_halves(*daily)
        return self.send(Kind.SET_GUARD, contract_idx=self.contract_of(words), **fields)

    def parties(self, words: Words) -> dict[str, int]:
        """Read `from alice to bob`."""
        words.must("from")
        giver = self.member(words.take())
        words.must("to")
        return {"account_idx": giver, "ref_id": self.member(words.take())}

    def move(self, words: Words) -> np.ndarray:
        """`move 5 long from alice to bob @ 2100 take_over`: lots, at a price, and why."""
        fields = {"qty_lots": words.number(), "side": Side.SELL}
        if words.take() == "short":
            fields["side"] = Side.BUY
        fields |= self.parties(words)
        words.must("@")
        fields["price_ticks"] = words.number()
        fields["state"] = MoveReason[words.take().upper()]
        contract_idx = self.contract_of(words)
        return self.send(Kind.TRANSFER_POSITION, contract_idx=contract_idx, **fields)

    def pay(self, words: Words) -> np.ndarray:
        """`pay 30 from alice to bob`."""
        amount = words.number()
        return self.send(Kind.TRANSFER_CASH, amount_usd_micros=amount, **self.parties(words))

    def gateway(self, words: Words) -> Any:
        """`gateway 7 request 1 alice buy ...`: the line comes from a numbered sender."""
        origin = words.number()
        words.must("request")
        request, who = words.number(), words.take()
        self.member(who)
        self.envelope = {"origin_id": origin, "request_id": request}
        return self.member_line(who, words)[0]

    # What members do

    def member(self, name: str) -> int:
        if name == "nobody":
            return -1
        if name not in self.members:
            self.open_account(Words(f"{name} {RICH_USD_MICROS}"))
        return self.members[name]

    def member_line(self, who: str, words: Words) -> tuple[np.ndarray, str]:
        idx, verb = self.member(who), words.take()
        if verb in ("propose", "ask", "accept", "decline"):
            return self.deal_line(idx, verb, words), ""
        if verb in ("buy", "sell"):
            return self.place(idx, order_words(words, verb))
        if verb == "cancel":
            return self.cancel(idx, words), ""
        if verb == "amend":
            name = words.take()
            fields, order = amend_words(words), self.mirror.order(self.orders[name])
            if order is not None and "price_ticks" in fields and self.base(order.contract_idx):
                fields["flags"] = fields.get("flags", 0) | Flag.PRICE_IS_SHOWN
            order_id = self.orders[name]
            return self.send(Kind.AMEND, account_idx=idx, order_id=order_id, **fields), name
        if verb in MEMBER_VERBS:
            return MEMBER_VERBS[verb](self, idx, words), ""
        if verb in ("deposit", "withdraw"):
            amount = words.number()
            ref = words.number() if words.maybe("ref") else 0
            kind = Kind[verb.upper()]
            return self.send(kind, account_idx=idx, amount_usd_micros=amount, ref_id=ref), ""
        words.fail(f"{verb!r} cannot be read")

    def place(self, idx: int, order: OrderWords) -> tuple[np.ndarray, str]:
        contract_idx = self.contracts[order.contract] if order.contract else 0
        if "price_ticks" in order.fields:
            order.fields["price_ticks"] += self.base(contract_idx)
        if order.linked:
            order.fields["order_id"] = self.orders[order.linked]
        events = self.send(
            Kind.PLACE, client=order.client, account_idx=idx, contract_idx=contract_idx,
            **order.fields,
        )  # fmt: skip
        if order.name:
            self.orders[order.name] = int(events[0]["order_id"])
            for event in events[1:]:
                if event["kind"] == EventKind.STOP_ACCEPTED:
                    kind = OrderType(int(event["amount_usd_micros"]) >> 32 & 255)
                    child = "profit" if kind == OrderType.TAKE_PROFIT else "stop"
                    self.orders[f"{order.name}.{child}"] = int(event["order_id"])
        return events, order.name

    def cancel(self, idx: int, words: Words) -> np.ndarray:
        """`cancel s1`, `cancel client a1`, `cancel all buys in B200`, `cancel all behind s1`."""
        if words.maybe("all"):
            side = {"buys": 1, "sells": 2, None: 0}[words.maybe("buys", "sells")]
            behind = self.orders[words.take()] if words.maybe("behind") else 0
            contract = self.contract_of(words) if words else -1
            return self.send(
                Kind.MASS_CANCEL, account_idx=idx, contract_idx=contract, state=side,
                order_id=behind,
            )  # fmt: skip
        if words.maybe("client"):
            return self.send(Kind.CANCEL, account_idx=idx, client=words.take())
        return self.send(Kind.CANCEL, account_idx=idx, order_id=self.orders[words.take()])

    # What there is to see

    def position(self, words: Words) -> str:
        return str(self._position(words).qty_lots)

    def unsettled(self, words: Words) -> str:
        return str(self._position(words).unsettled_usd_micros)

    def _position(self, words: Words) -> Any:
        return self.mirror.position(self.member(words.take()), self.contract_of(words))

    def cash(self, words: Words) -> str:
        return str(self.mirror.accounts[self.member(words.take())].cash_usd_micros)

    def free(self, words: Words) -> str:
        return str(margin_of(self.mirror, self.member(words.take())).free_usd_micros)

    def requirement(self, words: Words) -> str:
        idx = self.member(words.take())
        need = margin_of(self.mirror, idx).requirement.required_usd_micros
        assert need == self.engine.requirement(idx)
        return str(need)

    def book(self, words: Words) -> str:
        """`book sells` -> `3@2150 2@2160`, best first; `empty`."""
        side = {"buys": Side.BUY, "sells": Side.SELL}[words.take()]
        contract_idx = self.contract_of(words)
        levels = self.mirror.depth(contract_idx, side, 100)
        base = self.base(contract_idx)
        return " ".join(f"{lots}@{price - base}" for price, lots, _ in levels) or "empty"

    def queue(self, words: Words) -> str:
        """`queue buys` -> the names of the orders in the order they will be met."""
        side = {"buys": Side.BUY, "sells": Side.SELL}[words.take()]
        names = {order_id: name for name, order_id in self.orders.items()}
        queues = self.oracle.state_view()["queues"]
        ids = queues[2 * self.contract_of(words) + side]
        return " ".join(names.get(order_id, "?") for order_id in ids) or "empty"

    def order_state(self, words: Words) -> str:
        order = self.mirror.order(self.orders[words.take()])
        assert order is not None
        why = f" {Code(order.code).name.lower()}" if order.status == "cancelled" else ""
        return f"{order.status} {order.filled_lots} of {order.qty_lots}{why}"

    def shown(self, words: Words) -> str:
        """`shown s1` -> `2 of 5`."""
        order = self.mirror.order(self.orders[words.take()])
        assert order is not None
        return f"{order.visible_lots} of {order.leaves_lots}"

    def band_of(self, words: Words) -> str:
        contract = self.mirror.contracts[self.contracts[words.take()]]
        low, high = contract.band_low_ticks, contract.band_high_ticks
        return f"{low - contract.base_ticks} .. {high - contract.base_ticks}"

    def mark_of(self, words: Words) -> str:
        contract = self.mirror.contracts[self.contracts[words.take()]]
        return str(contract.mark_ticks - contract.base_ticks)

    def auction(self, words: Words) -> str:
        """`auction` -> `volatility 5@2150 imbalance -3`; `none` when no call is running."""
        call = self.mirror.contracts[self.contract_of(words)].call
        phase = CallPhase(call.phase).name.lower()
        return phase + indicated(call.indicative_ticks, call.indicative_lots, call.imbalance_lots)

    def said(self, events: np.ndarray, name: str) -> str:
        """Return what a command's events say, in the words of a scenario."""
        return said(events, self, protection_words.part)
