"""Dividing whole amounts: every share is whole, and together they are the amount, exactly."""

from collections.abc import Sequence


def pro_rata(amount: int, weights: Sequence[int]) -> list[int]:
    """Return shares of an amount in proportion to weights, by largest remainder.

    Ties go to the earlier one. Nothing is divided where all weights are zero.

    Args:
        amount: zero or more.
        weights: each zero or more.
    """
    assert amount >= 0 and all(weight >= 0 for weight in weights)
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [amount * weight // whole for weight in weights]
    rests = [amount * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-rests[place], place))
    for place in order[: amount - sum(shares)]:
        shares[place] += 1
    return shares


def pro_rata_capped(amount: int, caps: Sequence[int]) -> list[int]:
    """Return shares in proportion to caps that no one's cap is below; what is over stays over."""
    return pro_rata(min(amount, sum(caps)), caps)
