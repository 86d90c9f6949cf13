"""All patterns over one journal: batches in, alerts out. No clock, no I/O; the same again."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from exchange.rules.settlement import WINDOW_NS
from exchange.rules.surveillance.alerts import Alert
from exchange.rules.surveillance.happenings import (
    Changed,
    Gone,
    Happening,
    Placed,
    Settled,
    Traded,
    happenings,
)
from exchange.rules.surveillance.pulled import Pulled
from exchange.rules.surveillance.pushed import Pushed
from exchange.rules.surveillance.wash import Wash
from exchange.rules.tenors import NS_PER_SECOND

# How far back one must have read to judge what happens next.
MEMORY_NS: Final = WINDOW_NS + 60 * NS_PER_SECOND

FORGET_NS: Final = 60 * NS_PER_SECOND  # so often what is over is dropped

OwnerOf = Callable[[int], str]


class Watcher:
    """Follows a journal. `owner_of` names whose an account is: two of one name are one owner."""

    def __init__(self, owner_of: OwnerOf) -> None:
        self._owner_of = owner_of
        self._wash, self._pulled, self._pushed = Wash(), Pulled(), Pushed()
        self._forgot_ns = 0

    def take(self, commands: np.ndarray, events: np.ndarray) -> Iterator[Alert]:
        """Yield the alerts of a batch.

        Args:
            commands: COMMAND rows, gap-free; events: EVENT rows in their order.
        """
        for one in happenings(commands, events):
            yield from self._see(one)
        now_ns = int(commands["ts_ns"][-1])
        yield from self._wash.passed(now_ns)
        if now_ns - self._forgot_ns >= FORGET_NS:
            self._forgot_ns = now_ns
            for patterns in (self._wash, self._pulled, self._pushed):
                patterns.forget(now_ns)

    def _see(self, one: Happening) -> Iterator[Alert]:
        match one:
            case Traded():
                yield from self._trade(one)
            case Placed():
                yield from self._pulled.placed(one, self._owner_of(one.account_idx))
            case Gone():
                yield from self._pulled.gone(one, self._owner_of(one.account_idx))
            case Changed():
                yield from self._pulled.changed(one, self._owner_of(one.account_idx))
            case Settled():
                yield from self._pushed.settled(one)

    def _trade(self, one: Traded) -> Iterator[Alert]:
        taker, maker = self._owner_of(one.taker_idx), self._owner_of(one.maker_idx)
        self._pulled.traded(one)
        yield from self._wash.traded(one, taker, maker)
        yield from self._pushed.traded(one, taker, maker)
