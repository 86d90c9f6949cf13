"""What the risk desk of a gateway keeps: rows, names, and the machine that plays stories."""

import asyncio
from dataclasses import replace
from functools import cached_property
from typing import Final

from api.deps import Services
from exchange.io.price_data import load_price_data
from exchange.io.registry import Account
from exchange.io.tasks import in_turns
from exchange.rules.desk import DeskRow
from exchange.rules.layers import Funds, funds_among
from exchange.rules.stress_play import Machine, Outcome, Story, Struck, outcome_of, struck
from exchange.rules.valuation import CUSTOMER

HOUSE_ID: Final = "insurance"
NAMES_TOGETHER: Final = 1_000


class DeskRoom:
    """One of a gateway: names are learnt once, accounts are never removed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names: dict[int, Account] = {}
        self._last_idx = -1

    @cached_property
    def machine(self) -> Machine:
        """What plays stories; reads the price data when it is asked for first."""
        return Machine(load_price_data().steps)

    async def rows(self) -> list[DeskRow]:
        """Return the rows of all accounts, none older than the request.

        The slow part is computed first. The rows are of one command as long as they are taken in
        some milliseconds; with tens of thousands of accounts orders go on in between.
        """
        services = self._services
        await services.gateway.barrier()
        await in_turns(services.desk.rows(services.gateway.mirror))
        await self.learn()
        return await in_turns(services.desk.rows(services.gateway.mirror))

    async def learn(self) -> None:
        """Learn the names of the accounts opened since."""
        while True:
            found = await self._services.accounts.list(
                after_idx=self._last_idx, limit=NAMES_TOGETHER
            )
            for account in found:
                self._names[account.account_idx] = account
                self._last_idx = account.account_idx
            if len(found) < NAMES_TOGETHER:
                return

    def name(self, account_idx: int) -> str:
        """Return the public id of an account."""
        account = self._names.get(account_idx)
        return account.account_id if account else ""

    def kind(self, account_idx: int) -> str:
        """Return what kind an account is."""
        return self.owner(account_idx)[1]

    def owner(self, account_idx: int) -> tuple[str, str]:
        """Return name and kind of an account."""
        account = self._names.get(account_idx)
        return (account.name, account.kind) if account else CUSTOMER

    @property
    def house_idx(self) -> int | None:
        """Return the slot of the insurance fund, None when there is none."""
        found = (idx for idx, one in self._names.items() if one.account_id == HOUSE_ID)
        return next(found, None)

    @property
    def funds(self) -> Funds | None:
        """Return the accounts of the layers, None while the house has none."""
        names = [(idx, one.account_id, one.kind) for idx, one in self._names.items()]
        return funds_among(names, len(self._services.gateway.mirror.accounts))

    async def play(self, rows: list[DeskRow], story: Story, *, whole: bool) -> Outcome:
        """Return what a story does to the accounts of `rows`, computed in slices."""
        state = self._services.gateway.mirror
        seq, moves = state.seq, self.machine.moves(state, story, whole=whole)
        found: list[Struck] = await in_turns(
            struck(state, row, moves, story, self.owner(row.account_idx)) for row in rows
        )
        funds, defaults = self.funds, self._services.defaults
        if funds is not None and defaults is not None:
            members = await defaults.guarantors(sorted(self._names))
            funds = replace(funds, guarantors=members)
        return await asyncio.to_thread(outcome_of, story, seq, found, funds)


def desk_of(services: Services) -> DeskRoom:
    """Return the risk desk of a gateway."""
    if services.desk_room is None:
        services.desk_room = DeskRoom(services)
    room: DeskRoom = services.desk_room
    return room
