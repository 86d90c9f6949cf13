"""Does everything close? Worked out from what was agreed and from public rules, not from the books.

Each account's cash must be its deposit, plus `q (F - p)` of every fill, less fees, plus what
receipts and penalties moved: to the micro-dollar. The rest must be empty, balanced and sound.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from exchange.io.delivery import ESCROW_ID
from exchange.io.registry_accounts import PostgresAccounts
from exchange.io.statements import Statements
from exchange.rules.contracts import parse_symbol
from exchange.rules.tenors import DAY
from tests.story.chapters import (
    CLOUD,
    DEPOSIT,
    FEBRUARY,
    GPUS,
    LAB,
    MARCH,
    WHO,
    Told,
    days_from,
    symbol_of,
)
from tests.story.world import SERIES, StoryWorld

MICRO: Final = Decimal("0.000001")
RATES: Final = {  # of a GPU-hour, with clearing
    "maker": Decimal("0.0003"), "taker": Decimal("0.0006"), "efd": Decimal("0.0005"),
    "cascade": Decimal(0),
}  # fmt: skip
DELIVERY: Final = Decimal("0.001")  # of a GPU-hour that is held when delivery begins
PENALTY: Final = Decimal("1.25")  # of an hour within the first 24 that something is missing


async def faults(world: StoryWorld, told: Told) -> list[str]:
    """Return what does not close, in words; nothing when everything does."""
    await world.cleared()
    found: list[str] = []
    for who, due in (await dues(world, told)).items():
        amount = due.cash
        (balance,) = (await world.ask(who, "GET", "/balances"))["balances"]
        if Decimal(balance["cash"]) != amount:
            found.append(f"cash of {who}: due {amount}, is {balance['cash']}")
        margin = (await world.ask(who, "GET", "/margin"))["margin"]
        if Decimal(margin["initial_margin"]):
            found.append(f"margin of {who}: {margin['initial_margin']} is still held")
        entries = await whole(world, who, "/ledger?limit=1000", "entries")
        booked = sum((Decimal(one["amount"]) for one in entries), Decimal())
        if booked != amount:
            found.append(f"ledger of {who}: due {amount}, is {booked}")
    found += holdings(world)
    found += await receipts(world, told)
    found += await books(world)
    report = await world.verified()
    found += [f"verify: {one}" for one in report.findings]
    return found if report.is_sound or found else ["verify: not sound"]


async def whole(world: StoryWorld, who: str, path: str, name: str) -> list[dict[str, Any]]:
    """Return all pages of a list."""
    rows: list[dict[str, Any]] = []
    more = ""
    while True:
        answer = await world.ask(who, "GET", path + more)
        rows += answer[name]
        if answer["next_cursor"] is None:
            return rows
        more = f"&cursor={answer['next_cursor']}"


# Cash


@dataclass(frozen=True, slots=True)
class Due:
    """Where an account's cash comes from."""

    futures: Decimal
    fees: Decimal
    receipt: Decimal
    penalty: Decimal

    @property
    def cash(self) -> Decimal:
        """Return what it must have at the end."""
        return Decimal(DEPOSIT) + self.futures - self.fees + self.receipt + self.penalty


async def dues(world: StoryWorld, told: Told) -> dict[str, Due]:
    """Return what each account is due, worked out from fills, prints and what was agreed."""
    price = Decimal(told.receipt_price)
    penalty = await penalty_due(world, told) if told.receipt_id else Decimal()
    signs = {CLOUD: 1, LAB: -1}  # who is paid for the receipt pays the penalty
    found = {}
    for who in WHO:
        fills = await whole(world, who, "/fills?limit=1000", "fills")
        into = 24 * sum(map(abs, left_in(fills).values()))
        found[who] = Due(
            futures=await futures_due(world, fills),
            fees=sum(map(fee_due, fills), Decimal()) + into * DELIVERY,
            receipt=signs.get(who, 0) * price,
            penalty=-signs.get(who, 0) * penalty,
        )
    return found


async def futures_due(world: StoryWorld, fills: list[dict[str, Any]]) -> Decimal:
    """Return q (F - p) of all fills: what was paid for, against what the days of February gave."""
    lots, index = left_in(fills), await prints(world)
    paid = sum(
        (signed_lots(one) * hours(one["symbol"]) * Decimal(one["price"]) for one in fills),
        Decimal(),
    )
    days = [day for day in days_from(FEBRUARY, MARCH) if lots[symbol_of(day)]]
    return sum((lots[symbol_of(day)] * 24 * final_price(index[day]) for day in days), -paid)


