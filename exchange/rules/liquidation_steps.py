"""What a step of a liquidation is, and the two that turn what there is into cash.

First the collateral of the account is sold, then the layers of the waterfall pay.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from exchange.rules import liquidation_rows as rows
from exchange.rules.adl import AdlProof
from exchange.rules.collateral_sale import sales_of
from exchange.rules.default_auction import Terms
from exchange.rules.layers import Funds, bear_default, has_usd_micros
from exchange.rules.loss_proof import LossProof
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.standing import settled_usd_micros
from matching.codes import AccountState


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done now, all of it or none: commands, and the proofs to keep before."""

    commands: np.ndarray
    story: str
    proofs: tuple[AdlProof, ...] = ()
    contracts: tuple[int, ...] = ()  # of the proofs, in their order
    losses: tuple[LossProof, ...] = ()  # proofs too, of who bears what
    offer: Terms | None = None  # an auction to be announced
    is_order: bool = False  # that the market may or may not fill: one a second is enough


def hold_rows(state: Mirror, funds: Funds, *, held: bool) -> list[np.ndarray]:
    """Return what holds all shares of the default fund that are not held yet, or frees them.

    FUND_001: a share gives nothing back by a command that comes after the begin of a liquidation.
    Layers pay by TRANSFER_CASH, which asks for no state.
    """
    return [
        rows.share_row(idx, held=held)
        for idx in sorted(funds.shares.values())
        if (state.accounts[idx].state == AccountState.FROZEN) != held
    ]


def hold_step(state: Mirror, funds: Funds) -> Step | None:
    """Hold shares while any account is liquidated, and free them after; None when they are so."""
    held = bool(state.liquidations)
    found = hold_rows(state, funds, held=held)
    if not found:
        return None
    story = f"{len(found)} shares of the default fund are {'held' if held else 'free'}"
    return Step(commands=np.concatenate(found), story=story)


def sale_step(
    state: Mirror, account_idx: int, going: Liquidation, funds: Funds, *, whole: bool
) -> Step | None:
    """Sell collateral of an account that owes cash: all of it, or no more than is owed."""
    owed = -settled_usd_micros(state, account_idx)
    if owed <= 0 or not state.accounts[account_idx].collateral.holdings:
        return None
    house = (funds.first_idx, funds.second_idx)
    buyers = [(idx, has_usd_micros(state, idx)) for idx in house if idx is not None]
    sales = sales_of(state, account_idx, buyers, None if whole else owed)
    if not sales:
        return None
    taken = [
        rows.take_row(
            account_idx, sale.buyer_idx, sale.asset, sale.units, sale.cash_usd_micros,
            going.liquidation_id,
        )
        for sale in sales
    ]  # fmt: skip
    commands = np.concatenate([rows.uncount_row(account_idx), *taken])
    return Step(commands=commands, story="sells collateral")


def pay_step(
    state: Mirror,
    account_idx: int,
    going: Liquidation,
    funds: Funds,
    juniors: Collection[int] = (),
) -> Step | None:
    """Let the layers bear what an account lacks; None when none of them has anything."""
    proof, pays = bear_default(state, account_idx, going, funds, juniors)
    if not pays:
        return None
    commands = [
        rows.pay_row(giver_idx, account_idx, amount, place, going.liquidation_id)
        for giver_idx, amount, place in pays
    ]
    layers = " ".join(str(place) for place in sorted({place for _, _, place in pays}))
    return Step(commands=np.concatenate(commands), story=f"layers {layers} pay", losses=(proof,))
