"""What happens, chapter by chapter: through the REST API where a user would, with what was said.

32 GPUs in four nodes of a hall in the American east, for the first quarter of 2027.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.rules.contracts import Contract, parse_series, parse_symbol
from exchange.rules.delivery.exchange_check import faults_of_result
from exchange.rules.delivery.metering import Reading
from exchange.rules.money import TICK_USD_MICROS, price_text, usd_text
from exchange.rules.observations import Draft
from exchange.rules.tenors import DAY, NS_PER_SECOND, day_period, ns_of
from tests.story.world import SERIES, StoryWorld
from wellhead.hedge_calls import read_plan

OPENS: Final = date(2026, 12, 21)
JANUARY, FEBRUARY, MARCH = date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)
QUARTER: Final = f"{SERIES}-2027Q1"
FIRST, SECOND, THIRD = (f"{SERIES}-2027M0{number}" for number in (1, 2, 3))
SESSION: Final = f"{FIRST}_20261230T1630"  # by the calendar
LEAST, MOST = "0.005", "0.020"  # above the settlement price: what is taken, what is paid
CLOUD, LAB, MAKER = "neocloud", "lab", "maker"
WHO: Final = {CLOUD: "NeoCloud", LAB: "Lab", MAKER: "Maker"}
DEPOSIT: Final = "1000000"
RACKS: Final = tuple(f"hall-east-{number}" for number in range(1, 5))  # nodes, metered one by one
GPUS: Final = 8
LOTS: Final = len(RACKS) * GPUS
PLAN: Final = f"""\
sku,hub,gpus,from,to,cost,load_factor,pue,power_price,kw
# a hall in Virginia, free from New Year on
H100,USE,{LOTS},2027-01-01,2027-03-31,1.40,1,1.25,0.075,1.275
"""
NEEDS: Final = f"""\
sku,hub,gpus,from,to,cost
# one training run
H100,USE,{LOTS},2027-01-01,2027-03-31,3.50
"""
PROVIDERS: Final = 7
TELEMETRY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TOGETHER: Final = 30  # readings in a request
KWH: Final = GPUS * 1_275  # of a rack in an hour, x 1000
MOVES_TICKS: Final = (-12, 7, -15, -4, 9, -11, -6)  # of the maker's quotes, day by day
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Outage:
    """Hours of a node without power."""

    rack: str = RACKS[2]
    day: date = date(2027, 1, 14)
    hour: int = 10
    hours: int = 5

    @property
    def missing(self) -> frozenset[tuple[str, int]]:
        """Return node and hour since 1970 of each."""
        first = hour_of(self.day, self.hour)
        return frozenset((self.rack, first + place) for place in range(self.hours))


@dataclass(slots=True)
class Told:
    """What people agreed on, as they said it; what is checked at the end is not read back."""

    outage: Outage = field(default_factory=Outage)
    receipt_id: str = ""
    receipt_price: str = "0"
    receipt_days: int = 0
    entry_price: str = ""  # of the quarter
    moved_price: str = ""  # at which January's lots were exchanged: the settlement price
    exchange_price: str = ""  # of a GPU-hour of its receipt: with the differential
    final_price: str = ""  # of February
    rows: list["Row"] = field(default_factory=list)


class Row(NamedTuple):
    """What had happened by a moment, and how things stood."""

    at_ns: int
    what: str
    cash_usd_micros: tuple[int, ...]  # of the NeoCloud, the lab, the maker, the escrow
    open_interest: str
    receipt: str


def hour_of(day: date, hour: int = 0) -> int:
    """Return an hour as it is counted since 1970."""
    return ns_of(day, hour) // (3_600 * NS_PER_SECOND)


def days_from(first: date, end: date) -> Iterator[date]:
    """Yield days, the last one left out."""
    while first < end:
        yield first
        first += DAY


def symbol_of(day: date) -> str:
    """Return the contract of a day."""
    return Contract(parse_series(SERIES), day_period(day)).symbol


def spot_usd_micros(day: date) -> int:
    """Return what a GPU-hour costs on a day: it falls, not evenly."""
    passed = (day - OPENS).days
    return 3_290_000 - 4_100 * passed + 1_700 * (passed * 7 % 11)


def offers(day: date) -> list[Draft]:
    """Return what providers say on a day, at its noon."""
    return [
        Draft(
            provider=f"provider-{place}", region="us-east-1", sku="H100-SXM", hub="USE", grade="N",
            size_gpus=8, price_usd_micros=spot_usd_micros(day) + 11_000 * (place - 3),
            kind="rate_card", ts_ns=ns_of(day, 12), source="submission", licence="story",
        )
        for place in range(PROVIDERS)
    ]  # fmt: skip


# Chapters


async def opened(world: StoryWorld) -> None:
    """Open accounts; the calendar lists what there is."""
    await world.settle_down()
    for account_id, name in WHO.items():
        await world.open(account_id, name, DEPOSIT)
    await world.bill()  # fees are told


async def hedged(world: StoryWorld) -> None:
    """Let the NeoCloud hedge its plan, and the lab buy what its own plan asks for."""
    for who, side, plan in ((CLOUD, "sell", PLAN), (LAB, "buy", NEEDS)):
        asked = {"plan": read_plan(plan.splitlines()), "side": side}
        found = (await world.ask(who, "POST", "/hedge", asked))["hedge"]
        assert found["totals"]["hedged_share"] == "1.00", found["totals"]
        for order in found["orders"]:
            await world.ask(who, "POST", "/orders", order)


async def quoted(world: StoryWorld, day: date, *symbols: str) -> None:
    """Let the maker stand on both sides of its new price."""
    await world.ask(MAKER, "DELETE", "/orders")
    move = MOVES_TICKS[(day - OPENS).days % len(MOVES_TICKS)]
    for symbol in symbols:
        if parse_symbol(symbol).last_trade_ns <= world.clock.now_ns():
            continue
        ticks = world.mirror.contracts[world.mirror.symbols[symbol]].mark_ticks + move
        for side, away in (("buy", -3), ("sell", 3)):
            await world.ask(MAKER, "POST", "/orders", order(symbol, side, ticks + away, LOTS))


def order(symbol: str, side: str, ticks: int, lots: int, tif: str = "GTC") -> dict[str, str]:
    """Return a limit order."""
    return {"symbol": symbol, "side": side, "price": price_text(ticks), "quantity": str(lots),
            "tif": tif}  # fmt: skip


async def day_passed(world: StoryWorld, day: date, *symbols: str) -> None:
    """Let a day pass: yesterday's index at noon, quotes, the daily settlement, fees."""
    await world.until(day, 12)
    await world.publish(offers(day - DAY))
    await world.settle_down()
    if day.weekday() < 5:
        await world.until(day, 15, 50)
        await quoted(world, day, *symbols)
    await world.until(day, 16)
    await world.bill()


