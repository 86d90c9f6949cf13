"""The calendar: time, listings, marks, daily settlement, margin parameters.

It runs beside the sequencer, one of it. Whatever it does is a journaled command
of origin 0; whatever it knows was said by the journal. A second copy, a restart in
the middle or a lost command does no harm: the agenda compares and goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import numpy as np

from exchange.io.clock import Clock
from exchange.io.errors import Unavailable
from exchange.io.journal import Journal
from exchange.rules.agenda import Agenda, rest_until_ns
from exchange.rules.agenda_prices import last_settlement_ns
from exchange.rules.cycles import last_midday_ns
from exchange.rules.final_settlement import FixedDays
from exchange.rules.legs import Listed
from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import tick_command
from exchange.rules.quotes import PriceData
from exchange.rules.scenario_addons import AddonSet
from exchange.rules.scenarios import ShockModel
from exchange.rules.sessions import CALLS, CallTimes
from exchange.rules.settlement import WINDOW_NS
from exchange.rules.settlement_run import SettlementRun
from exchange.rules.tape import Tape
from exchange.rules.tenors import NS_PER_DAY, NS_PER_SECOND
from matching.codes import Kind
from matching.limits import CONTRACTS_MAX

Send = Callable[[np.ndarray], Awaitable[None]]
Keep = Callable[[SettlementRun], Awaitable[None]]

RESEND_NS: Final = 5 * NS_PER_SECOND  # a command not seen in the journal by then was lost
BUSY_SECONDS: Final = 0.05  # between steps while something is under way
SEND_SECONDS: Final = 10
FEW_SLOTS: Final = 256  # left for contracts: more than two months of listings
_KEY: Final = ["kind", "contract_idx", "order_id", "state"]  # which command it is

_log = logging.getLogger("wellhead.calendar")


class Calendar:
    """Keeps the exchange's calendar. `observe` every committed batch, after the mirror."""

    def __init__(
        self,
        mirror: MirrorState,
        send: Send,
        clock: Clock,
        data: PriceData,
        contracts_max: int = CONTRACTS_MAX,
        combinations: Listed = Listed.NONE,
        times: CallTimes = CALLS,
        keep: Keep | None = None,
        days: FixedDays | None = None,
    ) -> None:
        """Keep the calendar of the exchange that `mirror` follows; commands go to `send`.

        Args:
            keep: stores what settlement prices come from, before they are sent; again it changes
                nothing.
        """
        self.tape = Tape()
        self.agenda = Agenda(mirror, self.tape, data, contracts_max, combinations, times, days)
        self._mirror = mirror
        self._send = send
        self._keep = keep
        self._clock = clock
        self._in_flight: dict[tuple[int, ...], int] = {}  # what was sent, and when
        self._second = 0
        self._ticked_ns = 0
        self._rest_until_ns = 0  # nothing falls due before
        self._slots_said = (0, False)  # the day, and whether there were none left

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take in one committed batch."""
        self.tape.observe(commands, events)

    async def catch_up(self, journal: Journal) -> None:
        """Learn from the journal what happened before this process began to observe.

        That is the last daily settlement and the trades of the half hour before it, the last
        variation cycle, and the trades of the last half hour.
        Call it once the mirror is at the journal's head, before `observe` and `run`.
        """
        now_ns = self._clock.now_ns()
        head = await journal.head()
        due = last_settlement_ns(now_ns)
        async for batch in journal.read(await seq_before(journal, head, due - WINDOW_NS), head):
            self.observe(batch.commands, batch.events)
            if self.agenda.is_settled_since(due):
                break
        midday_ns = last_midday_ns(now_ns)
        after = max(await seq_before(journal, head, midday_ns), self.tape.seq)
        async for batch in journal.read(after, head):
            self.observe(batch.commands, batch.events)
            if self.agenda.is_paid_since(midday_ns):
                break
        recent = await seq_before(journal, head, now_ns - WINDOW_NS)
        async for batch in journal.read(max(recent, self.tape.seq), head):
            self.observe(batch.commands, batch.events)

    def adopt(self, model: ShockModel, addons: AddonSet | None = None) -> None:
        """Let other scenarios and their add-ons be live, from the next step on."""
        self.agenda.adopt(model, addons)
        self._in_flight.clear()  # what is under way of another set must not stand for this one
        self._rest_until_ns = 0

    async def step(self) -> bool:
        """Do what is due now; return whether something is under way that another step follows.

        Errors:
            Unavailable: the commands could not be sent; the next step sends them again.
        """
        now_ns = self._clock.now_ns()
        if now_ns // NS_PER_SECOND != self._second and not self._is_unheard(now_ns):
            await self._every_second(now_ns)
        if now_ns < self._rest_until_ns:
            return False
        planned = self.agenda.plan(now_ns)
        if len(planned) == 0:
            self._rest_until_ns = rest_until_ns(now_ns, self.agenda.times)
            return False
        rows = self._not_in_flight(planned, now_ns)
        if len(rows):
            if self._keep is not None and (rows["kind"] == Kind.SETTLE).any():
                assert self.agenda.run is not None
                await self._keep(self.agenda.run)
            await self._give(rows)
            self._in_flight.update((key, now_ns) for key in _keys(rows))
        return True

    async def _every_second(self, now_ns: int) -> None:
        """Let time pass, and mark what has moved."""
        minute = 60 * NS_PER_SECOND
        whole_minute = now_ns // minute != self._second * NS_PER_SECOND // minute
        marks = self.agenda.marks(now_ns, whole_minute=whole_minute)
        await self._give(np.concatenate([tick_command(), marks]))
        self._second = now_ns // NS_PER_SECOND
        self._ticked_ns = now_ns
        self._watch_slots(now_ns)

    def _is_unheard(self, now_ns: int) -> bool:
        """Return whether the last tick is still under way: a halted exchange is not flooded."""
        return self._mirror.ts_ns < self._ticked_ns and now_ns - self._ticked_ns < RESEND_NS

    async def _give(self, rows: np.ndarray) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._send(rows)

    def _not_in_flight(self, rows: np.ndarray, now_ns: int) -> np.ndarray:
        """Leave out what was sent moments ago and may not be in the journal yet."""
        fresh = {key for key, sent_ns in self._in_flight.items() if now_ns - sent_ns < RESEND_NS}
        self._in_flight = {key: self._in_flight[key] for key in fresh}
        kept = np.array([key not in fresh for key in _keys(rows)], bool)
        # A swap makes live whatever is staged: it goes again with anything that is.
        staging = np.isin(rows["kind"][kept], (Kind.STAGE_SHOCKS, Kind.STAGE_ADDONS)).any()
        kept |= (rows["kind"] == Kind.SWAP_SCENARIOS) & staging
        left: np.ndarray = rows[kept]
        return left

    def _watch_slots(self, now_ns: int) -> None:
        """Say once a day, and at a start, when the room for contracts runs out."""
        free = self.agenda.contracts_max - len(self._mirror.contracts)
        now = (now_ns // NS_PER_DAY, free <= 0)
        if free > FEW_SLOTS or now == self._slots_said:
            return
        self._slots_said = now
        missing = self.agenda.unlisted(now_ns) if free <= 0 else []
        if missing:
            _log.error("no room for %d contracts, the first is %s", len(missing), missing[0].symbol)
        else:
            _log.warning("room for %d more contracts of %d", free, self.agenda.contracts_max)

    async def run(self) -> None:
        """Step each second, at once while something is under way, until cancelled."""
        while True:
            try:
                busy = await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("commands not sent, will be sent again: %s", error)
                busy = False
            await asyncio.sleep(BUSY_SECONDS if busy else self._seconds_to_next())

    def _seconds_to_next(self) -> float:
        return (NS_PER_SECOND - self._clock.now_ns() % NS_PER_SECOND) / NS_PER_SECOND


def _keys(rows: np.ndarray) -> list[tuple[int, ...]]:
    return rows[_KEY].tolist()  # type: ignore[no-any-return]


async def seq_before(journal: Journal, head: int, ts_ns: int) -> int:
    """Return the number of a command before which everything is older than a moment.

    It may be a batch too low, never too high; 0 when the whole journal is younger.
    """
    low, high = 0, head  # everything up to `low` is older than ts_ns
    while low < high:
        middle = (low + high + 1) // 2
        last_seq, last_ns = middle, 0
        async for batch in journal.read(middle - 1, middle):
            last_seq, last_ns = batch.last_seq, batch.ts_ns
        if last_ns < ts_ns:
            low = min(last_seq, head)
        else:
            high = middle - 1
    return low
