"""Orders, amendments and cancels, drawn so that they hit what is there."""

from collections.abc import Callable
from random import Random

from matching.codes import BY_LEGS, Flag, Kind, OrderType, Side, Stp, Tif, TradingState
from matching.wire import halves, pack_halves, pack_text
from tests.oracle.book import best_first
from tests.oracle.state import Contract, Exchange, Order, opposite
from tests.sim.profile import Profile
from tests.sim.waiter import draw_bracket, draw_stop, draw_stop_amend

Fields = dict[str, int]


class Trader:
    """Draws what members send. It looks at the oracle's state to be to the point."""

    def __init__(
        self, rng: Random, profile: Profile, ex: Exchange, choose_contract: Callable[[], int]
    ) -> None:
        self.rng = rng
        self.profile = profile
        self.ex = ex
        self.choose_contract = choose_contract
        self.sent: list[Fields] = []  # orders sent with a client id, to be repeated

    def place(self) -> Fields:
        rng = self.rng
        if self.sent and rng.random() < 0.04:
            return self._again(rng.choice(self.sent))
        fields = self._order()
        if rng.random() < 0.4:
            fields.update(self._client())
            self.sent = self.sent[-30:] + [fields]
        return fields

    def stop(self) -> Fields:
        """Draw a stop of any kind, often one leg of a pair."""
        fields = draw_stop(self.rng, self.ex, self._order())
        if self.rng.random() < 0.3:
            fields.update(self._client())
        return self._linked(fields) if self.rng.random() < 0.3 else fields

    def bracket(self) -> Fields:
        """Draw an order with a take-profit and a stop, or one linked with another."""
        fields = self._order()
        if self.rng.random() < 0.3:
            return self._linked(fields)
        return draw_bracket(self.rng, self.ex, fields)

    def _linked(self, fields: Fields) -> Fields:
        target = self._target()
        order = self._meant(target)
        fields["flags"] |= Flag.LINKED
        fields["order_id"] = order.order_id if order else target.get("order_id", 0)
        if order is not None and self.rng.random() < 0.95:
            fields["account_idx"], fields["contract_idx"] = order.account_idx, order.contract_idx
        return fields

    def cancel(self) -> Fields:
        fields: Fields = {"kind": Kind.CANCEL, **self._target()}
        return fields

    def amend(self) -> Fields:
        """Amend: mostly a smaller size, another price, or both."""
        rng = self.rng
        fields: Fields = {"kind": Kind.AMEND, **self._target()}
        order = self._meant(fields)
        if order is None:
            return fields | {"qty_lots": rng.randint(1, 5)}
        if order.stop is not None and rng.random() < 0.97:
            return draw_stop_amend(rng, self.ex, order, fields)
        total = order.leaves_lots + order.filled_lots
        if rng.random() < 0.6:
            ex_contract = self.ex.contracts[order.contract_idx]
            fields["price_ticks"] = self._price(ex_contract, order.contract_idx, order.side)
        way = rng.random()
        if way < 0.3:
            fields["qty_lots"] = rng.randint(0, total)
        elif way < 0.6:
            fields["qty_lots"] = total + rng.randint(0, self.profile.qty_usual_lots)
        elif way < 0.7:
            fields["qty_lots"] = -1
        elif way < 0.9:
            fields["flags"] = Flag.QTY_IS_OPEN
            fields["qty_lots"] = rng.randint(0, 2 * order.leaves_lots)
        if rng.random() < 0.4:
            self._new_terms(fields, order)
        if fields.get("price_ticks") and self.ex.last_seq % 3 == 0:
            fields["flags"] = fields.get("flags", 0) | Flag.PRICE_IS_SHOWN
            contract = self.ex.contracts[order.contract_idx]
            fields["price_ticks"] -= contract.base_ticks if contract.is_spread else 0
        if rng.random() < 0.02:
            self._as_if_it_waited(fields)
        return fields

    def _as_if_it_waited(self, fields: Fields) -> None:
        """Amend as one does that has not seen the trigger: mostly naming another one."""
        fields["flags"] = fields.get("flags", 0) | Flag.MAY_WAIT
        lots = halves(fields.get("amount_usd_micros", 0))[1]
        trigger_ticks = self.rng.choice((0, self.rng.randint(1, 100)))
        fields["amount_usd_micros"] = pack_halves(trigger_ticks, lots)

    def _new_terms(self, fields: Fields, order: Order) -> None:
        """Amend what shows, how long it stays, or its flags; often nothing but that."""
        rng = self.rng
        flags = fields.get("flags", 0)
        if rng.random() < 0.5:
            flags = 0
            fields["price_ticks"] = fields["qty_lots"] = 0
        way = rng.random()
        if way < 0.5:
            lots = rng.randint(0, order.leaves_lots + rng.choice((0, 1)))
            fields["amount_usd_micros"] = pack_halves(0, lots)
            flags |= Flag.NEW_DISPLAY
        if rng.random() < (0.6 if order.peg else 0.02):
            fields["ref_id"] = pack_halves(self._offset(), 0)
            flags |= Flag.NEW_OFFSET
            fields["price_ticks"] = 0
        if 0.4 < way < 0.75:
            fields["tif"] = rng.choice((Tif.GTC, Tif.DAY, Tif.GTD, Tif.GTD, Tif.GFN, *Tif))
            if fields["tif"] == Tif.GTD or rng.random() < 0.05:
                fields["expires_ns"] = self.ex.now_ns + rng.randint(0, 20_000)
            flags |= Flag.NEW_TIF
        if way > 0.7:
            flags |= Flag.NEW_FLAGS | rng.choice((0, Flag.POST_ONLY, Flag.REDUCE_ONLY))
        fields["flags"] = flags

    def mass_cancel(self) -> Fields:
        rng = self.rng
        contracts = len(self.ex.contracts)
        behind_id = 0
        if self.ex.orders and rng.random() < 0.3:
            behind_id = rng.choice(list(self.ex.orders))
        return {
            "kind": Kind.MASS_CANCEL,
            "order_id": behind_id,
            "account_idx": self._account(),
            "contract_idx": rng.choice((-1, rng.randrange(-1, contracts))),
            "state": rng.choice((0, 0, 1, 2)),
        }

    def _account(self) -> int:
        return self.rng.randrange(max(1, len(self.ex.accounts)))

    def _order(self) -> Fields:
        rng, profile = self.rng, self.profile
        contract_idx = self.choose_contract()
        contract = self.ex.contracts[contract_idx]
        side = rng.choice(tuple(Side))
        fields: Fields = {
            "kind": Kind.PLACE,
            "account_idx": self._taker(contract_idx, side),
            "contract_idx": contract_idx,
            "side": side,
            "price_ticks": self._price(contract, contract_idx, side),
            "qty_lots": rng.randint(1, min(profile.qty_usual_lots, contract.qty_max_lots)),
            "stp": rng.choice((Stp.NONE, *Stp)),
        }
        if rng.random() < 0.15:
            fields["qty_lots"] = contract.qty_max_lots
        calling = contract.state == TradingState.AUCTION
        if rng.random() < (0.97 if calling else profile.patience):
            fields["tif"] = rng.choice((Tif.GTC, Tif.GTC, Tif.GTD, Tif.GFN, Tif.DAY))
            if calling or rng.random() < 0.02:
                fields["tif"] = rng.choice((Tif.GTC, Tif.GFA))
                if fields["tif"] == Tif.GFA and rng.random() < 0.3:
                    fields["order_type"] = OrderType.MARKET
                    fields["price_ticks"] = 0
        else:
            fields["tif"] = rng.choice((Tif.IOC, Tif.FOK))
            if rng.random() < 0.4:
                fields["order_type"] = OrderType.MARKET
                fields["price_ticks"] = 0
        if rng.random() < 0.02:  # does not go together with what was drawn, perhaps
            fields["tif"] = rng.choice(tuple(Tif))
        if fields["tif"] == Tif.GTD:
            fields["expires_ns"] = self.ex.now_ns + rng.randint(0, 20_000)
        fields["flags"] = self._flags(fields)
        self._richer(fields)
        if fields["flags"] & Flag.REDUCE_ONLY and rng.random() < 0.8:
            self._aim_to_reduce(fields)
        if contract.legs and rng.random() < 0.8:
            fields.setdefault("state", BY_LEGS)
        return fields

    def _richer(self, fields: Fields) -> None:
        """Make it an iceberg, ask for a minimum, or let it take the market's price and rest."""
        rng, lots = self.rng, fields["qty_lots"]
        immediate = fields["tif"] in (Tif.IOC, Tif.FOK)
        if rng.random() < (0.01 if immediate or fields["flags"] & Flag.REDUCE_ONLY else 0.3):
            shows = rng.randint(max(1, lots // 50), max(1, lots // rng.choice((1, 2, 4, 9))))
            fields["amount_usd_micros"] = pack_halves(0, shows)
        if rng.random() < (0.01 if fields["flags"] & Flag.POST_ONLY else 0.08):
            fields["ref_id"] = pack_halves(0, rng.randint(1, max(1, lots // rng.choice((1, 3)))))
        if rng.random() < 0.05:
            fields["order_type"] = OrderType.MARKET_TO_LIMIT
            fields["price_ticks"] = 0
        if rng.random() < (0.005 if immediate else 0.15):
            self._pegged(fields)

    def _pegged(self, fields: Fields) -> None:
        """Let it follow the best bid, the best offer or the mid, mostly from a little behind."""
        rng = self.rng
        fields["order_type"], fields["price_ticks"] = OrderType.PEGGED, 0
        fields["state"] = rng.choice((1, 2, 3, 3, rng.randrange(5)))
        fields["ref_id"] = pack_halves(self._offset(), int(rng.random() < 0.01))

    def _offset(self) -> int:
        rng = self.rng
        return rng.choice((0, rng.randint(-3, 3), rng.randint(-9, 9), rng.randint(-9000, 9000)))

    def _aim_to_reduce(self, fields: Fields) -> None:
        lots = self.ex.lots(fields["account_idx"], fields["contract_idx"])
        if lots:
            fields["side"] = Side.SELL if lots > 0 else Side.BUY

    def _flags(self, fields: Fields) -> int:
        rng = self.rng
        flags = 0
        if rng.random() < (0.01 if fields["tif"] in (Tif.IOC, Tif.FOK) else 0.15):
            flags |= Flag.POST_ONLY
        held = self.ex.lots(fields["account_idx"], fields["contract_idx"])
        if rng.random() < (0.3 if held else 0.03):
            flags |= Flag.REDUCE_ONLY
        return flags

    def _taker(self, contract_idx: int, side: int) -> int:
        """Mostly anybody; sometimes who rests at the best opposite price."""
        if self.rng.random() < self.profile.self_share:
            makers = best_first(self.ex, contract_idx, opposite(side))
            if makers:
                return makers[0].account_idx
        return self._account()

    def _price(self, contract: Contract, contract_idx: int, side: int) -> int:
        """Near the mark, at the best opposite price, or at the edge of the band."""
        rng = self.rng
        highest = (1 << self.ex.capacity.price_bits) - 1
        way = rng.random()
        makers = best_first(self.ex, contract_idx, opposite(side)) if way < 0.25 else []
        if makers:
            price = rng.choice(makers[:3]).price_ticks
        elif way < 0.3:
            price = self.ex.band(contract)[side == Side.BUY] + rng.choice((-1, 0, 1))
        elif way < 0.32:
            price = rng.randint(1, highest)
        else:
            spread = self.profile.spread_ticks
            price = contract.mark_for(side) + rng.randint(-spread, spread)
        return min(highest, max(1, price))

    def _client(self) -> Fields:
        words = pack_text(
            f"c{self.rng.randrange(40)}" + "-long-tail-of-it" * self.rng.choice((0, 1))
        )
        return dict(zip(("client_a", "client_b", "client_c", "client_d"), words, strict=True))

    def _again(self, sent: Fields) -> Fields:
        if self.rng.random() < 0.5:
            return dict(sent)
        return sent | {"qty_lots": sent["qty_lots"] % 7 + 1}

    def _target(self) -> Fields:
        """Name an order that rests, mostly; by its id or by the client's."""
        rng = self.rng
        if rng.random() < 0.08 or not self.ex.orders:
            return {"account_idx": self._account(), "order_id": rng.randrange(1 << 30)}
        order = rng.choice(list(self.ex.orders.values()))
        account_idx = order.account_idx if rng.random() < 0.93 else self._account()
        fields: Fields = {"account_idx": account_idx, "contract_idx": order.contract_idx}
        for entry in self.ex.client_ids:
            if entry.order_id == order.order_id and rng.random() < 0.5:
                words = entry.words
                return fields | dict(
                    zip(("client_a", "client_b", "client_c", "client_d"), words, strict=True)
                )
        return fields | {"order_id": order.order_id}

    def _meant(self, fields: Fields) -> Order | None:
        order_id = fields.get("order_id", 0)
        for entry in self.ex.client_ids:
            if entry.words[0] and entry.words[0] == fields.get("client_a"):
                order_id = entry.order_id
        return self.ex.orders.get(order_id)
