"""What a GPU-hour of a receipt is worth: by the index of its day, or as when it was issued."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from exchange.io.index_store import Index
from exchange.rules.delivery.receipts import Receipt
from exchange.rules.index.prints import name_of

HOUR_S: Final = 3_600


def day_of_hour(hour: int) -> date:
    """Return the UTC day of an hour since 1970."""
    return datetime.fromtimestamp(hour * HOUR_S, UTC).date()


async def index_usd_micros(index: Index, name: str, hour: int) -> int | None:
    """Return the newest print for the day of an hour or one before it, None for none."""
    rows = await index.newest(name, before=day_of_hour(hour) + timedelta(1), limit=1)
    return rows[0].price_usd_micros if rows else None


async def hour_usd_micros(index: Index, receipt: Receipt) -> int:
    """Return the index of the hour that a receipt is to be judged of; without one its price."""
    name = name_of(receipt.sku, receipt.hub, receipt.grade)
    found = await index_usd_micros(index, name, receipt.assessed_hour)
    return receipt.price_usd_micros if found is None else found
