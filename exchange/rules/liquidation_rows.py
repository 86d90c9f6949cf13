"""The commands of liquidation: COMMAND rows of origin 0, without `seq` and `ts_ns`."""

from typing import Final

import numpy as np

from exchange.rules.liquidation import Slice
from exchange.rules.standing import Standing
from matching.codes import (
    AccountState,
    CountMode,
    Flag,
    Kind,
    LiquidationStep,
    MoveReason,
    OrderType,
    Side,
    Tif,
)
from matching.wire import new_commands, pack_text

ALL_CONTRACTS: Final = -1
SWEEP_ACCOUNTS_MAX: Final = 200  # that one step of the service sees to


def _one(kind: Kind, account_idx: int, **fields: int) -> np.ndarray:
    rows = new_commands(1)
    rows["kind"], rows["account_idx"] = kind, account_idx
    for name, value in fields.items():
        rows[name] = value
    return rows


def begin_row(standing: Standing, state_before: int) -> np.ndarray:
    """Return what begins a liquidation, with what it is judged by."""
    return _judged(standing, LiquidationStep.BEGINS, AccountState.REDUCE_ONLY, 0, state_before)


def end_row(standing: Standing, liquidation_id: int, state_before: int) -> np.ndarray:
    """Return what ends a liquidation and gives the account its old state back."""
    return _judged(standing, LiquidationStep.ENDS, state_before, liquidation_id, state_before)


def _judged(
    standing: Standing, step: LiquidationStep, state: int, liquidation_id: int, before: int
) -> np.ndarray:
    return _one(
        Kind.SET_ACCOUNT, standing.account_idx, state=state, order_id=step, ref_id=liquidation_id,
        price_ticks=before, amount_usd_micros=standing.equity_usd_micros,
        qty_lots=standing.initial_usd_micros, expires_ns=standing.maintenance_usd_micros,
    )  # fmt: skip


def share_row(share_idx: int, *, held: bool) -> np.ndarray:
    """Return what holds a share of the default fund, so that nothing is given back, or frees it."""
    state = AccountState.FROZEN if held else AccountState.ACTIVE
    return _one(Kind.SET_ACCOUNT, share_idx, state=state)


def cancel_row(account_idx: int) -> np.ndarray:
    """Return what cancels every order and stop of an account."""
    return _one(Kind.MASS_CANCEL, account_idx, contract_idx=ALL_CONTRACTS)


def slice_row(account_idx: int, one: Slice, client_order_id: str) -> np.ndarray:
    """Return the immediate order of a slice."""
    words = dict(
        zip(("client_a", "client_b", "client_c", "client_d"), pack_text(client_order_id),
            strict=True)
    )  # fmt: skip
    side = Side.BUY if one.side_sign > 0 else Side.SELL
    return _one(
        Kind.PLACE, account_idx, contract_idx=one.contract_idx, side=side,
        order_type=OrderType.LIMIT, tif=Tif.IOC, flags=Flag.REDUCE_ONLY,
        price_ticks=one.limit_ticks, qty_lots=one.lots, **words,
    )  # fmt: skip


def move_row(
    reason: MoveReason,
    giver_idx: int,
    receiver_idx: int,
    contract_idx: int,
    qty_lots: int,
    price_ticks: int,
    liquidation_id: int,
) -> np.ndarray:
    """Return what moves lots; `qty_lots` is signed: a giver of long lots sells them."""
    side = Side.SELL if qty_lots > 0 else Side.BUY
    return _one(
        Kind.TRANSFER_POSITION, giver_idx, ref_id=receiver_idx, contract_idx=contract_idx,
        side=side, qty_lots=abs(qty_lots), price_ticks=price_ticks, state=reason,
        order_id=liquidation_id,
    )  # fmt: skip


def pay_row(
    giver_idx: int, receiver_idx: int, amount_usd_micros: int, layer: int, liquidation_id: int
) -> np.ndarray:
    """Return what moves money out of a layer of the waterfall."""
    return _one(
        Kind.TRANSFER_CASH, giver_idx, ref_id=receiver_idx, amount_usd_micros=amount_usd_micros,
        state=layer, order_id=liquidation_id,
    )  # fmt: skip


def uncount_row(account_idx: int) -> np.ndarray:
    """Return what counts nothing of an account's assets, until custody values what is left."""
    return _one(Kind.SET_COLLATERAL, account_idx, state=CountMode.VALUE)


def take_row(
    giver_idx: int, taker_idx: int, asset: int, units: int, usd_micros: int, liquidation_id: int
) -> np.ndarray:
    """Return what sells units of an account to the house."""
    return _one(
        Kind.TAKE_ASSET, giver_idx, ref_id=taker_idx, state=asset, price_ticks=units,
        amount_usd_micros=usd_micros, order_id=liquidation_id,
    )  # fmt: skip
