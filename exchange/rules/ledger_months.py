"""Months of the ledger: in which one a time is, and when it begins. All of UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_S: Final = 1_000_000_000


def month_of(ts_ns: int) -> int:
    """Return the months since January of the year 0 of a time in nanoseconds since 1970."""
    moment = _EPOCH + timedelta(seconds=ts_ns // _NS_PER_S)
    return moment.year * 12 + moment.month - 1


def month_start_ns(month: int) -> int:
    """Return the first nanosecond of a month, the inverse of `month_of`."""
    start = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (start - _EPOCH) // timedelta(seconds=1) * _NS_PER_S
