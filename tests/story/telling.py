"""The whole story, told as it goes: what had happened by when, and how things stood."""

from datetime import date
from decimal import Decimal

from exchange.io.delivery import ESCROW_ID
from exchange.io.registry_accounts import PostgresAccounts
from exchange.rules.money import price_text, usd_text
from exchange.rules.tenors import DAY
from tests.story.chapters import (
    CLOUD,
    FEBRUARY,
    GPUS,
    JANUARY,
    LAB,
    LEAST,
    LOTS,
    MAKER,
    MARCH,
    MOST,
    OPENS,
    QUARTER,
    SECOND,
    SESSION,
    THIRD,
    Row,
    Told,
    closed_out,
    day_passed,
    days_from,
    delivered,
    entered,
    exchanged,
    hedged,
    opened,
    symbol_of,
)
from tests.story.world import SERIES, StoryWorld

CASCADES = date(2026, 12, 29)
CALLED = CASCADES + DAY  # the exchange for delivery
DAYS_BEGIN = date(2027, 1, 29)  # February's
CLOSES_OUT = date(2027, 2, 10)
CLOSING = MARCH + 2 * DAY


async def told_of(world: StoryWorld) -> Told:
    """Live through all of it."""
    told = Told()
    await until_new_year(world, told)
    await january(world, told)
    await february(world, told)
    return told


async def until_new_year(world: StoryWorld, told: Told) -> None:
    """Hedge, cascade, and swap January for a receipt."""
    await opened(world)
    await noted(world, told, "Both have paid in. The calendar has listed months and quarters.")
    await hedged(world)
    margin = (await world.ask(CLOUD, "GET", "/margin"))["margin"]["initial_margin"]
    hours = LOTS * 90 * 24
    told.entry_price = await entry(world)
    await noted(
        world, told, f"`POST /hedge` turns the NeoCloud's plan of {LOTS} GPUs, {hours:,} GPU-hours,"
        f" into one order: sell {LOTS} lots of `{QUARTER}` at {told.entry_price}. The lab's own"
        f" plan gives the order that fills it. Initial margin of the NeoCloud: {usd(margin)}.",
    )  # fmt: skip
    for day in days_from(OPENS, CASCADES):
        await day_passed(world, day, QUARTER)
    await noted(world, told, "A week of daily settlements: variation margin has been paid.")
    await day_passed(world, CASCADES, QUARTER)
    await noted(
        world, told, "The quarter trades for the last time, is settled at"
        f" {settled(world, QUARTER)} and cascades: each lot is now one lot of each month.",
    )  # fmt: skip
    await world.until(CALLED, 10)
    await entered(world, told, FEBRUARY)
    bond = usd_text(world.mirror.accounts[-1].cash_usd_micros)
    await noted(
        world, told, f"The NeoCloud issues a receipt over {LOTS * 31 * 24:,} GPU-hours of January,"
        f" with a bond of {usd(bond)} in escrow. In `{SESSION}` both say, sealed, what they would"
        f" exchange: it asks {LEAST} above the settlement price or more, the lab pays {MOST} or"
        " less.",
    )  # fmt: skip
    await day_passed(world, CALLED, SECOND, THIRD)
    await world.until(CALLED, 16, 31)
    await exchanged(world, told)
    await noted(
        world, told, f"January goes physical: the call pairs them. The lab's {LOTS} lots go to the"
        f" NeoCloud at the settlement price of {told.moved_price}, which closes both; the receipt"
        f" is the lab's at {told.exchange_price} a GPU-hour, {usd(told.receipt_price)}: delivery"
        " versus payment. The lab redeems it.",
    )  # fmt: skip
    for day in days_from(CALLED + DAY, JANUARY):
        await day_passed(world, day, SECOND, THIRD)


