"""Settlement prices as JSON, with what they were reached from."""

from typing import Any, Final

from api import codec
from api.answers import millis, times
from exchange.io.views import SettlementSeen
from exchange.rules import public_data
from exchange.rules.changes import SettlementSaid
from exchange.rules.money import div_half_even, usd_text
from exchange.rules.records import Contract
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import RULES, Evidence, SettlementRun, evidence_out
from exchange.rules.tenors import date_of

CYCLES: Final = ("daily", "midday", "mark", "member", "correction")


def settlement(contracts: list[Contract], seen: SettlementSeen, now_ns: int) -> dict[str, Any]:
    """Return a settlement, its revision, and what was seen of its contract."""
    row = seen.row
    known_rule = 0 < row.rule <= len(RULES)
    final = final_ns(row.due_ns) if row.due_ns else None
    return {
        "symbol": contracts[row.contract_idx].symbol,
        "date": date_of(row.due_ns or row.settled_ns).isoformat(),
        "cycle": CYCLES[row.cycle] if 0 <= row.cycle < len(CYCLES) else CYCLES[0],
        "due_ts": millis(row.due_ns) if row.due_ns else None,
        "revision": seen.revision,
        "superseded": seen.superseded,
        "final": final is not None and now_ns >= final and not seen.superseded,
        "final_ts": millis(final) if final is not None else None,
        "price": codec.price_out(row.price_ticks),
        "previous_price": codec.price_out(row.previous_ticks),
        "rule": RULES[row.rule - 1].value if known_rule else None,
        "source_symbol": _symbol(contracts, row.source - 1),
        "run": row.run or None,
        "inputs": inputs(contracts, seen.evidence) if seen.evidence else None,
        "last_price": public_data.price_or_none(row.last_trade_ticks),
        "volume": str(row.volume_lots),
        "open_interest": str(row.open_interest_lots),
        "paid": usd_text(row.paid_usd_micros),
        "seq": row.seq,
        **times(row.settled_ns),
    }


def said(contracts: list[Contract], one: SettlementSaid) -> dict[str, Any]:
    """Return a settlement as its command said it; the inputs are those of its `run`."""
    known_rule = 0 < one.rule <= len(RULES)
    return {
        "symbol": contracts[one.contract_idx].symbol,
        "date": date_of(one.due_ns).isoformat() if one.due_ns else None,
        "cycle": CYCLES[one.cycle] if 0 <= one.cycle < len(CYCLES) else CYCLES[0],
        "price": codec.price_out(one.price_ticks),
        "previous_price": codec.price_out(one.previous_ticks),
        "rule": RULES[one.rule - 1].value if known_rule else None,
        "source_symbol": _symbol(contracts, one.source_idx),
        "run": one.run or None,
        "seq": one.seq,
    }


def _symbol(contracts: list[Contract], contract_idx: int) -> str | None:
    known = 0 <= contract_idx < len(contracts)
    return contracts[contract_idx].symbol if known else None


def inputs(contracts: list[Contract], one: Evidence) -> dict[str, Any]:
    """Return what was seen of a contract, in decimals."""
    none = public_data.price_or_none
    return {
        "previous_price": codec.price_out(one.settle_ticks),
        "mark_price": codec.price_out(one.mark_ticks),
        "bid_price": none(one.bid_ticks),
        "ask_price": none(one.ask_ticks),
        "limit_bps": one.day_bps,
        "window_volume": str(one.lots),
        "window_vwap": none(div_half_even(one.tick_lots, one.lots)) if one.lots else None,
        "closing_price": none(one.closing_ticks),
        "said_price": none(one.said_ticks),
        "spreads": [
            {
                "near_symbol": contracts[spread.near_idx].symbol,
                "price": codec.price_out(spread.spread_ticks),
                "quantity": str(spread.lots),
                "months": spread.months,
            }
            for spread in one.spreads
        ],
    }


def run(one: SettlementRun) -> dict[str, Any]:
    """Return a run as it is hashed: whole ticks and lots."""
    return {
        "run": one.run_id,
        "due_ns": str(one.due_ns),
        "evidence": [evidence_out(seen) for seen in one.evidence],
        "note": one.note._asdict() if one.note else None,
    }
