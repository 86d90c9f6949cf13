"""The invariants of combinations, taken from scratch."""

import numpy as np

from matching.limits import COMBINATIONS_PER_LEG_MAX, LEGS_MAX
from matching.state import State

EXPIRED = 5


def legs_of(s: State, contract_idx: int) -> list[tuple[int, int]]:
    """Return (contract_idx, ratio) of each leg, none of a single contract."""
    count = int(s.contracts[contract_idx]["legs_count"])
    rows = s.legs[contract_idx * LEGS_MAX : contract_idx * LEGS_MAX + count]
    return [(int(row["contract_idx"]), int(row["ratio"])) for row in rows]


def gross_of(s: State, contract_idx: int) -> int:
    """Return what one lot counts in the gross limit: of a spread twice its tick value."""
    tick_value = int(s.contracts[contract_idx]["tick_value_usd_micros"])
    return tick_value * (2 if [r for _, r in legs_of(s, contract_idx)] == [1, -1] else 1)


def check_combinations(s: State) -> None:
    """Combinations stand on single contracts, hold nothing, and follow their legs."""
    joined: dict[int, list[int]] = {}
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        legs = legs_of(s, contract_idx)
        for leg_idx, _ in legs:
            joined.setdefault(leg_idx, []).append(contract_idx)
        for side in (0, 1):
            weight = s.books[2 * contract_idx + side]["gross_tick_value"]
            assert weight == gross_of(s, contract_idx), f"gross of contract {contract_idx}"
        if legs:
            check_legs(s, contract_idx, legs)
            check_marks(s, contract_idx, legs)
            check_shocks(s, contract_idx, legs)
    for leg_idx in range(int(s.meta[0]["contracts_count"])):
        first = leg_idx * COMBINATIONS_PER_LEG_MAX
        count = int(s.contracts[leg_idx]["combinations_count"])
        listed = s.combinations[first : first + count].tolist()
        assert listed == joined.get(leg_idx, []), f"combinations of contract {leg_idx}"


def check_legs(s: State, contract_idx: int, legs: list[tuple[int, int]]) -> None:
    """Legs are single contracts, each once; who has a position here has one in each of them."""
    where = f"combination {contract_idx}"
    named = [leg_idx for leg_idx, _ in legs]
    ratios = [ratio for _, ratio in legs]
    assert ratios in ([1, -1], [1] * len(legs)) and 2 <= len(legs) <= LEGS_MAX, f"{where}: ratios"
    assert len(set(named)) == len(named), f"{where}: a leg twice"
    assert not any(legs_of(s, leg_idx) for leg_idx in named), f"{where}: a leg is a combination"
    ended = any(s.contracts[leg_idx]["state"] == EXPIRED for leg_idx in named)
    assert not ended or s.contracts[contract_idx]["state"] == EXPIRED, f"{where} outlives a leg"
    positions = s.positions[1 : s.meta[0]["positions_count"] + 1]
    held = {(int(p["account_idx"]), int(p["contract_idx"])) for p in positions}
    for position in positions[positions["contract_idx"] == contract_idx]:
        assert position["qty_lots"] == position["unsettled_usd_micros"] == 0, f"{where}: a position"
        account_idx = int(position["account_idx"])
        assert all((account_idx, leg_idx) in held for leg_idx in named), f"{where}: leg positions"


def check_marks(s: State, contract_idx: int, legs: list[tuple[int, int]]) -> None:
    """The mark is that of the legs: for a strip their mean, against whoever rests."""
    top = int(s.meta[0]["price_top"])
    net = sum(int(s.contracts[leg_idx]["mark_ticks"]) * ratio for leg_idx, ratio in legs)
    tick_values = [int(s.contracts[leg_idx]["tick_value_usd_micros"]) for leg_idx, _ in legs]
    buy, sell, value = net // len(legs), -(-net // len(legs)), sum(tick_values)
    if legs[1][1] < 0:
        buy = sell = (top + 1) // 2 + net
        value = max(tick_values)
    contract = s.contracts[contract_idx]
    keys = [int(s.books[2 * contract_idx + side]["mark_key"]) for side in (0, 1)]
    assert [top - buy, sell] == keys, f"combination {contract_idx}: mark of its books"
    assert contract["mark_ticks"] == buy, f"combination {contract_idx}: mark"
    assert contract["tick_value_usd_micros"] == value, f"combination {contract_idx}: tick value"


def check_shocks(s: State, contract_idx: int, legs: list[tuple[int, int]]) -> None:
    """The live shocks are those of the legs, summed up by ratio."""
    stride = int(s.meta[0]["scenarios_max"])
    shocks = s.shocks.reshape(-1, stride)
    expected = sum(shocks[leg_idx] * ratio for leg_idx, ratio in legs)
    assert np.array_equal(shocks[contract_idx], expected), f"combination {contract_idx}: shocks"
