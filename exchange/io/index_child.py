"""Publishes the index in a process of its own: seconds of computing must not hold up orders.

`python -m exchange.io.index_child` reads {"url", "role", "now_ns"} from its standard input and
writes what was published to its standard output.
"""

import asyncio
import sys
from dataclasses import asdict
from typing import Final

from exchange.io.child import Document, answer, ask_child
from exchange.io.db import LOST, Database
from exchange.io.errors import DatabaseUnavailable
from exchange.io.index_publish import Done, publish

TIMEOUT_S: Final = 600.0


async def publish_in_child(database: Database, now_ns: int) -> Done:
    """Publish what is due, in a child process.

    Errors:
        Corrupt: the history cannot be continued; the text says why.
        Unavailable: the database does not answer, or the child ended without an answer.
    """
    asked = {"url": database.app_url, "role": database.app_role, "now_ns": now_ns}
    what = "publishing the index"
    return Done(**await ask_child("exchange.io.index_child", asked, what, TIMEOUT_S))


async def _publish(asked: Document) -> Document:
    database = Database(asked["url"], asked["url"], asked["role"])
    connection = await database.connect()
    try:
        return asdict(await publish(connection, asked["now_ns"]))
    except LOST as error:
        raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
    finally:
        connection.terminate()


def work(asked: Document) -> Document:
    """Answer one request."""
    return asyncio.run(_publish(asked))


if __name__ == "__main__":
    sys.exit(answer(work))
