"""The real engine behind the oracle: events byte for byte, then the whole state."""

from typing import Any

import numpy as np

from exchange.rules.mirror_saved import mirror_from_saved
from matching.checks_legs import legs_of
from matching.codes import OF_THE_CORE, RISES, TRAIL_IS_BPS, UNTRIGGERED, Side
from matching.engine import Engine
from matching.limits import ASSETS_MAX, QUOTE_GROUPS, REQUEST_WINDOW_NS
from matching.losses import LOSSES_UNKNOWN
from matching.saved import unpack
from matching.state import Sizes
from tests.oracle.state import Capacity
from tests.sim.followers import Disagreement, same_events, same_view
from tests.sim.views import mirror_view, oracle_view_for_mirror

POSITION_NAMES = (
    "account_idx", "contract_idx", "qty_lots", "buy_lots", "sell_lots", "unsettled_usd_micros",
)  # fmt: skip
LIMIT_NAMES = (
    "qty_max_lots", "notional_max_usd_micros", "position_max_lots", "orders_per_second_max",
    "open_orders_max", "second", "second_orders", "level_more_bps",
)  # fmt: skip
MMP_NAMES = (
    "window_ns", "qty_max_lots", "delta_max_lots", "fills_max", "frozen", "start_ns", "qty_lots",
    "delta_lots", "fills",
)  # fmt: skip
DELIVERY_NAMES = ("delivers", "fine_usd_micros", "accruals", "days_fixed", "accrued_ns")
DAY_NAMES = ("block_min_lots", "block_range_bps", "low_ticks", "high_ticks")
DEAL_NAMES = (
    "deal_id", "kind", "account_idx", "counterparty_idx", "contract_idx", "side", "price_ticks",
    "qty_lots", "expires_ns", "request_id",
)  # fmt: skip


CALL_NAMES = (
    "phase", "ends_after_ns", "ends_before_ns", "indicative_ticks", "indicative_lots",
    "imbalance_lots",
)  # fmt: skip
GUARD_NAMES = (
    "velocity_bps", "velocity_ns", "daily_bps", "daily_next_bps", "call_ns", "window_ns",
    "daily_stage",
)  # fmt: skip


def sizes_of(capacity: Capacity) -> Sizes:
    """Return the engine's sizes for the oracle's capacity."""
    return Sizes(
        price_bits=capacity.price_bits,
        accounts=capacity.accounts,
        contracts=capacity.contracts,
        positions=capacity.positions,
        orders=capacity.orders,
        client_ids=capacity.client_ids,
        scenarios=capacity.scenarios,
        deals=capacity.deals,
        account_stops=capacity.account_stops,
        contract_stops=capacity.contract_stops,
        contract_trails=capacity.contract_trails,
        taker_makers=capacity.taker_makers,
        account_cancels=capacity.account_cancels,
        command_events=capacity.command_events,
    )


class EngineFollower:
    """The real engine. At each comparison it is also saved, restored and read by a new mirror."""

    def __init__(self, capacity: Capacity) -> None:
        self.sizes = sizes_of(capacity)
        self.engine = Engine(self.sizes)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        same_events(commands, events, self.engine.apply(commands))

    def compare(self, view: dict[str, Any]) -> None:
        self.engine.check()
        same_view(view, engine_view(self.engine))
        blob = self.engine.save()
        same_view(oracle_view_for_mirror(view), mirror_view(mirror_from_saved(unpack(blob))))
        restored = Engine.restore(blob, self.sizes)
        if restored.state_hash() != self.engine.state_hash():
            raise Disagreement("the restored engine has another hash")
        self.engine = restored  # its future is compared from here on


