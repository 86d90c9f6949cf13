"""The process of the simulated traders: `python -m wellhead.cli.demo.process`.

Its orders come as one line of JSON on stdin. When stdin ends, whoever started it is
gone, however that happened, and it ends too: no bot outlives its market.
"""

import asyncio
import contextlib
import logging
import sys

import msgspec

from wellhead.async_client import AsyncClient
from wellhead.cli.demo import rules
from wellhead.cli.demo.bots import Crowd, Maker, Taker, connect
from wellhead.cli.demo.rules import Chance, Fair
from wellhead.errors import WellheadError

SEED = 20_270_301


class Trader(msgspec.Struct):
    """One simulated account and its key."""

    name: str
    key: str
    secret: str


class Plan(msgspec.Struct):
    """What to do: where, as whom, how fast."""

    url: str
    traders: list[Trader]
    orders_per_s: float = 30.0
    fill_orders_per_s: float = 300.0  # until there are quotes everywhere


async def simulate(plan: Plan) -> None:
    """Make the market until cancelled."""
    names = {trader.name: number for number, trader in enumerate(plan.traders)}
    fair = Fair(Chance(SEED))
    async with contextlib.AsyncExitStack() as stack:
        makers: list[Maker] = []
        takers: list[Taker] = []
        markets = rules.example_first(rules.markets(rules.now()))
        for trader in plan.traders:
            client = await stack.enter_async_context(
                AsyncClient(plan.url, trader.key, trader.secret)
            )
            stream = await connect(client)
            stack.push_async_callback(stream.close)
            chance = Chance(SEED + 1 + names[trader.name])
            if trader.name in rules.makers():
                makers.append(Maker(trader.name, stream, chance, fair))
            else:
                takers.append(Taker(trader.name, stream, chance))
        async with asyncio.TaskGroup() as tasks:
            for bot in (*makers, *takers):
                await bot.start()
                tasks.create_task(bot.follow())
            for taker in takers:
                await taker.look_at(markets)
                tasks.create_task(taker.watch())
            crowd = Crowd(makers, takers, markets, fair)
            await crowd.fill(plan.fill_orders_per_s)
            await crowd.trade(plan.orders_per_s)


async def until_parent_ends(plan: Plan) -> int:
    """Simulate until stdin ends; return the exit code."""
    work = asyncio.create_task(simulate(plan))
    parent = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    done, _ = await asyncio.wait({work, parent}, return_when=asyncio.FIRST_COMPLETED)
    if work in done:
        parent.cancel()
        return _ended(work)
    work.cancel()
    await asyncio.wait({work})
    return 0


def _ended(work: asyncio.Task[None]) -> int:
    error = work.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, WellheadError):
        logging.getLogger("wellhead.demo").warning("the simulated traders stop: %s", error)
        return 1
    if error is not None:
        raise error
    return 0


def main() -> None:
    """Read the plan and carry it out."""
    import os

    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    code = 0
    with contextlib.suppress(KeyboardInterrupt):
        code = asyncio.run(until_parent_ends(plan))
    os._exit(code)  # the thread that reads stdin cannot be ended otherwise


if __name__ == "__main__":
    main()
