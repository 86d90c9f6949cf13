"""The gateway: commands out, replies and the mirror in.

Every command carries this gateway's origin id and a request id that rises by
one. The core takes each pair once (rule R1), so whatever the bus loses is sent
again, all that is pending and in order, until a committed batch holds the answer.
"""

import asyncio
import logging
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from api.barrier import Barrier
from api.errors import Problem
from api.foreseen import Foreseen, foreseen
from api.replies import FutureWaiter, Reply, Waiter
from exchange.io.batch import Batch
from exchange.io.bus import Bus
from exchange.io.errors import Unavailable
from exchange.io.status import Mode, Status
from exchange.rules.changes import Changes
from exchange.rules.mirror import Mirror
from exchange.rules.rows import event_rows
from matching.codes import Code, EventKind
from matching.wire import COMMAND

log = logging.getLogger("wellhead.gateway")

PENDING_MAX: Final = 32_768
SILENCE_S: Final = 0.5  # without any answer: send again, then wait twice as long
SILENCE_MAX_S: Final = 4.0
TURN_S: Final = 0.1  # how often silence is looked for
GAP_PAUSE_S: Final = 0.05  # a gap refuses many commands at once: one answer to all of them
SEND_TIMEOUT_S: Final = 10.0

_ENVELOPE: Final = struct.Struct("<2q")
_STAMPS: Final = struct.Struct("<2q96x2q")  # of a COMMAND: seq, ts_ns, origin_id, request_id
assert _STAMPS.size == COMMAND.itemsize

_REFUSED: Final = int(EventKind.REFUSED)
_NORMAL: Final = Mode.NORMAL  # looked up at each order: an enumeration takes longer to ask
_STALE_MAX: Final = int(Code.ORIGIN_INVALID)  # codes up to this are about origin and request id

OnBatch = Callable[[Batch, Changes], None]


