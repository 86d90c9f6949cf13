"""Give-ups without a database, for tests of the API: one fill of ten lots, whoever asks."""

from exchange.io.giveups import FillNotThere, FillTooSmall, GiveUp, GiveUpStatus, Offer


class MemoryGiveUps:
    """Takes offers of the fill 7-0, at 2.000 in the first contract."""

    def __init__(self) -> None:
        self.rows: dict[int, GiveUp] = {}
        self.trail: dict[int, list[tuple[str, str, int]]] = {}
        for number in (9001, 9002):  # of the first account to the third
            self.rows[number] = GiveUp(
                number, 0, 2, str(number), 7, 0, 0, 0, 2_000, 1, 1 << 62, "offered", None, None,
                1, 1,
            )  # fmt: skip
            self.trail[number] = [("offered", "key", 1)]

    async def offer(self, offer: Offer, who: str, now_ns: int) -> tuple[GiveUp, bool]:
        if (offer.seq, offer.leg) != (7, 0):
            raise FillNotThere("no fill of this account")
        for row in self.rows.values():
            if (row.giver_idx, row.client_key) == (offer.giver_idx, offer.client_key):
                return row, True
        lots = 10 if offer.qty_lots is None else offer.qty_lots
        if lots > 10:
            raise FillTooSmall("10 lots of the fill are left")
        number = len(self.rows) + 1
        self.rows[number] = GiveUp(
            number, offer.giver_idx, offer.taker_idx, offer.client_key, 7, 0, 0, 0, 2_000, lots,
            offer.expires_ns, "offered", None, None, now_ns, now_ns,
        )  # fmt: skip
        self.trail[number] = [("offered", who, now_ns)]
        return self.rows[number], False

    async def get(self, giveup_id: int, account_idx: int) -> GiveUp | None:
        row = self.rows.get(giveup_id)
        return row if row and account_idx in (row.giver_idx, row.taker_idx) else None

    async def of_account(
        self, account_idx: int | None, *, before_id: int | None = None, limit: int = 100
    ) -> list[GiveUp]:
        found = [row for row in self.rows.values() if account_idx in (row.giver_idx, row.taker_idx)]
        below = [row for row in found if before_id is None or row.giveup_id < before_id]
        return sorted(below, reverse=True)[:limit]

    async def answer(
        self, giveup_id: int, status: GiveUpStatus, account_idx: int, who: str, now_ns: int
    ) -> bool:
        row = self.rows.get(giveup_id)
        if row is None or row.status != "offered":
            return False
        by = row.giver_idx if status == GiveUpStatus.WITHDRAWN else row.taker_idx
        if by != account_idx:
            return False
        self.rows[giveup_id] = row._replace(status=status.value, updated_ns=now_ns)
        self.trail[giveup_id].append((status.value, who, now_ns))
        return True

    async def events(self, giveup_id: int) -> list[tuple[str, str, int]]:
        return self.trail[giveup_id]