def signed_lots(fill: dict[str, Any]) -> int:
    """Return the lots of a fill, above zero when they were bought."""
    return int(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)


def left_in(fills: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return the lots that fills leave in each contract: cascades are fills of parent and parts."""
    held = Counter[str]()
    for fill in fills:
        held[fill["symbol"]] += signed_lots(fill)
    left = {symbol for symbol, lots in held.items() if lots}
    assert left <= {symbol_of(day) for day in days_from(FEBRUARY, MARCH)}, left
    return held


def hours(symbol: str) -> int:
    """Return the hours of a period, one lot's GPU-hours."""
    return 24 * parse_symbol(symbol).period.days


def fee_due(fill: dict[str, Any]) -> Decimal:
    """Return what one side of a fill costs; a cascade nothing."""
    rate = RATES[fill["block"] or fill["role"]]
    return int(fill["quantity"]) * hours(fill["symbol"]) * rate


async def prints(world: StoryWorld) -> dict[date, Decimal]:
    """Return the public index by day."""
    rows = await whole(world, "", f"/indices/{SERIES}/prints?limit=100", "prints")
    return {date.fromisoformat(one["day"]): Decimal(one["price"]) for one in rows}


def final_price(print_usd: Decimal) -> Decimal:
    """Return what a day is settled at: its print, four decimals, half to even."""
    return print_usd.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


async def penalty_due(world: StoryWorld, told: Told) -> Decimal:
    """Return what the outage costs: hour by hour, at the newest index when it is judged."""
    index = (await prints(world))[told.outage.day - DAY]
    hour = (GPUS * index * PENALTY).quantize(MICRO, ROUND_CEILING)
    return hour * told.outage.hours


# What must be empty


def holdings(world: StoryWorld) -> list[str]:
    """Return positions, orders and money where none may be left."""
    state = world.mirror
    found = [
        f"open interest of {one.symbol}: {one.open_interest_lots} lots"
        for one in state.contracts
        if one.open_interest_lots
    ]
    found += [
        f"orders of account {account.account_idx}: {len(account.orders)}"
        for account in state.accounts
        if account.orders
    ]
    return found


async def receipts(world: StoryWorld, told: Told) -> list[str]:
    """Return what is wrong with the receipt: its end, its metering, its escrow, its proof."""
    if not told.receipt_id:
        return []
    shown = await world.ask(LAB, "GET", f"/delivery/receipts/{told.receipt_id}")
    one, outage, found = shown["receipt"], told.outage, []
    readings = len(one["nodes"]) * 24 * told.receipt_days - outage.hours
    gap = {"node": outage.rack, "hours": outage.hours}
    gaps = [
        {"node": row["node"], "hours": (row["end_ts"] - row["start_ts"]) // 3_600_000}
        for row in shown["gaps"]
    ]
    penalty = await penalty_due(world, told)
    for what, want, got in (
        ("status", "closed", one["status"]),
        ("bond left", Decimal(), Decimal(one["bond_left"])),
        ("claimed", Decimal(), Decimal(one["claimed"])),
        ("penalty", penalty, Decimal(one["penalty"])),
        ("missed hours", outage.hours, one["missed_hours"]),
        ("readings", readings, shown["readings"]),
        ("gaps", [gap], gaps),
        ("unproved events", 0, await unproved(world, told)),
    ):
        if want != got:
            found.append(f"receipt, {what}: due {want}, is {got}")
    return found


async def unproved(world: StoryWorld, told: Told) -> int:
    """Return how many events of the receipt are under no signed root."""
    rows = (await world.ask("", "GET", f"/proofs/receipts/{told.receipt_id}"))["proofs"]
    return sum(one["root"] is None for one in rows)


async def books(world: StoryWorld) -> list[str]:
    """Return what does not balance: the ledger as a whole, and the escrow of receipts."""
    async with world.pool.acquire() as connection:
        rows = await Statements(connection).trial_balance()
    balances = {row["code"]: row["balance_usd_micros"] for row in rows}
    found = []
    if sum(balances.values()):
        found.append(f"trial balance: {sum(balances.values())} micro-dollars, not zero")
    escrow = await PostgresAccounts(world.pool).get(ESCROW_ID)
    left = world.mirror.accounts[escrow.account_idx].cash_usd_micros if escrow else 0
    if left:
        found.append(f"escrow: {left} micro-dollars are left")
    return found