class Gateway:
    """Sends commands of many clients and keeps the mirror they read.

    Args:
        head: returns the journal's head; None when everything runs in this process, where the
            mirror shows what a reply says before anyone can ask.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        mirror: Mirror,
        next_origin_id: Callable[[], Awaitable[int]],
        status: Callable[[], Status],
        head: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self.mirror = mirror
        self.began_seq = mirror.seq  # what was before is not in the mirror's history
        self.origin_id = 0
        self.resent_count = 0
        self._bus = bus
        self._status = status
        self._next_origin_id = next_origin_id
        self._barrier = Barrier(mirror, head)
        self._request_id = 0
        self._pending: dict[int, tuple[bytes, Waiter]] = {}
        self._announced: Batch | None = None  # that is being committed
        self._foreseen: Foreseen = {}  # of its answers
        self._outgoing: list[bytes] = []
        self._wake = asyncio.Event()
        self._silent_since_s = 0.0
        self._silence_s = SILENCE_S
        self._gap = False
        self._stale = False
        self._listeners: list[OnBatch] = []

    # Commands

    def post(self, row: bytes, waiter: Waiter) -> None:
        """Send a row of `codec.ROW`; the waiter hears what became of it.

        Errors:
            Problem: too much is pending, or the gateway has no origin yet.
        """
        pending = self._pending
        if len(pending) >= PENDING_MAX or self._stale or not self.origin_id:
            raise Problem("overloaded", "too much is waiting for the exchange")
        request_id = self._request_id = self._request_id + 1
        row += _ENVELOPE.pack(self.origin_id, request_id)
        if not pending:
            self._silent_since_s = time.monotonic()
        pending[request_id] = (row, waiter)
        if self._outgoing:
            self._outgoing.append(row)
        elif not self._bus.try_send(row):
            self._outgoing.append(row)
            self._wake.set()

    async def send(self, row: bytes, timeout_s: float = SEND_TIMEOUT_S) -> Reply:
        """Send a row and return its reply, refusals too.

        Errors:
            Problem: `outcome_unknown` when no answer came in time.
        """
        waiter = FutureWaiter()
        self.post(row, waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter.future
        except TimeoutError:
            raise Problem(
                "outcome_unknown", "no answer in time: the command may still be carried out"
            ) from None

    def check_open(self, *, reduces: bool = False) -> None:
        """Raise the problem of a mode in which commands are not taken.

        Args:
            reduces: whether the command can only lower risk, as a cancellation does.
        """
        mode = self._status().mode
        if mode is _NORMAL or (reduces and mode is Mode.CANCEL_ONLY):
            return
        raise Problem(mode.value, self._status().reason or f"the exchange is {mode.value}")

    @property
    def mode(self) -> Mode:
        """Return what the exchange takes now."""
        return self._status().mode

    @property
    def status(self) -> Status:
        """Return what the exchange says about itself."""
        return self._status()

    @property
    def pending_count(self) -> int:
        """Return how many commands have no answer yet."""
        return len(self._pending)

    # Batches

    def listen(self, listener: OnBatch) -> None:
        """Call `listener` after every batch, when the mirror has it."""
        self._listeners.append(listener)

    def foresee(self, batch: Batch) -> None:
        """Have answers to a batch written while it is being committed; `apply` gives them."""
        self._announced, self._foreseen = batch, {}
        if batch.first_seq == self.mirror.seq + 1:
            self._foreseen = foreseen(batch, self._replies(batch), self._pending)

    def apply(self, batch: Batch) -> None:
        """Apply a committed batch: mirror first, then replies, then whoever listens.

        Replies that were foreseen leave first: nobody can ask for more before the mirror has it.
        """
        known_seq = self.mirror.seq
        if batch.last_seq <= known_seq:
            return
        self._answer_foreseen(batch)
        if batch.first_seq <= known_seq:  # the mirror began inside this batch
            batch = Batch(
                known_seq + 1,
                batch.commands[known_seq + 1 - batch.first_seq :],
                batch.events[batch.events["seq"] > known_seq],
            )
        changes = self.mirror.apply(batch.commands, batch.events)
        if self._pending:
            self._answer(batch)
        for listener in self._listeners:
            listener(batch, changes)
        self._barrier.release()

    def _answer_foreseen(self, batch: Batch) -> None:
        """Hand over what was written of this very batch; another may have its place by now."""
        found, self._foreseen = self._foreseen, {}
        if not found or batch is not self._announced:
            return
        for request_id, (reply, _) in found.items():
            self._reply(request_id, reply)
        for _, waiter in found.values():
            waiter.flush()
        self._heard()

    def _answer(self, batch: Batch) -> None:
        """Hand the replies in a batch to those who wait for them."""
        answered = False
        for request_id, reply in self._replies(batch):
            answered = True
            first = reply.events[0]
            if first[1] == _REFUSED and first[3] <= _STALE_MAX:
                self._envelope_refused(request_id, first[3])
            else:
                self._reply(request_id, reply)
        if answered:
            self._heard()

    def _heard(self) -> None:
        """Something was answered: the exchange is not silent."""
        self._silent_since_s = time.monotonic()
        self._silence_s = SILENCE_S

    def _replies(self, batch: Batch) -> Iterator[tuple[int, Reply]]:
        """Yield the replies to our commands in a batch, with their request ids."""
        own = self.origin_id
        events = list(event_rows(batch.events))
        last, end = len(events), 0
        for seq, ts_ns, origin_id, request_id in _STAMPS.iter_unpack(batch.commands.tobytes()):
            start, end = end, end + 1
            while end < last and events[end][0] == seq:
                end += 1
            if origin_id == own:
                yield request_id, Reply(seq, ts_ns, events[start:end])

    def _reply(self, request_id: int, reply: Reply) -> None:
        """Hand a reply to who waits for it, if anyone still does."""
        pending = self._pending.pop(request_id, None)
        if pending is None:
            return
        try:
            pending[1].replied(reply)
        except Exception:  # one client's trouble must not stop the others
            log.exception("a reply could not be handed over")
            pending[1].lost(Problem("outcome_unknown", "look the order up"))

    def _envelope_refused(self, request_id: int, code: int) -> None:
        """A repetition was answered before; a gap is mended; a stale origin is given up."""
        if code == Code.REQUEST_GAP:
            self._gap = True
        elif code != Code.REQUEST_REPEATED:
            self._stale = True
            pending = self._pending.pop(request_id, None)
            if pending is not None:
                pending[1].lost(Problem("gateway_replaced", "nothing was done"))

    # Reads

    async def reached(self, seq: int) -> None:
        """Wait until the mirror shows `seq`.

        Errors:
            Problem: `views_behind` when it does not in time.
        """
        await self._barrier.reached(seq)

    async def barrier(self) -> None:
        """Wait until the mirror shows everything acknowledged anywhere before this call.

        Errors:
            Problem: the journal cannot be asked, or the mirror is too far behind.
        """
        await self._barrier.passed()

    # The loop that sends

    async def run(self) -> None:
        """Send what is posted, and send again what stays without an answer, for ever."""
        await self._renew()
        resender = asyncio.create_task(self._resend_forever())
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send_outgoing()
        finally:
            resender.cancel()

    async def _send_outgoing(self) -> None:
        rows, self._outgoing = self._outgoing, []
        if not rows:
            return
        try:
            await self._bus.send(b"".join(rows))
        except Unavailable as error:
            log.warning("commands wait to be sent again: %s", error)

    async def _resend_forever(self) -> None:
        while True:
            await asyncio.sleep(GAP_PAUSE_S if self._gap else TURN_S)
            if self._stale and not self._pending:
                await self._renew()
            silent_s = time.monotonic() - self._silent_since_s
            if self._pending and (self._gap or silent_s >= self._silence_s):
                self._resend()

    def _resend(self) -> None:
        """Send all that is pending, in order; what waits to be sent is part of it."""
        if not self._gap:
            self._silence_s = min(2 * self._silence_s, SILENCE_MAX_S)
        self._gap = False
        self._silent_since_s = time.monotonic()
        self._outgoing = [row for row, _ in self._pending.values()]
        self.resent_count += len(self._outgoing)
        self._wake.set()

    async def _renew(self) -> None:
        """Take an origin id that nobody had before, and count requests from one again."""
        while True:
            try:
                self.origin_id = await self._next_origin_id()
            except Unavailable as error:
                log.warning("no origin id yet: %s", error)
                await asyncio.sleep(TURN_S)
                continue
            self._request_id = 0
            self._stale = False
            return
