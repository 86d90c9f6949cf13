"""How the house sells what it had to take over: step by step, never much of a book at once."""

from dataclasses import dataclass
from typing import Final

from exchange.rules.money import BPS, div_ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalRule:
    """How much goes in one step."""

    share_bps: int  # of the position as it is, rounded up
    whole_lots: int  # a position this small goes at once
    book_bps: int  # of what stands on the other side, at most


DISPOSAL: Final = DisposalRule(share_bps=2_000, whole_lots=5, book_bps=1_000)


def disposal_lots(
    position_lots: int, book_lots: int, *, continuous: bool, rule: DisposalRule = DISPOSAL
) -> int:
    """Return how many lots of a position the house closes now, unsigned.

    Args:
        position_lots: signed.
        book_lots: what stands on the other side.
        continuous: nothing is closed while the contract is in a call or halted.
    """
    held = abs(position_lots)
    if not continuous:
        return 0
    lots = held if held <= rule.whole_lots else div_ceil(held * rule.share_bps, BPS)
    return min(lots, book_lots * rule.book_bps // BPS)
