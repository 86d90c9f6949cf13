"""Margin calls, liquidations and drills as JSON."""

from collections.abc import Mapping
from typing import Any

from api import answers
from exchange.io.defaults import CallSeen, LiquidationSeen, MoveSeen, UseSeen
from exchange.rules.changes import LiquidationSaid
from exchange.rules.drill import DrillResult
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.money import price_text, usd_text
from exchange.rules.waterfall import LAYER_AT
from matching.codes import LiquidationStep, MoveReason, Side


def liquidation(row: LiquidationSeen) -> dict[str, Any]:
    """Return a liquidation."""
    ended = row.ended_ns is not None
    return {
        "liquidation_id": str(row.liquidation_id),
        "account_id": row.account_id,
        "begun_ts": answers.millis(row.begun_ns),
        "ended_ts": answers.millis(row.ended_ns or 0) if ended else None,
        "equity": usd_text(row.equity_usd_micros),
        "initial_margin": usd_text(row.initial_usd_micros),
        "maintenance_margin": usd_text(row.maintenance_usd_micros),
        "end_equity": usd_text(row.end_equity_usd_micros or 0) if ended else None,
    }


def move(row: MoveSeen) -> dict[str, Any]:
    """Return lots that were moved."""
    return {
        "seq": row.seq,
        "ts": answers.millis(row.ts_ns),
        "reason": MoveReason(row.reason).name.lower(),
        "symbol": row.symbol,
        "from_account_id": row.giver_id,
        "to_account_id": row.receiver_id,
        "side": Side(row.side).name.lower(),
        "price": price_text(row.price_ticks),
        "quantity": str(row.qty_lots),
    }


def layer_use(row: UseSeen) -> dict[str, Any]:
    """Return money that was moved."""
    return {
        "seq": row.seq,
        "ts": answers.millis(row.ts_ns),
        "layer": LAYER_AT[row.layer].name.value if row.layer else None,
        "from_account_id": row.giver_id,
        "to_account_id": row.receiver_id,
        "amount": usd_text(row.amount_usd_micros),
    }


def call(row: CallSeen) -> dict[str, Any]:
    """Return a margin call."""
    return {
        "call_id": str(row.call_id),
        "account_id": row.account_id,
        "amount": usd_text(row.amount_usd_micros),
        "met": usd_text(row.met_usd_micros),
        "state": row.state,
        "issued_ts": answers.millis(row.issued_ns),
        "due_ts": answers.millis(row.due_ns),
        "reminders": row.reminders,
    }


def going(one: Liquidation) -> dict[str, Any]:
    """Return a liquidation that goes on, as its channel begins with it."""
    return {
        "event": "going_on",
        "liquidation_id": str(one.liquidation_id),
        "begun_ts": answers.millis(one.begun_ns),
    }


def liquidation_said(one: LiquidationSaid) -> dict[str, Any]:
    """Return the begin or the end of a liquidation, and what it was judged by."""
    return {
        "event": LiquidationStep(one.step).name.lower(),
        "liquidation_id": str(one.liquidation_id),
        "equity": usd_text(one.equity_usd_micros),
        "initial_margin": usd_text(one.initial_usd_micros),
        "maintenance_margin": usd_text(one.maintenance_usd_micros),
        "seq": one.seq,
        **answers.times(one.ts_ns),
    }


def drill(
    account_id: str, result: DrillResult, scenario: str, parties: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a default would cost, layer by layer; `parties` are public ids by slot."""
    standing = result.standing
    return {
        "account_id": account_id,
        "equity": usd_text(standing.equity_usd_micros),
        "initial_margin": usd_text(standing.initial_usd_micros),
        "maintenance_margin": usd_text(standing.maintenance_usd_micros),
        "scenario": scenario,
        "stress_loss": usd_text(result.stress_loss_usd_micros),
        "loss": usd_text(result.waterfall.loss_usd_micros),
        "layers": [
            {
                "layer": use.layer.value,
                "party": parties.get(use.party, use.party),
                "available": usd_text(use.available_usd_micros),
                "used": usd_text(use.used_usd_micros),
            }
            for use in result.waterfall.uses
        ],
        "uncovered": usd_text(result.waterfall.uncovered_usd_micros),
        "auction": None
        if result.auction is None
        else [
            {
                "lot": lot.name,
                "offered": str(lot.offered_lots),
                "taken": str(lot.taken_lots),
                "reserve": usd_text(lot.reserve_usd_micros),
                "cost": usd_text(lot.cost_usd_micros),
            }
            for lot in result.auction
        ],
    }
