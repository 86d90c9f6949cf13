"""Combinations in scenarios: their listing, and prices that are differences."""

from matching.codes import Kind, TradingState
from matching.wire import pack_legs
from tests.scenarios.words import Words

SIGNS = {"-": -1, "+": 1}


def combination_fields(words: Words, contracts: dict[str, int]) -> dict[str, int]:
    """Read `= M3 - M4 max 9 band 500 state halt implied`, or `= M4 + M5 + M6`."""
    words.must("=")
    legs = [(contracts[words.take()], 1)]
    while (sign := words.maybe(*SIGNS)) is not None:
        legs.append((contracts[words.take()], SIGNS[sign]))
    fields = {
        "qty_lots": 1000, "order_id": 0, "state": int(TradingState.CONTINUOUS), "ref_id": 0,
    }  # fmt: skip
    names = {"max": "qty_lots", "band": "order_id"}
    while words:
        word = words.take()
        if word == "implied":
            fields["ref_id"] = 1
        elif word == "state":
            fields["state"] = TradingState[words.take().upper()]
        else:
            fields[names[word]] = words.number()
    return {"kind": Kind.LIST_COMBINATION, **fields, **pack_legs(legs)}
