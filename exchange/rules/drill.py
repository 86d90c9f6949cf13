"""A default drill: what each layer would pay if an account failed now, and nothing is changed."""

from dataclasses import dataclass

from exchange.rules.mirror_state import MirrorState
from exchange.rules.standing import Standing, equity_usd_micros, standing_of
from exchange.rules.waterfall import LayerName, Waterfall, bear


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillResult:
    """Where the account stands, what its worst scenario costs, and who bears it."""

    standing: Standing
    scenario: int | None  # the number of the worst of the matrix, None where nothing is lost
    stress_loss_usd_micros: int
    waterfall: Waterfall


def drill(
    state: MirrorState, account_idx: int, house_idx: int | None, multiple: int = 1
) -> DrillResult:
    """Close an account at the prices of its worst scenario, on paper.

    Args:
        house_idx: the insurance fund's account; None when there is none.
        multiple: so many times the scenario's move.
    """
    standing = standing_of(state, account_idx)
    losses = standing.losses_usd_micros
    worst = max(range(len(losses)), key=lambda place: (losses[place], -place), default=None)
    loss = multiple * max(0, losses[worst]) if worst is not None else 0
    fund = 0 if house_idx is None else max(0, equity_usd_micros(state, house_idx))
    gains = {
        str(account.account_idx): account.unsettled_usd_micros
        for account in state.accounts
        if account.unsettled_usd_micros > 0 and account.account_idx not in (account_idx, house_idx)
    }
    equity = standing.equity_usd_micros
    parts = {
        LayerName.DEFAULTER_MARGIN: {str(account_idx): max(0, equity)},
        LayerName.HOUSE_FIRST: {"insurance": fund},
        LayerName.GAINS_HAIRCUT: gains,
    }
    return DrillResult(
        standing=standing,
        scenario=worst if loss else None,
        stress_loss_usd_micros=loss,
        waterfall=bear(loss + max(0, -equity), parts),
    )
