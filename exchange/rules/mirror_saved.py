"""A mirror that starts from a saved state instead of from the first command."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exchange.rules.addons import Addon
from exchange.rules.call_records import Call
from exchange.rules.deals import Deal
from exchange.rules.holdings import AssetPrice, Held
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_notes import Entries, Facts, Notes
from exchange.rules.protections import Limits, Mmp
from exchange.rules.records import Account, Contract, Order
from exchange.rules.stops import stop_of
from matching.codes import MARKET_ORDER, OF_THE_CORE, RISES, UNTRIGGERED, OrderType, Side
from matching.limits import (
    ADDONS_BY_HAND,
    ASSETS_MAX,
    LEGS_MAX,
    LEVEL_BPS_MIN,
    QUOTE_GROUPS,
    SCENARIOS_MAX,
    TIMERS_PER_ACCOUNT,
)
from matching.wire import unpack_text

NO_WORDS = (0, 0, 0, 0)


def mirror_from_saved(
    saved: Mapping[str, Any],
    notes: Notes | None = None,
) -> Mirror:
    """Return the mirror of a state, as `matching.saved.unpack` gives it.

    A saved state holds no entry prices and no trades. Where the notes do not
    know a position, its lots count as entered at the last settlement, which is
    what the exchange itself holds them at. Orders that they do not know have no
    time of creation without a client id, and with fills no average price
    (`fills_known`).
    """
    notes = notes or Notes()
    mirror = Mirror(saved["meta"]["price_bits"])
    mirror.seq, mirror.ts_ns = saved["meta"]["seq"], saved["meta"]["now_ns"]
    mirror.halted = bool(saved["meta"]["halted"])
    _accounts(mirror, saved["accounts"])
    _collateral(mirror, saved)
    _protections(mirror, saved)
    _contracts(mirror, saved)
    _positions(mirror, saved["positions"], notes.entries)
    for row, lots in zip(saved["positions"][1:], saved["covers"][1:].tolist(), strict=True):
        mirror.open_position(int(row["account_idx"]), int(row["contract_idx"])).cover_lots = lots
    _orders(mirror, saved, notes.orders)
    _deals(mirror, saved["deals"], notes.deals)
    return mirror


def _accounts(mirror: Mirror, rows: np.ndarray) -> None:
    for account_idx, row in enumerate(rows):
        account = Account(account_idx)
        account.cash_usd_micros = int(row["cash_usd_micros"])
        account.unsettled_usd_micros = int(row["unsettled_usd_micros"])
        account.last_ref_id = int(row["last_ref_id"])
        account.state = int(row["state"])
        mirror.accounts.append(account)


def _collateral(mirror: Mirror, saved: Mapping[str, Any]) -> None:
    for asset, said in enumerate(saved["assets"].tolist()):
        if said[0]:
            mirror.asset_prices[asset] = AssetPrice(*said[:3])
    holdings = saved["holdings"].reshape(-1, ASSETS_MAX).tolist()
    for account, row, held in zip(mirror.accounts, saved["collaterals"], holdings, strict=True):
        collateral = account.collateral
        for name in ("counted_usd_micros", "last_charge_id", "last_move_id"):
            setattr(collateral, name, int(row[name]))
        account.fee_rates = int(row["fee_rates"])
        collateral.holdings = {
            asset: Held(*units) for asset, units in enumerate(held) if any(units)
        }


def _protections(mirror: Mirror, saved: Mapping[str, Any]) -> None:
    timers = saved["timers"]["due_ns"].reshape(-1, TIMERS_PER_ACCOUNT).tolist()
    groups = saved["mmps"].reshape(-1, QUOTE_GROUPS)
    for account, limits, due_ns, mmps in zip(
        mirror.accounts, saved["limits"], timers, groups, strict=True
    ):
        account.protections.limits = Limits(*(int(limits[name]) for name in Limits._fields))
        account.profile = int(saved["profiles"][account.account_idx])
        account.level_bps = LEVEL_BPS_MIN + int(limits["level_more_bps"])
        account.protections.timers_ns = due_ns
        account.protections.mmps = [_mmp(row) for row in mmps]


def _addon(row: np.void) -> Addon:
    return Addon(*(int(row[name]) for name in Addon._fields))


def _mmp(row: np.void) -> Mmp:
    window_ns, qty, delta, fills = (int(row[name]) for name in Mmp._fields[:-1])
    return Mmp(window_ns, qty, delta, fills, bool(row["frozen"]))


def _contracts(mirror: Mirror, saved: Mapping[str, Any]) -> None:
    meta = saved["meta"]
    mirror.scenario_count, mirror.worst_count = meta["scenarios_count"], meta["worst_count"]
    mirror.stress_count, mirror.floor_count = meta["stress_count"], meta["floor_count"]
    mirror.kept_bps = meta["kept_bps"]
    mirror.addons = [_addon(row) for row in saved["addons"]]
    mirror.joints = saved["joints"].tolist()
    mirror.addons_staged = [_addon(row) for row in saved["addons_staged"]]
    by_hand = saved["addons_staged"]["unit_usd_micros"] == ADDONS_BY_HAND
    mirror.addons_by_hand = set(np.flatnonzero(by_hand).tolist())
    for contract_idx, row in enumerate(saved["contracts"]):
        words = (int(row[f"symbol_{name}"]) for name in "abcd")
        contract = Contract(contract_idx, unpack_text(*words))
        for name in (
            "tick_value_usd_micros", "mark_ticks", "settle_ticks", "band_bps", "band_low_ticks",
            "band_high_ticks", "last_trade_ticks", "last_trade_ns", "open_interest_lots",
            "protection_bps", "qty_max_lots", "state", "fine_usd_micros",
        ):  # fmt: skip
            setattr(contract, name, int(row[name]))
        contract.timed, contract.ended = bool(row["timed"]), bool(row["ended"])
        contract.delivery.phase = int(row["delivers"])
        for name in ("accruals", "accrued_ns", "days_fixed"):
            setattr(contract.delivery, name, int(row[name]))
        day = saved["days"][contract_idx]
        contract.implied = bool(row["legs_count"] and row["implied"])
        contract.block_min_lots = int(day["block_min_lots"])
        contract.block_range_bps = int(day["block_range_bps"])
        contract.day_low_ticks = int(day["low_ticks"])
        contract.day_high_ticks = int(day["high_ticks"])
        _call(contract.call, saved["calls"][contract_idx])
        contract.index_ticks = int(saved["watches"][contract_idx]["index_ticks"])
        mirror.contracts.append(contract)
        named = saved["legs"][contract_idx * LEGS_MAX :][: int(row["legs_count"])]
        mirror.join_legs(contract, [(int(leg["contract_idx"]), int(leg["ratio"])) for leg in named])
        mirror.symbols[contract.symbol] = contract_idx
        mirror.shocks.append(saved["shocks"][contract_idx][: mirror.scenario_count].tolist())
        staged = saved["staged"][contract_idx].tolist()
        mirror.shocks_staged.append(staged + [0] * (SCENARIOS_MAX - len(staged)))


def _call(call: Call, row: np.void) -> None:
    for name in (
        "phase", "ends_after_ns", "ends_before_ns", "indicative_ticks", "indicative_lots",
        "imbalance_lots",
        "velocity_bps", "velocity_ns", "daily_bps", "daily_next_bps", "call_ns", "window_ns",
    ):  # fmt: skip
        setattr(call, name, int(row[name]))
    call.breaches = int(row["daily_stage"])
    call.guard_set = bool(row["guard_set"])


def _positions(mirror: Mirror, rows: np.ndarray, entries: Entries) -> None:
    for row in rows[1:]:
        account_idx, contract_idx = int(row["account_idx"]), int(row["contract_idx"])
        position = mirror.open_position(account_idx, contract_idx)
        position.qty_lots = int(row["qty_lots"])
        position.unsettled_usd_micros = int(row["unsettled_usd_micros"])
        contract = mirror.contracts[contract_idx]
        value_usd_micros = contract.worth_usd_micros * position.qty_lots
        position.entry_usd_micros, position.realised_usd_micros = entries.get(
            (account_idx, contract_idx), (value_usd_micros - position.unsettled_usd_micros, 0)
        )


def _know(item: Order | Deal, facts: Mapping[str, int]) -> None:
    """Take over what was noted of an order or a deal."""
    for name, value in facts.items():
        setattr(item, name, value)


def _orders(mirror: Mirror, saved: Mapping[str, Any], facts: Facts) -> None:
    """Open the orders, the oldest first."""
    used = [slot for slot, row in enumerate(saved["orders"]) if slot and row["order_id"] != 0]
    for slot in sorted(used, key=lambda slot: int(saved["orders"][slot]["order_id"])):
        row = saved["orders"][slot]
        order = _order(slot, saved, mirror.price_ticks_max)
        if row["flags"] & UNTRIGGERED:
            _make_stop(order, int(row["key"]), saved["details"][slot], mirror.price_ticks_max)
        _know(order, facts.get(order.order_id, {}))
        if order.stop is not None:
            mirror.open_stop(order)
        else:
            mirror.open_order(order)


def _make_stop(order: Order, key: int, detail: np.void, price_ticks_max: int) -> None:
    """Let an order wait for the price that its detail says."""
    trigger = int(detail["trigger"])
    trigger_ticks = key if trigger & RISES else price_ticks_max - 1 - key
    order.order_type, order.price_ticks = int(detail["order_type"]), int(detail["limit_ticks"])
    order.stop = stop_of(trigger, trigger_ticks)
    order.stop.offset = int(detail["offset_ticks"])
    order.stop.asleep = order.leaves_lots == 0


def _order(slot: int, saved: Mapping[str, Any], price_ticks_max: int) -> Order:
    row, detail = saved["orders"][slot], saved["details"][slot]
    order = Order()
    order.order_id = int(row["order_id"])
    order.account_idx = int(row["account_idx"])
    order.contract_idx, order.side = divmod(int(row["book_idx"]), 2)
    key = int(row["key"])
    order.price_ticks = price_ticks_max - 1 - key if order.side == Side.BUY else key
    order.leaves_lots = int(row["leaves_lots"])
    order.filled_lots = int(row["filled_lots"])
    order.qty_lots = order.leaves_lots + order.filled_lots
    order.filled_tick_lots, order.fills_known = 0, order.filled_lots == 0
    # A market order rests only in a call.
    order.order_type = OrderType.MARKET if row["flags"] & MARKET_ORDER else OrderType.LIMIT
    order.tif, order.stp = int(row["tif"]), int(row["stp"])
    order.flags = int(row["flags"]) & ~OF_THE_CORE
    order.display_lots, order.shown_lots = int(detail["display_lots"]), int(detail["shown_lots"])
    order.peg = int(detail["peg"])
    order.offset_ticks = int(detail["offset_ticks"]) if order.peg else 0  # else that of a trail
    order.link_id, order.parent_id = int(detail["link_id"]), int(detail["parent_id"])
    if order.peg:
        order.order_type = OrderType.PEGGED
    order.expires_ns = int(row["expires_ns"])
    order.cancelled_lots = order.code = 0
    order.client_words, order.created_ns, order.stop = NO_WORDS, 0, None
    if row["client_idx"] != 0:
        named = saved["client_ids"][int(row["client_idx"])]
        a, b, c, d = (int(named[f"client_{name}"]) for name in "abcd")
        order.client_words, order.created_ns = (a, b, c, d), int(named["accepted_ns"])
    order.updated_ns = order.created_ns
    order.updated_seq = 0
    return order


def _deals(mirror: Mirror, rows: np.ndarray, facts: Facts) -> None:
    """Open the deals, the oldest first."""
    open_rows = [row for row in rows[1:] if row["deal_id"] != 0]
    for row in sorted(open_rows, key=lambda row: int(row["deal_id"])):
        deal = Deal()
        for name in (
            "deal_id", "kind", "account_idx", "counterparty_idx", "contract_idx", "side",
            "price_ticks", "qty_lots", "expires_ns", "request_id", "created_ns",
        ):  # fmt: skip
            setattr(deal, name, int(row[name]))
        a, b, c, d = (int(row[f"client_{name}"]) for name in "abcd")
        deal.client_words = (a, b, c, d)
        deal.updated_ns, deal.updated_seq = deal.created_ns, 0
        _know(deal, facts.get(deal.deal_id, {}))
        mirror.deals.add(deal)