def engine_view(engine: Engine) -> dict[str, Any]:
    """Return the engine's state in the oracle's words."""
    saved = unpack(engine.save())
    top = (1 << saved["meta"]["price_bits"]) - 1
    contracts = range(len(saved["contracts"]))
    resting = [row for row in saved["orders"][1:] if _used(row) and not _waits(row)]
    queues = [
        _queue(resting, saved["orders"], 2 * idx + side) for idx in contracts for side in Side
    ]
    return {
        "seq": engine.last_seq,
        "now_ns": engine.now_ns,
        "accounts": [_account(engine, idx) for idx in range(len(saved["accounts"]))],
        "contracts": [
            _contract(
                engine,
                saved["days"][idx],
                idx,
                [_prices(queues[2 * idx + side], top) for side in Side],
            )
            for idx in contracts
        ],
        "positions": [
            tuple(int(row[name]) for name in POSITION_NAMES) for row in saved["positions"][1:]
        ],
        "orders": sorted(
            _order(row, detail, top)
            for row, detail in zip(saved["orders"][1:], saved["details"][1:], strict=True)
            if _used(row) and not _waits(row)
        ),
        "stops": sorted(
            _stop(row, detail, top)
            for row, detail in zip(saved["orders"][1:], saved["details"][1:], strict=True)
            if _used(row) and _waits(row)
        ),
        "ties": sorted(
            (int(row["order_id"]), int(detail["link_id"]), int(detail["parent_id"]))
            for row, detail in zip(saved["orders"][1:], saved["details"][1:], strict=True)
            if _used(row) and (detail["link_id"] or detail["parent_id"])
        ),
        "halted": bool(saved["meta"]["halted"]),
        "assets": [
            (asset, *said[:3]) for asset, said in enumerate(saved["assets"].tolist()) if said[0]
        ],
        "limits": [_numbers(row, LIMIT_NAMES) for row in saved["limits"]],
        "timers": [tuple(pair) for pair in saved["timers"]["due_ns"].reshape(-1, 2).tolist()],
        "mmps": [
            [_numbers(row, MMP_NAMES) for row in rows]
            for rows in saved["mmps"].reshape(-1, QUOTE_GROUPS)
        ],
        "deals": [_deal(row) for row in _by_end(saved["deals"])],
        "asked": [_asked(row, engine.now_ns) for row in saved["dealers"]],
        "queues": [[int(row["order_id"]) for row in queue] for queue in queues],
    }


def _numbers(row: np.void, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(row[name]) for name in names)


def _used(row: np.void) -> bool:
    return bool(row["order_id"])


def _waits(row: np.void) -> bool:
    return bool(row["flags"] & UNTRIGGERED)


def _stop(row: np.void, detail: np.void, top: int) -> tuple[int, ...]:
    contract_idx, side = divmod(int(row["book_idx"]), 2)
    trigger, key = int(detail["trigger"]), int(row["key"])
    return (
        int(row["order_id"]), int(row["account_idx"]), contract_idx, side,
        int(row["leaves_lots"]), int(row["tif"]), int(row["stp"]), int(row["flags"]) & ~OF_THE_CORE,
        int(row["expires_ns"]), int(detail["order_type"]), trigger & 3,
        key if trigger & RISES else top - key, int(detail["limit_ticks"]),
        int(detail["offset_ticks"]), bool(trigger & TRAIL_IS_BPS),
    )  # fmt: skip


def _account(engine: Engine, idx: int) -> tuple[object, ...]:
    row = engine.account_row(idx)
    need = engine.requirement(idx)
    if row["im_bound_usd_micros"] < need:
        raise Disagreement(f"account {idx}: bound {row['im_bound_usd_micros']} below {need}")
    names = (
        "cash_usd_micros", "unsettled_usd_micros", "state", "last_ref_id", "gross_tick_value",
    )  # fmt: skip
    more = engine.state.collaterals[idx]
    counted = int(more["counted_usd_micros"])
    held = engine.state.holdings[idx * ASSETS_MAX : (idx + 1) * ASSETS_MAX].tolist()
    return (
        *(int(row[name]) for name in names), _price_loss(engine, idx, row) + counted, need, counted,
        int(more["last_charge_id"]), int(more["last_move_id"]), int(more["fee_rates"]),
        tuple((asset, *units) for asset, units in enumerate(held) if any(units)),
    )  # fmt: skip


