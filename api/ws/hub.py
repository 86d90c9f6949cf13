"""Who is connected: flushing, private channels, the status channel, and those who do not read."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from api import codec
from api.accruals import ACCRUALS, AccrualChannel
from api.errors import Problem
from api.orders import ALL_CONTRACTS
from api.protect import cancel_after_row
from api.replies import Reply
from api.whole import post_whole
from api.ws.calls import CallChannel
from api.ws.curves import CurveChannels
from api.ws.default_auctions import DefaultAuctionChannel
from api.ws.efd import EFD, EfdChannel
from api.ws.indices import IndexChannels
from api.ws.notices import NoticeChannel
from api.ws.outlet import CLOSE_KEY_GONE, CLOSE_RESTART, Flusher
from api.ws.private import PrivateChannels
from api.ws.reading import reading
from api.ws.shared import (
    RFQ,
    SETTLEMENTS,
    STATUS,
    RfqChannel,
    SettlementChannel,
    SharedChannel,
    StatusChannel,
)
from exchange.io.batch import Batch
from exchange.rules.changes import Changes
from matching.codes import Timer

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.session import Session

TURN_S: Final = 0.1
KEYS_EVERY_S: Final = 2.0
GUARD_MS: Final = 30_000  # so long after a gateway died, what it promised to cancel is cancelled
GUARD_EVERY_S: Final = 10.0


class Nobody:
    """Waits for a reply that nobody is there to hear."""

    def replied(self, reply: Reply) -> None:
        """Let it go."""

    def lost(self, problem: Problem) -> None:
        """Let it go."""


class Owed(Nobody):
    """Waits for the cancellation of an account whose connection ended; lost, it is owed again."""

    def __init__(self, hub: "Hub", account_idx: int) -> None:
        self._hub, self._account_idx = hub, account_idx

    def lost(self, problem: Problem) -> None:
        """Have it sent again."""
        self._hub.owed.add(self._account_idx)


class Hub:
    """All sessions of one process."""

    def __init__(self, services: "Services") -> None:
        self.services = services
        self.sessions: dict[Session, None] = {}
        self.flusher = Flusher()
        self.private = PrivateChannels(services.gateway.mirror)
        self.status = StatusChannel(services)
        self.rfqs = RfqChannel(services)
        self.indices = IndexChannels(services)
        self.calls = CallChannel(services, self.private)
        self.auctions = DefaultAuctionChannel(services, self.private)
        self.notices = NoticeChannel(services, self.private)
        self.efd = EfdChannel(services, self.private)
        self.curves = CurveChannels(services)
        self.settlements = SettlementChannel(services)
        self.accruals = AccrualChannel(services)
        self._own: dict[str, SharedChannel] = {
            STATUS: self.status,
            RFQ: self.rfqs,
            SETTLEMENTS: self.settlements,
            ACCRUALS: self.accruals,
            EFD: self.efd,
        }
        self._flush_due = False
        self._keys_due_s = 0.0
        self._guards_due_s = 0.0
        self.owed: set[int] = set()  # accounts whose orders are to be cancelled, and could not be
        services.key_closers.append(self.close_key)
        services.gateway.listen(self.on_batch)

    # Sending

    def queue(self, session: "Session") -> None:
        """Have a session flushed in this turn of the loop."""
        self.flusher.add(session)
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what all sessions have queued."""
        self._flush_due = False
        self.flusher.flush()

    def on_batch(self, batch: Batch, changes: Changes) -> None:
        """Feed the private channels; replies and public channels are queued by now."""
        self.private.apply(changes)
        if changes.deals:
            self.rfqs.apply(changes)
        if changes.settlements:
            self.settlements.apply(changes)
        if changes.accruals:
            self.accruals.apply(changes)
        self.flusher.flush()

    # Public channels: some of our own, the others of the feed

    def subscribe(self, name: str, session: "Session") -> bytes | None:
        """Subscribe and return the snapshot to begin with, None when there is no such channel."""
        own = self._own_channel(name)
        if own is not None:
            own.subscribers[session] = None
            return own.snapshot()
        return self.services.feed.subscribe(name, session)

    def snapshot(self, name: str) -> bytes | None:
        """Return a fresh snapshot of a channel."""
        own = self._own_channel(name)
        return self.services.feed.snapshot(name) if own is None else own.snapshot()

    def unsubscribe(self, name: str, session: "Session") -> None:
        """Unsubscribe."""
        own = self._own_channel(name)
        if own is not None:
            own.subscribers.pop(session, None)
        else:
            self.services.feed.unsubscribe(name, session)

    def _own_channel(self, name: str) -> SharedChannel | None:
        return self._own.get(name) or self.indices.of(name) or self.curves.of(name)

    # Cancelling when a connection ends

    def cancel_all(self, account_idx: int) -> None:
        """Cancel an account's orders: it asked for that when its connection ends.

        Then the gateway's timer is let go. What cannot be sent now, because too much is pending, is
        owed and sent with a later turn; if this process dies before, the timer cancels.
        """
        row = codec.cancel_all_row(account_idx, ALL_CONTRACTS, None)
        try:
            post_whole(self.services.gateway, row, Owed(self, account_idx))
        except Problem:
            self.owed.add(account_idx)
            return
        if account_idx not in self.guarded():
            self._guard(account_idx, 0)

    def cancel_owed(self) -> None:
        """Try again what could not be sent when a connection ended."""
        owed, self.owed = self.owed, set()
        for account_idx in owed:
            self.cancel_all(account_idx)

    def guarded(self) -> set[int]:
        """Return the accounts with a connection that promised to cancel when it ends."""
        return {
            session.who.account_idx
            for session in self.sessions
            if session.cancel_on_disconnect and session.who is not None
        }

    def guard(self, account_idx: int) -> None:
        """Arm the gateway's timer of an account, or put it off: it fires if this process dies."""
        self._guard(account_idx, GUARD_MS)

    def _guard(self, account_idx: int, timeout_ms: int) -> None:
        with contextlib.suppress(Problem):  # it is tried again at the next turn
            row = cancel_after_row(self.services.gateway, account_idx, timeout_ms, Timer.GATEWAY)
            self.services.gateway.post(row, Nobody())

    def close_key(self, key_id: str) -> None:
        """Close the connections of a key that was revoked here just now."""
        for session in list(self.sessions):
            if session.who is not None and session.who.key_id == key_id:
                session.close(CLOSE_KEY_GONE, "the key was revoked or has expired")

    # Looking after

    async def run(self) -> None:
        """Look after the sessions for ever."""
        while True:
            await asyncio.sleep(TURN_S)
            now_s = time.monotonic()
            self.status.turn()
            await self.indices.turn()
            await self.calls.turn()
            await self.auctions.turn()
            await self.efd.turn()
            await self.notices.turn()
            await self.curves.turn()
            for session in list(self.sessions):
                session.look_after(now_s)
            self.cancel_owed()
            if now_s >= self._guards_due_s:
                self._guards_due_s = now_s + GUARD_EVERY_S
                for account_idx in self.guarded():
                    self.guard(account_idx)
            if now_s >= self._keys_due_s:
                self._keys_due_s = now_s + KEYS_EVERY_S
                await self._check_keys()

    async def _check_keys(self) -> None:
        """Close the sessions of keys that were revoked or have expired, if the database answers."""
        by_key: dict[str, list[Session]] = {}
        for session in self.sessions:
            if session.who is not None:
                by_key.setdefault(session.who.key_id, []).append(session)
        for key_id, sessions in by_key.items():
            is_live = True  # while nobody answers
            async with reading():
                is_live = await self.services.auth.is_live(key_id)
            if not is_live:
                for session in sessions:
                    session.close(CLOSE_KEY_GONE, "the key was revoked or has expired")

    def close(self) -> None:
        """Close every session: the process ends."""
        for session in list(self.sessions):
            session.close(CLOSE_RESTART, "the exchange restarts")