async def entered(world: StoryWorld, told: Told, end: date) -> None:
    """Have a receipt for January issued, and both say what they would exchange, unseen."""
    await issued(world, told, end)
    await world.exchange()  # it is announced
    for who, side, differential in ((CLOUD, "sell", LEAST), (LAB, "buy", MOST)):
        said = {"side": side, "quantity": str(LOTS), "differential": differential}
        await world.ask(who, "POST", f"/efd/sessions/{SESSION}/entries", said)


async def exchanged(world: StoryWorld, told: Told) -> None:
    """Call the session: lots go to the seller, the receipt to the buyer, who redeems it."""
    await world.exchange()
    found = await world.ask("", "GET", f"/efd/sessions/{SESSION}/result")
    (leg,) = found["legs"]
    assert (leg["outcome"], leg["receipt_id"]) == ("exchanged", told.receipt_id), leg
    session = found["session"]
    assert faults_of_result(json.loads(found["body"])) == []
    told.moved_price = session["settlement_price"]
    told.exchange_price = str(Decimal(told.moved_price) + Decimal(session["differential"]))
    price = Decimal(told.exchange_price) * LOTS * 24 * told.receipt_days
    told.receipt_price = f"{price:.6f}"
    await world.ask(LAB, "POST", f"/delivery/receipts/{told.receipt_id}/actions",
                    {"action": "redeem"})  # fmt: skip


