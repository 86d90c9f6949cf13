"""When a member's missing contribution to the default fund is collected: a day after it is due.

A size of the fund is a call on every member that has less than it asks. It stands while each size
since asks for more than the member has; what all of them ask for is taken from its free cash once
the oldest is a day old (DEF-15). So nothing is kept: the sizes say it all.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

HOUR_NS: Final = 3600 * 1_000_000_000
CALL_NS: Final = 24 * HOUR_NS  # of core time
REMIND_NS: Final = (12 * HOUR_NS, 2 * HOUR_NS)  # before the deadline
BLOCK_NS: Final = HOUR_NS  # behind it: what free cash pays has been collected by then
LEAST_USD_MICROS: Final = 1_000_000  # less than a dollar waits for more


class Asked(NamedTuple):
    """What a size of the fund asks of each member, by public id; usd micros."""

    ts_ns: int
    required_usd_micros: Mapping[str, int]


def asked_by(ts_ns: int, body: Mapping[str, Any]) -> Asked:
    """Return what a stored size asks of everybody."""
    members = body["members"].items()
    return Asked(ts_ns, {name: int(one["required_usd_micros"]) for name, one in members})


def due_by_ns(sizes: Sequence[Asked], account_id: str, held_usd_micros: int) -> int | None:
    """Return when a member has to have paid in by, None when nothing is missing.

    Args:
        sizes: the newest first.
    """
    since_ns: int | None = None
    for size in sizes:
        if size.required_usd_micros.get(account_id, 0) <= held_usd_micros:
            break
        since_ns = size.ts_ns
    return None if since_ns is None else since_ns + CALL_NS


def overdue_usd_micros(
    sizes: Sequence[Asked], account_id: str, held_usd_micros: int, now_ns: int
) -> int:
    """Return what is collected of a member now: what every size of the last day asks beyond it.

    The last day begins with the size that was the newest a day ago; without one nobody was called.
    """
    least: int | None = None
    for size in sizes:
        required = size.required_usd_micros.get(account_id, 0)
        least = required if least is None else min(least, required)
        if size.ts_ns <= now_ns - CALL_NS:
            missing = least - held_usd_micros
            return missing if missing >= LEAST_USD_MICROS else 0
    return 0


def reminders_due(due_ns: int, now_ns: int) -> int:
    """Return how many reminders of a deadline are due by now (DEF-16)."""
    return sum(now_ns >= due_ns - before_ns for before_ns in REMIND_NS)


def is_blocked(sizes: Sequence[Asked], account_id: str, held_usd_micros: int, now_ns: int) -> bool:
    """Say whether a member may only reduce: an hour behind the deadline it still owes (DEF-16)."""
    return overdue_usd_micros(sizes, account_id, held_usd_micros, now_ns - BLOCK_NS) > 0
