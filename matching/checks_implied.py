"""The invariants of implied trading, taken from scratch: nothing that could meet has been left."""

from matching.checks_legs import legs_of
from matching.state import State

CONTINUOUS = 2


def check_implied(s: State) -> None:
    """No order of a combination meets those of its legs, unless it waits to be looked at."""
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        legs, contract = legs_of(s, contract_idx), s.contracts[contract_idx]
        if not legs:
            assert contract["implied_waits"] == 0, f"contract {contract_idx} is no combination"
            continue
        assert contract["implied_waits"] == 0 or contract["implied"], f"{contract_idx} waits"
        if not contract["implied"]:
            continue
        bests = [best_ticks(s, 2 * contract_idx + side) for side in (0, 1)]
        if any(bests):
            told = [s.contracts[leg_idx]["implied"] for leg_idx, _ in legs]
            assert all(told), f"legs of combination {contract_idx} do not know of its orders"
        states = [contract["state"], *(s.contracts[leg_idx]["state"] for leg_idx, _ in legs)]
        if contract["implied_waits"] or s.meta[0]["halted"] or set(states) != {CONTINUOUS}:
            continue
        for side in (0, 1):
            if bests[side]:
                check_side(s, contract_idx, legs, side, bests[side])


def best_ticks(s: State, book_idx: int) -> int:
    """Return the best price of a book, 0 for none."""
    key, top = int(s.books[book_idx]["best_key"]), int(s.meta[0]["price_top"])
    if key > top:
        return 0
    return key if book_idx % 2 else top - key


def check_side(
    s: State, contract_idx: int, legs: list[tuple[int, int]], side: int, order_ticks: int
) -> None:
    """The best order of a side offers less than the best of its legs together ask for."""
    cost_ticks = 0
    for leg_idx, ratio in legs:
        sold = side if ratio > 0 else 1 - side
        ticks = best_ticks(s, 2 * leg_idx + 1 - sold)
        if ticks == 0:
            return
        cost_ticks += ratio * ticks
    worth_ticks = order_ticks * len(legs)
    if legs[1][1] < 0:
        worth_ticks = order_ticks - (int(s.meta[0]["price_top"]) + 1) // 2
    gain_ticks = cost_ticks - worth_ticks if side == 0 else worth_ticks - cost_ticks
    assert gain_ticks > 0, f"combination {contract_idx} meets its legs, side {side}"
