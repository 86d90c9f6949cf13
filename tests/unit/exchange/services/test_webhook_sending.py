"""Sending webhooks beside receivers that are hostile: nobody else waits for them, or ends."""

import asyncio
from itertools import count

import pytest

from exchange.io.webhook_queue import Due, Waiting
from exchange.services.webhooks import sending
from exchange.services.webhooks.sending import AT_ONCE_OF_ACCOUNT, Sender


class Rows:
    """A queue that is never empty, of hooks in the order in which they wait."""

    def __init__(self, *hooks: tuple[str, str]) -> None:
        self.hooks, self.ids = hooks, count(1)
        self.failed_with: dict[str, str] = {}
        self.taken: list[str] = []

    async def due(self, now_ns, going):
        return [
            Due(name, whose, f"https://{name}.example.com/", (b"s",), 0)
            for name, whose in self.hooks
            if name not in going and name not in self.failed_with
        ]

    async def next(self, webhook_id):
        return Waiting(next(self.ids), "fill", "{}", 1)

    async def succeeded(self, due, delivery_id, tried):
        self.taken.append(due.webhook_id)

    async def failed(self, due, delivery_id, tried, retry_ns, *, parks):
        self.failed_with[due.webhook_id] = tried.error


async def test_what_nobody_expected_of_one_receiver_is_its_own_failure_alone():
    rows = Rows(("bad", "mallory"), ("good", "alice"))

    async def post(address, headers, body):
        if address.host.startswith("bad"):
            raise UnicodeError("label too long")
        if len(rows.taken) == 3:
            raise TimeoutError
        return 204

    sender = Sender(rows, lambda: 1, (), post)
    await sender.start()
    await sender.rest()
    assert rows.failed_with["bad"] == "UnicodeError: label too long"
    assert rows.taken == ["good"] * 3


async def test_hooks_of_one_account_take_a_few_of_the_places_however_many_wait():
    hung = asyncio.Event()
    rows = Rows(*((f"m{number}", "mallory") for number in range(10)), ("good", "alice"))
    asked: list[str] = []

    async def post(address, headers, body):
        asked.append(address.host)
        await hung.wait()
        return 500

    sender = Sender(rows, lambda: 1, (), post)
    await sender.start()
    await sender.start()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(asked) == AT_ONCE_OF_ACCOUNT + 1 and "good.example.com" in asked
    hung.set()
    await sender.rest()
    await sender.start()  # the next have their turn
    await sender.rest()
    assert len(rows.failed_with) == 2 * AT_ONCE_OF_ACCOUNT + 1


async def test_a_receiver_that_drips_has_its_turn_and_then_waits(monkeypatch: pytest.MonkeyPatch):
    rows, now_ns = Rows(("slow", "mallory")), 0
    monkeypatch.setattr(sending, "monotonic_ns", lambda: now_ns)

    async def post(address, headers, body):
        nonlocal now_ns
        now_ns += 9_900_000_000  # it answers just in time, each time
        return 204

    sender = Sender(rows, lambda: 1, (), post)
    await sender.start()
    await sender.rest()
    assert rows.taken == ["slow"] * 2
