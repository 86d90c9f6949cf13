"""Notices as they are written: read from Postgres when it says so, told on private channels."""

import time
from typing import TYPE_CHECKING, Final

from api.restraining import notices_out
from api.ws.reading import reading

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.private import PrivateChannels

LOOK_S: Final = 5.0  # without being told
NAME: Final = "notices"


class NoticeChannel:
    """Each notice behind the newest one at the start is told once, in order."""

    def __init__(self, services: "Services", private: "PrivateChannels") -> None:
        self._services = services
        self._private = private
        self._last: int | None = None  # None before the first look
        self._due_s = 0.0

    def changed(self, _: str = "") -> None:
        """Look at the next turn: something was written."""
        self._due_s = 0.0

    async def turn(self) -> None:
        """Read what is new and tell it, if it is time."""
        rows, now_s = self._services.restraints, time.monotonic()
        if rows is None or now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        async with reading():
            if self._last is None:
                self._last = await rows.last_notice()
                return
            found = await rows.notices_after(self._last)
            shown = await notices_out(self._services, found)
            for one, data in zip(found, shown, strict=True):
                self._last = one.notice_id
                self._private.tell(NAME, one.account_idx, [data])
