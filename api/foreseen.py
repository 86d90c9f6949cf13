"""Answers that are written while their batch is being committed."""

from collections.abc import Iterable, Mapping

from api.replies import EarlyWaiter, Reply, Waiter
from exchange.io.batch import Batch
from exchange.rules.rows import command_rows

Foreseen = dict[int, tuple[Reply, EarlyWaiter]]  # by request id, in the order of the batch


def foreseen(
    batch: Batch,
    replies: Iterable[tuple[int, Reply]],
    pending: Mapping[int, tuple[bytes, Waiter]],
) -> Foreseen:
    """Have the first answers to a batch written: up to one that needs the mirror.

    So replies are given in the order of their commands. A command that was sent again ends it, too:
    what is said to the repetition is not the answer.
    """
    commands = list(command_rows(batch.commands))
    found: Foreseen = {}
    for request_id, reply in replies:
        _, waiter = pending.get(request_id, (b"", None))
        if not isinstance(waiter, EarlyWaiter):
            break
        if not waiter.foresee(commands[reply.seq - batch.first_seq], reply):
            break
        found[request_id] = reply, waiter
    return found
