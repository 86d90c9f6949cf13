"""Commands of the exchange itself: listing, states, bands, marks, settlement, margin, time.

Each function returns COMMAND rows with origin 0 and no `seq` or `ts_ns`: the
sequencer stamps them.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from exchange.rules.addons import Addon
from exchange.rules.contracts import QTY_MAX_LOTS, Contract, band_bps
from exchange.rules.settlement_run import RULES, Settled, run_words
from exchange.rules.tenors import TENOR_ROW
from matching.codes import CALL_IF_DUE, CallPhase, Cycle, Kind, Profile, TradingState
from matching.limits import ADDONS_BY_HAND, SHOCKS_PER_COMMAND
from matching.wire import (
    SHOCK_WORD,
    command_words,
    new_commands,
    pack_halves,
    pack_legs,
    pack_text,
)

BLOCK_RANGE_BPS: Final = 200  # beyond the prices of the day


def tick_command() -> np.ndarray:
    """Return one TICK: time passes, and orders may expire."""
    return _one(Kind.TICK, 0)


def list_command(
    contract_idx: int, contract: Contract, price_ticks: int, on: date, state: TradingState
) -> np.ndarray:
    """Return the LIST of a contract.

    Args:
        contract_idx: the next free one.
        price_ticks: its first mark.
        on: the day, which decides the width of the band.
    """
    rows = _one(Kind.LIST, contract_idx)
    row = rows[0]
    row["client_a"], row["client_b"], row["client_c"], row["client_d"] = pack_text(contract.symbol)
    row["price_ticks"] = price_ticks
    row["amount_usd_micros"] = contract.tick_value_usd_micros
    row["qty_lots"] = QTY_MAX_LOTS
    row["order_id"] = band_bps(contract.period, on)
    row["state"] = state
    row["expires_ns"] = contract.last_trade_ns
    least_lots = TENOR_ROW[contract.period.tenor].block_min_lots
    row["ref_id"] = pack_halves(least_lots, BLOCK_RANGE_BPS if least_lots else 0)
    return rows


def list_combination_command(
    contract_idx: int, symbol: str, legs: list[tuple[int, int]], band: int, *, implied: bool = True
) -> np.ndarray:
    """Return the LIST_COMBINATION of legs, each (contract_idx, ratio); it trades at once.

    Args:
        band: basis points of the mean of the legs' marks.
        implied: its orders trade with those of its legs.
    """
    rows = _one(Kind.LIST_COMBINATION, contract_idx)
    row = rows[0]
    row["client_a"], row["client_b"], row["client_c"], row["client_d"] = pack_text(symbol)
    for name, word in pack_legs(legs).items():
        row[name] = word
    row["qty_lots"] = QTY_MAX_LOTS
    row["order_id"] = band
    row["state"] = TradingState.CONTINUOUS
    row["ref_id"] = implied
    return rows


def implied_command(contract_idx: int, *, on: bool) -> np.ndarray:
    """Return a SET_IMPLIED: whether a combination's orders trade with those of its legs."""
    rows = _one(Kind.SET_IMPLIED, contract_idx)
    rows["state"] = int(on)
    return rows


def state_command(contract_idx: int, state: TradingState) -> np.ndarray:
    """Return a SET_STATE."""
    rows = _one(Kind.SET_STATE, contract_idx)
    rows["state"] = state
    return rows


def band_command(contract_idx: int, width_bps: int) -> np.ndarray:
    """Return a SET_BAND."""
    rows = _one(Kind.SET_BAND, contract_idx)
    rows["order_id"] = width_bps
    return rows


def start_call_command(
    contract_idx: int,
    phase: CallPhase,
    ends_after_ns: int,
    window_ns: int,
    *,
    if_due: bool = False,
) -> np.ndarray:
    """Return a START_CALL; it ends at a drawn time within the window, or by command without one.

    Args:
        if_due: refused unless the contract waits to open, or trades, as its phase wants it.
    """
    rows = _one(Kind.START_CALL, contract_idx)
    rows["state"] = phase
    rows["expires_ns"] = ends_after_ns
    rows["amount_usd_micros"] = window_ns
    rows["flags"] = CALL_IF_DUE if if_due else 0
    return rows


def end_call_command(contract_idx: int) -> np.ndarray:
    """Return an END_CALL."""
    return _one(Kind.END_CALL, contract_idx)


def guard_command(
    contract_idx: int,
    *,
    velocity_bps: int,
    velocity_ns: int,
    daily_bps: tuple[int, int],
    call_ns: int,
    window_ns: int,
) -> np.ndarray:
    """Return a SET_GUARD; zeros are no guard, `daily_bps` is the first limit and the next."""
    rows = _one(Kind.SET_GUARD, contract_idx)
    rows["price_ticks"] = velocity_bps
    rows["amount_usd_micros"] = velocity_ns
    rows["order_id"] = pack_halves(*daily_bps)
    rows["expires_ns"] = call_ns
    rows["qty_lots"] = window_ns
    return rows


def last_trade_command(contract_idx: int, ends_ns: int) -> np.ndarray:
    """Return a SET_LAST_TRADE: the core ends trading then; 0 for never."""
    rows = _one(Kind.SET_LAST_TRADE, contract_idx)
    rows["expires_ns"] = ends_ns
    return rows


