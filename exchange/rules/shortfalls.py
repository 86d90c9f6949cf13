"""What a refused order would have needed, for the text of its refusal; the refusal is the core's.

The newest orders that lacked margin are kept for the moment it takes to answer them.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from exchange.rules.margin import (
    exposures_of,
    price_loss_usd_micros,
    price_losses_of,
    tail_of,
)
from exchange.rules.mirror_state import MirrorState
from exchange.rules.requirement import Exposure, requirement_of
from exchange.rules.short_orders import ShortOrder
from matching.codes import Side

# Above these an answer would take long: the text goes without numbers.
EXPOSURES_MAX: Final = 32
ORDERS_MAX: Final = 500


class Shortfall(NamedTuple):
    """What an order takes of an account's money, and what there is to take."""

    needed_usd_micros: int
    free_usd_micros: int


def shortfall(state: MirrorState, order: ShortOrder) -> Shortfall | None:
    """Return what an order needs now; None where that is not known, or is there by now."""
    account = state.accounts[order.account_idx]
    contract = state.contracts[order.contract_idx]
    if contract.legs or len(account.positions) > EXPOSURES_MAX or len(account.orders) > ORDERS_MAX:
        return None
    exposures = exposures_of(state, order.account_idx)
    terms = (account.level_bps, account.profile)
    held = _required(state, exposures, *terms)
    loss = sum(price_losses_of(state, order.account_idx).values())
    equity = account.cash_usd_micros + account.unsettled_usd_micros
    free = equity + account.collateral.counted_usd_micros - held - loss
    more_loss = price_loss_usd_micros(
        order.side, order.price_ticks, contract.mark_for(order.side),
        contract.tick_value_usd_micros, order.qty_lots,
    )  # fmt: skip
    needed = _required(state, with_order(state, exposures, order), *terms) - held + more_loss
    return Shortfall(needed, free) if needed > max(0, free) else None


def _required(state: MirrorState, exposures: list[Exposure], level_bps: int, profile: int) -> int:
    return requirement_of(exposures, tail_of(state), level_bps, profile).required_usd_micros


def with_order(state: MirrorState, exposures: list[Exposure], order: ShortOrder) -> list[Exposure]:
    """Return exposures with an order among the resting ones."""
    name = "buy_lots" if order.side == Side.BUY else "sell_lots"
    none = Exposure(
        contract_idx=order.contract_idx, qty_lots=0, buy_lots=0, sell_lots=0,
        shocks_usd_micros=state.shocks[order.contract_idx], addon=state.addons[order.contract_idx],
        tick_value_usd_micros=state.contracts[order.contract_idx].tick_value_usd_micros,
        joint_usd_micros=state.joints[order.contract_idx],
    )  # fmt: skip
    others = [one for one in exposures if one.contract_idx != order.contract_idx]
    own = next((one for one in exposures if one.contract_idx == order.contract_idx), none)
    return [*others, replace(own, **{name: getattr(own, name) + order.qty_lots})]
