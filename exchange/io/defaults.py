"""Liquidations, proofs and margin calls in Postgres: what the service keeps, what people read."""

import json
from typing import Any, Final, NamedTuple

from exchange.io.db import queries
from exchange.io.funds import FundRows
from exchange.rules.adl import AdlProof
from exchange.rules.adl_public import proof_out
from exchange.rules.margin_calls import CallState, MarginCall
from exchange.rules.mirror_moves import Liquidation

_SQL: Final = queries("defaults")
_MAX: Final = (1 << 63) - 1


class LiquidationSeen(NamedTuple):
    """A liquidation from its begin to its end, None while it goes on."""

    liquidation_id: int
    account_id: str
    account_idx: int
    begun_ns: int
    equity_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    ended_ns: int | None
    end_equity_usd_micros: int | None


class MoveSeen(NamedTuple):
    """Lots that were moved, with names instead of slots."""

    seq: int
    reason: int
    symbol: str
    giver_id: str
    receiver_id: str
    side: int
    price_ticks: int
    qty_lots: int
    ts_ns: int


class UseSeen(NamedTuple):
    """Money that was moved, with names instead of slots."""

    seq: int
    layer: int
    giver_id: str
    receiver_id: str
    amount_usd_micros: int
    ts_ns: int


class CallSeen(NamedTuple):
    """A margin call."""

    call_id: int
    account_id: str
    amount_usd_micros: int
    met_usd_micros: int
    issued_ns: int
    due_ns: int
    state: str
    reminders: int


class CallNow(NamedTuple):
    """A margin call, and when it changed last."""

    call: CallSeen
    account_idx: int
    updated_ns: int


class Defaults(FundRows):
    """The door to the tables of liquidation and margin calls."""

    async def cleared_seq(self) -> int:
        """Return how far clearing is."""
        return int(await self._value(_SQL["cleared_seq"]) or 0)

    async def kinds(self) -> dict[int, str]:
        """Return the kind of every account by its slot."""
        return {row[0]: row[1] for row in await self._rows(_SQL["account_kinds"])}

    async def open_liquidations(self, seq: int) -> dict[int, Liquidation]:
        """Return the liquidations begun by a command that clearing has, and not ended."""
        rows = await self._rows(_SQL["open_liquidations"], seq)
        return {row[0]: Liquidation(row[1], row[2], row[3]) for row in rows}

    async def uses_open(self, seq: int, ids: list[int]) -> list[tuple[int, int, int, int]]:
        """Return (liquidation, layer, giver, usd micros) of what layers gave up to a command."""
        return [tuple(row) for row in await self._rows(_SQL["uses_open"], seq, ids)]

    async def last_liquidations(self, kind: str) -> dict[int, Liquidation]:
        """Return the last liquidation of each account of a kind that had any."""
        rows = await self._rows(_SQL["last_liquidations"], kind)
        return {row[0]: Liquidation(row[1], row[2], row[3]) for row in rows}

    async def guarantors(self, account_idxs: list[int]) -> dict[int, int]:
        """Return the member of each of these accounts that is a client."""
        rows = await self._rows(_SQL["guarantors"], account_idxs)
        return {row[0]: row[1] for row in rows}

    async def haircuts(self, seq: int) -> dict[int, int]:
        """Return what was taken of gains since their owners were last settled."""
        return {row[0]: row[1] for row in await self._rows(_SQL["haircuts"], seq)}

    # Proofs

    async def keep_proof(self, proof: AdlProof, contract_idx: int) -> None:
        """Write a proof before anything of it is done; again it changes nothing."""
        closing = proof.closing
        await self._rows(
            _SQL["keep_proof"], closing.liquidation_id, closing.round_no, contract_idx,
            closing.state_seq, proof.digest(), json.dumps(proof_out(proof)),
        )  # fmt: skip

    async def proofs(self, liquidation_id: int) -> list[dict[str, Any]]:
        """Return the proofs of a liquidation as they were published, with their digests."""
        rows = await self._rows(_SQL["proofs"], liquidation_id)
        return [{"digest": row[1], **json.loads(row[2])} for row in rows]

    # Calls

    async def issue(self, call: MarginCall) -> None:
        """Write a new call, unless the account has one open."""
        await self._rows(
            _SQL["issue_call"], call.account_idx, call.amount_usd_micros, call.issued_ns,
            call.due_ns,
        )  # fmt: skip

    async def open_calls(self) -> list[MarginCall]:
        """Return the calls that have not ended."""
        return [
            MarginCall(
                call_id=row[0], account_idx=row[1], amount_usd_micros=row[2], issued_ns=row[3],
                due_ns=row[4], state=CallState(row[5]), met_usd_micros=row[6], reminders=row[7],
            )
            for row in await self._rows(_SQL["open_calls"])
        ]  # fmt: skip

    async def calls_changed(self, since_ns: int) -> list[CallNow]:
        """Return the calls that are open, and those that changed since a moment, oldest first."""
        rows = await self._rows(_SQL["calls_changed"], since_ns)
        return [CallNow(CallSeen(*row[:8]), row[8], row[9]) for row in map(tuple, rows)]

    async def change(self, before: MarginCall, after: MarginCall, now_ns: int) -> bool:
        """Write what became of a call; False when another was faster."""
        row = await self._row(
            _SQL["change_call"], before.call_id, before.state.value, after.state.value,
            after.met_usd_micros, after.reminders, now_ns,
        )  # fmt: skip
        return row is not None

    async def acknowledge(self, call_id: int, account_idx: int, now_ns: int) -> None:
        """Note that the member has seen a call; one that is further on stays as it is."""
        await self._rows(_SQL["acknowledge_call"], call_id, account_idx, now_ns)

    async def escalated(self) -> set[int]:
        """Return the accounts whose last call was escalated, until they are liquidated for it."""
        return {row[0] for row in await self._rows(_SQL["escalated"])}

    # Reads

    async def liquidations(
        self, *, account_idx: int | None = None, before_id: int = _MAX, limit: int = 100
    ) -> list[LiquidationSeen]:
        """Return liquidations, newest first."""
        rows = await self._rows(_SQL["liquidations"], before_id, account_idx, limit)
        return [LiquidationSeen._make(row) for row in rows]

    async def moves(self, liquidation_id: int) -> list[MoveSeen]:
        """Return the lots that a liquidation moved."""
        return [MoveSeen._make(row) for row in await self._rows(_SQL["moves"], liquidation_id)]

    async def uses(self, liquidation_id: int) -> list[UseSeen]:
        """Return the money that a liquidation moved, with its layers."""
        return [UseSeen._make(row) for row in await self._rows(_SQL["uses"], liquidation_id)]

    async def calls(
        self, *, account_idx: int | None = None, before_id: int = _MAX, limit: int = 100
    ) -> list[CallSeen]:
        """Return margin calls, newest first."""
        rows = await self._rows(_SQL["calls"], before_id, account_idx, limit)
        return [CallSeen._make(row) for row in rows]
