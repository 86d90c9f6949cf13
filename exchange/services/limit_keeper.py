"""Limits of accounts: sees that the core holds what an operator and a member allow (CRED_008).

Who allows something writes its row, then tells the core. Killed in between, or refused by a core
that was halted, the two differ: this service of the leader looks at its start and each minute, and
tells the core. Told twice it changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import numpy as np

from exchange.io.errors import Unavailable
from exchange.rules.mirror_state import MirrorState
from exchange.rules.protections import Limits, limits_command, stricter

Send = Callable[[np.ndarray], Awaitable[None]]

LOOK_S: Final = 60.0
SETTLE_S: Final = 2.0  # whoever writes a row tells the core by itself in this time
AT_ONCE: Final = 500  # commands

_log = logging.getLogger("wellhead.limits")


class Rows(Protocol):
    """What is allowed: `exchange.io.members.Members`."""

    async def all_limits(self) -> dict[int, tuple[Limits, Limits]]:
        """Return what an operator and a member allow each account that is limited."""
        ...


class LimitKeeper:
    """Looks until cancelled."""

    def __init__(self, rows: Rows, mirror: MirrorState, send: Send) -> None:
        self._rows = rows
        self._mirror = mirror
        self._send = send

    async def run(self) -> None:
        """Look at once, then each minute; what differs for two seconds is told."""
        while True:
            try:
                before = await self.differing()
                if before:
                    await asyncio.sleep(SETTLE_S)
                    await self.step(before)
            except (Unavailable, TimeoutError) as error:
                _log.warning("limits are looked at later: %s", error)
            await asyncio.sleep(LOOK_S)

    async def differing(self) -> dict[int, Limits]:
        """Return the accounts whose limits in the core are not those that are said, with these."""
        accounts, found = self._mirror.accounts, await self._rows.all_limits()
        wanted = {idx: stricter(*two) for idx, two in found.items() if idx < len(accounts)}
        return {
            idx: holds for idx, holds in wanted.items() if accounts[idx].protections.limits != holds
        }

    async def step(self, before: dict[int, Limits]) -> int:
        """Tell the core of the limits that differ as they did before; return of how many.

        What somebody is just setting differs for a moment, and differently: it is left alone.
        """
        now = await self.differing()
        left = [idx for idx, holds in sorted(now.items()) if before.get(idx) == holds][:AT_ONCE]
        if left:
            await self._send(np.concatenate([limits_command(idx, now[idx]) for idx in left]))
            _log.warning("limits of accounts %s were told again", left)
        return len(left)
