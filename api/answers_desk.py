"""The risk desk as JSON: rows, totals, an account's drill-down, stories and what they do."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from api import answers
from api.desk import DeskRoom
from api.stories import Stories
from exchange.io.stress_results import StressResult
from exchange.io.views import LedgerEntry, TransferRow
from exchange.rules.desk import DeskRow, Totals
from exchange.rules.ledger_text import amount_text
from exchange.rules.money import price_text, usd_text
from exchange.rules.records import Contract
from exchange.rules.stress_play import Fate, Outcome, Struck


def row(one: DeskRow, room: DeskRoom, stories: Stories) -> dict[str, Any]:
    """Return an account at a glance."""
    need = one.required
    name, story = (None, None)
    if need.scenario is not None:
        name, story = stories.get(need.scenario, (None, None))
    return {
        "account_id": room.name(one.account_idx),
        "kind": room.kind(one.account_idx),
        "state": one.state.value,
        "cash": usd_text(one.cash_usd_micros),
        "equity": usd_text(one.equity_usd_micros),
        "initial_margin": usd_text(need.initial_usd_micros),
        "maintenance_margin": usd_text(need.maintenance_usd_micros),
        "used_bps": one.used_bps,
        "price_loss": usd_text(one.price_loss_usd_micros),
        "fee_reserve": usd_text(need.fee_reserve_usd_micros),
        "free": usd_text(one.free_usd_micros),
        "liquidity": usd_text(need.liquidity_usd_micros),
        "concentration": usd_text(need.concentration_usd_micros),
        "positions": len(one.lots),
        "orders": one.orders_count,
        "worst_scenario": need.scenario,
        "worst_name": name,
        "worst_story": story,
        "worst_loss": usd_text(need.worst_loss_usd_micros),
    }


def totals(one: Totals, insurance: DeskRow | None) -> dict[str, Any]:
    """Return all accounts together."""
    return {
        "accounts": one.accounts_count,
        "by_state": {state.value: count for state, count in one.by_state.items()},
        "cash": usd_text(one.cash_usd_micros),
        "equity": usd_text(one.equity_usd_micros),
        "initial_margin": usd_text(one.initial_usd_micros),
        "maintenance_margin": usd_text(one.maintenance_usd_micros),
        "liquidity": usd_text(one.liquidity_usd_micros),
        "concentration": usd_text(one.concentration_usd_micros),
        "missing": usd_text(one.missing_usd_micros),
        "insurance_fund": usd_text(insurance.equity_usd_micros) if insurance else None,
    }


def scenario_losses(contract: Contract, lots: int, shocks: Sequence[int]) -> dict[str, Any]:
    """Return what a position loses in each scenario."""
    return {
        "symbol": contract.symbol,
        "quantity": str(lots),
        "losses": [usd_text(-lots * shock) for shock in shocks],
    }


def posting(entry: LedgerEntry) -> dict[str, Any]:
    """Return a posting on an account's cash, with the transfer that it is a part of."""
    return {
        "transfer_id": str(entry.transfer_id),
        "version": entry.version,
        "seq": entry.seq,
        "leg": entry.leg,
        "reason": entry.reason,
        "ref_id": str(entry.ref_id),
        "amount": usd_text(entry.amount_usd_micros),
        "balance": usd_text(entry.balance_usd_micros),
        **answers.times(entry.ts_ns),
    }


def transfer(rows: Sequence[TransferRow]) -> dict[str, Any]:
    """Return a transfer with every posting of it; amounts in units of its asset."""
    first = rows[0]
    return {
        "transfer_id": str(first.transfer_id),
        "seq": first.seq,
        "leg": first.leg,
        "reason": first.reason,
        "ref_id": str(first.ref_id),
        **answers.times(first.ts_ns),
        "postings": [
            {
                "account": one.code,
                "account_id": one.account_id,
                "version": one.version,
                "amount": amount_text(one.code, one.amount_usd_micros),
                "balance": amount_text(one.code, one.balance_usd_micros),
            }
            for one in rows
        ],
    }


def outcome(one: Outcome, *, whole: bool) -> dict[str, Any]:
    """Return what a story does to all together."""
    return {
        "name": one.story.name,
        "story": one.story.row.story,
        "source": one.story.row.source,
        "mirrored": one.story.mirrored,
        "whole": whole,
        "accounts": len(one.accounts),
        "fates": {fate.value: one.fates[fate] for fate in Fate},
        "lost": usd_text(one.lost_usd_micros),
        "pnl_sum": usd_text(one.pnl_usd_micros),
        "shortfall": usd_text(one.shortfall_usd_micros),
        "beyond": usd_text(one.waterfall.loss_usd_micros),
        "house_pnl": usd_text(one.house_pnl_usd_micros),
        "house_result": usd_text(one.house_usd_micros),
        "uncovered": usd_text(one.waterfall.uncovered_usd_micros),
    }


def layers(one: Outcome, room: DeskRoom) -> list[dict[str, Any]]:
    """Return what each layer of the waterfall would give."""
    return [
        {
            "layer": use.layer.value,
            "party": room.name(int(use.party)) if use.party.isdigit() else use.party,
            "available": usd_text(use.available_usd_micros),
            "used": usd_text(use.used_usd_micros),
        }
        for use in one.waterfall.uses
    ]


def struck(one: Struck, room: DeskRoom) -> dict[str, Any]:
    """Return what a story does to an account."""
    return {
        "account_id": room.name(one.account_idx),
        "fate": one.fate.value,
        "pnl": usd_text(one.pnl_usd_micros),
        "collateral_change": usd_text(one.collateral_usd_micros),
        "equity_before": usd_text(one.before_usd_micros),
        "equity_after": usd_text(one.after_usd_micros),
        "initial_margin": usd_text(one.initial_usd_micros),
        "maintenance_margin": usd_text(one.maintenance_usd_micros),
        "shortfall": usd_text(one.shortfall_usd_micros),
    }


def move(contract: Contract, usd_micros: int) -> dict[str, Any]:
    """Return the price of a contract in a story."""
    ticks = usd_micros // contract.tick_value_usd_micros
    return {
        "symbol": contract.symbol,
        "mark_price": price_text(contract.mark_ticks),
        "stress_price": price_text(contract.mark_ticks + ticks),
    }


def stored(one: StressResult) -> dict[str, Any]:
    """Return a nightly result."""
    return {
        "day": str(date(1970, 1, 1) + timedelta(one.day)),
        "name": one.story,
        "whole": one.whole,
        "seq": one.seq,
        "accounts": one.accounts_count,
        "called": one.called_count,
        "liquidated": one.liquidated_count,
        "defaulted": one.defaulted_count,
        "lost": usd_text(one.lost_usd_micros),
        "shortfall": usd_text(one.shortfall_usd_micros),
        "beyond": usd_text(one.beyond_usd_micros),
        "house_result": usd_text(one.house_usd_micros),
        "uncovered": usd_text(one.uncovered_usd_micros),
    }
