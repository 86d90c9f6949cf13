"""The state in a form that any engine of these rules can be compared in."""

from dataclasses import astuple
from typing import Any

from matching.codes import Side
from tests.oracle import risk
from tests.oracle.book import best_first
from tests.oracle.deals import asked_now, by_end
from tests.oracle.state import Contract, Exchange, Order


def state_view(ex: Exchange) -> dict[str, Any]:
    return {
        "seq": ex.last_seq,
        "now_ns": ex.now_ns,
        "accounts": [account_view(ex, idx) for idx in range(len(ex.accounts))],
        "contracts": [contract_view(ex, idx) for idx in range(len(ex.contracts))],
        "positions": [
            (
                position.account_idx,
                position.contract_idx,
                position.qty_lots,
                position.resting_lots(Side.BUY),
                position.resting_lots(Side.SELL),
                position.unsettled_usd_micros,
            )
            for position in ex.positions
        ],
        "orders": [
            (order.order_id, order.account_idx, order.contract_idx, order.side,
             order.price_ticks, order.leaves_lots, order.filled_lots, order.tif, order.stp,
             order.flags, order.expires_ns, order.display_lots, order.shown_lots, order.peg,
             order.offset_ticks)
            for _, order in sorted(ex.orders.items())
            if order.stop is None
        ],
        "stops": [stop_view(order) for _, order in sorted(ex.orders.items()) if order.stop],
        "ties": [
            (order.order_id, order.link_id, order.parent_id)
            for _, order in sorted(ex.orders.items())
            if order.link_id or order.parent_id
        ],
        "halted": ex.halted,
        "limits": [
            (*account.limits, *account.taken, account.level_more_bps) for account in ex.accounts
        ],
        "assets": [(asset, *said) for asset, said in sorted(ex.assets.items())],
        "timers": [tuple(account.timers) for account in ex.accounts],
        "mmps": [[astuple(mmp) for mmp in account.mmps] for account in ex.accounts],
        "deals": [
            (deal.deal_id, deal.kind, deal.account_idx, deal.counterparty_idx, deal.contract_idx,
             deal.side, deal.price_ticks, deal.qty_lots, deal.expires_ns, deal.request_id)
            for deal in by_end(ex)
        ],
        "asked": [asked_now(ex, idx) for idx in range(len(ex.accounts))],
        "queues": [
            [order.order_id for order in best_first(ex, idx, side)]
            for idx in range(len(ex.contracts))
            for side in (Side.BUY, Side.SELL)
        ],
    }  # fmt: skip


def stop_view(order: Order) -> tuple[int, ...]:
    stop = order.stop
    assert stop is not None
    return (
        order.order_id, order.account_idx, order.contract_idx, order.side, order.leaves_lots,
        order.tif, order.stp, order.flags, order.expires_ns, stop.order_type, stop.source,
        stop.trigger_ticks, stop.limit_ticks, stop.offset, stop.in_bps,
    )  # fmt: skip


def account_view(ex: Exchange, idx: int) -> tuple[object, ...]:
    account = ex.accounts[idx]
    return (
        account.cash_usd_micros,
        account.unsettled_usd_micros,
        account.state,
        account.last_ref_id,
        risk.gross_tick_value(ex, idx),
        risk.price_loss(ex, idx),
        risk.requirement(ex, idx),
        account.counted_usd_micros,
        account.last_charge_id,
        account.last_move_id,
        account.fee_rates,
        tuple((asset, *held) for asset, held in sorted(account.holdings.items()) if any(held)),
    )


def contract_view(ex: Exchange, idx: int) -> tuple[object, ...]:
    contract = ex.contracts[idx]
    held = [position.qty_lots for position in ex.positions if position.contract_idx == idx]
    assert sum(held) == 0
    return (
        contract.state, contract.mark_for(Side.BUY), contract.settle_ticks,
        contract.last_trade_ticks,
        contract.tick_value_usd_micros, contract.band_bps, *ex.band(contract),
        contract.protection_bps, contract.qty_max_lots, contract.index_ticks,
        sum(lots for lots in held if lots > 0), contract.symbol,
        tuple((leg.contract_idx, leg.ratio) for leg in contract.legs),
        call_view(contract), guard_view(contract), ending_view(contract),
        depth(ex, idx, Side.BUY), depth(ex, idx, Side.SELL),
        contract.block_min_lots, contract.block_range_bps,
        min(contract.day_prices, default=0), max(contract.day_prices, default=0),
    )  # fmt: skip


def call_view(contract: Contract) -> tuple[int, ...]:
    """Return the call: phase, earliest end, and what was said last."""
    call = contract.call
    said = call.said if call.phase else (0, 0, 0)
    return call.phase, call.ends_after_ns, call.ends_before_ns, *said


def ending_view(contract: Contract) -> tuple[int, ...]:
    """Return when trading ends, by itself or not, if it has, if guards were set, and delivery."""
    ends_ns = 0 if contract.legs else contract.last_trade_ns  # theirs are their legs'
    delivery = (
        contract.delivers, contract.fine_usd_micros, contract.accruals, contract.days_fixed,
        contract.accrued_ns,
    )  # fmt: skip
    return ends_ns, contract.timed, contract.ended, contract.guard.was_set, *delivery


def guard_view(contract: Contract) -> tuple[int, ...]:
    guard = contract.guard
    return (
        guard.velocity_bps, guard.velocity_ns, guard.daily_bps, guard.daily_next_bps,
        guard.call_ns, guard.window_ns, contract.breaches,
    )  # fmt: skip


def depth(ex: Exchange, contract_idx: int, side: int) -> list[tuple[int, int, int]]:
    levels: dict[int, list[int]] = {}
    for order in best_first(ex, contract_idx, side):
        levels.setdefault(order.price_ticks, []).append(order.visible_lots)
    return [(price, sum(lots), len(lots)) for price, lots in levels.items()]
