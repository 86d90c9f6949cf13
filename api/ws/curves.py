"""The channels `curve.{series}`: the forward curve, at most once a second when it changed."""

import time
from typing import TYPE_CHECKING, Final

from api.answers_curves import curve_out
from api.curves import SeriesCurve, curves_of
from exchange.rules.public_data import message

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.session import Session

PREFIX: Final = "curve."
EVERY_S: Final = 1.0


class CurveChannel:
    """The curve of one series; `seq` is that of the command it is true at."""

    def __init__(self, curve: SeriesCurve, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._services = services
        self._told = curve

    def snapshot(self) -> bytes:
        """Return the whole curve: of now, or as others were told less than a second ago."""
        if len(self.subscribers) <= 1:
            self._told = self._now()
        return self._message("snapshot", self._told, None)

    def turn(self) -> None:
        """Tell everyone if the curve has changed."""
        now, before = self._now(), self._told
        if now.points == before.points and now.on == before.on:
            return
        self._told = now
        payload = self._message("update", now, before.seq)
        for session in tuple(self.subscribers):
            session.deliver(PREFIX + now.series, payload)

    def _now(self) -> SeriesCurve:
        """Return the curve of now; the last one there was when all contracts have ended."""
        return curves_of(self._services).of(self._told.series) or self._told

    def _message(self, kind: str, curve: SeriesCurve, before: int | None) -> bytes:
        now_ns = self._services.now_ns()
        return message(PREFIX + curve.series, kind, curve.seq, before, now_ns, curve_out(curve))


class CurveChannels:
    """The channels of all series that are listed."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._channels: dict[str, CurveChannel] = {}
        self._due_s = 0.0

    def of(self, name: str) -> CurveChannel | None:
        """Return the channel of that name, None when there is none."""
        series = name.removeprefix(PREFIX)
        if series == name:
            return None
        known = self._channels.get(series)
        if known is None:
            curve = curves_of(self._services).of(series)
            if curve is None:
                return None
            known = self._channels[series] = CurveChannel(curve, self._services)
        return known

    async def turn(self) -> None:
        """Once a second: tell what changed on the channels that somebody listens to."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        heard = [channel for channel in self._channels.values() if channel.subscribers]
        if heard:
            await curves_of(self._services).ready()
        for channel in heard:
            channel.turn()
