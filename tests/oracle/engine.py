"""The naive engine: the same door as the real one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from matching.codes import Code, Kind
from matching.limits import AFTERMATH_STEPS_MAX
from tests.oracle import (
    admin,
    amend,
    calls,
    collateral,
    combinations,
    deals,
    endings,
    ids,
    implied,
    life,
    lives,
    margins,
    orders,
    pegs,
    protect,
    quotes,
    stops,
    transfers,
)
from tests.oracle.events import Log
from tests.oracle.state import Capacity, Command, Exchange
from tests.oracle.view import state_view

RULES: dict[int, Callable[[Exchange, Log, Command], None]] = {
    Kind.TICK: admin.tick,
    Kind.OPEN_ACCOUNT: admin.open_account,
    Kind.SET_ACCOUNT: admin.set_account,
    Kind.DEPOSIT: admin.deposit,
    Kind.WITHDRAW: admin.withdraw,
    Kind.LIST: admin.list_contract,
    Kind.LIST_COMBINATION: combinations.list_combination,
    Kind.SET_IMPLIED: implied.set_implied,
    Kind.SET_STATE: admin.set_state,
    Kind.SET_BAND: admin.set_band,
    Kind.STAGE_SHOCKS: admin.stage_shocks,
    Kind.SWAP_SCENARIOS: admin.swap_scenarios,
    Kind.STAGE_ADDONS: margins.stage_addons,
    Kind.SET_LEVEL: margins.set_level,
    Kind.SET_PROFILE: margins.set_profile,
    Kind.SET_COVER: margins.set_cover,
    Kind.MARK: admin.mark,
    Kind.SETTLE: admin.settle,
    Kind.COLLECT: admin.collect,
    Kind.START_CALL: calls.start_call,
    Kind.END_CALL: calls.end_call,
    Kind.SET_GUARD: calls.set_guard,
    Kind.SET_LAST_TRADE: endings.set_last_trade,
    Kind.CLOSE_OUT: endings.close_out,
    Kind.SET_INDEX: admin.set_index,
    Kind.PLACE: orders.place,
    Kind.CANCEL: orders.cancel,
    Kind.AMEND: amend.amend,
    Kind.MASS_CANCEL: orders.mass_cancel,
    Kind.SET_LIMITS: protect.set_limits,
    Kind.CANCEL_ALL_AFTER: protect.cancel_all_after,
    Kind.KILL_ACCOUNT: protect.kill_account,
    Kind.HALT_EXCHANGE: protect.halt_exchange,
    Kind.TRANSFER_POSITION: transfers.transfer_position,
    Kind.TRANSFER_CASH: transfers.transfer_cash,
    Kind.CASCADE: life.cascade,
    Kind.ACCRUE: life.accrue,
    Kind.SWEEP: protect.sweep,
    Kind.QUOTE: quotes.quote,
    Kind.SET_MMP: quotes.set_mmp,
    Kind.RESET_MMP: quotes.reset_mmp,
    Kind.PROPOSE: deals.propose,
    Kind.ACCEPT: deals.accept,
    Kind.DECLINE: deals.decline,
    Kind.SET_BLOCKS: deals.set_blocks,
    Kind.REQUEST_QUOTES: deals.request_quotes,
    Kind.SET_COLLATERAL: collateral.set_collateral,
    Kind.CHARGE: collateral.charge,
    Kind.SET_FEES: collateral.set_fees,
    Kind.SEND_CASH: collateral.send_cash,
    Kind.MOVE_ASSET: collateral.move_asset,
    Kind.PRICE_ASSET: collateral.price_asset,
    Kind.TAKE_ASSET: collateral.take_asset,
}


class Oracle:
    """Applies stamped COMMAND rows, returns EVENT rows."""

    def __init__(self, capacity: Capacity | None = None) -> None:
        self.ex = Exchange(capacity or Capacity())

    @property
    def last_seq(self) -> int:
        return self.ex.last_seq

    def apply(self, commands: np.ndarray) -> np.ndarray:
        log = Log()
        for row in commands.tolist():
            self._apply_one(log, Command(*row))
        return log.as_array()

    def _apply_one(self, log: Log, cmd: Command) -> None:
        ex = self.ex
        assert cmd.seq == ex.last_seq + 1 and cmd.ts_ns >= ex.now_ns
        ex.last_seq, ex.now_ns, log.seq = cmd.seq, cmd.ts_ns, cmd.seq
        log.begun = len(log.rows)
        code = ids.judge_envelope(ex, cmd)
        if code != Code.OK:
            log.refuse(cmd, code)
        else:
            RULES[cmd.kind](ex, log, cmd)
        quotes.end_hits(ex, log)
        calls.follow_up(ex, log)
        ex.orders_valued = 0
        for _ in range(AFTERMATH_STEPS_MAX):
            if log.room(ex) <= 0 or ex.orders_valued >= ex.capacity.account_cancels:
                return
            if not step(ex, log):
                return
            quotes.end_hits(ex, log)
            calls.follow_up(ex, log)

    def state_view(self) -> dict[str, Any]:
        """Return all that must be equal in any engine with these rules."""
        return state_view(self.ex)


def step(ex: Exchange, log: Log) -> bool:
    """Do the next of what follows from commands; return False if nothing does."""
    if ex.lives_over:
        lives.step(ex, log)
    elif ex.pegs_waiting:
        pegs.move_next(ex, log)
    elif ex.implied_waiting:
        implied.step(ex, log)
    elif ex.work:
        stops.step(ex, log)
    elif ex.ending:
        admin.end_next(ex, log)
    else:
        return False
    return True
