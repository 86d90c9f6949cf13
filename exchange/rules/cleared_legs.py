"""What clearing knows of combinations: their legs as text, and the marks that follow them."""

from collections.abc import Iterator, Sequence
from enum import IntEnum

from exchange.rules.cleared import ClearedContract


class TradeKind(IntEnum):
    """What a row of the table of trades is."""

    SINGLE = 0  # of a contract without legs
    COMBINATION = 1  # fills orders and moves no position: the legs behind it do
    LEG = 2  # moves positions, fills no order, and says nothing of a price


def legs_text(legs: Sequence[tuple[int, int]]) -> str:
    """Return (contract_idx, ratio) as the table of contracts keeps it: `3,-4`."""
    return ",".join(str(ratio * (contract_idx + 1)) for contract_idx, ratio in legs)


def legs_of(text: str) -> list[tuple[int, int]]:
    """Return what `legs_text` made of it."""
    named = [int(word) for word in text.split(",") if word]
    return [(abs(one) - 1, 1 if one > 0 else -1) for one in named]


class Followers:
    """Moves the marks of combinations with those of their legs."""

    def __init__(self, contracts: Sequence[ClearedContract]) -> None:
        self._contracts = contracts
        self._known = 0
        self._by_leg: dict[int, list[ClearedContract]] = {}

    def marked(self, leg: ClearedContract, before_ticks: int) -> Iterator[ClearedContract]:
        """Move the marks of what a contract is a leg of, after its own has moved; yield them."""
        for combination in self._contracts[self._known :]:
            for leg_idx, _ in legs_of(combination.legs):
                self._by_leg.setdefault(leg_idx, []).append(combination)
        self._known = len(self._contracts)
        for combination in self._by_leg.get(leg.contract_idx, ()):
            legs = legs_of(combination.legs)
            if legs[1][1] < 0:  # a spread's zero stands somewhere: only the difference is known
                ratio = dict(legs)[leg.contract_idx]
                combination.mark_ticks += ratio * (leg.mark_ticks - before_ticks)
            else:
                marks = [self._contracts[idx].mark_ticks for idx, _ in legs]
                combination.mark_ticks = sum(marks) // len(marks)
            yield combination
