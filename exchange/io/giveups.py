"""Give-ups in Postgres: offered by who traded, accepted or declined by who takes, then moved."""

from enum import StrEnum
from typing import Final, NamedTuple

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict
from exchange.io.store import Store
from exchange.rules.giveups import is_too_old

TOGETHER_MAX: Final = 500
_MAX: Final = (1 << 63) - 1

_SQL: Final = queries("giveups")


class GiveUpStatus(StrEnum):
    """Where a give-up is; the last five are ends."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class GiveUp(NamedTuple):
    """Lots of one fill, offered to another account at the price of the trade."""

    giveup_id: int
    giver_idx: int
    taker_idx: int
    client_key: str
    seq: int
    leg: int
    side: int  # of the giver's fill
    contract_idx: int
    price_ticks: int
    qty_lots: int
    expires_ns: int
    status: str
    code: int | None
    move_seq: int | None
    created_ns: int
    updated_ns: int


class Offer(NamedTuple):
    """What is asked for; without `side` the only fill there is, without `qty_lots` all of it."""

    giver_idx: int
    taker_idx: int
    client_key: str
    seq: int
    leg: int
    side: int | None
    qty_lots: int | None
    expires_ns: int


class FillNotThere(Exception):
    """The account has no such fill, or one of a combination, whose legs are given up instead."""


class FillTooOld(Exception):
    """The trade was too long ago."""


class FillTooSmall(Exception):
    """Less than that is left of the fill; the message says how much."""


class GiveUps(Store):
    """The door to the tables of give-ups."""

    async def offer(self, offer: Offer, who: str, now_ns: int) -> tuple[GiveUp, bool]:
        """Write an offer; the same again is the same, with True.

        Errors:
            FillNotThere, FillTooOld, FillTooSmall: it cannot be given up.
            IdempotencyConflict: the key was used for something else.
        """
        async with self._transaction() as connection:
            await connection.execute(_SQL["lock"], offer.giver_idx)
            row = await connection.fetchrow(_SQL["by_key"], offer.giver_idx, offer.client_key)
            if row is not None:
                return _same(GiveUp(*row), offer), True
            fills = await connection.fetch(
                _SQL["fill"], offer.giver_idx, offer.seq, offer.leg, offer.side
            )
            if len(fills) != 1 or fills[0]["kind"] == 1:
                raise FillNotThere("no fill of this account, or of a combination; or name the side")
            fill = fills[0]
            if is_too_old(fill["ts_ns"], now_ns):
                raise FillTooOld("a fill is given up within three days of its trade")
            lots = fill["left_lots"] if offer.qty_lots is None else offer.qty_lots
            if lots > fill["left_lots"] or lots <= 0:
                raise FillTooSmall(f"{fill['left_lots']} lots of the fill are left")
            made = await connection.fetchrow(
                _SQL["offer"], offer.giver_idx, offer.taker_idx, offer.client_key, offer.seq,
                offer.leg, fill["side"], fill["contract_idx"], fill["price_ticks"], lots,
                offer.expires_ns, now_ns,
            )  # fmt: skip
            await connection.execute(_SQL["note"], made["giveup_id"], "offered", who, now_ns)
        return GiveUp(*made), False

    async def get(self, giveup_id: int, account_idx: int) -> GiveUp | None:
        """Return a give-up that the account is a side of."""
        row = await self._row(_SQL["get"], giveup_id, account_idx)
        return GiveUp(*row) if row else None

    async def of_account(
        self, account_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[GiveUp]:
        """Return give-ups of an account, as giver or taker, or of all; newest first."""
        rows = await self._rows(_SQL["list"], account_idx, before_id or _MAX, limit)
        return [GiveUp(*row) for row in rows]

    async def answer(
        self, giveup_id: int, status: GiveUpStatus, account_idx: int, who: str, now_ns: int
    ) -> bool:
        """Accept, decline or withdraw an offer; False: it is not offered to, or by, the account."""
        by_taker = status != GiveUpStatus.WITHDRAWN
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                _SQL["answer"], giveup_id, status.value, by_taker, account_idx, now_ns
            )
            if row is None:
                return False
            await connection.execute(_SQL["note"], giveup_id, status.value, who, now_ns)
        return True

    async def events(self, giveup_id: int) -> list[tuple[str, str, int]]:
        """Return who said what when."""
        return [tuple(row) for row in await self._rows(_SQL["events"], giveup_id)]

    # For the leader alone

    async def expire(self, now_ns: int) -> None:
        """End the offers that nobody answered in time."""
        await self._rows(_SQL["expire"], now_ns)

    async def accepted(self) -> list[GiveUp]:
        """Return what is accepted and not moved yet."""
        return [GiveUp(*row) for row in await self._rows(_SQL["accepted"], TOGETHER_MAX)]

    async def moved(self) -> list[tuple[int, int]]:
        """Return id and seq of accepted ones that clearing has seen move."""
        return [tuple(row) for row in await self._rows(_SQL["moved"])]

    async def decided(self, giveup_id: int, code: int | None, seq: int | None, now_ns: int) -> None:
        """Write what the core said; the first answer stays."""
        status = GiveUpStatus.DONE if code is None else GiveUpStatus.REFUSED
        move_seq = seq if code is None else None
        await self._rows(_SQL["decided"], giveup_id, status.value, code, move_seq, now_ns)

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        return int(await self._value(_SQL["cleared_seq"]) or 0)


def _same(found: GiveUp, offer: Offer) -> GiveUp:
    """Return what an offer with this key is already, if it is the same."""
    asked = (offer.taker_idx, offer.seq, offer.leg)
    lots = found.qty_lots if offer.qty_lots is None else offer.qty_lots
    side = found.side if offer.side is None else offer.side
    if (found.taker_idx, found.seq, found.leg) != asked or (lots, side) != (
        found.qty_lots, found.side,
    ):  # fmt: skip
        raise IdempotencyConflict(f"{offer.client_key!r} was used for another give-up")
    return found
