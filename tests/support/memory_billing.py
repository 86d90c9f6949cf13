"""What billing keeps, for tests of the API."""

from exchange.io.billing import MakerSeen, PresenceSeen


class MemoryBilling:
    """One market maker's story, whoever asks."""

    async def volume_of(self, account_idx: int, from_day: int, until_day: int) -> tuple[int, int]:
        return 1_500_000, 1_000_000

    async def tier_of(self, account_idx: int) -> str | None:
        return "active" if account_idx == 0 else None

    async def rebates_of(self, account_idx: int, from_day: int) -> list[MakerSeen]:
        return [MakerSeen(20_000, "H100-USE-2027M03", 1_200, 1_440, 1_000, 100_000)]

    async def presence_of(self, account_idx: int, day: int) -> list[PresenceSeen]:
        return [PresenceSeen(day, "H100-USE-2027M03", 3, 4)]

    async def charged_of(self, account_idx: int) -> dict[int, int]:
        return {1: 5_000_000, 4: -100_000}
