"""Work in a process of its own: seconds of computing must not hold up orders.

A module that works so reads one JSON document from its standard input and writes one to its
standard output: `answer` is its main function, `ask_child` starts it.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from exchange.io.errors import Corrupt, ExchangeError, Invalid, Unavailable
from exchange.io.lowly import die_with_parent
from exchange.io.turns import give_way

TIMEOUT_S: Final = 300.0
NICE: Final = 5  # whoever trades comes first, yet others are a third as good

Document = dict[str, Any]

# What a child says instead of its document: the word, and what its parent raises.
_FAILED: Final[dict[str, type[ExchangeError]]] = {
    "refused": Invalid, "corrupt": Corrupt, "unavailable": Unavailable,
}  # fmt: skip


async def ask_child(
    module: str, asked: Document, what: str, timeout_s: float = TIMEOUT_S
) -> Document:
    """Run a module in a child process and return its document.

    Args:
        what: names the work in an error.

    Errors:
        Invalid: it refused what was asked; the text says why.
        Corrupt: what it found stored contradicts itself.
        Unavailable: the world failed it, or it ended without an answer, or took too long.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us alone
        preexec_fn=die_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.to_thread(give_way, NICE, child.pid)  # while it loads its modules, too
            said, _ = await child.communicate(json.dumps(asked).encode())
    except TimeoutError:
        raise Unavailable(f"{what} took longer than {timeout_s:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not said:
        raise Unavailable(f"{what} ended with status {child.returncode}")
    document: Document = json.loads(said)
    for word, error in _FAILED.items():
        if word in document:
            raise error(document[word])
    return document


def answer(work: Callable[[Document], Document]) -> int:
    """Answer one request, in the child; a ValueError is a refusal, an ExchangeError its kind."""
    asked = json.loads(sys.stdin.buffer.read())
    try:
        document = work(asked)
    except (ValueError, Invalid) as error:
        document = {"refused": str(error)}
    except Corrupt as error:
        document = {"corrupt": str(error)}
    except ExchangeError as error:
        document = {"unavailable": str(error)}
    sys.stdout.write(json.dumps(document))
    return 0
