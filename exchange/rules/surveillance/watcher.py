"""All patterns over one journal: batches in, alerts out. No clock, no I/O; the same again."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

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
        # Nearly every happening is no alert: a tuple says so sooner than a generator.
        self._handlers: dict[type[Happening], Callable[[Any], Sequence[Alert]]] = {
            Traded: self._trade,
            Placed: self._placed,
            Gone: self._gone,
            Changed: self._changed,
            Settled: self._pushed.settled,
        }

    def take(self, commands: np.ndarray, events: np.ndarray) -> Iterator[Alert]:
        """Yield the alerts of a batch: the same ones however commands are cut into batches.

        Args:
            commands: COMMAND rows, gap-free; events: EVENT rows in their order.
        """
        wash, handlers = self._wash, self._handlers
        for one in happenings(commands, events):
            if one.ts_ns >= wash.due_ns:
                yield from wash.passed(one.ts_ns)  # as if the batch before ended right before
            if alerts := handlers[type(one)](one):
                yield from alerts
        now_ns = int(commands["ts_ns"][-1])
        yield from self._wash.passed(now_ns)
        if now_ns - self._forgot_ns >= FORGET_NS:
            self._forgot_ns = now_ns
            for patterns in (self._wash, self._pulled, self._pushed):
                patterns.forget(now_ns)

    def _trade(self, one: Traded) -> Sequence[Alert]:
        taker, maker = self._owner_of(one.taker_idx), self._owner_of(one.maker_idx)
        self._pulled.traded(one)
        washed = self._wash.traded(one, taker, maker)
        pushed = self._pushed.traded(one, taker, maker)
        return (*washed, *pushed) if washed or pushed else ()

    def _placed(self, one: Placed) -> Sequence[Alert]:
        return self._pulled.placed(one, self._owner_of(one.account_idx))

    def _gone(self, one: Gone) -> Sequence[Alert]:
        return self._pulled.gone(one, self._owner_of(one.account_idx))

    def _changed(self, one: Changed) -> Sequence[Alert]:
        return self._pulled.changed(one, self._owner_of(one.account_idx))
