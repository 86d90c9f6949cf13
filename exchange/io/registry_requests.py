"""What keeps requests apart: numbers of gateways, and signatures that were used."""

import asyncio
from typing import Final

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import DatabaseUnavailable
from exchange.io.registry import digest_of_signature
from exchange.io.store import Store, from_ns

TOGETHER_MAX: Final = 1000  # claims written by one statement

_SQL: Final = queries("registry")


class PostgresOrigins(Store):
    """Numbers of gateways: a new one at each start, higher than all before."""

    async def next_origin_id(self) -> int:
        """Return a number no process has had."""
        return int(await self._value(_SQL["next_origin_id"]))


class PostgresSignatures(Store):
    """Signatures that were accepted; claims that come together are written together."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self._waiting: list[tuple[bytes, int, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def claim(self, key_id: str, signature: bytes, expires_at_ns: int) -> bool:
        """Return True for the first use; it is remembered until `expires_at_ns`.

        Errors:
            DatabaseUnavailable: it is not known whether it was used.
        """
        digest = digest_of_signature(key_id, signature)
        from_ns(expires_at_ns, "expiry")  # refuse what cannot be written before it waits
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((digest, expires_at_ns, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def purge(self) -> None:
        """Forget signatures that are too old to be accepted anyway."""
        await self._rows(_SQL["purge_signatures"])

    async def _write(self) -> None:
        while self._waiting:
            claims, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
            try:
                new = await self._insert(claims)
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                for _, _, future in claims:
                    if not future.done():
                        future.set_exception(DatabaseUnavailable(str(error)))
                continue
            for digest, _, future in claims:
                is_new = digest in new
                new.discard(digest)  # a second one in the same statement is a repetition
                if not future.done():
                    future.set_result(is_new)

    async def _insert(self, claims: list[tuple[bytes, int, asyncio.Future[bool]]]) -> set[bytes]:
        rows = await self._rows(
            _SQL["claim_signatures"],
            [digest for digest, _, _ in claims],
            [from_ns(expires_at_ns, "expiry") for _, expires_at_ns, _ in claims],
        )
        return {bytes(row["digest"]) for row in rows}
