"""Observations for tests of the index: providers that state a price a day."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from exchange.rules.index.history import History
from exchange.rules.index.method import METHOD, Method
from exchange.rules.index.prints import Found
from exchange.rules.observations import Draft, Offer, chained
from exchange.rules.tenors import ns_of

FIRST = date(2026, 3, 1)
USD = 1_000_000


def draft(provider: str, usd_micros: int, day: date = FIRST, **more: object) -> Draft:
    """Return what a provider says on a day, at its noon."""
    values: dict[str, object] = {
        "provider": provider,
        "region": "us-east-1",
        "sku": "H100-SXM",
        "hub": "USE",
        "grade": "N",
        "size_gpus": 8,
        "price_usd_micros": usd_micros,
        "kind": "rate_card",
        "ts_ns": ns_of(day) + 12 * 3600 * 10**9,
        "source": "submission",
        "licence": "test",
    }
    return Draft(**(values | more))  # type: ignore[arg-type]


def days(count: int, first: date = FIRST) -> list[date]:
    return [first + timedelta(days=at) for at in range(count)]


def daily(prices: dict[str, Sequence[int]], first: date = FIRST) -> list[Draft]:
    """Return each provider's word of each day; 0 where it says nothing."""
    count = max(map(len, prices.values()))
    return [
        draft(provider, said[at], day)
        for at, day in enumerate(days(count, first))
        for provider, said in sorted(prices.items())
        if at < len(said) and said[at]
    ]


def offers_of(drafts: Iterable[Draft]) -> list[Offer]:
    return list(chained(sorted(drafts, key=lambda one: one.ts_ns)))


def run(
    drafts: Iterable[Draft], count: int, first: date = FIRST, method: Method = METHOD
) -> dict[tuple[str, date], Found]:
    """Return the final prints of some days by name and day."""
    offers = offers_of(drafts)
    history = History(offers, method)
    return {
        (found.name, day): found
        for day in days(count, first)
        for found in history.final(day, len(offers))
    }


def steady(providers: int = 7, count: int = 10, base: int = 2 * USD) -> dict[str, list[int]]:
    """Return providers that keep their prices: 2.00, 2.05, 2.10, ... USD."""
    return {f"p{at}": [base + at * 50_000] * count for at in range(providers)}
