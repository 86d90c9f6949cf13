"""The end of trading: a contract with a last moment of trading is halted by the first TICK there.

What rests is left to the command that ends the contract, so that the work of a TICK is bounded by
the contracts there are; a call that still runs then is uncrossed first. Only contracts whose last
moment was set by a command of its own end so: what an older journal says stays as it was.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.calls import leave_call
from matching.codes import CallPhase, EventKind, TradingState
from matching.emit import emit
from matching.peg_list import wake_pegs


@kernel
def waits_for_its_end(contract):
    """Return whether a TICK will end the trading of a contract."""
    waits = contract["timed"] != 0 and contract["ended"] == 0
    return waits and contract["state"] != TradingState.EXPIRED


@cold_kernel
def wake_for_end(s, contract_idx):
    """Have a TICK come when the trading of a contract ends."""
    meta, contract = s.meta[0], s.contracts[contract_idx]
    if waits_for_its_end(contract):
        ends_ns = np.int64(contract["last_trade_ns"])
        if meta["next_end_ns"] == 0 or ends_ns < meta["next_end_ns"]:
            meta["next_end_ns"] = ends_ns


@cold_kernel
def end_trading(s, contract_idx):
    """End a contract's trading: a call ends with its trades, then nothing is taken but cancels."""
    contract, call = s.contracts[contract_idx], s.calls[contract_idx]
    contract["ended"] = 1
    if call["phase"] != CallPhase.NONE:
        halted = s.meta[0]["halted"] != 0
        state = np.int64(TradingState.HALT) if halted else np.int64(call["after"])
        leave_call(s, contract_idx, state)
    contract["state"] = TradingState.HALT
    wake_pegs(s, contract_idx)
    emit(s, EventKind.TRADING_ENDED, 0, contract_idx)


@cold_kernel
def run_ends(s):
    """End the trading of every contract whose last moment has come, in the order of listing."""
    meta = s.meta[0]
    if meta["next_end_ns"] == 0 or meta["now_ns"] < meta["next_end_ns"]:
        return
    meta["next_end_ns"] = 0
    for contract_idx in range(meta["contracts_count"]):
        contract = s.contracts[contract_idx]
        if waits_for_its_end(contract) and contract["last_trade_ns"] <= meta["now_ns"]:
            end_trading(s, np.int64(contract_idx))
        wake_for_end(s, np.int64(contract_idx))
