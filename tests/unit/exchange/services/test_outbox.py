"""The outbox ends when it is told to, in whatever moment that is."""

import asyncio

import pytest

from exchange.services.outbox import Outbox


class NothingDue:
    """Rows of which none waits."""

    async def accounts_unopened(self) -> list[int]:
        return []

    async def transfers_sent(self) -> list[object]:
        return []


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancellation_that_meets_a_wake_up_still_ends_it(turns: int):
    outbox = Outbox(NothingDue(), send=None)
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.01)  # it waits now
    outbox.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=2)
    assert running in done and running.cancelled()
