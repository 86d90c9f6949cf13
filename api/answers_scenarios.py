"""Sets of margin scenarios as the API shows them."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api import answers
from exchange.io.scenario_store import SetDocument, SetRow
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.scenario_dry_run import DryRun, Effect
from exchange.rules.scenarios import matrix_hash

ACCOUNTS_SHOWN = 1000


def set_row(one: SetRow) -> dict[str, Any]:
    """Return a set without its rows."""
    return {
        "set_id": str(one.set_id),
        "day": one.day.isoformat(),
        "inputs_hash": one.inputs_hash,
        "rows_hash": one.rows_hash,
        "matrix_hash": one.matrix_hash,
        "scenario_count": one.scenario_count,
        "worst_count": one.worst_count,
        "error_max_ppm": one.error_max_ppm,
        "built_ts": answers.millis(one.built_at_ns),
        "chosen_ts": None if one.chosen_at_ns is None else answers.millis(one.chosen_at_ns),
    }


def set_document(one: SetDocument, addons: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a set with every row and its story, and its add-ons."""
    return {
        "set_id": str(one.set_id),
        "built_ts": answers.millis(one.built_at_ns),
        "chosen_ts": None if one.chosen_at_ns is None else answers.millis(one.chosen_at_ns),
        **one.document,
        "addons": addons,
    }


def live(state: MirrorState, chosen_id: int | None) -> dict[str, Any]:
    """Return what the exchange margins with now."""
    matrix = live_matrix(state)
    return {
        "set_id": None if chosen_id is None else str(chosen_id),
        "scenario_count": state.scenario_count,
        "worst_count": state.worst_count,
        "matrix_hash": matrix_hash(matrix),
    }


def live_matrix(state: MirrorState) -> Mapping[str, Sequence[int]]:
    """Return the live matrix by symbol; contracts that have ended have none."""
    return {
        one.symbol: state.shocks[one.contract_idx]
        for one in state.contracts
        if any(state.shocks[one.contract_idx])
    }


def matrix(symbols: Sequence[str], rows: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return a matrix in micro-dollars as text, with its hash."""
    by_symbol = dict(zip(symbols, rows, strict=True))
    return {
        "matrix_hash": matrix_hash(by_symbol),
        "scenario_count": len(rows[0]) if rows else 0,
        "contracts": [
            {"symbol": symbol, "shocks_usd_micros": [str(shock) for shock in shocks]}
            for symbol, shocks in by_symbol.items()
        ],
    }


def matrix_csv(symbols: Sequence[str], rows: Sequence[Sequence[int]]) -> bytes:
    """Return a matrix as CSV: a line a contract, a column a scenario, micro-dollars."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    count = len(rows[0]) if rows else 0
    lines.writerow(["symbol", *range(count)])
    for symbol, shocks in zip(symbols, rows, strict=True):
        lines.writerow([symbol, *shocks])
    return text.getvalue().encode("ascii")


def lists_of(rows: np.ndarray) -> list[list[int]]:
    """Return an array as lists of whole numbers."""
    found: list[list[int]] = rows.tolist()
    return found


def dry_run(found: DryRun, names: Mapping[int, str]) -> dict[str, Any]:
    """Return what a swap would do; the accounts that fall short, the largest shortfall first."""
    return {
        "as_of_seq": found.seq,
        "accounts_count": found.accounts_count,
        "short_count": len(found.short),
        "required_before": usd_text(found.before_usd_micros),
        "required_after": usd_text(found.after_usd_micros),
        "shortfall": usd_text(found.shortfall_usd_micros),
        "short": [
            _effect(one, names.get(one.account_idx, str(one.account_idx)))
            for one in found.short[:ACCOUNTS_SHOWN]
        ],
    }


def _effect(one: Effect, account_id: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "equity": usd_text(one.equity_usd_micros),
        "price_loss": usd_text(one.price_loss_usd_micros),
        "required_before": usd_text(one.before_usd_micros),
        "required_after": usd_text(one.after_usd_micros),
        "shortfall": usd_text(one.shortfall_usd_micros),
        "was_short": one.was_short,
    }
