"""What comes back of a command, and who waits for it."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

from api.errors import Problem, core_problem
from matching.codes import EventKind

CommandRow = Any  # the tuple of a COMMAND row
EventRow = Any  # the tuple of an EVENT row


class Reply(NamedTuple):
    """What the core said to one command: its events, the first being the reply itself."""

    seq: int
    ts_ns: int
    events: list[EventRow]

    @property
    def code(self) -> int:
        """Return the refusal's code, 0 when the command was taken."""
        first = self.events[0]
        return int(first[3]) if first[1] == EventKind.REFUSED else 0

    def raise_refused(self) -> None:
        """Raise the problem of a refusal."""
        if self.code:
            raise core_problem(self.code)


class Waiter(Protocol):
    """Who waits for a reply; `lost` is called when there will be none, or it cannot be told."""

    def replied(self, reply: Reply) -> None:
        """Take the core's reply."""
        ...

    def lost(self, problem: Problem) -> None:
        """Take what there is instead of a reply."""
        ...


class EarlyWaiter(ABC):
    """Who can write an answer from the core's reply alone, before the mirror shows what it says."""

    __slots__ = ()

    @abstractmethod
    def foresee(self, command: CommandRow, reply: Reply) -> bool:
        """Write the answer to a command that is being committed, and say whether it is written.

        It is given by `replied` with this very reply, which comes when the commit has succeeded.
        """

    @abstractmethod
    def replied(self, reply: Reply) -> None:
        """Take the core's reply."""

    @abstractmethod
    def flush(self) -> None:
        """Have the answer leave at once."""

    @abstractmethod
    def lost(self, problem: Problem) -> None:
        """Take what there is instead of a reply."""


class FutureWaiter:
    """Waits by a future."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def replied(self, reply: Reply) -> None:
        """Hand the reply over, if anyone still waits."""
        if not self.future.done():
            self.future.set_result(reply)

    def lost(self, problem: Problem) -> None:
        """Hand the problem over, if anyone still waits."""
        if not self.future.done():
            self.future.set_exception(problem)
