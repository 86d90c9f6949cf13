"""`python -m tests.story`: live through the story on a Postgres of its own, write its page."""

import asyncio
import sys
import tempfile
from pathlib import Path

from exchange.rules.tenors import ns_of
from tests.story.chapters import OPENS
from tests.story.closing import dues, faults
from tests.story.page import PAGE, page
from tests.story.telling import told_of
from tests.story.world import story_world
from tests.support.postgres import Server, running_server


async def lived(server: Server, folder: Path) -> tuple[str, list[str]]:
    """Return the page of a run, and what did not close."""
    database = await server.fresh()
    pool = await database.pool()
    try:
        async with story_world(database, pool, folder, ns_of(OPENS, 9)) as world:
            told = await told_of(world)
            return page(told, await dues(world, told)), await faults(world, told)
    finally:
        pool.terminate()


def main() -> int:
    """Write the page; 1 when something does not close."""
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        text, wrong = asyncio.run(lived(server, Path(folder)))
    for one in wrong:
        print(one, file=sys.stderr)
    if not wrong:
        PAGE.write_text(text)
        print(f"{PAGE.name} written: everything closes")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
