"""The words of a scenario's line, and how they become a command's fields."""

from dataclasses import dataclass, field
from typing import NoReturn

from matching.codes import BY_LEGS, TRAIL_IS_BPS, Flag, OrderType, Peg, Side, Stp, Tif, TriggerBy
from matching.wire import pack_halves

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
TIFS = {tif.name.lower(): tif for tif in Tif}
FLAGS = {"post_only": Flag.POST_ONLY, "reduce_only": Flag.REDUCE_ONLY}
STOPS = {
    "stop": (OrderType.STOP, OrderType.STOP_LIMIT),
    "profit": (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
    "trail": (OrderType.STOP, OrderType.STOP_LIMIT),
}
STPS = {stp.name.lower(): stp for stp in Stp if stp != Stp.NONE}


class Misspelt(Exception):
    """A line of a scenario cannot be read."""


class Words:
    """The words of one line, taken from the left."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.left = self.text.split()

    def __bool__(self) -> bool:
        return bool(self.left)

    def take(self) -> str:
        if not self.left:
            self.fail("a word is missing")
        return self.left.pop(0)

    def number(self) -> int:
        word = self.take()
        try:
            return int(word.replace("_", ""))
        except ValueError:
            self.fail(f"{word!r} is no number")

    def maybe(self, *wanted: str) -> str | None:
        """Take the next word if it is one of those."""
        return self.take() if self.left and self.left[0] in wanted else None

    def must(self, wanted: str) -> None:
        if self.take() != wanted:
            self.fail(f"{wanted!r} is missing")

    def end(self) -> None:
        if self.left:
            self.fail(f"{' '.join(self.left)!r} cannot be read")

    def fail(self, why: str) -> NoReturn:
        raise Misspelt(f"{why}: {self.text}")


@dataclass
class OrderWords:
    """What the words after `buy` and `sell` say."""

    fields: dict[str, int] = field(default_factory=dict)
    client: str = ""
    name: str = ""
    contract: str = ""
    linked: str = ""


def order_words(words: Words, side: str) -> OrderWords:
    """Read `5 @ 2150 ioc post_only cancel_newest gtd 60 display 2 client a1 in B200 as s1`."""
    order = OrderWords({"side": SIDES[side], "qty_lots": words.number()})
    offset = 0
    if words.maybe("market"):
        order.fields |= {"order_type": OrderType.MARKET, "tif": Tif.IOC}
    elif words.maybe("peg"):
        order.fields |= {"order_type": OrderType.PEGGED, "state": Peg[words.take().upper()]}
        offset = words.number()
    elif words.maybe("to_limit"):
        order.fields["order_type"] = OrderType.MARKET_TO_LIMIT
    elif words.left and words.left[0] in STOPS:
        order.fields |= stop_words(words)
    else:
        words.must("@")
        order.fields["price_ticks"] = words.number()
    flags, display, least = 0, 0, 0
    while words:
        word = words.take()
        if word in TIFS:
            order.fields |= tif_words(words, word)
        elif word in FLAGS:
            flags |= FLAGS[word]
        elif word == "by":
            order.fields["state"] = order.fields.get("state", 0) | TriggerBy[words.take().upper()]
        elif word == "by_legs":
            order.fields["state"] = BY_LEGS
        elif word == "oco":
            flags |= Flag.LINKED
            order.linked = words.take()
        elif word == "take":
            flags |= Flag.BRACKET
            order.fields["ref_id"] = words.number()
        elif word == "lose":
            flags |= Flag.BRACKET
            order.fields["amount_usd_micros"] = words.number()
        elif word in STPS:
            order.fields["stp"] = STPS[word]
        elif word == "display":
            display = words.number()
        elif word == "min":
            least = words.number()
        elif word in ("client", "in", "as"):
            attribute = {"client": "client", "in": "contract", "as": "name"}[word]
            setattr(order, attribute, words.take())
        else:
            words.fail(f"{word!r} cannot be read")
    order.fields["flags"] = flags
    trigger = order.fields.get("amount_usd_micros", 0)
    offset = order.fields.get("ref_id", offset)
    order.fields |= {
        "amount_usd_micros": pack_halves(trigger, display), "ref_id": pack_halves(offset, least),
    }  # fmt: skip
    return order


def tif_words(words: Words, word: str) -> dict[str, int]:
    """Read what follows a time in force: `gtd 60`, `day`."""
    expires_ns = words.number() if word == "gtd" else 0
    return {"tif": TIFS[word], "expires_ns": expires_ns}


def stop_words(words: Words) -> dict[str, int]:
    """Read `stop 2140`, `stop 2140 @ 2135`, `profit 2160`, `trail 10`, `trail 500 bps`."""
    kind = words.take()
    price, limited = words.number(), False
    fields = {"amount_usd_micros": price}
    if kind == "trail":
        fields = {"ref_id": price}
        if words.maybe("bps"):
            fields["state"] = TRAIL_IS_BPS
    if words.maybe("@"):
        limited = True
        fields["price_ticks"] = words.number()
    return fields | {"order_type": STOPS[kind][limited]}


def amend_words(words: Words) -> dict[str, int]:
    """Read `@ 2150`, `to 7`, `to nothing`, `open 3`, `display 2`, `day`, `post_only`, `plain`."""
    fields: dict[str, int] = {}
    flags = 0
    while words:
        word = words.take()
        if word == "@":
            fields["price_ticks"] = words.number()
        elif word == "to":
            fields["qty_lots"] = -1 if words.maybe("nothing") else words.number()
        elif word == "open":
            fields["qty_lots"] = words.number()
            flags |= Flag.QTY_IS_OPEN
        elif word == "display":
            fields["amount_usd_micros"] = pack_halves(0, words.number())
            flags |= Flag.NEW_DISPLAY
        elif word == "offset":
            fields["ref_id"] = pack_halves(words.number(), 0)
            flags |= Flag.NEW_OFFSET
        elif word == "stop":
            fields["amount_usd_micros"] = pack_halves(words.number(), 0)
        elif word == "trail":
            fields["ref_id"] = pack_halves(words.number(), 0)
            fields["state"] = TRAIL_IS_BPS if words.maybe("bps") else 0
        elif word in TIFS:
            fields |= tif_words(words, word)
            flags |= Flag.NEW_TIF
        elif word in FLAGS or word == "plain":
            flags |= Flag.NEW_FLAGS | FLAGS.get(word, 0)
        else:
            words.fail(f"{word!r} cannot be read")
    return fields | {"flags": flags | Flag.MAY_WAIT}
