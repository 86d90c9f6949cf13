"""Webhooks as they are stored, for `wellhead verify`: was told what had to be, and once?"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import asyncpg

from exchange.io.db import queries
from exchange.io.webhook_queue import cleared
from exchange.rules.findings import Finding
from exchange.rules.webhooks import CLEARED

NAMED_MAX: Final = 20  # of one hook; more are counted in the last

_SQL: Final = queries("webhooks")
_LISTS: Final = {"fill": "fills", "settlement": "settlements"}  # told some in one delivery


class Kept(NamedTuple):
    """A hook, and how far it was told."""

    webhook_id: str
    account_idx: int
    events: list[str]
    from_seq: int
    told_seq: int
    is_whole: bool  # nothing was left out, and nothing that was told is forgotten yet


Items = Counter[tuple[str, str]]  # event, and one thing that was told, as JSON


async def webhook_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return what hooks were told otherwise than clearing wrote it, or twice, or not at all.

    Of a hook that has been there for longer than deliveries are kept, or has left some out, what
    it was told is compared, not what it was not.
    """
    found: list[Finding] = []
    for row in await connection.fetch(_SQL["kept"]):
        hook = Kept(*row)
        told: Items = Counter()
        for event, text in await connection.fetch(_SQL["told"], hook.webhook_id, sorted(CLEARED)):
            told.update(_items(event, json.loads(text)))
        after = hook.from_seq
        if not hook.is_whole:
            after = min((json.loads(text)["seq"] for _, text in told), default=hook.told_seq) - 1
        wanted: Items = Counter()
        for event in sorted(CLEARED.intersection(hook.events)):
            for one in await cleared(connection, event, [hook.account_idx], after, hook.told_seq):
                wanted.update(_items(event, one.data))
        found += differences(hook, wanted, told)
    return found


def _items(event: str, data: Any) -> Iterator[tuple[str, str]]:
    for one in data[_LISTS[event]] if event in _LISTS else [data]:
        yield event, json.dumps(one, separators=(",", ":"))


def differences(hook: Kept, wanted: Items, told: Items) -> list[Finding]:
    """Return what was told too much, and of a whole hook too little."""
    place = f"webhook {hook.webhook_id}"
    found = [
        Finding("webhook_delivery", place, event, "nothing more", text)
        for event, text in (told - wanted).elements()
    ]
    if hook.is_whole:
        found += [
            Finding("webhook_delivery", place, event, text, "nothing")
            for event, text in (wanted - told).elements()
        ]
    return found[:NAMED_MAX]
