"""Rounds of trading, each ended by a kill at a seeded instant, each followed by a reckoning."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.torture.exchange import Exchange, Victim
from tests.torture.floor import Floor
from tests.torture.process import Failed
from tests.torture.record import Fate

TRADE_S: Final = (0.05, 0.6)  # before a kill
BACK_S: Final = 60.0  # a part that was killed runs again by then
AFTER_S: Final = (0.1, 0.4)  # traded on after the kill of a part
BUSY_SHARE: Final = 0.6  # of the kills: while a request is surely under way
BUSY_MAX: Final = 40
BUSY_S: Final = (0.0, 0.003)
EARLY_SHARE: Final = 0.12  # of the starts: killed again before they are ready
EARLY_S: Final = (0.1, 2.5)
# Of a hundred kills: the node and clearing most, Postgres and the whole machine now and then.
WEIGHTS: Final = {
    Victim.NODE: 42,
    Victim.CLEARING: 36,
    Victim.POSTGRES: 12,
    Victim.MACHINE: 10,
}


def is_sound(printed: str, last_seq: int) -> bool:
    """Say whether `wellhead verify --json` has replayed at least so far and found nothing."""
    report = json.loads(printed[printed.index("{") :])
    return bool(report["sound"]) and report["replayed_seq"] >= last_seq


@dataclass
class Report:
    """What a storm did, and what it found wrong."""

    seed: int
    kills: Counter[Victim] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    seconds: float = 0.0
    start_s: list[float] = field(default_factory=list)
    fates: Counter[Fate] = field(default_factory=Counter)
    commands: int = 0
    trades: int = 0
    resent: int = 0
    duplicates: int = 0

    def line(self) -> str:
        """Return it in one line."""
        kills = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        fates = ", ".join(f"{self.fates[fate]} {fate.value}" for fate in Fate)
        start_s = sorted(self.start_s)[len(self.start_s) // 2] if self.start_s else 0.0
        return (
            f"seed {self.seed}: killed {kills}; requests: {fates}; {self.resent} sent again, "
            f"{self.duplicates} were duplicates; {self.commands} commands, {self.trades} trades; "
            f"start {start_s:.1f} s; {self.seconds:.0f} s; {len(self.found)} violations"
        )


class Storm:
    """One exchange, four traders, many kills."""

    def __init__(
        self, exchange: Exchange, seed: int, weights: Mapping[Victim, int] = WEIGHTS
    ) -> None:
        self.exchange = exchange
        self.floor = Floor(exchange, seed)
        self.report = Report(seed)
        self._weights = weights
        self._random = Random(seed)

    async def run(self, kills: int, *, until_found: bool = False) -> Report:
        """Start, trade and kill, then reckon with everything.

        Args:
            kills: how many.
            until_found: stop at the first round that finds something.
        """
        begun_s = time.monotonic()
        await self.exchange.start()
        await self.floor.open()
        try:
            for victim in self._victims(kills):
                await self._round(victim)
                if self.report.found and until_found:
                    break
            if not self.report.found:
                await self._end()
        except Failed as failed:
            self._note([str(failed)])
        self._sum_up(begun_s)
        return self.report

    def _victims(self, kills: int) -> list[Victim]:
        """Return whom to kill, in a random order; no kind is left out of a long run."""
        kinds = list(self._weights)
        every = kinds[:kills]
        weights = list(self._weights.values())
        victims = every + self._random.choices(kinds, weights, k=kills - len(every))
        self._random.shuffle(victims)
        return victims

    async def _round(self, victim: Victim) -> None:
        if victim == Victim.CLEARING:
            self._note(await self.floor.clearing_stays_behind())
        self.floor.begin()
        await asyncio.sleep(self._random.uniform(*TRADE_S))
        pids = await self._aim(victim)
        if self._random.random() < BUSY_SHARE:
            await self.floor.busy(self._random.randint(1, BUSY_MAX))
            await asyncio.sleep(self._random.uniform(*BUSY_S))
        self._kill(victim, pids)
        if victim in (Victim.CLEARING, Victim.POSTGRES):
            await asyncio.sleep(self._random.uniform(*AFTER_S))
        await self.floor.end()
        await self._stand_up(victim)
        await self.floor.settle()
        self._note(await self.floor.reckon())

    async def _aim(self, victim: Victim) -> list[int]:
        """Return whom to kill; of Postgres sometimes only the server, or one process of it.

        Errors:
            Failed: it does not run, and did not come back by itself.
        """
        deadline = time.monotonic() + BACK_S
        while not (pids := self.exchange.pids(victim)):
            if time.monotonic() > deadline:
                raise Failed(f"no {victim} runs {BACK_S} s after it was killed")
            await asyncio.sleep(0.02)
        if victim != Victim.POSTGRES:
            return pids
        return self._random.choice((pids, pids[:1], self._random.sample(pids, 1)))

    def _kill(self, victim: Victim, pids: list[int]) -> None:
        self.exchange.kill(pids)
        if victim == Victim.MACHINE:
            self.exchange.cut_power(self._random)
        self.report.kills[victim] += 1

    async def _stand_up(self, victim: Victim) -> None:
        """Start again what does not do so by itself, sometimes killing it on the way up."""
        if victim in (Victim.NODE, Victim.MACHINE):
            while self._random.random() < EARLY_SHARE:
                self.exchange.node.start()
                await asyncio.sleep(self._random.uniform(*EARLY_S))
                self._kill(Victim.NODE, self.exchange.pids(Victim.NODE))
            await self.exchange.start()
        else:
            await self.exchange.ready()

    def _note(self, found: list[str]) -> None:
        kills = sum(self.report.kills.values())
        self.report.found += [f"after kill {kills}: {line}" for line in found]

    async def _end(self) -> None:
        """Reckon with everything, stop cleanly, and have it verified."""
        self._note(await self.floor.reckon_with_everything())
        status = self.exchange.stop()
        if status != 0:
            self._note([f"the node ended with {status}"])
        status, printed = await self.exchange.command("verify", "--json")
        last_seq = self.floor.truth.last_seq
        if status != 0 or not is_sound(printed, last_seq):
            self._note([f"verify ended with {status} (the journal at {last_seq}): {printed}"])

    def _sum_up(self, begun_s: float) -> None:
        report, floor = self.report, self.floor
        report.fates = floor.fates()
        report.resent = sum(trader.stats.resent for trader in floor.traders)
        report.duplicates = sum(trader.stats.duplicates for trader in floor.traders)
        report.start_s = self.exchange.start_s
        report.commands, report.trades = floor.truth.last_seq, len(floor.truth.trade_ids)
        report.seconds = time.monotonic() - begun_s