async def january(world: StoryWorld, told: Told) -> None:
    """Deliver: every hour of every rack is reported, but for five."""
    outage = told.outage
    for day in days_from(JANUARY, FEBRUARY + DAY):
        await delivered(world, told, day, SECOND, THIRD)
        if day == DAYS_BEGIN:
            await noted(
                world, told, "February trades for the last time. The calendar has listed its days"
                f" that morning; settled at {settled(world, SECOND)}, each lot is now one lot of"
                " each day.",
            )  # fmt: skip
        if day == outage.day:
            await world.until(day + DAY, 0, 1)
            await world.deliver()
            await noted(
                world, told, f"`{outage.rack}` with its {GPUS} GPUs had no power from"
                f" {outage.hour}:00 to {outage.hour + outage.hours}:00. Six hours after each of"
                f" these hours ended, {(await receipt(world, told))['penalty']} USD in all went"
                " from the bond to the lab.",
            )  # fmt: skip
    shown = await world.ask(LAB, "GET", f"/delivery/receipts/{told.receipt_id}")
    await noted(
        world, told, f"January is over: {shown['readings']:,} signed readings,"
        f" {shown['gpu_hours_milli'] // 1000:,} GPU-hours metered. The receipt is closed, and what"
        " is left of the bond is the NeoCloud's again. February delivers in cash, day by day.",
    )  # fmt: skip


async def february(world: StoryWorld, told: Told) -> None:
    """Settle in cash, day by day, and trade March away."""
    for day in days_from(FEBRUARY + DAY, CLOSING):
        await day_passed(world, day, *((THIRD,) if day <= CLOSES_OUT else ()))
        if day == CLOSES_OUT:
            await closed_out(world)
            await world.ask(MAKER, "DELETE", "/orders")
            await world.bill()
            await world.until(day, 16, 30)
            await noted(world, told, "Both trade their March away, against the maker's quotes.")
        if day == MARCH:
            told.final_price = await final(world)
            await noted(
                world, told, "With the final print of its last day all of February is fixed:"
                f" {told.final_price} on the mean, the last day provisional for a day more.",
            )  # fmt: skip
    for job in world.parts.night._jobs[1:]:  # sign what the days had; the first plays stories
        await job()
    await noted(world, told, "Every day's settlement is final, every contract expired. Nothing is"
                " open.")  # fmt: skip


# How things stand


async def noted(world: StoryWorld, told: Told, what: str) -> None:
    """Note what has happened, and how things stand."""
    await world.bill()
    accounts = {
        one.account_id: one.account_idx for one in await PostgresAccounts(world.pool).list()
    }
    cash = tuple(
        world.mirror.accounts[accounts[name]].cash_usd_micros if name in accounts else 0
        for name in (CLOUD, LAB, MAKER, ESCROW_ID)
    )
    held = open_interest(world)
    state = (await receipt(world, told))["status"] if told.receipt_id else ""
    told.rows.append(Row(world.clock.now_ns(), what, cash, ", ".join(held), state))


def open_interest(world: StoryWorld) -> list[str]:
    """Return what is open: each contract, but days of a month together."""
    found: list[str] = []
    days: dict[tuple[str, int], int] = {}
    for one in world.mirror.contracts:
        name, lots = one.symbol.removeprefix(f"{SERIES}-"), one.open_interest_lots
        month, is_day, _ = name.partition("D")
        if lots and is_day:
            days[month, lots] = days.get((month, lots), 0) + 1
        elif lots:
            found.append(f"{name} {lots}")
    return found + [
        f"{count} day{'s' * (count > 1)} of {month} {lots}" for (month, lots), count in days.items()
    ]


async def receipt(world: StoryWorld, told: Told) -> dict[str, str]:
    """Return the receipt as its holder sees it."""
    path = f"/delivery/receipts/{told.receipt_id}"
    found: dict[str, str] = (await world.ask(LAB, "GET", path))["receipt"]
    return found


async def entry(world: StoryWorld) -> str:
    """Return at which price the NeoCloud sold."""
    (one,) = (await world.ask(CLOUD, "GET", "/positions"))["positions"]
    price: str = one["average_entry_price"]
    return price


def settled(world: StoryWorld, symbol: str) -> str:
    """Return a contract's last settlement price."""
    return price_text(world.mirror.contracts[world.mirror.symbols[symbol]].settle_ticks)


async def final(world: StoryWorld) -> str:
    """Return what February's days are settled at, on the mean."""
    prices = []
    for day in days_from(FEBRUARY, MARCH):
        found = await world.ask("", "GET", f"/settlements/final/{symbol_of(day)}")
        prices.append(Decimal(found["settlement"]["final_price"]))
    return f"{sum(prices) / len(prices):.4f}"


def usd(text: str) -> str:
    """Return money for people, to the cent."""
    return f"{Decimal(text):,.2f} USD"
