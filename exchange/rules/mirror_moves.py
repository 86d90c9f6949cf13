"""What a mirror does with positions and money that the clearing house moves."""

from collections.abc import Callable
from typing import Any, NamedTuple

from exchange.rules.changes import LiquidationSaid
from exchange.rules.mirror_legs import MirrorLegs
from exchange.rules.waterfall import GAINS_LAYER
from matching.codes import EventKind, LiquidationStep, MoveReason, Side
from matching.limits import PRICE_BITS_DEFAULT
from matching.wire import COMMAND, EVENT

_FIELD = {name: place for place, name in enumerate(COMMAND.names or ())}
_TS, _ACCOUNT, _ORDER_ID = _FIELD["ts_ns"], _FIELD["account_idx"], _FIELD["order_id"]
_PRICE, _QTY, _AMOUNT = _FIELD["price_ticks"], _FIELD["qty_lots"], _FIELD["amount_usd_micros"]
_EXPIRES, _REF = _FIELD["expires_ns"], _FIELD["ref_id"]
_AMOUNT_E = (EVENT.names or ()).index("amount_usd_micros")

Row = Any  # the tuple of a COMMAND or EVENT row


class Liquidation(NamedTuple):
    """A liquidation that goes on."""

    liquidation_id: int  # the seq of the command that began it
    begun_ns: int
    state_before: int  # AccountState


class MovesMirror(MirrorLegs):
    """Follows TRANSFER_POSITION and TRANSFER_CASH, and which accounts are being liquidated."""

    def __init__(self, price_bits: int = PRICE_BITS_DEFAULT) -> None:
        super().__init__(price_bits)
        self.liquidations: dict[int, Liquidation] = {}  # by account_idx
        # Of each liquidation that goes on: (place of the layer, account_idx) -> usd micros.
        self.layer_uses: dict[int, dict[tuple[int, int], int]] = {}
        # What winners of the auction of each took: (winner, contract_idx) -> lots.
        self.auctioned: dict[int, dict[tuple[int, int], int]] = {}
        self.haircuts: dict[int, int] = {}  # of gains, by account_idx, since it was last settled

    def _follow_liquidation(self, command: Row) -> None:
        """Note that a SET_ACCOUNT begins or ends a liquidation."""
        step = command[_ORDER_ID]
        if step in (LiquidationStep.BEGINS, LiquidationStep.ENDS):
            liquidation_id = command[0] if step == LiquidationStep.BEGINS else command[_REF]
            self._changes.liquidations.append(
                LiquidationSaid(
                    command[0], liquidation_id, command[_ACCOUNT], step, command[_AMOUNT],
                    command[_QTY], command[_EXPIRES], command[_TS],
                )
            )  # fmt: skip
        if command[_ORDER_ID] == LiquidationStep.BEGINS:
            self.liquidations[command[_ACCOUNT]] = Liquidation(
                command[0], command[_TS], command[_PRICE]
            )
        elif command[_ORDER_ID] == LiquidationStep.ENDS:
            ended = self.liquidations.pop(command[_ACCOUNT], None)
            if ended is not None:
                self.layer_uses.pop(ended.liquidation_id, None)
                self.auctioned.pop(ended.liquidation_id, None)

    def _move_handlers(self) -> dict[int, Callable[[Row, Row], None]]:
        return {
            EventKind.POSITION_MOVED: self._position_moved,
            EventKind.CASH_TRANSFERRED: self._cash_transferred,
        }

    def _position_moved(self, command: Row, event: Row) -> None:
        """Book both sides; no price is said."""
        _, _, side, reason, giver_idx, own_id, _, contract_idx, receiver_idx, *_ = event
        price_ticks, lots = event[9], event[10]
        contract = self.contracts[contract_idx]
        bought_lots = lots if side == Side.BUY else -lots
        for account_idx, signed_lots in ((giver_idx, bought_lots), (receiver_idx, -bought_lots)):
            self.open_position(account_idx, contract_idx)
            self._fill(contract, account_idx, signed_lots, price_ticks)
        self._leg += 1
        self._changes.contracts.add(contract_idx)  # its open interest
        if reason == MoveReason.AUCTION:
            self.note_auctioned(own_id, receiver_idx, contract_idx, lots)

    def _cash_transferred(self, command: Row, event: Row) -> None:
        amount_usd_micros = event[_AMOUNT_E]
        for account_idx, sign in ((event[4], -1), (event[8], 1)):
            self.accounts[account_idx].cash_usd_micros += sign * amount_usd_micros
            self._changes.accounts.add(account_idx)
        if event[3]:
            self.note_use(event[5], event[3], event[4], amount_usd_micros)
        if event[3] == GAINS_LAYER:
            self.note_haircut(event[4], amount_usd_micros)

    def note_use(self, liquidation_id: int, layer: int, giver_idx: int, usd_micros: int) -> None:
        """Note what a layer gave for a default that goes on."""
        if any(one.liquidation_id == liquidation_id for one in self.liquidations.values()):
            uses = self.layer_uses.setdefault(liquidation_id, {})
            uses[layer, giver_idx] = uses.get((layer, giver_idx), 0) + usd_micros

    def note_auctioned(
        self, liquidation_id: int, winner_idx: int, contract_idx: int, lots: int
    ) -> None:
        """Note lots that a winner took of a default that goes on."""
        if any(one.liquidation_id == liquidation_id for one in self.liquidations.values()):
            self.auctioned.setdefault(liquidation_id, {})[winner_idx, contract_idx] = lots

    def note_haircut(self, giver_idx: int, usd_micros: int) -> None:
        """Note what was taken of an account's gains."""
        self.haircuts[giver_idx] = self.haircuts.get(giver_idx, 0) + usd_micros
