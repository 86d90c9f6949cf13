"""Robust middles of whole numbers."""

from collections.abc import Iterable, Sequence

from exchange.rules.money import div_half_even


def median(values: Iterable[int]) -> int:
    """Return the middle value, or the half-even mean of the two middle ones."""
    return weighted_median([(value, 1) for value in values])


def weighted_median(votes: Sequence[tuple[int, int]]) -> int:
    """Return the value at which half of the weight lies below and half above.

    When the half falls exactly between two values, their half-even mean.

    Args:
        votes: (value, weight) pairs, at least one; weights above zero.
    """
    assert votes
    ordered = sorted(votes)
    whole = sum(weight for _, weight in ordered)
    below = 0
    for at, (value, weight) in enumerate(ordered):
        below += weight
        if 2 * below > whole:
            return value
        if 2 * below == whole:
            return div_half_even(value + ordered[at + 1][0], 2)
    raise AssertionError("half of the weight was never reached")


def quantile(values: Iterable[int], bps: int) -> int:
    """Return the smallest value that at least `bps` of 10,000 of the values do not exceed."""
    ordered = sorted(values)
    assert ordered
    assert 0 < bps <= 10_000
    return ordered[-(-len(ordered) * bps // 10_000) - 1]
