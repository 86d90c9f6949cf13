"""The mirror's state in the oracle's words, to be compared."""

from typing import Any

from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.records import Contract
from matching.codes import Side
from matching.wire import unpack_text

UNKNOWN_TO_MIRROR = {"queues", "asked", "ties"}


CALL_NAMES = (
    "phase", "ends_after_ns", "ends_before_ns", "indicative_ticks", "indicative_lots",
    "imbalance_lots",
)  # fmt: skip
GUARD_NAMES = (
    "velocity_bps", "velocity_ns", "daily_bps", "daily_next_bps", "call_ns", "window_ns",
    "breaches",
)  # fmt: skip


def mirror_view(mirror: Mirror) -> dict[str, Any]:
    """Return what a mirror knows of the oracle's view; positions in order of their keys."""
    return {
        "seq": mirror.seq,
        "now_ns": mirror.ts_ns,
        "accounts": [_account(mirror, idx) for idx in range(len(mirror.accounts))],
        "contracts": [_contract(contract) for contract in mirror.contracts],
        "positions": sorted(
            (p.account_idx, p.contract_idx, p.qty_lots, p.buy_lots, p.sell_lots,
             p.unsettled_usd_micros)
            for account in mirror.accounts
            for p in account.positions.values()
        ),
        "orders": sorted(
            (o.order_id, o.account_idx, o.contract_idx, o.side, o.price_ticks, o.leaves_lots,
             o.filled_lots, o.tif, o.stp, o.flags, o.expires_ns, o.display_lots, o.shown_lots,
             o.peg, o.offset_ticks)
            for o in mirror.orders.values()
        ),
        "halted": mirror.halted,
        "assets": [(asset, *said) for asset, said in sorted(mirror.asset_prices.items())],
        "limits": [tuple(account.protections.limits) for account in mirror.accounts],
        "timers": [tuple(account.protections.timers_ns) for account in mirror.accounts],
        "mmps": [[tuple(mmp) for mmp in account.protections.mmps] for account in mirror.accounts],
        "deals": sorted(
            ((d.deal_id, d.kind, d.account_idx, d.counterparty_idx, d.contract_idx, d.side,
              d.price_ticks, d.qty_lots, d.expires_ns, d.request_id)
             for d in mirror.deals.open.values()),
            key=lambda deal: (deal[8], deal[0]),
        ),
        "stops": sorted(
            (o.order_id, o.account_idx, o.contract_idx, o.side, o.leaves_lots, o.tif, o.stp,
             o.flags, o.expires_ns, o.order_type, o.stop.source, o.stop.trigger_ticks,
             o.price_ticks, o.stop.offset, o.stop.in_bps)
            for o in mirror.stops.values()
            if o.stop
        ),
    }  # fmt: skip


def _account(mirror: Mirror, idx: int) -> tuple[object, ...]:
    account, margin = mirror.accounts[idx], margin_of(mirror, idx)
    gross = sum(
        _gross_tick_value(mirror.contracts[p.contract_idx])
        * (abs(p.qty_lots) + p.buy_lots + p.sell_lots)
        for p in account.positions.values()
    )
    return (
        account.cash_usd_micros, account.unsettled_usd_micros, account.state, account.last_ref_id,
        gross, margin.price_loss_usd_micros, margin.requirement.required_usd_micros,
        account.collateral.counted_usd_micros, account.collateral.last_charge_id,
        account.collateral.last_move_id, account.fee_rates,
        tuple((asset, *held) for asset, held in sorted(account.collateral.holdings.items())),
    )  # fmt: skip


def _gross_tick_value(contract: Contract) -> int:
    is_spread = [ratio for _, ratio in contract.legs] == [1, -1]
    return contract.tick_value_usd_micros * (2 if is_spread else 1)


def _contract(contract: Contract) -> tuple[object, ...]:
    return (
        contract.state, contract.mark_ticks, contract.settle_ticks, contract.last_trade_ticks,
        contract.tick_value_usd_micros, contract.band_bps, contract.band_low_ticks,
        contract.band_high_ticks, contract.protection_bps, contract.qty_max_lots,
        contract.index_ticks, contract.open_interest_lots, contract.symbol,
        tuple((leg.contract_idx, ratio) for leg, ratio in contract.legs),
        tuple(getattr(contract.call, name) for name in CALL_NAMES),
        tuple(getattr(contract.call, name) for name in GUARD_NAMES),
        (
            0 if contract.legs else contract.last_trade_ns, contract.timed, contract.ended,
            contract.call.guard_set, contract.delivery.phase, contract.fine_usd_micros,
            contract.delivery.accruals, contract.delivery.days_fixed, contract.delivery.accrued_ns,
        ),
        contract.books[Side.BUY].depth(1 << 30), contract.books[Side.SELL].depth(1 << 30),
        contract.block_min_lots, contract.block_range_bps, contract.day_low_ticks,
        contract.day_high_ticks,
    )  # fmt: skip


def oracle_view_for_mirror(view: dict[str, Any]) -> dict[str, Any]:
    """Return the oracle's view less what a mirror does not keep."""
    known = {name: value for name, value in view.items() if name not in UNKNOWN_TO_MIRROR}
    known["positions"] = sorted(view["positions"])
    known["limits"] = [limits[:5] for limits in view["limits"]]
    known["mmps"] = [[mmp[:5] for mmp in mmps] for mmps in view["mmps"]]
    known["contracts"] = [
        (*contract[:12], unpack_text(*contract[12]), *contract[13:])
        for contract in view["contracts"]
    ]
    return known
