"""The sale of a defaulter's collateral to the house, before anybody else's money is used.

The house pays the value after the haircut at the published price, out of its first layer, then
its second; what neither has the cash for, or what has no good price, stays where it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

from exchange.rules.collateral import sale_usd_micros
from exchange.rules.mirror_state import MirrorState


class Sale(NamedTuple):
    """Units of an asset, and who buys them for how much."""

    buyer_idx: int
    asset: int
    units: int
    cash_usd_micros: int


def sales_of(
    state: MirrorState,
    account_idx: int,
    buyers: Iterable[tuple[int, int]],
    need_usd_micros: int | None,
) -> list[Sale]:
    """Return what of an account's assets is sold, and to whom.

    Args:
        buyers: account and the cash it may spend, in the order they are asked.
        need_usd_micros: sell until it is met; None sells everything.
    """
    left = {
        asset: held.units
        for asset, held in sorted(state.accounts[account_idx].collateral.holdings.items())
    }
    found: list[Sale] = []
    for buyer_idx, cash in buyers:
        for asset, units in left.items():
            most = cash if need_usd_micros is None else min(cash, need_usd_micros)
            part = _part(state, asset, units, most, met=most < cash)
            paid = min(_worth(state, asset, part), cash)
            if part <= 0 or paid <= 0:
                continue
            found.append(Sale(buyer_idx, asset, part, paid))
            left[asset] -= part
            cash -= paid
            if need_usd_micros is not None:
                need_usd_micros = max(0, need_usd_micros - paid)
    return found


def _worth(state: MirrorState, asset: int, units: int) -> int:
    return sale_usd_micros(asset, units, state.asset_prices.get(asset), state.ts_ns)


def _part(state: MirrorState, asset: int, units: int, most_usd_micros: int, *, met: bool) -> int:
    """Return the units that are worth so much; `met`: at least so much, where there are enough."""
    worth = _worth(state, asset, units)
    if worth <= most_usd_micros:
        return units
    part = units * most_usd_micros // worth
    while met and part < units and _worth(state, asset, part) < most_usd_micros:
        part += 1
    return part
