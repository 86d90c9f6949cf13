"""Start a node, keep it, end it."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from exchange.config import Role, Settings
from exchange.io.logs import configure
from exchange.io.lowly import allow_open_files
from exchange.services.node.crew import Crew
from exchange.services.node.node import Node
from exchange.services.node.progress import Progress, quiet

Background = Callable[[str], Coroutine[Any, Any, None]]  # given the API's address


def serve(
    settings: Settings,
    roles: tuple[Role, ...] = (),
    progress: Progress = quiet,
    background: Background | None = None,
    ready: Callable[[str | None], None] = lambda url: None,
) -> None:
    """Run a node until SIGINT or SIGTERM; call it in the main thread.

    Args:
        roles: what this process does; empty: what the settings say.
        progress: told of each stage of the start; the last are "ready", "stopping" and "stopped".
        background: runs beside the node from when the API answers, until it stops.
        ready: told once, with the API's address, None for a process without one.

    Errors:
        StartRefused: the operator must change something; the message says what.
        EpochLost: another process leads now.
        Corrupt: stored data contradicts itself; the message says where.
        Unavailable: the database does not answer at the start.
    """
    if roles:
        settings = settings.model_copy(update={"roles": roles})
    configure(settings.log_level, settings.log_file)
    allow_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(settings, progress, background, ready))


async def _main(
    settings: Settings,
    progress: Progress,
    background: Background | None,
    ready: Callable[[str | None], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    crew = Crew(stop)
    node = Node(settings, progress, crew)
    async with AsyncExitStack() as stack:
        try:
            if await _started(node, stack, stop):
                ready(node.api_url)
                if background is not None and node.api_url is not None:
                    crew.start("background", background(node.api_url))
                await stop.wait()
            progress("stopping")
        finally:
            await crew.end("background")  # while its orders can still be cancelled
            await node.end()
            await crew.end()
    if node.is_warming:  # a thread that compiles cannot be ended otherwise
        progress("stopped")
        sys.stderr.flush()
        os._exit(0)
    if crew.error is not None:
        raise crew.error
    progress("stopped")


async def _started(node: Node, stack: AsyncExitStack, stop: asyncio.Event) -> bool:
    """Start the node; False if it was told to stop, or something failed, before that was done."""
    stopped = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(node.start(stack))
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        if starting.cancelled():
            return False
        starting.result()
        return not stop.is_set()
    finally:
        stopped.cancel()
