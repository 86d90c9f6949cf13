"""What a mirror keeps of protections: limits, timers, quote groups, the halt."""

from typing import Any

from exchange.rules.mirror_state import MirrorState
from exchange.rules.protections import Limits, Mmp
from matching.codes import AccountState, Kind
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _KIND, _STATE = (_FIELD[name] for name in ("ts_ns", "kind", "state"))
_ORDER_ID, _PRICE, _QTY = (_FIELD[name] for name in ("order_id", "price_ticks", "qty_lots"))
_AMOUNT, _EXPIRES, _REF = (_FIELD[name] for name in ("amount_usd_micros", "expires_ns", "ref_id"))
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE_E, _ACCOUNT_E, _QTY_E = _E["side"], _E["account_idx"], _E["qty_lots"]
_LEAVES_E = _E["leaves_lots"]

Row = Any  # the tuple of a COMMAND or EVENT row


class ProtectedMirror(MirrorState):
    """The part of a mirror that follows protections."""

    def _limits_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].protections.limits = Limits(
            command[_QTY], command[_AMOUNT], command[_ORDER_ID], command[_PRICE], command[_REF]
        )
        self._changes.accounts.add(event[_ACCOUNT_E])

    def _timer_set(self, command: Row, event: Row) -> None:
        due_ns = command[_TS] + command[_EXPIRES] if command[_EXPIRES] else 0
        self.accounts[event[_ACCOUNT_E]].protections.timers_ns[event[_SIDE_E]] = due_ns

    def _timer_fired(self, command: Row, event: Row) -> None:
        if event[_LEAVES_E] == 0:  # else it goes on
            self.accounts[event[_ACCOUNT_E]].protections.timers_ns[event[_SIDE_E]] = 0

    def _account_killed(self, command: Row, event: Row) -> None:
        account = self.accounts[event[_ACCOUNT_E]]
        account.state = int(AccountState.FROZEN)
        account.protections.timers_ns = [0, 0]
        self._changes.accounts.add(event[_ACCOUNT_E])

    def _halt_set(self, command: Row, event: Row) -> None:
        self.halted = event[_QTY_E] == 1

    def _mmp_set(self, command: Row, event: Row) -> None:
        mmps, group = self.accounts[event[_ACCOUNT_E]].protections.mmps, event[_SIDE_E]
        if command[_KIND] == Kind.RESET_MMP:
            mmps[group] = mmps[group]._replace(frozen=False)
            return
        maxima = command[_QTY], command[_ORDER_ID], command[_REF]
        mmps[group] = Mmp(command[_EXPIRES], *maxima, mmps[group].frozen)

    def _mmp_hit(self, command: Row, event: Row) -> None:
        mmps, group = self.accounts[event[_ACCOUNT_E]].protections.mmps, event[_SIDE_E]
        mmps[group] = mmps[group]._replace(frozen=True)