async def issued(world: StoryWorld, told: Told, end: date) -> None:
    """Admit the NeoCloud, and have it issue a receipt."""
    public_key = TELEMETRY.public_key().public_bytes_raw().hex()
    await world.ask("operator", "POST", "/admin/delivery/issuers", {
        "account_id": CLOUD, "public_key": public_key, "audit": "audit 2026-11, no finding",
        "acceptance": "48 h of training and NCCL tests on 4 nodes, no fault",
        "acceptance_hours": 48,
    })  # fmt: skip
    hours = hour_of(end) - hour_of(JANUARY)
    new = {
        "sku": "H100", "hub": "USE", "nodes": list(RACKS), "gpus_per_node": GPUS,
        "start_ts": hour_of(JANUARY) * HOUR_MS, "end_ts": hour_of(end) * HOUR_MS,
        "receipt_key": "january",
    }  # fmt: skip
    made = (await world.ask(CLOUD, "POST", "/delivery/receipts", new))["receipt"]
    told.receipt_id = made["receipt_id"]
    told.receipt_days = hours // 24
    await world.deliver()


async def received(world: StoryWorld, told: Told, end: date, ticks: int) -> None:
    """Have a receipt issued, sell it at a price of one's own, and the lab redeem it."""
    await issued(world, told, end)
    told.receipt_price = usd_text(LOTS * 24 * told.receipt_days * ticks * TICK_USD_MICROS)
    for who, deed in (
        (CLOUD, {"action": "offer", "to": LAB, "price": told.receipt_price}),
        (LAB, {"action": "buy", "price": told.receipt_price}),
        (LAB, {"action": "redeem"}),
    ):
        await world.deliver()
        await world.ask(who, "POST", f"/delivery/receipts/{told.receipt_id}/actions", deed)


async def delivered(world: StoryWorld, told: Told, day: date, *symbols: str) -> None:
    """Let a day of the window pass: telemetry every six hours, hours judged six hours later."""
    first = hour_of(JANUARY)
    end = first + 24 * told.receipt_days
    for hour in (0, 6, 12, 18):
        now = hour_of(day, hour)
        if hour == 18:
            await day_passed(world, day, *symbols)
        await world.until(day, hour)
        await reported(world, told.outage, max(now - 6, first), min(now, end))
        await world.deliver()


async def reported(world: StoryWorld, outage: Outage, first_hour: int, end_hour: int) -> None:
    """Report what the racks did, signed; one without power reports nothing."""
    readings = [
        signed(Reading(rack, hour, hour - hour_of(JANUARY) + 1, 3_600, 9_100, GPUS * 1_000, KWH))
        for hour in range(first_hour, end_hour)
        for rack in RACKS
        if (rack, hour) not in outage.missing
    ]
    for place in range(0, len(readings), TOGETHER):
        body = {"readings": readings[place : place + TOGETHER]}
        answer = await world.ask(CLOUD, "POST", "/delivery/telemetry", body)
        assert {one["status"] for one in answer["results"]} == {"accepted"}, answer


def signed(reading: Reading) -> dict[str, Any]:
    """Return a reading with the signature of the issuer's key."""
    fields = reading._asdict()
    hour_ts = fields.pop("hour") * HOUR_MS
    return {
        **fields, "hour_ts": hour_ts, "signature": TELEMETRY.sign(reading.message(CLOUD)).hex(),
    }  # fmt: skip


async def closed_out(world: StoryWorld) -> None:
    """Let both trade their March away against the maker's quotes."""
    ticks = world.mirror.contracts[world.mirror.symbols[THIRD]].mark_ticks
    for who, side, limit in ((LAB, "sell", -60), (CLOUD, "buy", 60)):
        sent = order(THIRD, side, ticks + limit, LOTS, "IOC")
        found = (await world.ask(who, "POST", "/orders", sent))["order"]
        assert found["filled_quantity"] == str(LOTS), found
