"""Billing in Postgres: fills that were not billed yet, charges on their way, tiers and rebates.

What one transaction bills moves how far billing is, so no fill is billed twice or left out
whatever is killed when. A charge stays until a committed command answers it.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.billing import (
    STANDARD,
    Billed,
    Exchanged,
    Held,
    MakerDay,
    charges_of,
    delivery_fee_of,
    efd_fee_of,
)
from exchange.rules.money import TICK_USD_MICROS
from matching.codes import Code

SEQS_MAX: Final = 200_000  # commands that are billed at once
CHARGES_MAX: Final = 1_000  # that are sent at once

_SQL: Final = queries("billing")


class Place(NamedTuple):
    """How far billing is, and clearing."""

    last_seq: int
    closed_day: int  # tiers of the day after it, and its rebates, are decided
    cleared_seq: int


class SentCharge(NamedTuple):
    """A charge on its way; its id is its reference."""

    charge_id: int
    account_idx: int
    kind: int  # Charge
    amount_usd_micros: int


class MakerSeen(NamedTuple):
    """A market maker's day in one contract."""

    day: int
    symbol: str
    minutes_present: int
    minutes_open: int
    maker_gpu_hours: int
    rebate_usd_micros: int


class PresenceSeen(NamedTuple):
    """A market maker's minutes in one contract, of a day that goes on."""

    day: int
    symbol: str
    minutes_present: int
    minutes_open: int


class Billing(Store):
    """The door to the tables of billing."""

    async def place(self) -> Place:
        """Return how far billing and clearing are."""
        row = await self._row(_SQL["place"])
        assert row is not None, "the migration wrote it"
        return Place(*row)

    async def bill(self) -> bool:
        """Bill the fills, beginnings of delivery and exchanges for it that clearing posted since.

        Returns:
            True when there is more.
        """
        place = await self.place()
        until_seq = min(place.cleared_seq, place.last_seq + SEQS_MAX)
        if until_seq == place.last_seq:
            return False
        async with self._transaction() as connection:
            locked = await connection.fetchrow(_SQL["lock"])
            if locked["last_seq"] != place.last_seq:
                return True  # another did
            rows = await connection.fetch(_SQL["fills"], place.last_seq, until_seq, TICK_USD_MICROS)
            await self._write_bill(connection, [Billed(*row) for row in rows], place, until_seq)
            args = (place.last_seq, until_seq, TICK_USD_MICROS, STANDARD)
            for row in await connection.fetch(_SQL["held"], *args):
                fee = delivery_fee_of(Held(*row))
                await connection.execute(_SQL["add_delivery_fee"], *fee)
            for row in await connection.fetch(_SQL["exchanged"], *args):
                await connection.execute(_SQL["add_efd_fee"], *efd_fee_of(Exchanged(*row)))
        return until_seq < place.cleared_seq

    async def _write_bill(
        self, connection: Any, billed: Sequence[Billed], place: Place, until_seq: int
    ) -> None:
        if billed:
            volumes = [(b.day, b.account_idx, b.contract_idx, b.gpu_hours, b.made) for b in billed]
            await connection.execute(_SQL["add_volumes"], *map(list, zip(*volumes, strict=True)))
        charges = charges_of(billed)
        if charges:
            columns = map(list, zip(*charges, strict=True))
            await connection.execute(_SQL["add_charges"], *columns, place.last_seq, until_seq)
        await connection.execute(_SQL["move_place"], until_seq)

    # Charges

    async def pending(self) -> list[SentCharge]:
        """Return the oldest charges that nothing has answered yet."""
        return [SentCharge(*row) for row in await self._rows(_SQL["pending"], CHARGES_MAX)]

    async def decided(self, charge_id: int, code: int, seq: int) -> None:
        """Write what the core said; the first answer stays."""
        if code in (Code.OK, Code.TRANSFER_REPEATED):
            # A repetition: it was taken before, in a command that this process did not see.
            found = seq if code == Code.OK else None
            await self._rows(_SQL["decided"], charge_id, "done", None, found)
        else:
            await self._rows(_SQL["decided"], charge_id, "refused", code, seq)

    # Days

    async def volumes(self, from_day: int, until_day: int) -> dict[int, int]:
        """Return the GPU-hours that each account traded in [from_day, until_day)."""
        return {row[0]: row[1] for row in await self._rows(_SQL["volumes"], from_day, until_day)}

    async def tiers(self) -> dict[int, str]:
        """Return the tiers decided last; who is not there is in the first."""
        return {row[0]: row[1] for row in await self._rows(_SQL["tiers"])}

    async def maker_days(self, day: int) -> list[MakerDay]:
        """Return what each market maker did in each contract on a day."""
        return [MakerDay(*row) for row in await self._rows(_SQL["presences"], day)]

    async def close_day(
        self,
        day: int,
        until_seq: int,
        tiers: Sequence[tuple[int, int, str]],
        rebates: Sequence[tuple[MakerDay, int]],
    ) -> bool:
        """Write the tiers of the day after `day` and its rebates, once; False: it was closed."""
        async with self._transaction() as connection:
            locked = await connection.fetchrow(_SQL["lock"])
            if locked["closed_day"] >= day:
                return False
            if tiers:
                idxs, volumes, names = map(list, zip(*tiers, strict=True))
                days = [day + 1] * len(tiers)
                await connection.execute(_SQL["add_tiers"], idxs, days, volumes, names)
            for one, rebate_usd_micros in rebates:
                await connection.execute(
                    _SQL["add_rebate"], day, *one, rebate_usd_micros, until_seq
                )
            await connection.execute(_SQL["close_day"], day)
        return True

    async def add_presence(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """Add one minute of (day, account_idx, contract_idx, 1 if it was present)."""
        if rows:
            await self._rows(_SQL["add_presence"], *map(list, zip(*rows, strict=True)))

    # Reads

    async def volume_of(self, account_idx: int, from_day: int, until_day: int) -> tuple[int, int]:
        """Return the GPU-hours that an account traded, and made, in [from_day, until_day)."""
        row = await self._row(_SQL["volume_of"], account_idx, from_day, until_day)
        assert row is not None
        return row[0], row[1]

    async def tier_of(self, account_idx: int) -> str | None:
        """Return the tier decided last; None: nothing was, which is the first."""
        row = await self._row(_SQL["tier_of"], account_idx)
        return row[0] if row else None

    async def rebates_of(self, account_idx: int, from_day: int) -> list[MakerSeen]:
        """Return what was decided of a market maker's days, newest first."""
        rows = await self._rows(_SQL["rebates_of"], account_idx, from_day)
        return [MakerSeen(*row) for row in rows]

    async def presence_of(self, account_idx: int, day: int) -> list[PresenceSeen]:
        """Return a market maker's minutes of a day so far."""
        rows = await self._rows(_SQL["presence_of"], account_idx, day)
        return [PresenceSeen(*row) for row in rows]

    async def charged_of(self, account_idx: int) -> dict[int, int]:
        """Return what an account was ever charged, by kind."""
        return {row[0]: row[1] for row in await self._rows(_SQL["charged_of"], account_idx)}
