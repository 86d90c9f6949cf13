"""Combinations that are still to be listed: what the calendar compares the mirror with."""

from collections.abc import Iterator

import numpy as np

from exchange.rules.combinations import listed_combinations
from exchange.rules.legs import Listed
from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import list_combination_command
from exchange.rules.tenors import date_of
from matching.codes import TradingState


def unlisted_combinations(
    mirror: MirrorState, listed: Listed, contracts_max: int, now_ns: int
) -> Iterator[np.ndarray]:
    """Return the commands that list the combinations of today whose legs are listed."""
    count = len(mirror.contracts)
    for one in listed_combinations(listed, date_of(now_ns)):
        found = [(mirror.contract(leg.symbol), ratio) for leg, ratio in one.legs]
        legs = [
            (leg, ratio)
            for leg, ratio in found
            if leg is not None and leg.state != TradingState.EXPIRED
        ]
        is_known = one.symbol in mirror.symbols or one.last_trade_ns <= now_ns
        if is_known or len(legs) < len(found) or count >= contracts_max:
            continue
        band = max(leg.band_bps for leg, _ in legs)
        named = [(leg.contract_idx, ratio) for leg, ratio in legs]
        yield list_combination_command(count, one.symbol, named, band)
        count += 1
