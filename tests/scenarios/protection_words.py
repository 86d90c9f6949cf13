"""The lines of a scenario about quotes, limits, timers, kills and halts."""

from typing import TYPE_CHECKING, Any

import numpy as np

from matching.codes import Code, EventKind, Flag, Kind, Side, Stp, Timer
from matching.wire import pack_halves
from tests.scenarios import collateral_words
from tests.scenarios.words import STPS, Words

if TYPE_CHECKING:
    from tests.scenarios.dsl import Scenario

LIMITS = {
    "qty": "qty_lots", "notional": "amount_usd_micros", "position": "order_id",
    "rate": "price_ticks", "open": "ref_id",
}  # fmt: skip
WORK = {
    "makers": "taker_makers", "cancels": "account_cancels", "events": "command_events",
    "stops": "contract_stops",
}  # fmt: skip
MMP = {"window": "expires_ns", "qty": "qty_lots", "delta": "order_id", "fills": "ref_id"}


def numbers(words: Words, names: dict[str, str]) -> dict[str, int]:
    """Read `qty 5 delta 3` as fields; `none` and `off` are no number at all."""
    fields: dict[str, int] = {}
    words.maybe("none", "off")
    while words:
        name = names[words.take()]
        fields[name] = words.number()
    return fields


def quote_side(words: Words) -> tuple[int, int]:
    """Read `5 @ 2150` or `none`: price and lots."""
    if words.maybe("none"):
        return 0, 0
    lots = words.number()
    words.must("@")
    return words.number(), lots


def quote(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`quote 5 @ 2149 / 6 @ 2151 group 1 post_only in B200 as q1`: orders q1.buy and q1.sell."""
    buy_ticks, buy_lots = quote_side(words)
    words.must("/")
    sell_ticks, sell_lots = quote_side(words)
    fields = {"stp": int(Stp.NONE), "flags": 0, "state": 0}
    name, contract = "", "H100"
    while words:
        word = words.take()
        if word == "group":
            fields["state"] = words.number()
        elif word == "post_only":
            fields["flags"] = int(Flag.POST_ONLY)
        elif word == "in":
            contract = words.take()
        elif word == "as":
            name = words.take()
        else:
            fields["stp"] = int(STPS[word])
    events = game.send(
        Kind.QUOTE, account_idx=idx, contract_idx=game.contracts[contract],
        price_ticks=pack_halves(buy_ticks, sell_ticks), qty_lots=pack_halves(buy_lots, sell_lots),
        **fields,
    )  # fmt: skip
    for event in events[events["kind"] == EventKind.ACCEPTED]:
        game.orders[f"{name}.{Side(event['side']).name.lower()}"] = int(event["order_id"])
    return events


def limits(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`limits qty 5 rate 2`, all others none; `limits none`; `limits by_legs position 5`."""
    by_legs = 1 if words.maybe("by_legs") else 0
    return game.send(Kind.SET_LIMITS, account_idx=idx, state=by_legs, **numbers(words, LIMITS))


def group(words: Words) -> int:
    return words.number() if words.maybe("group") else 0


def mmp(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`mmp group 1 window 100 qty 10 delta 5 fills 3`; `mmp group 1 off`."""
    state = group(words)
    return game.send(Kind.SET_MMP, account_idx=idx, state=state, **numbers(words, MMP))


def reset_mmp(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    return game.send(Kind.RESET_MMP, account_idx=idx, state=group(words))


def cancel_all_after(game: "Scenario", idx: int, words: Words) -> np.ndarray:
    """`cancel_all_after 60`, `cancel_all_after 60 gateway`."""
    after_ns = words.number()
    which = Timer[(words.maybe("gateway") or "member").upper()]
    return game.send(Kind.CANCEL_ALL_AFTER, account_idx=idx, expires_ns=after_ns, state=which)


MEMBER_VERBS = {
    "quote": quote, "limits": limits, "mmp": mmp, "reset_mmp": reset_mmp,
    "cancel_all_after": cancel_all_after,
}  # fmt: skip


def verbs(game: "Scenario") -> dict[str, Any]:
    """Return what the operator does: `kill alice`, `halt`, `resume`, `sweep 3 in B200`."""

    def sweep(words: Words) -> np.ndarray:
        lots = words.number()
        contract = game.contract_of(words) if words else -1
        return game.send(Kind.SWEEP, contract_idx=contract, qty_lots=lots)

    def work(words: Words) -> np.ndarray:
        """`work makers 4 cancels 2 events 6`: what one command may do, before anything else."""
        assert game.mirror.seq == 0, "the first line says it"
        game.make(numbers(words, WORK))
        return np.zeros(0)

    return {
        "work": work,
        "kill": lambda words: game.send(Kind.KILL_ACCOUNT, account_idx=game.member(words.take())),
        "halt": lambda _: game.send(Kind.HALT_EXCHANGE, state=1),
        "resume": lambda _: game.send(Kind.HALT_EXCHANGE, state=0),
        "sweep": sweep,
    }


def part(game: "Scenario", event: np.void, reply: np.void) -> str:
    """Return what an event says: `buy rests 5`, `sell refused margin_insufficient`."""
    kind, side = event["kind"], int(event["side"])
    if kind in (EventKind.ASSET_MOVED, EventKind.ASSET_TAKEN):
        return collateral_words.part(event)
    members = {idx: name for name, idx in game.members.items()}
    if kind == EventKind.ACCEPTED and reply["kind"] == EventKind.QUOTED:
        return f"{Side(side).name.lower()} rests {event['leaves_lots']}"
    if kind == EventKind.QUOTE_REFUSED:
        return f"{Side(side).name.lower()} refused {Code(int(event['code'])).name.lower()}"
    if kind == EventKind.MMP_HIT:
        return f"hit {members[int(event['account_idx'])]} group {side}"
    if kind == EventKind.TIMER_FIRED:
        more = f" more {event['leaves_lots']}" if event["leaves_lots"] else ""
        return f"timer {members[int(event['account_idx'])]}{more}"
    if kind in (EventKind.MASS_CANCELLED, EventKind.ACCOUNT_KILLED) and event["leaves_lots"]:
        behind = [name for name, number in game.orders.items() if number == event["order_id"]]
        return f"more {event['leaves_lots']}" + (f" behind {behind[0]}" if behind else "")
    if kind == EventKind.SWEPT:
        return f"left {event['leaves_lots']}"
    return ""
