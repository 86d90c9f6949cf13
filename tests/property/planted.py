"""Oracles with one rule broken: whatever holds engines equal has to notice each of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from matching.codes import Code, Flag, Side, Stp
from tests.oracle import (
    admin,
    amend,
    book,
    combinations,
    deals,
    entry,
    icebergs,
    ids,
    implied,
    orders,
    pegs,
    protect,
    quotes,
    risk,
)
from tests.oracle.engine import RULES, Oracle
from tests.oracle.state import Capacity, Contract, Exchange, signed
from tests.sim.followers import OracleFollower

Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Bug:
    """One broken rule: what it is, and how to break it."""

    name: str
    breaks: Patch


class PlantedFollower(OracleFollower):
    """An oracle whose rules are broken while it applies a batch, and only then."""

    def __init__(self, capacity: Capacity, bug: Bug) -> None:
        super().__init__(Oracle(capacity))
        self.bug = bug

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        with self.bug.breaks():
            super().batch(commands, events)


def _replaced(module: Any, name: str, other: Callable[..., Any]) -> Patch:
    return lambda: patch.object(module, name, other)


def _newest_first(ex: Exchange, contract_idx: int, side: int) -> list[Any]:
    resting = ex.contracts[contract_idx].book[side][::-1]
    return sorted(resting, key=lambda order: -signed(side, order.price_ticks))


def _worst_only(ex: Exchange, losses: list[int]) -> int:
    return max([0, *losses])


def _rounded_down(ex: Exchange, losses: list[int]) -> int:
    worst = sorted(losses, reverse=True)[: ex.worst_count]
    return max(0, sum(worst) // max(1, len(worst)))


def _whole_maker(ex: Exchange, maker: Any) -> int:
    return int(maker.leaves_lots)


def _ignoring_stp() -> AbstractContextManager[Any]:
    real = book.match

    def match(ex: Exchange, log: Any, taker: Any, real_only: bool = False) -> tuple[int, Code]:
        stp, taker.stp = taker.stp, Stp.NONE
        result = real(ex, log, taker, real_only)
        taker.stp = stp
        return result

    return patch.object(book, "match", match)


def _at_takers_price() -> AbstractContextManager[Any]:
    real = book.trade

    def trade(ex: Exchange, log: Any, taker: Any, maker: Any, lots: int) -> None:
        price, maker.price_ticks = maker.price_ticks, taker.price_ticks
        real(ex, log, taker, maker, lots)
        maker.price_ticks = price

    return patch.object(book, "trade", trade)


def _amended_in_place_when_larger() -> AbstractContextManager[Any]:
    real = amend.enter_anew

    def enter(ex: Exchange, log: Any, cmd: Any, order: Any, terms: Any) -> None:
        if terms.price_ticks != order.price_ticks:
            real(ex, log, cmd, order, terms)
            return
        resting = ex.contracts[order.contract_idx].book[order.side]
        place = resting.index(order)
        real(ex, log, cmd, order, terms)
        if order in resting:
            resting.remove(order)
            resting.insert(place, order)

    return patch.object(amend, "enter_anew", enter)


def _expiry_a_moment_late() -> AbstractContextManager[Any]:
    def tick(ex: Exchange, log: Any, cmd: Any) -> None:
        ex.now_ns -= 1
        admin.tick(ex, log, cmd)
        ex.now_ns += 1

    return patch.dict(RULES, {1: tick})


def _reducing_without_the_resting(ex: Exchange, wish: risk.Wish) -> bool:
    lots = signed(wish.side, ex.lots(wish.account_idx, wish.contract_idx))
    return lots < 0 and wish.qty_lots <= -lots


def _no_clip(ex: Exchange, entering: Any) -> tuple[int, Any]:
    flags = entering.flags & ~Flag.REDUCE_ONLY
    code, result = _real_clip(ex, entry.replace(entering, flags=flags))
    return code, result


_real_clip = entry.clip


def _slots_in_another_order(ex: Exchange) -> int:
    if ex.slots_free:
        return ex.slots_free.pop(0)
    ex.slots_used += 1
    return ex.slots_used


def _at_one_price(contract: Contract, price_ticks: int, highest: int) -> list[int]:
    if contract.is_spread:
        return combinations.spread_prices(contract, price_ticks - contract.base_ticks, highest)
    return [price_ticks] * len(contract.legs)


def _first_pays(contract: Contract, difference: int, highest: int) -> list[int]:
    second = min(max(contract.legs[1].contract.mark_ticks, 1 - difference, 1), highest - difference)
    return [min(second, highest) + difference, min(second, highest)]


def _both_legs(contract: Contract) -> list[int]:
    rows = [leg.contract.shocks for leg in contract.legs]
    return [sum(column) for column in zip(*rows, strict=True)]


def _both(*patches: Patch) -> Patch:
    def entered() -> ExitStack:
        stack = ExitStack()
        for one in patches:
            stack.enter_context(one())
        return stack

    return entered


def _shows_anew_where_it_stands() -> AbstractContextManager[Any]:
    real = icebergs.take_one_display

    def take(ex: Exchange, log: Any, taker: Any, maker: Any, turned: Any) -> None:
        side = ex.contracts[maker.contract_idx].book[maker.side]
        place = side.index(maker)
        real(ex, log, taker, maker, turned)
        if maker in side:
            side.remove(maker)
            side.insert(place, maker)

    return patch.object(icebergs, "take_one_display", take)


def _best_of_all(ex: Exchange, contract_idx: int, side: int) -> int | None:
    found = book.best_first(ex, contract_idx, side)
    return found[0].price_ticks if found else None


def _edge_of_the_band(ex: Exchange, wish: risk.Wish, low: int, high: int) -> int:
    return high if wish.side == Side.BUY else low


def _one_command_late() -> Callable[[Exchange, Any], None]:
    real, late = quotes.end_hits, {"seq": 0}

    def end_hits(ex: Exchange, log: Any) -> None:
        if ex.hits and late["seq"] != ex.last_seq:
            late["seq"] = ex.last_seq
            return
        real(ex, log)

    return end_hits


def _refusals_counted() -> Patch:
    real = protect.judge_own

    def judge(ex: Exchange, wish: Any, asked_lots: int, *, rests_anew: bool) -> int:
        code = real(ex, wish, asked_lots, rests_anew=rests_anew)
        if code:
            protect.count_taken(ex, wish.account_idx)
        return code

    return _replaced(protect, "judge_own", judge)


def _never_kept(
    ex: Exchange, log: Any, cmd: Any, side: int, price: int, lots: int, flags: int, reply: Any
) -> bool:
    order = quotes.standing(ex.position(cmd.account_idx, cmd.contract_idx), side)
    if order is not None:
        book.cancel(ex, log, order, Code.QUOTE_REPLACED if lots else Code.QUOTE_WITHDRAWN)
    return True


def _always_on(ex: Exchange, idx: int) -> bool:
    return ex.contracts[idx].implied


def _a_tick_more(contract: Contract, makers: Any) -> int:
    return _TOTAL(contract, makers) + 1


def _first_leg_alone(
    ex: Exchange, log: Any, leg: Any, combined: Any, order: Any, *rest: Any, **more: Any
) -> None:
    if leg is ex.contracts[combined.contract_idx].legs[0]:
        _TRADE_LEG(ex, log, leg, combined, order, *rest, **more)


_TOTAL, _TRADE_LEG = implied.total, implied.trade_leg

BUGS = (
    Bug("implied prices are a tick off", _replaced(implied, "total", _a_tick_more)),
    Bug("an implied trade leaves a leg out", _replaced(implied, "trade_leg", _first_leg_alone)),
    Bug(
        "self-trades between legs are let through",
        _replaced(implied, "prevented", lambda *_: False),
    ),
    Bug("implied prices in any state", _replaced(implied, "is_open", _always_on)),
    Bug("no time priority", _replaced(book, "best_first", _newest_first)),
    Bug("the worst instead of the mean of n", _replaced(risk, "tail", _worst_only)),
    Bug("requirement rounded down", _replaced(risk, "tail", _rounded_down)),
    Bug("price loss forgotten", _replaced(risk, "loss_against_mark", lambda *_: 0)),
    Bug("reduce-only maker fills whole", _replaced(book, "fill_limit", _whole_maker)),
    Bug("reduce-only taker not clipped", _replaced(entry, "clip", _no_clip)),
    Bug("trades at the taker's price", _at_takers_price),
    Bug("self-trade prevention ignored", _ignoring_stp),
    Bug("fill or kill fills a part", _replaced(book, "fillable", lambda *_: True)),
    Bug("a larger order keeps its place", _amended_in_place_when_larger),
    Bug("an iceberg shows anew where it stands", _shows_anew_where_it_stands),
    Bug("a peg follows other pegs", _replaced(pegs, "best_plain", _best_of_all)),
    Bug("pegs never move", _replaced(pegs, "judge", lambda *_: None)),
    Bug("icebergs play no whole rounds", _replaced(icebergs, "take_rounds", lambda *_: None)),
    Bug("protection is ignored", _replaced(entry, "market_limit", _edge_of_the_band)),
    Bug("expiry one nanosecond late", _expiry_a_moment_late),
    Bug("reducing forgets what rests", _replaced(risk, "reduces", _reducing_without_the_resting)),
    Bug("reducing is no reason", _replaced(risk, "reduces", lambda *_: False)),
    Bug("slots reused in another order", _replaced(book, "take_slot", _slots_in_another_order)),
    Bug("client ids live for ever", _replaced(ids, "is_live", lambda *_: True)),
    Bug("closed client ids are free", _replaced(ids, "is_live", ids.is_open)),
    Bug("the band is ignored", _replaced(entry, "outside", lambda *_: False)),
    Bug("post-only may trade", _replaced(entry, "would_trade", lambda *_: False)),
    Bug("strips trade at one price", _replaced(combinations, "leg_prices", _at_one_price)),
    Bug(
        "the first leg follows, always",
        _replaced(combinations, "spread_prices", _first_pays),
    ),
    Bug("a spread costs both its legs", _replaced(combinations, "shocks_of_legs", _both_legs)),
    Bug("a block at any price", _replaced(deals, "judge_block", lambda *_: 0)),
    Bug("either side of a block unjudged", _replaced(deals, "judge_side", lambda *_: 0)),
    Bug("what ends is forgotten by the tick", _replaced(deals, "due", lambda *_: [])),
    Bug("as many deals as one likes", _replaced(deals, "judge_room", lambda *_: 0)),
    Bug("asking as often as one likes", _replaced(deals, "asked_now", lambda *_: 0)),
    Bug(
        "gaps between requests are let through",
        _replaced(ids, "judge_envelope", lambda *_: 0),
    ),
    Bug("a protection is never hit", _replaced(quotes, "note_fill", lambda *_: None)),
    Bug("a hit waits for the next command", _replaced(quotes, "end_hits", _one_command_late())),
    Bug("own limits are ignored", _replaced(protect, "judge_own", lambda *_, **__: 0)),
    Bug("refused orders count against the rate", _refusals_counted()),
    Bug("a quote loses its place", _replaced(quotes, "settle", _never_kept)),
    Bug(
        "gross limit and margin ignored",
        _both(
            _replaced(risk, "margin_allows", lambda *_: True),
            _replaced(risk, "gross_tick_value", lambda *_: 0),
        ),
    ),
)
assert orders  # imported so that every module is loaded before one is broken
