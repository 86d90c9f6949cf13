"""Publishes the index in a process of its own: seconds of computing must not hold up orders.

`python -m exchange.io.index_child` reads {"url", "role", "now_ns"} from its standard input and
writes what was published, or {"refused": why}, to its standard output.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any, Final

from exchange.io.db import LOST, Database
from exchange.io.errors import Corrupt, DatabaseUnavailable, ExchangeError, Unavailable
from exchange.io.index_publish import Done, publish
from exchange.io.lowly import die_with_parent

TIMEOUT_S: Final = 600.0
NICE: Final = 10  # whoever trades comes first


async def publish_in_child(database: Database, now_ns: int) -> Done:
    """Publish what is due, in a child process.

    Errors:
        Corrupt: the history cannot be continued; the text says why.
        Unavailable: the database does not answer, or the child ended without an answer.
    """
    asked = {"url": database.app_url, "role": database.app_role, "now_ns": now_ns}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.io.index_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us alone
        preexec_fn=die_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer, _ = await child.communicate(json.dumps(asked).encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not answer:
        raise Unavailable(f"publishing the index ended with status {child.returncode}")
    told: dict[str, Any] = json.loads(answer)
    if "corrupt" in told:
        raise Corrupt(told["corrupt"])
    if "unavailable" in told:
        raise Unavailable(told["unavailable"])
    return Done(**told)


async def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        database = Database(asked["url"], asked["url"], asked["role"])
        connection = await database.connect()
        try:
            return asdict(await publish(connection, asked["now_ns"]))
        except LOST as error:
            raise DatabaseUnavailable(f"the database does not answer: {error!r}") from error
        finally:
            connection.terminate()
    except Corrupt as error:
        return {"corrupt": str(error)}
    except ExchangeError as error:
        return {"unavailable": str(error)}


def main() -> int:
    """Answer one request."""
    os.nice(NICE)
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(asyncio.run(_answer(asked))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
