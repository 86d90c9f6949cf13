"""The commands of the clearing house and of the end of contracts, word by word.

TRANSFER_POSITION, TRANSFER_CASH: account_idx gives, ref_id is the account_idx that takes, state
    why (MoveReason; of cash the place of a waterfall's layer, 0 for none), order_id the liquidation
    it belongs to. side: what the giver does.
SET_ACCOUNT of a liquidation: order_id its LiquidationStep, ref_id its id when it ends (the seq of
    the command that began it); it was judged by amount_usd_micros equity, qty_lots initial and
    expires_ns maintenance margin; price_ticks is the account's state before.

COLLECT of a correction (state is Cycle.CORRECTION): price_ticks the settlement price that is right,
    qty_lots the one that it replaces, amount_usd_micros from when on it stays (ns); then what the
    core does not ask: expires_ns the moment of the settlement, ref_id and order_id its rule and
    source as a SETTLE says them in state and order_id, client_* the hash of what it comes from.

CASCADE keeps the contracts that follow in words 5..12 (price_ticks .. client_d), four a word, each
    as its index plus one; the first zero ends them. The indices rise.
ACCRUE: order_id which one of the contract's it is, from 1; amount_usd_micros what a lot is worth;
    ref_id days of delivery that are fixed, of qty_lots; state 1 if it is the last; client_* the
    digest of what it was reached from, which the core does not ask.

CASCADED: qty_lots moved, leaves_lots still to be moved, price_ticks of the parent.
CASCADE_MOVED: account_idx buys, maker_account_idx sells.
ACCRUED: order_id what a lot is worth now, maker_order_id which one it is, side 1 if it is the
    last, qty_lots days that are fixed, of leaves_lots; amount_usd_micros what gaining accounts
    received, price_ticks the new mark.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from matching.limits import CHILDREN_MAX, CONTRACTS_MAX

CHILD_WORDS: Final = (
    "price_ticks", "qty_lots", "amount_usd_micros", "expires_ns",
    "client_a", "client_b", "client_c", "client_d",
)  # fmt: skip
DIGEST_WORDS: Final = ("client_a", "client_b", "client_c", "client_d")


def pack_children(contracts: Sequence[int]) -> dict[str, int]:
    """Return the words of a CASCADE that name the contracts that follow.

    Errors:
        ValueError: more of them than fit, or one that cannot be named.
    """
    if len(contracts) > CHILDREN_MAX or any(not 0 <= idx < CONTRACTS_MAX for idx in contracts):
        raise ValueError(f"these contracts cannot follow one: {contracts}")
    named = np.zeros(CHILDREN_MAX, "<i2")
    named[: len(contracts)] = [idx + 1 for idx in contracts]
    return dict(zip(CHILD_WORDS, named.view("<i8").tolist(), strict=True))


def unpack_children(words: Sequence[int]) -> list[int]:
    """Return the contracts that `pack_children` put into eight words."""
    children: list[int] = []
    for named in np.array(words, "<i8").view("<i2").tolist():
        if named == 0:
            break
        children.append(named - 1)
    return children


def pack_digest(digest: bytes) -> dict[str, int]:
    """Return the words of an ACCRUE that hold the 32 bytes of a digest."""
    words = np.frombuffer(digest, "<i8").tolist()
    return dict(zip(DIGEST_WORDS, words, strict=True))


def unpack_digest(words: Sequence[int]) -> bytes:
    """Return the digest that `pack_digest` put into four words."""
    return np.array(words, "<i8").tobytes()
