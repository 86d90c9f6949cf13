"""What an account's assets count for now, from what a mirror shows."""

from typing import Final

from exchange.rules.collateral import Counted, Member, count
from exchange.rules.margin import margin_of
from exchange.rules.mirror_state import MirrorState

CUSTOMER: Final = ("", "customer")  # name and kind where they are not known


def member_of(state: MirrorState, account_idx: int, owner: tuple[str, str]) -> Member:
    """Return what of an account matters to its collateral; `owner` is its name and its kind."""
    group, kind = owner
    held = state.accounts[account_idx].positions.values()
    return Member(
        kind=kind,
        group=group,
        long_lots=sum(position.qty_lots for position in held),
        requirement_usd_micros=margin_of(state, account_idx).initial_usd_micros,
    )


def counted_of(
    state: MirrorState,
    account_idx: int,
    owner: tuple[str, str],
    now_ns: int,
    less: tuple[int, int] = (0, 0),
) -> Counted:
    """Return what an account's assets count for; `less` is an asset and units taken off it."""
    holdings = state.accounts[account_idx].collateral.holdings
    units = {asset: held.units for asset, held in holdings.items()}
    if less[0] in units:
        units[less[0]] = max(0, units[less[0]] - less[1])
    return count(units, state.asset_prices, member_of(state, account_idx, owner), now_ns)
