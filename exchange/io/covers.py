"""Receipts that are pledged as cover, as the registry has them, and how a release ends."""

from typing import Final, NamedTuple

from exchange.io.db import queries
from exchange.io.delivery import Writing
from exchange.io.store import Store
from exchange.rules.delivery import deeds
from exchange.rules.delivery.cover import Closed, Pledge, Span, closed_out, forfeited
from exchange.rules.delivery.metering import Reading, missing_s
from exchange.rules.delivery.receipts import Receipt, Status, receipt_of

_SQL: Final = queries("covers")


class Seen(NamedTuple):
    """What covers, and what takes from it."""

    pledges: list[Pledge]
    spans: list[Span]  # that the grid curtails, from the hour asked for on
    holders: frozenset[int]  # accounts that ever pledged for cover


class Covers(Store):
    """The door to pledged receipts."""

    async def seen(self, now_hour: int) -> Seen:
        """Return what is pledged now."""
        rows = await self._rows(_SQL["pledges"])
        receipts = [(receipt_of(row["body"]), bool(row["ended"])) for row in rows]
        newest = await self._newest([one for one, _ in receipts])
        spans = await self._rows(_SQL["spans"], now_hour)
        holders = await self._rows(_SQL["holders"])
        return Seen(
            [Pledge(one, 0 if ended else good_nodes(one, newest)) for one, ended in receipts],
            [Span(*row) for row in spans],
            frozenset(row["account_idx"] for row in holders),
        )

    async def _newest(self, receipts: list[Receipt]) -> dict[tuple[int, str], Reading]:
        """Return the newest reading of each node, by issuer and node."""
        nodes = sorted({(one.issuer_idx, node) for one in receipts for node in one.nodes})
        if not nodes:
            return {}
        issuers, names = [idx for idx, _ in nodes], [node for _, node in nodes]
        rows = await self._rows(_SQL["newest_readings"], issuers, names)
        return {(row["issuer_idx"], row["node"]): Reading(*tuple(row)[1:]) for row in rows}

    async def released(self, receipt_id: str, code: str, now_ns: int) -> None:
        """Write what came of a wish to have a receipt back, once.

        Args:
            code: why not; empty when it is free.
        """
        async with Writing(self._pool, now_ns) as book:
            receipt = await book.need(receipt_id)
            if receipt.status == Status.RELEASING:
                await book.write(deeds.released(receipt, code))

    async def closed(self) -> list[Closed]:
        """Return holders of pledges of whom a liquidation has ended since they pledged."""
        return [Closed(*row) for row in await self._rows(_SQL["closed"])]

    async def close_out(self, one: Closed, receipt_ids: list[str], now_ns: int) -> None:
        """End the pledges of who was closed out, all in one step, once (CDR_019)."""
        async with Writing(self._pool, now_ns) as book:
            found = [await book.need(receipt_id) for receipt_id in receipt_ids]
            held = [
                receipt for receipt in found
                if receipt.covers and receipt.holder_idx == one.holder_idx
            ]  # fmt: skip
            for receipt, is_kept in forfeited(held, one.paid_usd_micros):
                house_idx = one.house_idx if is_kept else None
                await book.write(closed_out(receipt, one.liquidation_id, house_idx))


def good_nodes(receipt: Receipt, newest: dict[tuple[int, str], Reading]) -> int:
    """Return how many nodes of a receipt did what was promised when they last reported."""
    readings = [newest.get((receipt.issuer_idx, node)) for node in receipt.nodes]
    return sum(one is None or missing_s(receipt, one) == 0 for one in readings)
