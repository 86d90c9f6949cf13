"""Where a loss is taken from: what is set aside as margin, the rest of the account, the insurance.

An account of ours has one balance; its margin is the part that is not free. The split says whose
money a settlement used, and what a close-out would leave behind.
"""

from typing import NamedTuple


class Taken(NamedTuple):
    """Whose money paid for a loss, usd micros."""

    margin: int
    general: int
    insurance: int
    missing: int  # nobody's: the waterfall goes on


def taken_of(loss: int, margin: int, general: int, insurance: int) -> Taken:
    """Return how a loss is met, each layer used up before the next is touched."""
    parts: list[int] = []
    for layer in (margin, general, insurance):
        parts.append(min(loss, max(0, layer)))
        loss -= parts[-1]
    return Taken(parts[0], parts[1], parts[2], loss)
