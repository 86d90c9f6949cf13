"""A default drill: what an auction would take and each layer pay, and nothing is changed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from exchange.rules.drill_auction import DrillLot, drill_auction
from exchange.rules.layers import Funds, parts_of
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.standing import Standing, standing_of
from exchange.rules.waterfall import LayerName, Waterfall, bear

NO_LIQUIDATION: Final = 0  # nothing was used for it yet


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillResult:
    """Where the account stands, what its worst scenario costs, and who bears it."""

    standing: Standing
    scenario: int | None  # the number of the worst of the matrix, None where nothing is lost
    stress_loss_usd_micros: int
    waterfall: Waterfall
    auction: tuple[DrillLot, ...] | None = ()  # None: too large to be played beside trading


def drill(
    state: Mirror,
    account_idx: int,
    funds: Funds | None,
    multiple: int = 1,
    bidders: Collection[int] = (),
    premium_ticks: int = 0,
) -> DrillResult:
    """Close an account at the prices of its worst scenario, on paper.

    Args:
        funds: the accounts of the layers; None when there are none.
        multiple: so many times the scenario's move.
        bidders: members that would be asked to bid for the positions.
        premium_ticks: how far from the marks all of them would bid.
    """
    standing = standing_of(state, account_idx)
    losses = standing.losses_usd_micros
    worst = max(range(len(losses)), key=lambda place: (losses[place], -place), default=None)
    loss = multiple * max(0, losses[worst]) if worst is not None else 0
    equity = standing.equity_usd_micros
    parts: dict[LayerName, dict[str, int]] = {
        LayerName.DEFAULTER_MARGIN: {str(account_idx): max(0, equity)}
    }
    lots = drill_auction(state, standing, funds, bidders, premium_ticks) if funds else []
    cost = sum(lot.cost_usd_micros for lot in lots or ())
    nothing_yet = Liquidation(NO_LIQUIDATION, state.ts_ns, 0)
    for part in parts_of(state, account_idx, nothing_yet, funds) if funds is not None else ():
        held = parts.setdefault(part.layer, {})
        held[str(part.party_idx)] = part.available_usd_micros
    return DrillResult(
        standing=standing,
        scenario=worst if loss else None,
        stress_loss_usd_micros=loss,
        waterfall=bear(loss + cost + max(0, -equity), parts),
        auction=None if lots is None else tuple(lots),
    )
