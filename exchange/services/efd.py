"""The exchange for delivery: writes its sessions, calls those that are due, moves the positions.

It runs in the leader's process. A call is one transaction, made when every leg of earlier calls has
ended, so that no cash, lots or receipts count in two sessions. A position moves by
TRANSFER_POSITION at the settlement price once its price is in escrow, sent once by the process that
leads: the next one looks first, once clearing has posted all that the journal had when it began,
what has moved. What the core says is written together with what follows for the receipt. Killed
anywhere, the next step does what is left, and nothing is done twice.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np
import structlog

from exchange.io.clock import Clock
from exchange.io.efd import LEG_BASE, Leg, Moment
from exchange.io.errors import ExchangeError
from exchange.io.tasks import taking_back
from exchange.rules.agenda_prices import last_settlement_ns
from exchange.rules.contracts import Contract, SymbolError, parse_symbol
from exchange.rules.delivery.exchange import Session, session_of
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from matching.codes import EventKind, Kind, MoveReason, Side, TradingState
from matching.wire import new_commands

Send = Callable[[np.ndarray], Awaitable[None]]
SettledNs = Callable[[int], int]

LOOK_S: Final = 0.5

_log = structlog.get_logger(__name__)


class Rows(Protocol):
    """What it keeps: `exchange.io.efd.Exchanges`."""

    async def add(self, session: Session) -> Session:
        """Write a session, once."""
        ...

    async def due(self, now_ns: int) -> list[Session]:
        """Return sessions that are to be called now."""
        ...

    async def call(self, session: Session, contract: Contract, now: Moment, ts_ns: int) -> bool:
        """Call a session, once."""
        ...

    async def ready(self) -> list[Leg]:
        """Return legs whose position is to move."""
        ...

    async def settling(self) -> bool:
        """Return whether something of an earlier call is on its way."""
        ...

    async def end_unpaid(self, ts_ns: int) -> None:
        """End the legs whose price was refused."""
        ...

    async def moved(self) -> list[tuple[int, int]]:
        """Return leg and seq of what clearing has seen move."""
        ...

    async def decided(self, leg_id: int, code: int | None, seq: int, ts_ns: int) -> None:
        """Write what the core said of a leg, once."""
        ...

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        ...


class EfdDesk:
    """Call `observe` with each committed batch, after the mirror."""

    def __init__(
        self, rows: Rows, mirror: Mirror, send: Send, settled_ns: SettledNs, clock: Clock
    ) -> None:
        """Keep the sessions of the contracts that `mirror` shows.

        Args:
            settled_ns: when a contract was settled last.
        """
        self._rows = rows
        self._mirror = mirror
        self._send = send
        self._settled_ns = settled_ns
        self._clock = clock
        self._start_seq = mirror.seq  # what earlier leaders sent is up to here
        self._knows = False  # what of it has moved
        self._looked_at = 0  # contracts whose session is written
        self._sent: set[int] = set()
        self._answers: deque[tuple[int, int | None, int]] = deque()

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch."""
        ours = (
            (commands["kind"] == Kind.TRANSFER_POSITION)
            & np.isin(commands["state"], (MoveReason.EFD, MoveReason.GIVE_UP))
            & (commands["order_id"] >= LEG_BASE)  # a give-up: what an older version sent
        )
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            code = int(reply["code"]) if reply["kind"] == EventKind.REFUSED else None
            leg_id = int(command["order_id"]) - LEG_BASE
            self._answers.append((leg_id, code, int(command["seq"])))

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except (ExchangeError, TimeoutError) as error:
                _log.warning("efd_waits", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def step(self) -> None:
        """Do what is due now.

        Errors:
            ExchangeError: the next step does what is left.
        """
        now_ns = self._clock.now_ns()
        while self._answers:
            await self._rows.decided(*self._answers[0], now_ns)
            self._answers.popleft()
        await self._list()
        for session in await self._rows.due(now_ns):
            await self._call(session, now_ns)
        await self._rows.end_unpaid(now_ns)
        await self._move(now_ns)

    async def _list(self) -> None:
        """Write the sessions of contracts that were listed since."""
        while self._looked_at < len(self._mirror.contracts):
            listed = self._mirror.contracts[self._looked_at]
            contract = contract_of(listed.symbol)
            if contract is not None and not listed.ended:
                found = session_of(contract, listed.contract_idx)
                if found is not None:
                    await self._rows.add(found)
            self._looked_at += 1

    async def _call(self, session: Session, now_ns: int) -> None:
        listed = self._mirror.contracts[session.contract_idx]
        contract = contract_of(session.symbol)
        assert contract is not None, "a session is of a contract with a month"
        over = listed.ended or listed.state == TradingState.EXPIRED
        due_ns = last_settlement_ns(session.call_ns)
        if not over and self._settled_ns(listed.contract_idx) < due_ns:
            return  # that settlement comes first
        void = "trading has ended" if over or now_ns >= contract.last_trade_ns else ""
        if not void and await self._rows.settling():
            return  # what an earlier call takes counts no more in this one (EFD_008)
        now = Moment(listed.settle_ticks, self._mirror.seq, self._means(listed.contract_idx), void)
        if await self._rows.call(session, contract, now, now_ns):
            _log.info("efd_called", session=session.session_id, void=void)

    def _means(self, contract_idx: int) -> Callable[[int], tuple[int, int]]:
        """Return what gives position and free cash of an account, as they are now."""

        def means(account_idx: int) -> tuple[int, int]:
            lots = self._mirror.position(account_idx, contract_idx).qty_lots
            return lots, max(0, margin_of(self._mirror, account_idx).free_cash_usd_micros)

        return means

    async def _move(self, now_ns: int) -> None:
        if not self._knows:
            if await self._rows.cleared_seq() < self._start_seq:
                return
            for leg_id, seq in await self._rows.moved():
                await self._rows.decided(leg_id, None, seq, now_ns)
            self._knows = True
        due = [leg for leg in await self._rows.ready() if leg.leg_id not in self._sent]
        if due:
            ids = {leg.leg_id for leg in due}
            self._sent |= ids
            with taking_back(lambda: self._sent.difference_update(ids)):
                await self._send(np.concatenate([leg_command(leg) for leg in due]))


def contract_of(symbol: str) -> Contract | None:
    """Return the contract of a symbol that has a calendar, None for another."""
    try:
        return parse_symbol(symbol)
    except SymbolError:
        return None


def leg_command(leg: Leg) -> np.ndarray:
    """Return the move of a leg's lots: the buyer of the receipt gives its long position."""
    row = new_commands(1)
    row["kind"], row["state"] = Kind.TRANSFER_POSITION, int(MoveReason.EFD)
    row["account_idx"], row["ref_id"] = leg.buyer_idx, leg.seller_idx
    row["contract_idx"], row["side"] = leg.contract_idx, int(Side.SELL)
    row["price_ticks"], row["qty_lots"] = leg.price_ticks, leg.qty_lots
    row["order_id"] = LEG_BASE + leg.leg_id
    return row
