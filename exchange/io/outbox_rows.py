"""What the outbox reads and writes: accounts to open, transfers to carry out."""

from dataclasses import dataclass
from typing import Final

from exchange.io.db import queries
from exchange.io.registry import TransferStatus
from exchange.io.store import Store

TOGETHER_MAX: Final = 1000

_SQL: Final = queries("registry")


@dataclass(frozen=True, slots=True)
class SentTransfer:
    """A transfer that the core has been asked for, or is about to be."""

    account_idx: int
    amount_usd_micros: int
    ref_id: int
    to_account_idx: int | None = None  # who receives it, None for the bank


class OutboxRows(Store):
    """The rows of accounts and transfers that the core has not answered yet."""

    async def accounts_unopened(self) -> list[tuple[int, str]]:
        """Return slot and kind of accounts the core does not know yet, lowest first."""
        rows = await self._rows(_SQL["accounts_unopened"], TOGETHER_MAX)
        return [(row["account_idx"], row["kind"]) for row in rows]

    async def account_opened(self, account_idx: int, seq: int) -> None:
        """Write which command opened an account; the first one stays."""
        await self._rows(_SQL["account_opened"], account_idx, seq)

    async def transfers_sent(self) -> list[SentTransfer]:
        """Number what waits, one of each account, and return all that is under way."""
        await self._rows(_SQL["number_transfers"], TOGETHER_MAX)
        rows = await self._rows(_SQL["transfers_sent"], TOGETHER_MAX)
        return [
            SentTransfer(
                row["account_idx"], row["amount_usd_micros"], row["ref_id"], row["to_account_idx"]
            )
            for row in rows
        ]

    async def transfer_decided(self, ref_id: int, code: int | None, seq: int | None) -> None:
        """Write what the core said; the first answer stays."""
        status = TransferStatus.DONE if code is None else TransferStatus.REFUSED
        await self._rows(_SQL["transfer_decided"], ref_id, status, code, seq)
