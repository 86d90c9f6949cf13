"""Is the core's margin never below the rule's? Asked of a saved state, some accounts at a time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from exchange.rules.addons import Addon
from exchange.rules.requirement import Exposure, requirement_of
from exchange.rules.tails import Tail
from matching.limits import LEGS_MAX, LEVEL_BPS_MIN

Saved = Mapping[str, Any]  # as `matching.saved.unpack` gives it


def tail_of_saved(saved: Saved) -> Tail:
    """Return how the matrix of a saved state is read."""
    names = ("scenarios_count", "worst_count", "stress_count", "floor_count", "kept_bps")
    return Tail(*(saved["meta"][name] for name in names))


def legs_of(saved: Saved, contract_idx: int) -> list[tuple[int, int]]:
    """Return the legs of a combination and their ratios; none of a single contract."""
    count = int(saved["contracts"][contract_idx]["legs_count"])
    rows = saved["legs"][contract_idx * LEGS_MAX :][:count]
    return [(int(leg["contract_idx"]), int(leg["ratio"])) for leg in rows]


def exposures_of_saved(saved: Saved, account_idx: int) -> list[Exposure]:
    """Return what an account has in a saved state."""
    rows = saved["positions"][1:]
    own = rows["account_idx"] == account_idx
    held, covers = rows[own], saved["covers"][1:][own]
    lots = {int(row["contract_idx"]): tuple(int(row[name]) for name in LOTS) for row in held}
    covered = dict(zip(held["contract_idx"].tolist(), covers.tolist(), strict=True))
    linked: dict[int, list[int]] = {}
    for contract_idx, (_, buys, sells) in lots.items():
        for leg_idx, ratio in legs_of(saved, contract_idx):
            sums = linked.setdefault(leg_idx, [0, 0])
            sums[0] += buys if ratio > 0 else sells
            sums[1] += sells if ratio > 0 else buys
    return [
        _exposure(
            saved,
            contract_idx,
            (qty, buys, sells),
            linked.get(contract_idx, [0, 0]),
            covered[contract_idx],
        )
        for contract_idx, (qty, buys, sells) in lots.items()
    ]


LOTS = ("qty_lots", "buy_lots", "sell_lots")


def _exposure(
    saved: Saved, contract_idx: int, lots: tuple[int, ...], linked: list[int], cover_lots: int
) -> Exposure:
    contract, addon = saved["contracts"][contract_idx], saved["addons"][contract_idx]
    shocks = saved["shocks"][contract_idx][: saved["meta"]["scenarios_count"]]
    return Exposure(
        contract_idx=contract_idx,
        qty_lots=lots[0],
        buy_lots=lots[1],
        sell_lots=lots[2],
        shocks_usd_micros=shocks.tolist(),
        combined=bool(contract["legs_count"]),
        linked_buy_lots=linked[0],
        linked_sell_lots=linked[1],
        addon=Addon(*(int(addon[name]) for name in Addon._fields)),
        tick_value_usd_micros=int(contract["tick_value_usd_micros"]),
        cover_lots=cover_lots,
        joint_usd_micros=int(saved["joints"][contract_idx]),
    )


def margin_differs(saved: Saved, account_idxs: Iterable[int]) -> Iterator[str]:
    """Yield where the core's losses are not the rule's, or its bound is below the requirement."""
    tail = tail_of_saved(saved)
    for account_idx in account_idxs:
        exposures = exposures_of_saved(saved, account_idx)
        level_bps = LEVEL_BPS_MIN + int(saved["limits"][account_idx]["level_more_bps"])
        profile = int(saved["profiles"][account_idx])
        need = requirement_of(exposures, tail, level_bps, profile)
        if not np.array_equal(saved["worst"][account_idx], need.losses_usd_micros):
            yield f"losses of account {account_idx}: those of the core are not the rule's"
        bound = int(saved["accounts"][account_idx]["im_bound_usd_micros"])
        if bound < need.required_usd_micros:
            yield (
                f"margin of account {account_idx}: the core has {bound}, "
                f"the rule {need.required_usd_micros}"
            )
