"""Corrections without a database, for tests of the API; every day was settled by one run."""

from exchange.io.settlement_corrections import Correction, CorrectionGoing, Proposed


class MemoryCorrections:
    """Proposals of one process; nothing carries them out."""

    def __init__(self) -> None:
        self.rows: dict[int, Correction] = {}

    async def base(self, due_ns: int, contract_idx: int) -> str | None:
        return "ab" * 32 if contract_idx == 0 else None

    async def propose(self, asked: Proposed, now_ns: int) -> Correction:
        for one in self.rows.values():
            if one.client_key == asked.client_key:
                return one
            if one.due_ns == asked.due_ns and one.status in ("proposed", "approved"):
                raise CorrectionGoing("another correction of this day is under way")
        number = len(self.rows) + 1
        self.rows[number] = Correction(
            number, *asked[:5], asked.proposed_by, None, "proposed", "", None, now_ns, now_ns
        )
        return self.rows[number]

    async def get(self, correction_id: int) -> Correction | None:
        return self.rows.get(correction_id)

    async def page(self, before_id: int | None, limit: int) -> list[Correction]:
        below = [one for one in self.rows if before_id is None or one < before_id]
        return [self.rows[one] for one in sorted(below, reverse=True)][:limit]

    async def approve(self, correction_id: int, who: str, now_ns: int) -> bool:
        one = self.rows[correction_id]
        fits = one.status == "proposed" and one.proposed_by != who
        if fits:
            self.rows[correction_id] = one._replace(approved_by=who, status="approved")
        return fits

    async def withdraw(self, correction_id: int, now_ns: int) -> bool:
        one = self.rows[correction_id]
        if one.status == "proposed":
            self.rows[correction_id] = one._replace(status="withdrawn")
        return one.status == "proposed"
