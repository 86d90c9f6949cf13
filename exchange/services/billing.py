"""Billing: charges what fills cost, decides tiers and rebates each night, watches market makers.

It runs beside the sequencer and keeps nothing that a kill could take but the minute it watches.
Fees of fills are worked out by clearing from the rates in the journal; here they are summed and
sent as CHARGE commands, numbered, so that the core takes each once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np

from exchange.io.billing import Place, SentCharge
from exchange.io.errors import Unavailable
from exchange.io.tasks import keep_stepping
from exchange.rules.billing import (
    MAKER,
    NS_PER_MINUTE,
    STANDARD,
    MakerDay,
    date_of,
    day_of,
    quotes_enough,
    rates_for,
    rebate_usd_micros,
    tiers_of,
    today,
)
from exchange.rules.fees import VOLUME_DAYS, Rates
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Order
from matching.codes import Code, EventKind, Kind, TradingState
from matching.wire import new_commands

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 1.0
TOGETHER: Final = 1_000  # accounts whose rates are looked at before others have their turn

_log = logging.getLogger("wellhead.billing")


class Rows(Protocol):
    """What billing keeps: `exchange.io.billing.Billing`."""

    async def place(self) -> Place:
        """Return how far billing and clearing are."""
        ...

    async def bill(self) -> bool:
        """Bill what clearing has posted since; True when there is more."""
        ...

    async def pending(self) -> list[SentCharge]:
        """Return the oldest charges that nothing has answered yet."""
        ...

    async def decided(self, charge_id: int, code: int, seq: int) -> None:
        """Write what the core said."""
        ...

    async def volumes(self, from_day: int, until_day: int) -> dict[int, int]:
        """Return the GPU-hours that each account traded."""
        ...

    async def tiers(self) -> dict[int, str]:
        """Return the tiers decided last."""
        ...

    async def maker_days(self, day: int) -> list[MakerDay]:
        """Return what each market maker did on a day."""
        ...

    async def close_day(
        self,
        day: int,
        until_seq: int,
        tiers: list[tuple[int, int, str]],
        rebates: list[tuple[MakerDay, int]],
    ) -> bool:
        """Write tiers and rebates, once."""
        ...

    async def add_presence(self, rows: list[tuple[int, int, int, int]]) -> None:
        """Add one minute of presence."""
        ...


class BillingDesk:
    """Call `observe` with each committed batch, after the mirror."""

    def __init__(
        self,
        rows: Rows,
        mirror: MirrorState,
        send: Send,
        kinds: Callable[[], Awaitable[dict[int, str]]],
    ) -> None:
        """Bill the exchange that `mirror` follows; `kinds` gives the kind of every account."""
        self._rows = rows
        self._mirror = mirror
        self._send = send
        self._kinds_of = kinds
        self._kinds: dict[int, str] = {}
        self._answers: deque[tuple[int, int, int]] = deque()  # charge, code, seq
        self._sent: set[int] = set()
        self._tiers: dict[int, str] = {}
        self._day = -1  # whose tiers are told
        self._told = 0  # accounts whose rates were looked at
        self._billed_minute = -1
        self._minute = -1  # that is watched
        self._present: dict[tuple[int, int], bool] = {}  # of (account, contract) so far in it
        self._midnight_seq = -1  # by when all fills of the day before are in the journal
        self._wake = asyncio.Event()

    def observe(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Take the answers out of a committed batch; look at new accounts at once."""
        if (commands["kind"] == Kind.OPEN_ACCOUNT).any():
            self._wake.set()
        ours = (commands["kind"] == Kind.CHARGE) & (commands["origin_id"] == 0)
        if not ours.any():
            return
        rows = commands[ours]
        replies = events[np.searchsorted(events["seq"], rows["seq"])]
        for command, reply in zip(rows, replies, strict=True):
            refused = reply["kind"] == EventKind.REFUSED
            code = int(reply["code"]) if refused else int(Code.OK)
            self._answers.append((int(command["ref_id"]), code, int(command["seq"])))
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_stepping(
            self.step,
            LOOK_S,
            _waits,
            (
                Unavailable,
                TimeoutError,
            ),
            self._wake,
        )

    async def step(self) -> None:
        """Do what is due now.

        Errors:
            Unavailable: Postgres or the sequencer does not answer; the next step does it.
        """
        while self._answers:
            charge_id, code, seq = self._answers[0]
            if charge_id:
                await self._rows.decided(charge_id, code, seq)
                self._sent.discard(charge_id)
            self._answers.popleft()
        if self._mirror.ts_ns == 0:
            return
        await self._tell_rates()
        await self._watch()
        minute = self._mirror.ts_ns // NS_PER_MINUTE
        if minute != self._billed_minute:
            more = await self._rows.bill()
            if more:
                self._wake.set()
            else:
                await self._close_days()
                self._billed_minute = minute
        await self._charge()

    # Charges

    async def _charge(self) -> None:
        """Send what was billed, in the order of its ids: the core refuses a lower one later."""
        due = [one for one in await self._rows.pending() if one.charge_id not in self._sent]
        if not due:
            return
        rows = new_commands(len(due))
        rows["kind"] = Kind.CHARGE
        rows["account_idx"] = [one.account_idx for one in due]
        rows["state"] = [one.kind for one in due]
        rows["amount_usd_micros"] = [one.amount_usd_micros for one in due]
        rows["ref_id"] = [one.charge_id for one in due]
        await self._send(rows)
        self._sent.update(one.charge_id for one in due)

    # Rates

    async def _tell_rates(self) -> None:
        """Tell the core what accounts pay, where it is not what they are to pay."""
        mirror = self._mirror
        day = day_of(mirror.ts_ns)
        if day != self._day:
            self._tiers = await self._rows.tiers()
            self._day, self._told = day, 0
        if len(self._kinds) < len(mirror.accounts):
            self._kinds = await self._kinds_of()
        if self._told == len(mirror.accounts):
            return
        end = min(len(mirror.accounts), self._told + TOGETHER)
        rows = [row for idx in range(self._told, end) for row in self._rates_row(idx)]
        if rows:
            await self._send(np.concatenate(rows))
        self._told = end
        self._wake.set()

    def _rates_row(self, account_idx: int) -> list[np.ndarray]:
        tier = self._tiers.get(account_idx, STANDARD)
        rates = rates_for(self._kinds.get(account_idx), tier, today(self._mirror.ts_ns))
        if rates.word == self._mirror.accounts[account_idx].fee_rates:
            return []
        return [fees_command(account_idx, rates)]

    # Days

    async def _close_days(self) -> None:
        """Once all fills of yesterday are billed: today's tiers, and yesterday's rebates."""
        mirror, yesterday = self._mirror, day_of(self._mirror.ts_ns) - 1
        place = await self._rows.place()
        if place.closed_day >= yesterday:
            self._midnight_seq = -1
            return
        if self._midnight_seq < 0:
            self._midnight_seq = mirror.seq
        if place.last_seq < self._midnight_seq:
            return
        # A node that was down over midnight closes each day that it had begun.
        for day in range(place.closed_day + 1 if place.closed_day else yesterday, yesterday + 1):
            await self._close_day(day, place.last_seq)
        self._day = -1  # the tiers are told anew

    async def _close_day(self, day: int, until_seq: int) -> None:
        volumes = await self._rows.volumes(day + 1 - VOLUME_DAYS, day + 1)
        tiers = tiers_of(volumes, date_of(day + 1))
        rebates = [
            (one, rebate_usd_micros(one, date_of(day))) for one in await self._rows.maker_days(day)
        ]
        await self._rows.close_day(day, until_seq, tiers, rebates)
        _log.info("%s is closed: %d tiers, %d rebates", date_of(day), len(tiers), len(rebates))

    # Market makers

    async def _watch(self) -> None:
        """Look at what market makers quote; a minute counts when each look in it was good."""
        mirror = self._mirror
        minute = mirror.ts_ns // NS_PER_MINUTE
        if minute != self._minute:
            day = day_of(self._minute * NS_PER_MINUTE)
            present = [(day, *key, int(good)) for key, good in self._present.items()]
            self._minute, self._present = minute, {}
            await self._rows.add_presence(present)
        makers = [idx for idx, kind in self._kinds.items() if kind == MAKER]
        for idx in makers:
            if idx < len(mirror.accounts):
                self._look(idx)

    def _look(self, account_idx: int) -> None:
        by_contract: dict[int, list[Order]] = {}
        for order in self._mirror.accounts[account_idx].orders.values():
            by_contract.setdefault(order.contract_idx, []).append(order)
        for contract in self._mirror.contracts:
            if contract.state != TradingState.CONTINUOUS or contract.legs:
                continue
            key = (account_idx, contract.contract_idx)
            own = by_contract.get(contract.contract_idx, [])
            good = quotes_enough(own, contract.base_ticks)
            self._present[key] = good and self._present.get(key, True)


def fees_command(account_idx: int, rates: Rates) -> np.ndarray:
    """Return the SET_FEES of an account."""
    row = new_commands(1)
    row["kind"], row["account_idx"] = Kind.SET_FEES, account_idx
    row["price_ticks"], row["qty_lots"] = rates.maker, rates.taker
    row["amount_usd_micros"] = rates.clearing
    return row


def _waits(error: Exception) -> None:
    _log.warning("billing goes on later: %s", error)
