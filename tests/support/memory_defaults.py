"""Liquidations, proofs and margin calls in memory, behind the door of the real ones."""

from dataclasses import replace
from typing import Any

from exchange.io.defaults import CallNow, CallSeen, LiquidationSeen, MoveSeen, UseSeen
from exchange.io.funds import LossSeen, PartySeen, SizingSeen
from exchange.rules.adl import AdlProof
from exchange.rules.adl_public import proof_out
from exchange.rules.loss_proof import LossProof
from exchange.rules.loss_proof import proof_out as loss_out
from exchange.rules.margin_calls import ENDS, CallState, MarginCall, acknowledge
from exchange.rules.mirror_moves import Liquidation


class MemoryDefaults:
    """What the service and the API ask of Postgres."""

    def __init__(self, kinds: dict[int, str] | None = None) -> None:
        self.of_kind = kinds or {}
        self.all_calls: list[MarginCall] = []
        self.kept: dict[tuple[int, int], AdlProof] = {}
        self.going: dict[int, Liquidation] = {}
        self.seen: list[LiquidationSeen] = []
        self.moved: list[MoveSeen] = []
        self.used: list[UseSeen] = []
        self.names: dict[int, str] = {}
        self.accounts: Any = None  # the registry, where there is one
        self.of_funds: list[tuple[int, str, str]] = []
        self.borne: dict[tuple[int, int], LossProof] = {}
        self.given: list[tuple[int, int, int, int]] = []
        self.lasts: dict[int, Liquidation] = {}
        self.member_of: dict[int, int] = {}
        self.cut: dict[int, int] = {}
        self.paid: list[PartySeen] = []
        self.own: list[LossSeen] = []
        self.sized: list[SizingSeen] = []

    async def cleared_seq(self) -> int:
        return 1 << 62

    async def kinds(self) -> dict[int, str]:
        return self.of_kind

    async def open_liquidations(self, seq: int) -> dict[int, Liquidation]:
        return self.going

    async def uses_open(self, seq: int, ids: list[int]) -> list[tuple[int, int, int, int]]:
        return [use for use in self.given if use[0] in ids]

    async def last_liquidations(self, kind: str) -> dict[int, Liquidation]:
        return {idx: one for idx, one in self.lasts.items() if self.of_kind.get(idx) == kind}

    async def guarantors(self, account_idxs: list[int]) -> dict[int, int]:
        return {idx: self.member_of[idx] for idx in account_idxs if idx in self.member_of}

    async def haircuts(self, seq: int) -> dict[int, int]:
        return self.cut

    async def fund_accounts(self) -> list[tuple[int, str, str]]:
        if self.accounts is not None:
            return [(one.account_idx, one.account_id, one.kind) for one in self.accounts.rows]
        return self.of_funds

    async def account_names(self) -> list[tuple[int, str, str]]:
        if self.accounts is not None:
            return await self.fund_accounts()
        return [(idx, self.names.get(idx, f"a{idx}"), kind) for idx, kind in self.of_kind.items()]

    async def keep_loss(self, proof: LossProof) -> None:
        head = proof.round
        self.borne.setdefault((head.liquidation_id, head.round_no), proof)

    async def losses(self, liquidation_id: int) -> list[dict[str, Any]]:
        return [
            {"digest": proof.digest(), **loss_out(proof)}
            for (owner, _), proof in self.borne.items()
            if owner == liquidation_id
        ]

    async def parties(self, liquidation_id: int) -> list[PartySeen]:
        return self.paid

    async def own_losses(
        self, account_idx: int, *, before_seq: int = 1 << 62, limit: int = 100
    ) -> list[LossSeen]:
        return [one for one in self.own if one.seq < before_seq][:limit]

    async def keep_sizing(self, sizing: SizingSeen) -> None:
        if all(one.seq != sizing.seq for one in self.sized):
            self.sized.insert(0, sizing)

    async def sizings(self, limit: int = 1) -> list[SizingSeen]:
        return self.sized[:limit]

    async def keep_proof(self, proof: AdlProof, contract_idx: int) -> None:
        closing = proof.closing
        self.kept.setdefault((closing.liquidation_id, closing.round_no), proof)

    async def proofs(self, liquidation_id: int) -> list[dict[str, Any]]:
        return [
            {"digest": proof.digest(), **proof_out(proof)}
            for (owner, _), proof in self.kept.items()
            if owner == liquidation_id
        ]

    async def issue(self, call: MarginCall) -> None:
        if all(one.account_idx != call.account_idx for one in await self.open_calls()):
            self.all_calls.append(replace(call, call_id=len(self.all_calls) + 1))

    async def calls_changed(self, since_ns: int) -> list[CallNow]:
        seen = {one.call_id: one for one in await self.calls(limit=1000)}
        return [CallNow(seen[one.call_id], one.account_idx, 1 << 61) for one in self.all_calls]

    async def open_calls(self) -> list[MarginCall]:
        return [one for one in self.all_calls if one.state not in ENDS]

    async def change(self, before: MarginCall, after: MarginCall, now_ns: int) -> bool:
        self.all_calls[before.call_id - 1] = after
        return True

    async def acknowledge(self, call_id: int, account_idx: int, now_ns: int) -> None:
        for place, one in enumerate(self.all_calls):
            if (one.call_id, one.account_idx) == (call_id, account_idx):
                self.all_calls[place] = acknowledge(one)

    async def escalated(self) -> set[int]:
        last = {one.account_idx: one.state for one in self.all_calls}
        return {idx for idx, state in last.items() if state == CallState.ESCALATED}

    async def liquidations(
        self, *, account_idx: int | None = None, before_id: int = 1 << 62, limit: int = 100
    ) -> list[LiquidationSeen]:
        rows = [row for row in self.seen if account_idx in (None, row.account_idx)]
        return [row for row in rows if row.liquidation_id < before_id][:limit]

    async def moves(self, liquidation_id: int) -> list[MoveSeen]:
        return self.moved

    async def uses(self, liquidation_id: int) -> list[UseSeen]:
        return self.used

    async def calls(
        self, *, account_idx: int | None = None, before_id: int = 1 << 62, limit: int = 100
    ) -> list[CallSeen]:
        return [
            CallSeen(
                one.call_id, self.names.get(one.account_idx, "?"), one.amount_usd_micros,
                one.met_usd_micros, one.issued_ns, one.due_ns, one.state.value, one.reminders,
            )
            for one in reversed(self.all_calls)
            if account_idx in (None, one.account_idx) and one.call_id < before_id
        ][:limit]  # fmt: skip
