"""The channels `index.{name}`: each print as it is published."""

import time
from typing import TYPE_CHECKING, Any, Final

from api.answers_indices import print_out
from api.ws.reading import reading
from exchange.io.index_store import PrintRow
from exchange.rules.public_data import message

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.session import Session

PREFIX: Final = "index."
LOOK_S: Final = 30.0  # without being told


class IndexChannel:
    """Prints of one name; `seq` is their position in the chain of all prints."""

    def __init__(self, row: PrintRow, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._row = row
        self._services = services

    @property
    def position(self) -> int:
        """The position of the print that was told last."""
        return self._row.print.position

    def snapshot(self) -> bytes:
        """Return the newest print."""
        return self._message("snapshot", None)

    def tell(self, row: PrintRow) -> None:
        """Tell everyone a new print."""
        before, self._row = self.position, row
        payload = self._message("update", before)
        for session in tuple(self.subscribers):
            session.deliver(PREFIX + row.print.name, payload)

    def _message(self, kind: str, before: int | None) -> bytes:
        data: dict[str, Any] = print_out(self._row)
        now_ns = self._services.now_ns()
        return message(PREFIX + self._row.print.name, kind, self.position, before, now_ns, data)


class IndexChannels:
    """All names that have a print; read again when one was published."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._channels: dict[str, IndexChannel] = {}
        self._due_s = 0.0

    def changed(self, _: str = "") -> None:
        """Look at the next turn: something was published."""
        self._due_s = 0.0

    def of(self, name: str) -> IndexChannel | None:
        """Return the channel of that name, None when there is none."""
        return self._channels.get(name)

    async def turn(self) -> None:
        """Read what is new and tell it, if it is time."""
        now_s = time.monotonic()
        if self._services.index is None or now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        async with reading():
            rows = await self._services.index.latest()
            self._services.index_ages.take(rows)
            for row in rows:
                self._take(row)

    def _take(self, row: PrintRow) -> None:
        name = PREFIX + row.print.name
        known = self._channels.get(name)
        if known is None:
            self._channels[name] = IndexChannel(row, self._services)
        elif row.print.position > known.position:
            known.tell(row)
