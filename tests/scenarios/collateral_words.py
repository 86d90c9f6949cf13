"""The lines of a scenario about collateral, charges, cash between accounts, and assets."""

from typing import TYPE_CHECKING, Any

import numpy as np

from matching.codes import AssetMove, Charge, CountMode, EventKind, Kind, PriceSource
from tests.scenarios.words import Words

if TYPE_CHECKING:
    from tests.scenarios.dsl import Scenario

CHARGES = {
    "trading": Charge.TRADING_FEE, "clearing": Charge.CLEARING_FEE,
    "delivery": Charge.DELIVERY_FEE, "rebate": Charge.REBATE,
}  # fmt: skip


def charge(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`alice charge trading 30 ref 1`; what is negative is paid to the account."""
    state, amount = CHARGES[words.take()], words.number()
    ref = words.number() if words.maybe("ref") else 0
    return game.send(
        Kind.CHARGE, account_idx=idx, state=state, amount_usd_micros=amount, ref_id=ref
    )


def fees(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`alice fees 200 500 clearing 100`: maker, taker, clearing."""
    maker, taker = words.number(), words.number()
    words.must("clearing")
    return game.send(
        Kind.SET_FEES, account_idx=idx, price_ticks=maker, qty_lots=taker,
        amount_usd_micros=words.number(),
    )  # fmt: skip


def transfer(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`alice transfer 30 to bob ref 1`."""
    amount = words.number()
    words.must("to")
    whom = game.member(words.take())
    ref = words.number() if words.maybe("ref") else 0
    return game.send(
        Kind.SEND_CASH, account_idx=idx, order_id=whom, amount_usd_micros=amount, ref_id=ref
    )


def collateral(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`alice collateral 500`: so much is counted; `alice collateral 300 release`: less is."""
    amount = words.number()
    mode = CountMode.RELEASE if words.maybe("release") else CountMode.VALUE
    return game.send(Kind.SET_COLLATERAL, account_idx=idx, amount_usd_micros=amount, state=mode)


def asset(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`alice asset 1 reserve 50 counting 300 ref 2`."""
    number, move = words.number(), AssetMove[words.take().upper()]
    units = words.number()
    counted = words.number() if words.maybe("counting") else 0
    words.must("ref")
    return game.send(
        Kind.MOVE_ASSET, account_idx=idx, order_id=number, state=move, price_ticks=units,
        amount_usd_micros=counted, ref_id=words.number(),
    )  # fmt: skip


MEMBER_VERBS = {
    "charge": charge, "fees": fees, "transfer": transfer, "collateral": collateral, "asset": asset,
}  # fmt: skip


def verbs(game: "Scenario") -> dict[str, Any]:
    """Return what the operator does: `price 1 @ 990000 at 60 by feed`, `sell ...`."""

    def price(words: Words) -> np.ndarray:
        number = words.number()
        words.must("@")
        usd_micros = words.number()
        words.must("at")
        priced_ns = words.number()
        words.must("by")
        source = PriceSource[words.take().upper()]
        return game.send(
            Kind.PRICE_ASSET, order_id=number, price_ticks=usd_micros, expires_ns=priced_ns,
            state=source,
        )  # fmt: skip

    def sell(words: Words) -> np.ndarray:
        """Read `sell 5 of asset 1 from alice to bob for 300`."""
        units = words.number()
        words.must("of")
        words.must("asset")
        fields = {"price_ticks": units, "state": words.number(), **game.parties(words)}
        words.must("for")
        return game.send(Kind.TAKE_ASSET, amount_usd_micros=words.number(), **fields)

    return {"price": price, "sell": sell}


def views(game: "Scenario") -> dict[str, Any]:
    """Return what there is to see: `counted alice`, `assets alice` -> `1: 50 and 0 leaving`."""

    def counted(words: Words) -> str:
        return str(game.mirror.accounts[game.member(words.take())].collateral.counted_usd_micros)

    def assets(words: Words) -> str:
        held = game.mirror.accounts[game.member(words.take())].collateral.holdings
        lines = (f"{number}: {one.units} and {one.leaving_units} leaving"
                 for number, one in sorted(held.items()))  # fmt: skip
        return ", ".join(lines) or "none"

    return {"counted": counted, "assets": assets}


def part(event: np.void) -> str:
    """Return what an event says of collateral."""
    if event["kind"] == EventKind.ASSET_MOVED:
        return f"counts {event['amount_usd_micros']}"
    if event["kind"] == EventKind.ASSET_TAKEN:
        return f"sold for {event['amount_usd_micros']}"
    return ""
