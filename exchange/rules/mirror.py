"""The state of the exchange as a reader sees it, kept from commands and events alone.

A `Mirror` applies committed batches in order and holds what reads and channels
need: accounts, positions, open orders, books, contracts, trades, the scenario
matrix. It decides nothing and computes no margin; it never disagrees with the
core, because everything it holds was said by the core.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from exchange.rules.changes import Changes
from exchange.rules.mirror_calls import MirrorCalls
from exchange.rules.mirror_collateral import CollateralMirror
from exchange.rules.mirror_deals import DealsMirror
from exchange.rules.mirror_endings import MirrorEndings
from exchange.rules.mirror_implied import MirrorImplied
from exchange.rules.mirror_life import MirrorLife
from exchange.rules.mirror_margin import MirrorMargin
from exchange.rules.mirror_moves import MovesMirror
from exchange.rules.mirror_orders import accepted_order, new_terms
from exchange.rules.mirror_protections import ProtectedMirror
from exchange.rules.mirror_settling import MirrorSettling
from exchange.rules.mirror_stops import StopMirror
from exchange.rules.records import Account, Trade
from exchange.rules.rows import command_rows, event_rows
from exchange.rules.short_orders import ShortOrder
from matching.codes import COMBINED, Code, EventKind, Flag, Kind, OrderType
from matching.limits import PRICE_BITS_DEFAULT
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _KIND, _SIDE, _TYPE = (_FIELD[name] for name in ("ts_ns", "kind", "side", "order_type"))
_ACCOUNT = _FIELD["account_idx"]
_STATE, _CONTRACT = _FIELD["state"], _FIELD["contract_idx"]
_ORDER_ID, _PRICE, _QTY = _FIELD["order_id"], _FIELD["price_ticks"], _FIELD["qty_lots"]
_AMOUNT, _EXPIRES, _CLIENT = _FIELD["amount_usd_micros"], _FIELD["expires_ns"], _FIELD["client_a"]
_REF = _FIELD["ref_id"]
_E = {name: place for place, name in enumerate(EVENT.names or ())}
_SIDE_E, _CODE_E, _ACCOUNT_E, _ORDER_E = _E["side"], _E["code"], _E["account_idx"], _E["order_id"]
_CONTRACT_E, _PRICE_E, _QTY_E = _E["contract_idx"], _E["price_ticks"], _E["qty_lots"]
_LEAVES_E, _AMOUNT_E = _E["leaves_lots"], _E["amount_usd_micros"]

_LINKED, _COMBINED = int(Flag.LINKED), int(COMBINED)
_AUCTION_TRADE: Final = int(Code.AUCTION_TRADE)

Row = Any  # the tuple of a COMMAND or EVENT row


class Mirror(
    MirrorImplied, DealsMirror, MovesMirror, MirrorLife, ProtectedMirror, MirrorCalls,
    MirrorEndings, MirrorMargin, MirrorSettling, StopMirror, CollateralMirror,
):  # fmt: skip
    """Follows the core batch by batch. Starts empty, or from a saved state."""

    def __init__(self, price_bits: int = PRICE_BITS_DEFAULT) -> None:
        super().__init__(price_bits)
        self._handlers = self._handler_table()

    def apply(self, commands: np.ndarray, events: np.ndarray) -> Changes:
        """Apply one batch, whole: its stamped COMMAND rows and all their EVENT rows.

        Returns:
            what the batch touched; the objects in it are live.

        Errors:
            ValueError: the batch does not follow `seq`, or its events are not its own.
        """
        self._changes = changes = Changes()
        if len(commands) == 0:
            return changes
        if (first_seq := commands["seq"].item(0)) != self.seq + 1:
            raise ValueError(f"expected seq {self.seq + 1}, was {first_seq}")
        handlers = self._handlers
        rows = command_rows(commands)
        command: Row = None
        seq = self.seq
        for event in event_rows(events):
            if event[0] != seq:
                command = next(rows, None)
                seq += 1
                if command is None or command[0] != seq or event[0] != seq:
                    raise ValueError(f"events of seq {event[0]} where {seq} was due")
                self._taker = None
                self._leg = 0
            handlers[event[1]](command, event)
        if seq != commands["seq"].item(-1):
            raise ValueError(f"no events after seq {seq}")
        changes.first_seq, changes.last_seq, changes.ts_ns = self.seq + 1, seq, command[_TS]
        self.seq, self.ts_ns = seq, command[_TS]
        return changes

    def _handler_table(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.TICKED: self._nothing,
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.ACCOUNT_SET: self._account_set,
            EventKind.CASH_MOVED: self._cash_moved,
            EventKind.LISTED: self._listed,
            EventKind.COMBINATION_LISTED: self._combination_listed,
            EventKind.STATE_SET: self._state_set,
            EventKind.BAND_SET: self._band_set,
            EventKind.SHOCKS_STAGED: self._shocks_staged,
            EventKind.SCENARIOS_SWAPPED: self._scenarios_swapped,
            EventKind.ADDONS_STAGED: self._addons_staged,
            EventKind.LEVEL_SET: self._level_set,
            EventKind.PROFILE_SET: self._profile_set,
            EventKind.COVER_SET: self._cover_set,
            **self._settling_handlers(),
            EventKind.ACCEPTED: self._accepted,
            EventKind.CANCELLED: self._cancelled,
            EventKind.AMENDED: self._amended,
            EventKind.REPRICED: self._repriced,
            EventKind.MASS_CANCELLED: self._nothing,
            EventKind.TRADE: self._trade,
            EventKind.LEG_TRADE: self._leg_trade,
            EventKind.REFUSED: self._refused,
            EventKind.LIMITS_SET: self._limits_set,
            EventKind.TIMER_SET: self._timer_set,
            EventKind.TIMER_FIRED: self._timer_fired,
            EventKind.ACCOUNT_KILLED: self._account_killed,
            EventKind.HALT_SET: self._halt_set,
            EventKind.SWEPT: self._nothing,
            EventKind.QUOTED: self._nothing,
            EventKind.QUOTE_REFUSED: self._nothing,
            EventKind.MMP_SET: self._mmp_set,
            EventKind.MMP_HIT: self._mmp_hit,
            **self._implied_handlers(),
            **self._deal_handlers(),
            **self._call_handlers(),
            **self._ending_handlers(),
            **self._move_handlers(),
            **self._life_handlers(),
            EventKind.STOP_ACCEPTED: self._stop_accepted,
            EventKind.TRIGGERED: self._triggered,
            EventKind.STOP_AMENDED: self._stop_amended,
            EventKind.STOP_MOVED: self._stop_moved,
            EventKind.STOP_GREW: self._stop_grew,
            EventKind.INDEX_SET: self._index_set,
            EventKind.COLLATERAL_SET: self._collateral_set,
            EventKind.CHARGED: self._charged,
            EventKind.FEES_SET: self._fees_set,
            EventKind.CASH_SENT: self._cash_sent,
            EventKind.ASSET_MOVED: self._asset_moved,
            EventKind.ASSET_PRICED: self._asset_priced,
            EventKind.ASSET_TAKEN: self._asset_taken,
        }

    def _nothing(self, command: Row, event: Row) -> None:
        """A refusal, or a reply whose effects follow as events of their own."""

    def _refused(self, command: Row, event: Row) -> None:
        """Keep a plain order that lacked margin: its answer says how much."""
        short = event[_CODE_E] == Code.MARGIN_INSUFFICIENT and command[_KIND] == Kind.PLACE
        if short and command[_TYPE] == OrderType.LIMIT:
            words = (command[place] for place in (_ACCOUNT, _CONTRACT, _SIDE, _PRICE, _QTY))
            self.short_orders.keep(event[0], ShortOrder(*words))

    # Accounts

    def _account_opened(self, command: Row, event: Row) -> None:
        account_idx = event[_ACCOUNT_E]
        assert account_idx == len(self.accounts)
        self.accounts.append(Account(account_idx))
        self._changes.accounts.add(account_idx)

    def _account_set(self, command: Row, event: Row) -> None:
        self.accounts[event[_ACCOUNT_E]].state = command[_STATE]
        self._changes.accounts.add(event[_ACCOUNT_E])
        self._follow_liquidation(command)

    def _cash_moved(self, command: Row, event: Row) -> None:
        account = self.accounts[event[_ACCOUNT_E]]
        account.cash_usd_micros += event[_AMOUNT_E]
        account.last_ref_id = max(account.last_ref_id, command[_REF])
        self._changes.accounts.add(event[_ACCOUNT_E])

    # Contracts and parameters

    def _band_set(self, command: Row, event: Row) -> None:
        contract = self.contracts[event[_CONTRACT_E]]
        if command[_STATE] == 1:
            contract.protection_bps = command[_ORDER_ID]
        else:
            contract.band_bps = command[_ORDER_ID]
            contract.set_band(self.price_ticks_max)
        self._changes.contracts.add(event[_CONTRACT_E])

    # Orders

    def _accepted(self, command: Row, event: Row) -> None:
        order = accepted_order(command, event)
        if self.contracts[order.contract_idx].legs:
            order.flags |= _COMBINED
        self._taker = order
        self._changes.orders[order.order_id] = order
        if order.flags & _LINKED:
            self._tie(command, order)
        self.open_positions(order.account_idx, order.contract_idx)
        if order.leaves_lots:
            self.open_order(order)
        else:
            self.closed.add(order)

    def _amended(self, command: Row, event: Row) -> None:
        order = self.orders[event[_ORDER_E]]
        self._unrest(order, order.leaves_lots, 1)
        order.price_ticks, order.qty_lots, order.leaves_lots = (
            event[_PRICE_E],
            event[_QTY_E],
            event[_LEAVES_E],
        )
        new_terms(order, command)
        order.shown_lots = event[_AMOUNT_E]
        self._taker = order
        self._touch(order, command[0], command[_TS])
        if order.leaves_lots:
            self._rest(order)
        else:
            self._close(order)

    def _repriced(self, command: Row, event: Row) -> None:
        order = self.orders[event[_ORDER_E]]
        self._unrest(order, order.leaves_lots, 1)
        order.price_ticks, order.shown_lots = event[_PRICE_E], event[_AMOUNT_E]
        self._rest(order)
        self._touch(order, command[0], command[_TS])

    def _cancelled(self, command: Row, event: Row) -> None:
        taker = self._taker
        own = taker is not None and event[_ORDER_E] == taker.order_id
        if taker is not None and own and event[_LEAVES_E] == taker.leaves_lots:
            # What rests of a taker was said by its reply already.
            taker.cancelled_lots += event[_QTY_E]
            if taker.leaves_lots == 0:
                taker.code = event[_CODE_E]
            return
        if event[_ORDER_E] in self.stops:
            self._stop_cancelled(command, event)
            return
        order = self.orders[event[_ORDER_E]]
        order.leaves_lots = event[_LEAVES_E]
        order.cancelled_lots += event[_QTY_E]
        self._unrest(order, event[_QTY_E], event[_LEAVES_E] == 0, event[_AMOUNT_E])
        self._touch(order, command[0], command[_TS])
        if event[_LEAVES_E] == 0:
            order.code = event[_CODE_E]
            self._close(order)

    def _trade(self, command: Row, event: Row) -> None:
        seq, _, side, code, account_idx, order_id, maker_id, contract_idx, maker_idx, *rest = event
        price_ticks, qty_lots, leaves_lots, shown_lots = rest
        contract = self.contracts[contract_idx]
        in_auction = code == _AUCTION_TRADE
        if in_auction:
            self._fill_both(event, command[_TS])
        else:
            taker = self._taker
            assert taker is not None and taker.order_id == order_id
            taker.filled_lots += qty_lots
            taker.filled_tick_lots += qty_lots * price_ticks
            self._fill_resting(maker_id, event, leaves_lots, shown_lots, command[_TS])
        if not contract.legs:
            self._hand_over(contract, event)
        contract.last_trade_ticks = price_ticks
        contract.widen_day(price_ticks)
        trade = Trade(
            seq, self._leg, command[_TS], contract_idx, price_ticks, qty_lots, side,
            account_idx, order_id, maker_idx, maker_id, leaves_lots,
            in_auction=in_auction,
        )  # fmt: skip
        self._leg += 1
        contract.trades.append(trade)
        self._changes.trades.append(trade)
        self._changes.contracts.add(contract_idx)
