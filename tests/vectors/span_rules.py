"""What SPAN would ask for: the yardstick of listed futures, to set our requirement beside.

A risk array holds the loss of one long unit in each of 16 scenarios. Scan risk is the worst sum;
where long and short months net, a charge per matched unit puts back what they do not share; between
commodities a credit takes off what they do. Our own rule has one matrix for all contracts instead,
and the cap on offsets where these tables have charges and credits. Amounts are whole numbers of one
unit of money, whichever.

Source: CME Group, SPAN methodology overview; the parameter files of NSE Clearing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exchange.rules.money import BPS, div_ceil
from exchange.rules.tails import requirement_usd_micros


class Leg(NamedTuple):
    """One side of a spread between commodities."""

    margin: int  # of one unit
    qty: int
    credit_bps: int


def scan_risk(arrays: Mapping[str, Sequence[int]], positions: Mapping[str, int]) -> int:
    """Return the worst loss of signed positions over the scenarios of their arrays."""
    rows = [[qty * loss for loss in arrays[name]] for name, qty in positions.items()]
    return requirement_usd_micros([sum(losses) for losses in zip(*rows, strict=True)], 1)


def matched_units(positions: Iterable[int]) -> int:
    """Return how many units long in one month are short in another."""
    held = list(positions)
    longs = sum(qty for qty in held if qty > 0)
    return min(longs, sum(-qty for qty in held if qty < 0))


def spread_charge(positions: Iterable[int], charge: int) -> int:
    """Return what the matched units of a commodity's months are charged."""
    return matched_units(positions) * charge


def gross_margin(legs: Iterable[Leg]) -> int:
    """Return the margin of the legs, each on its own."""
    return sum(leg.margin * leg.qty for leg in legs)


def credited_margin(legs: Iterable[Leg]) -> int:
    """Return the margin of the legs less their credits, rounded up."""
    return sum(div_ceil(leg.margin * leg.qty * (BPS - leg.credit_bps), BPS) for leg in legs)


def extreme_share_bps(down: int, up: int, price_scan: int) -> int:
    """Return which share of the scan range the two extreme scenarios of an array take."""
    return (down - up) * BPS // (2 * price_scan)