def close_out_command(contract_idx: int) -> np.ndarray:
    """Return a CLOSE_OUT: nobody holds anything of an expired contract any more."""
    return _one(Kind.CLOSE_OUT, contract_idx)


def mark_command(contract_idx: int, price_ticks: int) -> np.ndarray:
    """Return a MARK."""
    rows = _one(Kind.MARK, contract_idx)
    rows["price_ticks"] = price_ticks
    return rows


def index_command(contract_idx: int, price_ticks: int) -> np.ndarray:
    """Return a SET_INDEX."""
    rows = _one(Kind.SET_INDEX, contract_idx)
    rows["price_ticks"] = price_ticks
    return rows


def settle_command(one: Settled, due_ns: int = 0, run_id: str = "") -> np.ndarray:
    """Return the SETTLE of a contract.

    Args:
        due_ns: the moment it is settled for.
        run_id: names what the price comes from, "" for nothing that is kept.
    """
    rows = _one(Kind.SETTLE, one.contract_idx)
    row = rows[0]
    row["price_ticks"] = one.price_ticks
    row["state"] = RULES.index(one.rule) + 1
    row["order_id"] = one.source_idx + 1
    row["expires_ns"] = due_ns
    if run_id:
        words = run_words(run_id)
        row["client_a"], row["client_b"], row["client_c"], row["client_d"] = words
    return rows


def collect_command(contract_idx: int, cycle: Cycle, due_ns: int = 0) -> np.ndarray:
    """Return the COLLECT of a contract: its variation margin is paid at the mark.

    Args:
        due_ns: the moment it is for, of a cycle that has one.
    """
    rows = _one(Kind.COLLECT, contract_idx)
    rows["state"] = cycle
    rows["expires_ns"] = due_ns
    return rows


def correct_command(
    one: Settled, replaced_ticks: int, due_ns: int, final_ns: int, run_id: str
) -> np.ndarray:
    """Return the COLLECT that corrects the last settlement price of a contract.

    Args:
        one: the price that is right, and how it was found.
        replaced_ticks: the price that was wrong: the core refuses if the last one is another.
        final_ns: from then on the price stays.
        run_id: names what the price comes from.
    """
    rows = settle_command(one, due_ns, run_id)
    row = rows[0]
    row["kind"], row["state"] = Kind.COLLECT, Cycle.CORRECTION
    row["ref_id"] = RULES.index(one.rule) + 1
    row["qty_lots"], row["amount_usd_micros"] = replaced_ticks, final_ns
    return rows


def stage_commands(contract_idx: int, shocks_usd_micros: Sequence[int]) -> np.ndarray:
    """Return the STAGE_SHOCKS of one contract: the profit of one long lot in each scenario."""
    assert len(shocks_usd_micros) % SHOCKS_PER_COMMAND == 0
    rows = new_commands(len(shocks_usd_micros) // SHOCKS_PER_COMMAND)
    rows["kind"] = Kind.STAGE_SHOCKS
    rows["contract_idx"] = contract_idx
    rows["order_id"] = np.arange(len(rows)) * SHOCKS_PER_COMMAND
    words = command_words(rows)
    words[:, SHOCK_WORD : SHOCK_WORD + SHOCKS_PER_COMMAND] = np.array(
        shocks_usd_micros, np.int64
    ).reshape(-1, SHOCKS_PER_COMMAND)
    return rows


def addons_command(contract_idx: int, addon: Addon, *, by_hand: bool = False) -> np.ndarray:
    """Return the STAGE_ADDONS of one contract; the nightly run leaves alone what is by hand."""
    rows = _one(Kind.STAGE_ADDONS, contract_idx)
    rows["state"] = ADDONS_BY_HAND if by_hand else 0
    words = ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns", "client_a", "client_b")
    for word, value in zip(words, addon, strict=True):
        rows[word] = value
    return rows


def level_command(account_idx: int, level_bps: int) -> np.ndarray:
    """Return a SET_LEVEL."""
    rows = _one(Kind.SET_LEVEL, 0)
    rows["account_idx"] = account_idx
    rows["order_id"] = level_bps
    return rows


def profile_command(account_idx: int, profile: Profile) -> np.ndarray:
    """Return a SET_PROFILE."""
    rows = _one(Kind.SET_PROFILE, 0)
    rows["account_idx"] = account_idx
    rows["state"] = profile
    return rows


def cover_command(account_idx: int, contract_idx: int, cover_lots: int) -> np.ndarray:
    """Return a SET_COVER: lots that an account's pledged capacity covers, 0 for none."""
    rows = _one(Kind.SET_COVER, contract_idx)
    rows["account_idx"] = account_idx
    rows["qty_lots"] = cover_lots
    return rows


def swap_command(scenario_count: int, worst_count: int, kept_bps: int = 0) -> np.ndarray:
    """Return the SWAP_SCENARIOS that makes everything staged live at once.

    Args:
        kept_bps: the share of the standalone sum that no offset removes.
    """
    rows = _one(Kind.SWAP_SCENARIOS, 0)
    rows["qty_lots"] = scenario_count
    rows["order_id"] = worst_count
    rows["ref_id"] = kept_bps
    return rows


def _one(kind: Kind, contract_idx: int) -> np.ndarray:
    rows = new_commands(1)
    rows["kind"] = kind
    rows["contract_idx"] = contract_idx
    return rows