def _price_loss(engine: Engine, idx: int, row: np.void) -> int:
    """Return what an account's orders lose, less what is counted; anew, if the core put it off."""
    if not row["limited"] & LOSSES_UNKNOWN:
        return int(row["claims_usd_micros"])
    s = engine.state
    loss = -int(s.collaterals[idx]["counted_usd_micros"])
    for order in s.orders[1 : s.meta[0]["orders_used"] + 1]:
        if _used(order) and not _waits(order) and order["account_idx"] == idx:
            ticks = int(s.books[order["book_idx"]]["mark_key"]) - int(order["key"])
            tick_value = int(s.contracts[order["book_idx"] >> 1]["tick_value_usd_micros"])
            loss += int(order["leaves_lots"]) * tick_value * max(0, ticks)
    return loss


def _contract(
    engine: Engine, day: np.void, idx: int, prices: list[list[int]]
) -> tuple[object, ...]:
    row, call = engine.contract_row(idx), engine.state.calls[idx]
    names = (
        "state", "mark_ticks", "settle_ticks", "last_trade_ticks", "tick_value_usd_micros",
        "band_bps", "band_low_ticks", "band_high_ticks", "protection_bps", "qty_max_lots",
    )  # fmt: skip
    return (
        *(int(row[name]) for name in names),
        int(engine.state.watches[idx]["index_ticks"]),
        int(row["open_interest_lots"]),
        tuple(int(row[f"symbol_{name}"]) for name in "abcd"),
        tuple(legs_of(engine.state, idx)),
        tuple(int(call[name]) for name in CALL_NAMES),
        tuple(int(call[name]) for name in GUARD_NAMES),
        (
            0 if row["legs_count"] else int(row["last_trade_ns"]),
            *(bool(flag) for flag in (row["timed"], row["ended"], call["guard_set"])),
            *(int(row[name]) for name in DELIVERY_NAMES),
        ),
        *(engine.depth(idx, side, len(prices[side])) for side in Side),
        *(int(day[name]) for name in DAY_NAMES),
    )


def _prices(queue: list[np.void], top: int) -> list[int]:
    """Return the prices at which orders of a queue rest."""
    return sorted({_price(row, top) for row in queue})


def _price(row: np.void, top: int) -> int:
    return top - int(row["key"]) if row["book_idx"] % 2 == Side.BUY else int(row["key"])


def _order(row: np.void, detail: np.void, top: int) -> tuple[int, ...]:
    contract_idx, side = divmod(int(row["book_idx"]), 2)
    return (
        int(row["order_id"]), int(row["account_idx"]), contract_idx, side, _price(row, top),
        *(int(row[name]) for name in ("leaves_lots", "filled_lots", "tif", "stp")),
        int(row["flags"]) & ~OF_THE_CORE, int(row["expires_ns"]),
        *(int(detail[name]) for name in ("display_lots", "shown_lots", "peg", "offset_ticks")),
    )  # fmt: skip


def _queue(resting: list[np.void], orders: np.ndarray, book_idx: int) -> list[np.void]:
    """Return the orders of a book by price, then time: along the links of each level."""
    heads = [row for row in resting if row["book_idx"] == book_idx and row["prev"] == 0]
    found = []
    for head in sorted(heads, key=lambda row: int(row["key"])):
        row = head
        while True:
            found.append(row)
            if row["next"] == 0:
                break
            row = orders[row["next"]]
    return found


def _by_end(deals: np.ndarray) -> list[np.void]:
    """Return the open deals along their links, what ends first in front."""
    row = next((row for row in deals[1:] if row["deal_id"] and row["prev"] == 0), None)
    found = []
    while row is not None:
        found.append(row)
        row = deals[row["next"]] if row["next"] else None
    return found


def _deal(row: np.void) -> tuple[int, ...]:
    return tuple(int(row[name]) for name in DEAL_NAMES)


def _asked(row: np.void, now_ns: int) -> int:
    return int(row["requests"]) if row["window"] == now_ns // REQUEST_WINDOW_NS else 0
