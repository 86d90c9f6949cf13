"""Add-ons of one contract: what closing a position costs, and what a large one costs on top.

    LA = lots x (half spread + impact x sqrt(lots / ADV))               liquidity
    CA = lots x unit x (sqrt(max(1, lots / close)) - 1), x 1.5 above crowd     concentration

`unit` is the requirement of one lot on its own, `close` the lots that can be closed within the
margin period without being a large part of the volume, `crowd` a fifth of the open interest. Lots
are the largest position that resting orders may lead to. Everything is whole micro-dollars and
every step rounds up; the core computes the same numbers from the same six words.

Sources: square-root impact as in Almgren et al. (2005), "Direct estimation of equity market
impact"; concentration by days to close, EMIR RTS 153/2013 Art. 24 and 26 with the margin period of
`docs/clearing.md`.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final, NamedTuple

from exchange.rules.money import BPS, div_ceil
from matching.limits import (
    CROWD_DENOMINATOR,
    CROWD_NUMERATOR,
    ROOT_BITS,
    ROOT_LOTS_MAX,
    SHOCK_TICKS_MAX,
)

ROOT_ONE: Final = 1 << ROOT_BITS

# Choices of the rule book; a row of data each.
IMPACT_BPS: Final = 5_000  # kappa: of a day's move, for a day's volume
VOLUME_SHARE_BPS: Final = 2_500  # rho: of a day's volume, what one holder can close unnoticed
MARGIN_PERIOD_DAYS: Final = 2
CROWD_SHARE_BPS: Final = 2_000  # of the open interest


class Addon(NamedTuple):
    """What the nightly run says of a contract; 0 is none."""

    spread_usd_micros: int = 0  # half of it, of one lot
    impact_usd_micros: int = 0  # of one lot, when a day's volume is closed
    fee_usd_micros: int = 0  # the most that one side of a fill pays for a lot
    adv_lots: int = 0  # average daily volume
    close_lots: int = 0  # more than this is concentrated
    crowd_lots: int = 0  # more than this costs half as much again


NO_ADDON: Final = Addon()


def root_ceil(lots: int, unit_lots: int) -> int:
    """Return sqrt(lots / unit_lots) in parts of 2^ROOT_BITS, rounded up."""
    if lots <= 0:
        return 0
    square = div_ceil(lots << (2 * ROOT_BITS), unit_lots)
    return isqrt(square - 1) + 1


def per_lot_max_usd_micros(tick_value_usd_micros: int) -> int:
    """Return what both add-ons of one lot are at most: what the widest shock takes of it."""
    return tick_value_usd_micros * SHOCK_TICKS_MAX


def liquidity_per_lot(addon: Addon, lots: int, tick_value_usd_micros: int) -> int:
    """Return LA of one of so many lots, rounded up."""
    cost, most = addon.spread_usd_micros, per_lot_max_usd_micros(tick_value_usd_micros)
    if addon.impact_usd_micros:
        if lots >= ROOT_LOTS_MAX:
            return most
        root = root_ceil(lots, addon.adv_lots)
        cost += div_ceil(addon.impact_usd_micros * root, ROOT_ONE)
    return min(cost, most)


def concentration_per_lot(addon: Addon, lots: int, unit_usd_micros: int) -> int | None:
    """Return CA of one of so many lots, rounded up; None for as much as may be."""
    if not addon.close_lots or lots <= addon.close_lots:
        return 0
    if lots >= ROOT_LOTS_MAX:
        return None
    above = root_ceil(lots, addon.close_lots) - ROOT_ONE
    if addon.crowd_lots and lots > addon.crowd_lots:
        return div_ceil(unit_usd_micros * CROWD_NUMERATOR * above, ROOT_ONE * CROWD_DENOMINATOR)
    return div_ceil(unit_usd_micros * above, ROOT_ONE)


def liquidity_usd_micros(addon: Addon, lots: int, tick_value_usd_micros: int) -> int:
    """Return LA of a contract's lots."""
    return lots * liquidity_per_lot(addon, lots, tick_value_usd_micros)


def concentration_usd_micros(
    addon: Addon, lots: int, unit_usd_micros: int, tick_value_usd_micros: int
) -> int:
    """Return CA of a contract's lots; with LA it is never more than the widest shock."""
    room = per_lot_max_usd_micros(tick_value_usd_micros) - liquidity_per_lot(
        addon, lots, tick_value_usd_micros
    )
    cost = concentration_per_lot(addon, lots, unit_usd_micros)
    return lots * (room if cost is None else min(room, cost))


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """What is known of a contract's market: what its add-ons are made of."""

    tick_value_usd_micros: int
    price_ticks: int
    half_spread_ticks: int
    sigma_day_bps: int
    adv_lots: int
    open_interest_lots: int
    fee_usd_micros: int = 0  # of one lot, one side, the most of all tiers


def addon_of(market: Liquidity) -> Addon:
    """Return the add-on that the rule book asks for, rounded against the holder."""
    adv_lots = max(1, market.adv_lots)
    move_usd_micros = market.tick_value_usd_micros * market.price_ticks * market.sigma_day_bps
    close_lots = adv_lots * VOLUME_SHARE_BPS * MARGIN_PERIOD_DAYS // BPS
    return Addon(
        spread_usd_micros=market.half_spread_ticks * market.tick_value_usd_micros,
        impact_usd_micros=div_ceil(IMPACT_BPS * move_usd_micros, BPS * BPS),
        fee_usd_micros=market.fee_usd_micros,
        adv_lots=adv_lots,
        close_lots=max(1, close_lots),
        crowd_lots=max(1, market.open_interest_lots * CROWD_SHARE_BPS // BPS),
    )
