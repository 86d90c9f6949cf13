"""Fitting a book case into the engine's numbers without changing what it says.

Matching looks at the order of prices, never at their distance, so prices beyond
the domain may be renamed by rank. Sizes beyond the largest order may be made
smaller as long as each stays larger than all smaller ones together, with room to
spare, as it was: then the same sums are larger than the same others, before and
after. Inputs and expectations are changed alike.
"""

import copy
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from matching.limits import PRICE_TICKS_MAX, QTY_LOTS_MAX
from tests.vectors.cases import Json, Skipped

UNKNOWN_TICKS = -1  # an expected price that no order has: it cannot be met


def fitted(case: Json) -> Json:
    """Return the case itself when it fits, or one that says the same in smaller numbers."""
    prices = sorted({order["price"] for order in _priced(case)})
    sizes = sorted(order["size"] for order in _orders(case))
    if (not prices or prices[-1] < PRICE_TICKS_MAX) and (not sizes or sizes[-1] <= QTY_LOTS_MAX):
        return case
    calls = any(step["op"] in ("uncross", "indicative") for step in case["steps"])
    if calls and len(prices) > 1 and prices[-1] >= PRICE_TICKS_MAX:
        raise Skipped("prices beyond the domain, and a call looks at their distance")
    case = copy.deepcopy(case)
    if prices and prices[-1] >= PRICE_TICKS_MAX:
        _rename_prices(case, {price: rank for rank, price in enumerate(prices, 1)})
    if sizes[-1] > QTY_LOTS_MAX:
        _lessen(case, sizes)
    return case


def _orders(case: Json) -> Iterator[Json]:
    yield from case["setup"].get("orders", [])
    for step in case["steps"]:
        if "order" in step:
            yield step["order"]


def _priced(case: Json) -> Iterator[Json]:
    """Yield everything that gives an order a price."""
    yield from (order for order in _orders(case) if "price" in order)
    yield from (step["change"] for step in case["steps"] if "price" in step.get("change", {}))


def _expectations(case: Json) -> Iterator[Json]:
    yield from (step["expect"] for step in case["steps"] if "expect" in step)
    yield case.get("expect", {})


def _rename_prices(case: Json, names: dict[int, int]) -> None:
    for order in _priced(case):
        order["price"] = names[order["price"]]
    for expect in _expectations(case):
        if "price" in expect:
            expect["price"] = names.get(expect["price"], UNKNOWN_TICKS)
        for trade in expect.get("trades", []):
            if "price" not in trade:  # of a call, which has one price
                continue
            trade["price"] = names.get(trade["price"], UNKNOWN_TICKS)
        for level in _levels(expect):
            level[0] = names.get(level[0], UNKNOWN_TICKS)


def _levels(expect: Json) -> Iterator[list[Any]]:
    for levels in expect.get("book", {}).values():
        yield from levels


def _lessen(case: Json, sizes: list[int]) -> None:
    """Make oversize orders smaller, each still larger than all smaller ones together."""
    if any("change" in step for step in case["steps"]):
        raise Skipped("sizes beyond the largest order")
    usual = sum(size for size in sizes if size <= QTY_LOTS_MAX)
    smaller: dict[int, int] = {}  # what an oversize becomes
    total_was = total = usual
    for size in (size for size in sizes if size > QTY_LOTS_MAX):
        if size <= total_was + 2 * usual:
            raise Skipped("sizes beyond the largest order")
        smaller[size] = total + 2 * usual + 1
        total_was, total = total_was + size, total + smaller[size]
    if total > QTY_LOTS_MAX:
        raise Skipped("sizes beyond the largest order")
    for order in _orders(case):
        order["size"] = smaller.get(order["size"], order["size"])
    for expect in _expectations(case):
        for name in ("filled", "resting", "cancelled", "removed"):
            if name in expect:
                expect[name] = _lessened(expect[name], smaller, usual)
        for level in _levels(expect):
            level[1] = _lessened(level[1], smaller, usual)


def _lessened(amount: int, smaller: dict[int, int], usual: int) -> int:
    """Return an expected amount after the oversize orders in it became smaller.

    It is a sum of oversizes, give or take what usual orders can add or take; an
    amount that is no such sum stays as it is, and no outcome will equal it.
    """
    for count in range(len(smaller) + 1):
        for chosen in combinations(smaller, count):
            if abs(amount - sum(chosen)) <= usual:
                return amount + sum(smaller[size] - size for size in chosen)
    return amount
