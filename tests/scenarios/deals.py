"""The lines of blocks and requests for quotes.

blocks 50 range 200                                    least lots, bps beyond the day's prices
alice propose bob buy 50 @ 2150 until 60 as p1         `efp`, `client a1`, `in B200` may follow
carol ask 50 buy until 60 as r1                        without `buy`: either side
alice propose answering r1 sell 50 @ 2150 until 60     to whoever asked
bob accept p1                                          -> ok block 50@2150
bob decline p1                                         -> ok ended p1 deal_declined
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchange.rules.mirror import Mirror
from matching.codes import Code, DealKind, EventKind, Kind
from matching.wire import pack_halves
from tests.scenarios.words import SIDES, Words


class DealLines:
    """The part of a scenario that deals away from the book."""

    mirror: Mirror
    orders: dict[str, int]
    contracts: dict[str, int]
    send: Callable[..., np.ndarray]
    member: Callable[[str], int]
    contract_of: Callable[[Words], int]

    def block_rule(self, words: Words) -> int:
        """Read `50 range 200`."""
        least = words.number()
        words.must("range")
        return pack_halves(least, words.number())

    def set_blocks(self, words: Words) -> np.ndarray:
        least = words.number()
        words.must("range")
        bps, contract_idx = words.number(), self.contract_of(words)
        return self.send(Kind.SET_BLOCKS, contract_idx=contract_idx, qty_lots=least, order_id=bps)

    def deal_line(self, idx: int, verb: str, words: Words) -> np.ndarray:
        if verb in ("accept", "decline"):
            deal_id = self.orders[words.take()]
            return self.send(Kind[verb.upper()], account_idx=idx, order_id=deal_id)
        fields: dict[str, Any] = {"account_idx": idx}
        if verb == "propose":
            kind = Kind.PROPOSE
            whom = words.take()
            if whom == "answering":
                fields["order_id"] = self.orders[words.take()]
            else:
                fields["ref_id"] = self.member(whom)
            fields |= {"side": SIDES[words.take()], "qty_lots": words.number()}
            words.must("@")
            fields["price_ticks"] = words.number()
        else:
            kind = Kind.REQUEST_QUOTES
            fields["qty_lots"] = words.number()
            side = words.maybe("buy", "sell")
            fields["state"] = SIDES[side] + 1 if side else 0
        return self._send_deal(kind, fields, words)

    def _send_deal(self, kind: Kind, fields: dict[str, Any], words: Words) -> np.ndarray:
        words.must("until")
        fields["expires_ns"] = words.number()
        if words.maybe("efp"):
            fields["state"] = DealKind.EFP
        if words.maybe("client"):
            fields["client"] = words.take()
        fields["contract_idx"] = self.contract_of(words)
        events = self.send(kind, **fields)
        if words.maybe("as"):
            self.orders[words.take()] = int(events[0]["order_id"])
        return events

    def deal_part(self, event: np.void) -> str:
        if event["kind"] == EventKind.DEAL_ENDED:
            names = {deal_id: name for name, deal_id in self.orders.items()}
            code = Code(int(event["code"])).name.lower()
            return f"ended {names.get(int(event['order_id']), '?')} {code}"
        word = "efp" if event["kind"] == EventKind.EFP_TRADE else "block"
        return f"{word} {event['qty_lots']}@{event['price_ticks']}"

    def block_range(self, words: Words) -> str:
        low, high = self.mirror.contracts[self.contract_of(words)].block_range()
        return f"{low} .. {high}"

    def interest(self, words: Words) -> str:
        return str(self.mirror.contracts[self.contract_of(words)].open_interest_lots)

    def last(self, words: Words) -> str:
        return str(self.mirror.contracts[self.contract_of(words)].last_trade_ticks or "none")

    def open_deals(self, words: Words) -> str:
        names = {deal_id: name for name, deal_id in self.orders.items()}
        return " ".join(names.get(deal_id, "?") for deal_id in self.mirror.deals.open) or "none"
