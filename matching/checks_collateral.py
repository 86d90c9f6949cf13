"""Invariants of collateral, taken from scratch."""

from matching.limits import (
    ASSETS_MAX,
    COLLATERAL_USD_MICROS_MAX,
    FEE_RATE_BITS,
    FEE_RATE_MAX,
)
from matching.state import State


def check_collateral(s: State) -> None:
    """Nothing is counted that cannot be, and no asset is overdrawn."""
    count = int(s.meta[0]["accounts_count"])
    for row in s.collaterals[:count]:
        assert 0 <= row["counted_usd_micros"] <= COLLATERAL_USD_MICROS_MAX, "counted collateral"
        assert row["last_charge_id"] >= 0 and row["last_move_id"] >= 0, "references"
        rates = int(row["fee_rates"])
        assert rates >= 0 and (rates & FEE_RATE_MAX) <= (rates >> FEE_RATE_BITS & FEE_RATE_MAX), (
            "a maker pays no more than a taker"
        )
    holdings = s.holdings[: ASSETS_MAX * count]
    assert (holdings["units"] >= 0).all(), "an asset is overdrawn"
    assert (holdings["leaving_units"] >= 0).all(), "more was paid than reserved"
    assert not holdings[::ASSETS_MAX].tobytes().strip(b"\0"), "asset 0 is none"
    moved = s.collaterals[:count]["last_move_id"] > 0
    held = (holdings["units"] | holdings["leaving_units"]).any()
    assert moved.any() or not held, "an asset that never came"
    assert not s.assets[:1].tobytes().strip(b"\0"), "asset 0 has no price"
    assert (s.assets["price_usd_micros"] >= 0).all(), "price of an asset"
