"""The default fund in Postgres: its accounts, its size day by day, and who bore a default."""

import json
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.store import Store
from exchange.rules.loss_proof import LossProof, proof_out

_SQL: Final = queries("defaults")
_MAX: Final = (1 << 63) - 1


class SizingSeen(NamedTuple):
    """What the default fund had to be on a day, and what it was."""

    day: int  # since 1970
    seq: int
    ts_ns: int
    size_usd_micros: int
    held_usd_micros: int
    body: dict[str, Any]


class LossSeen(NamedTuple):
    """What another's default cost an account."""

    liquidation_id: int
    seq: int
    layer: int
    amount_usd_micros: int
    ts_ns: int


class PartySeen(NamedTuple):
    """Money that a layer gave, and whose it was."""

    seq: int
    layer: int
    party_idx: int
    amount_usd_micros: int


class FundRows(Store):
    """The door to the tables of the default fund."""

    async def fund_accounts(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of the accounts that hold layers of the waterfall."""
        return [(row[0], row[1], row[2]) for row in await self._rows(_SQL["accounts_of_funds"])]

    async def account_names(self) -> list[tuple[int, str, str]]:
        """Return slot, public id and kind of every account."""
        return [(row[0], row[1], row[2]) for row in await self._rows(_SQL["account_names"])]

    async def keep_loss(self, proof: LossProof) -> None:
        """Write a proof before anything of it is done; again it changes nothing."""
        head = proof.round
        await self._rows(
            _SQL["keep_loss"], head.liquidation_id, head.round_no, proof.digest(),
            json.dumps(proof_out(proof)),
        )  # fmt: skip

    async def losses(self, liquidation_id: int) -> list[dict[str, Any]]:
        """Return the proofs of who bore a liquidation's loss, with their digests."""
        rows = await self._rows(_SQL["losses"], liquidation_id)
        return [{"digest": row[0], **json.loads(row[1])} for row in rows]

    async def parties(self, liquidation_id: int) -> list[PartySeen]:
        """Return the money that layers gave for a liquidation, and whose it was."""
        rows = await self._rows(_SQL["public_uses"], liquidation_id)
        return [PartySeen._make(row) for row in rows]

    async def own_losses(
        self, account_idx: int, *, before_seq: int = _MAX, limit: int = 100
    ) -> list[LossSeen]:
        """Return what others' defaults cost an account, newest first."""
        rows = await self._rows(_SQL["own_losses"], account_idx, before_seq, limit)
        return [LossSeen._make(row) for row in rows]

    async def keep_sizing(self, sizing: SizingSeen) -> None:
        """Write a size; the same again changes nothing."""
        *words, body = sizing
        await self._rows(_SQL["keep_sizing"], *words, json.dumps(body))

    async def sizings(self, limit: int = 1) -> list[SizingSeen]:
        """Return the newest sizes, the newest first."""
        rows = await self._rows(_SQL["sizings"], limit)
        return [SizingSeen._make([*tuple(row)[:5], json.loads(row[5])]) for row in rows]
