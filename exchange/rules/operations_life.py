"""The commands that follow the end of a contract's trading."""

from collections.abc import Sequence

import numpy as np

from matching.codes import Kind
from matching.wire import new_commands
from matching.wire_life import pack_children, pack_digest


def cascade_command(contract_idx: int, children: Sequence[int], left_lots: int) -> np.ndarray:
    """Return a CASCADE into contracts by index.

    Args:
        left_lots: what there is to move; the core does not ask, but each part is another command.
    """
    rows = new_commands(1)
    rows["kind"], rows["contract_idx"] = Kind.CASCADE, contract_idx
    rows["order_id"] = left_lots
    for name, word in pack_children(sorted(children)).items():
        rows[name] = word
    return rows


def settle_again_command(contract_idx: int, price_ticks: int) -> np.ndarray:
    """Return a SETTLE at a price that was said before."""
    rows = new_commands(1)
    rows["kind"], rows["contract_idx"] = Kind.SETTLE, contract_idx
    rows["price_ticks"] = price_ticks
    return rows


def accrue_command(
    contract_idx: int,
    ordinal: int,
    worth_usd_micros: int,
    days: tuple[int, int],
    digest: bytes,
    *,
    is_final: bool = False,
) -> np.ndarray:
    """Return an ACCRUE.

    Args:
        ordinal: 1 for the first of the contract.
        worth_usd_micros: of one lot.
        days: fixed, and of the period.
        digest: of the prints it was reached from.
    """
    rows = new_commands(1)
    rows["kind"], rows["contract_idx"] = Kind.ACCRUE, contract_idx
    rows["order_id"], rows["amount_usd_micros"] = ordinal, worth_usd_micros
    rows["ref_id"], rows["qty_lots"] = days
    rows["state"] = int(is_final)
    for name, word in pack_digest(digest).items():
        rows[name] = word
    return rows
