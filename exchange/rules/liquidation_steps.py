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
