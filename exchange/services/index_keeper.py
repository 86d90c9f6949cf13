"""Keeps the index: has it published at 00:30 and 12:00 UTC, and tells the engine.

What is published stands in Postgres, so a restart goes on with it; a second keeper finds nothing
left to do. The engine gets each print that has a quorum, once. Below the quorum it gets none: no
stop is triggered, and nothing else happens, because of a price that nobody stands for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

import numpy as np

from exchange.io.clock import Clock
from exchange.io.errors import Corrupt, ExchangeError
from exchange.io.index_publish import Done
from exchange.io.index_store import PostgresIndex, PrintRow
from exchange.rules.combinations import is_combination
from exchange.rules.index.prints import FINAL_AFTER_NS, FRESH_DAYS, final_ns, published_ns
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import div_half_even
from exchange.rules.operations import index_command
from exchange.rules.records import Contract
from exchange.rules.skus import SKU_BY_SHORT
from exchange.rules.tenors import DAY, date_of
from matching.codes import TradingState

Send = Callable[[np.ndarray], Awaitable[None]]
Publish = Callable[[int], Awaitable[Done]]

START_S: Final = 20.0  # a node that has just started has more urgent things to do
LOOK_S: Final = 10.0
RETRY_S: Final = 60.0
CORRUPT_S: Final = 900.0  # somebody has to look at it first
NAMED: Final = 5  # of those without a quorum, in a log line

_log = logging.getLogger("wellhead.index")


class IndexKeeper:
    """`run` beside the sequencer."""

    def __init__(
        self,
        store: PostgresIndex,
        mirror: MirrorState,
        send: Send,
        clock: Clock,
        publish: Publish | None,
    ) -> None:
        """Keep the index for the exchange of `mirror`; without `publish` it is only told."""
        self._store = store
        self._mirror = mirror
        self._send = send
        self._clock = clock
        self._publish = publish
        self._fed: dict[int, int] = {}  # the position of the print a contract has
        self._seen = 0  # observations there were at the last look
        self._tried = (0, date.min)  # observations there were, and the day, without any print
        self._silent: frozenset[str] = frozenset()  # names without a quorum

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        await asyncio.sleep(START_S)
        while True:
            pause_s = LOOK_S
            try:
                await self.step()
            except Corrupt as error:
                _log.error("the index is not continued: %s", error)
                pause_s = CORRUPT_S
            except (ExchangeError, TimeoutError, OSError) as error:
                _log.warning("the index waits: %s", error)
                pause_s = RETRY_S
            await asyncio.sleep(pause_s)

    async def step(self) -> None:
        """Publish what is due, and tell the engine what is new.

        Errors:
            Corrupt: the history cannot be continued.
            Unavailable: the next step does what is left.
        """
        now_ns = self._clock.now_ns()
        if self._publish is not None and await self._is_due(now_ns):
            done = await self._publish(now_ns)
            self._tried = (await self._store.observed(), date_of(now_ns - FINAL_AFTER_NS))
            _log.info("index: %d prints, %s to %s; %d errata", done.prints, done.first, done.last,
                      done.errata)  # fmt: skip
        await self.feed(now_ns)

    async def _is_due(self, now_ns: int) -> bool:
        """Say whether there is a print to publish, or may be."""
        final, provisional = await self._store.ends()
        newest = max((day for day in (final, provisional) if day is not None), default=None)
        if newest is None:
            seen, self._seen = self._seen, await self._store.observed()
            if not seen or seen != self._seen:
                return False  # the first ones are still coming in: the history begins with all
            return (seen, date_of(now_ns - FINAL_AFTER_NS)) != self._tried
        if final is None or final < newest:
            return final_ns(newest) <= now_ns
        return published_ns(newest + DAY) <= now_ns

    async def feed(self, now_ns: int) -> None:
        """Send each contract the print of its series, if it is fresh and has a quorum (INDX_017).

        Errors:
            Unavailable: not sent.
        """
        latest = await self._store.latest(date_of(now_ns) - FRESH_DAYS * DAY)
        self._say_silent(latest)
        by_name = {row.print.name: row.print for row in latest if row.print.has_quorum}
        rows = []
        for contract in self._mirror.contracts:
            found = by_name.get(series_of(contract))
            if found is None or not self._takes(contract, found.position):
                continue
            ticks = ticks_of(found.name, found.price_usd_micros)
            self._fed[contract.contract_idx] = found.position
            if ticks != contract.index_ticks:
                rows.append(index_command(contract.contract_idx, ticks))
        if rows:
            await self._send(np.concatenate(rows))

    def _takes(self, contract: Contract, position: int) -> bool:
        over = contract.state == TradingState.EXPIRED or contract.delivery.phase > 0
        if over or is_combination(contract.symbol):
            return False
        return self._fed.get(contract.contract_idx) != position

    def _say_silent(self, latest: list[PrintRow]) -> None:
        """Say once which indices have lost their quorum, or have it again."""
        silent = frozenset(row.print.name for row in latest if not row.print.has_quorum)
        if silent - self._silent:
            names = sorted(silent - self._silent)
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            _log.warning(
                "no quorum of %d indices, the engine is not told them: %s%s",
                len(names), ", ".join(names[:NAMED]), more,
            )  # fmt: skip
        if self._silent - silent:
            _log.info("quorum again: %s", ", ".join(sorted(self._silent - silent)))
        self._silent = silent


def series_of(contract: Contract) -> str:
    """Return the name of a contract's index: `H100-USE` of `H100-USE-2027M03`."""
    return contract.symbol.rpartition("-")[0]


def ticks_of(name: str, usd_micros: int) -> int:
    """Return a price in ticks of its SKU, at least one."""
    sku = SKU_BY_SHORT[name.partition("-")[0].partition(".")[0]]
    return max(1, div_half_even(usd_micros, sku.tick_usd_micros))
