"""Liquidation and margin calls, by themselves: one of it, beside the sequencer.

What it does is journaled commands of origin 0; what it knows was said by the journal, or is kept
in Postgres. A kill between any two steps loses nothing: the next start reads where things stand
and goes on. A command once given is carried out or lost with the process, so none is given
twice: what was given is not looked at again until the journal shows it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

import numpy as np

from exchange.io.defaults import Defaults
from exchange.io.errors import Conflict, Unavailable
from exchange.io.registry import Accounts
from exchange.io.tasks import taking_back
from exchange.rules.cycles import has_lost_much
from exchange.rules.default_auction import Terms
from exchange.rules.layers import FIRST_ID, FUND_KIND, HOUSE_KIND, Funds, funds_of
from exchange.rules.liquidation_rows import SWEEP_ACCOUNTS_MAX
from exchange.rules.liquidation_steps import Step, hold_step
from exchange.rules.liquidator import Liquidator
from exchange.rules.margin_calls import (
    MarginCall,
    amount_to_call_usd_micros,
    issue,
    pass_time,
    pay,
    relieve,
    reminders_due,
)
from exchange.rules.mirror import Mirror
from exchange.rules.operations import collect_command
from exchange.rules.standing import Maintenances
from matching.codes import Cycle

Send = Callable[[np.ndarray], Awaitable[None]]

STEP_SECONDS: Final = 1.0
BUSY_SECONDS: Final = 0.05  # between steps while something is under way
CONFLICT_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.25  # while waiting for clearing, or for the house's account
HOLDING: Final = -1  # stands for no account: shares of the fund are held or freed
MEMBER: Final = "member"
TOGETHER: Final = 32  # accounts looked at before others have their turn
EXEMPT: Final = frozenset({HOUSE_KIND, FUND_KIND})

_log = logging.getLogger("wellhead.liquidation")


class Auctioneer(Protocol):
    """Who runs auctions: `exchange.services.auctioneer.Auctioneer`."""

    async def prepare(self, liquidator: Liquidator, seq: int) -> None:
        """Read what was under way."""
        ...

    async def know_bidders(self) -> None:
        """Read who may bid."""
        ...

    async def open(self, terms: Terms) -> None:
        """Announce an auction."""
        ...

    async def step(self, liquidator: Liquidator, given: set[int]) -> None:
        """Close what is due, end what is over."""
        ...


class Liquidation:
    """Watches every account. `observe` each committed batch, after the mirror."""

    def __init__(
        self,
        mirror: Mirror,
        send: Send,
        rows: Defaults,
        accounts: Accounts,
        auctioneer: Auctioneer | None = None,
    ) -> None:
        """Watch the exchange that `mirror` follows; commands go to `send`.

        Args:
            auctioneer: sells among members what slices could not; without one the house takes it.
        """
        self._auctioneer = auctioneer
        self._mirror = mirror
        self._send = send
        self._rows = rows
        self._accounts = accounts
        self._start_seq = mirror.seq
        self._liquidator: Liquidator | None = None
        self._given: dict[int, int] = {}  # ticket -> account_idx, not in the journal yet
        self._ticket = 0
        self._bearing = 0  # the ticket of the last step in which layers give
        self._sliced: dict[int, int] = {}  # account_idx -> second of its last slice
        self._kinds: dict[int, str] = {}
        self._known = 0  # accounts there were when kinds and funds were read
        self._maintenances = Maintenances()
        self._escalated: set[int] = set()

    def observe(self, commands: np.ndarray) -> None:
        """Take in one committed batch: what was given is done."""
        if self._given:
            ours = commands["request_id"][commands["origin_id"] == 0]
            for ticket in ours[ours != 0].tolist():
                self._given.pop(ticket, None)

    async def run(self) -> None:
        """Work until cancelled."""
        while self._liquidator is None:
            try:
                await self._prepare()
            except Conflict as error:  # the name is somebody else's: a person has to look
                _log.error("nobody is liquidated: %s", error)
                await asyncio.sleep(CONFLICT_SECONDS)
            except (Unavailable, TimeoutError) as error:
                _log.warning("liquidation waits: %s", error)
            await asyncio.sleep(LOOK_SECONDS)
        while True:
            busy = False
            try:
                busy = await self.step()
            except (Unavailable, TimeoutError) as error:
                _log.warning("liquidation goes on later: %s", error)
            await asyncio.sleep(BUSY_SECONDS if busy else STEP_SECONDS)

    async def _prepare(self) -> None:
        """Find the house's account, and what was under way when the last process ended."""
        house = await self._accounts.create(
            account_id=FIRST_ID, name="Insurance fund", kind=HOUSE_KIND
        )
        if house.account_idx >= len(self._mirror.accounts):
            return
        if await self._rows.cleared_seq() < self._start_seq:
            return  # the mirror itself has seen everything since, and nothing from before
        going = await self._rows.open_liquidations(self._start_seq)
        ids = [one.liquidation_id for one in going.values()]
        uses = await self._rows.uses_open(self._start_seq, ids)
        cuts = await self._rows.haircuts(self._start_seq)
        funds = await self._funds(house.account_idx)
        # From here nothing waits: what the mirror saw since it started is added to, once.
        for account_idx, one in going.items():
            self._mirror.liquidations.setdefault(account_idx, one)
        for liquidation_id, layer, giver_idx, amount in uses:
            self._mirror.note_use(liquidation_id, layer, giver_idx, amount)
        for giver_idx, amount in cuts.items():
            self._mirror.note_haircut(giver_idx, amount)
        liquidator = Liquidator(self._mirror, house.account_idx, funds)
        if self._auctioneer is not None:
            await self._auctioneer.prepare(liquidator, self._start_seq)
        self._liquidator = liquidator

    async def _funds(self, house_idx: int) -> Funds:
        """Return the accounts of the layers, as far as the core has them."""
        accounts = await self._rows.fund_accounts()
        return funds_of(house_idx, accounts, len(self._mirror.accounts))

    async def step(self) -> bool:
        """Do what is due now; return whether another step follows at once.

        Errors:
            Unavailable: Postgres or the sequencer does not answer; the next step does it.
        """
        liquidator, mirror = self._liquidator, self._mirror
        if liquidator is None or mirror.halted or mirror.scenario_count == 0:
            return False
        liquidator.refresh()
        if self._known != len(mirror.accounts):
            known = len(mirror.accounts)
            self._kinds = await self._rows.kinds()
            liquidator.funds = await self._funds(liquidator.house_idx)
            self._known = known
        if self._auctioneer is not None and mirror.liquidations:
            await self._auctioneer.know_bidders()
        await self._collect()
        due = await self._due()
        going = set(mirror.liquidations)  # only these: of a later one nobody knows who answers
        await self._know_guarantors(liquidator, due | going)
        members = {idx for idx in due if self._kinds.get(idx) == MEMBER}
        await self._call(members | self._in_debt())
        todo = (due - members) | (due & self._escalated) | going
        todo -= {idx for idx in todo if self._kinds.get(idx) in EXEMPT}
        if self._auctioneer is not None:
            await self._auctioneer.step(liquidator, set(self._given.values()))
        busy = False
        for idx in sorted(todo - set(self._given.values()))[:SWEEP_ACCOUNTS_MAX]:
            step = liquidator.look(idx)
            if step is not None and await self._give(idx, step):
                busy = True
        hold = None if self._given else hold_step(mirror, liquidator.funds)
        if hold is not None:
            await self._give(HOLDING, hold)
        sold = (
            liquidator.dispose(liquidator.house_idx)
            if liquidator.house_idx not in self._given.values()
            else None
        )
        if sold is not None:
            await self._give(liquidator.house_idx, sold)
        return busy

    async def _know_guarantors(self, liquidator: Liquidator, among: set[int]) -> None:
        """Read which member answers for each of these accounts (GUAR_001)."""
        if among:
            found = await self._rows.guarantors(sorted(among))
            liquidator.funds = replace(liquidator.funds, guarantors=found)

    async def _due(self) -> set[int]:
        """Return the accounts below maintenance; orders are served between any few of them."""
        due: set[int] = set()
        for first in range(0, len(self._mirror.accounts), TOGETHER):
            due.update(self._maintenances.due(self._mirror, first, first + TOGETHER))
            await asyncio.sleep(0)
        return due

    async def _give(self, account_idx: int, step: Step) -> bool:
        """Give a step's commands to the sequencer, its proofs kept before; one slice a second."""
        if step.offer is not None and self._auctioneer is not None:
            await self._auctioneer.open(step.offer)
            return False  # its close is waited for
        second = self._mirror.ts_ns // 1_000_000_000
        if step.is_order:
            if self._sliced.get(account_idx) == second:
                return False
            self._sliced[account_idx] = second
        if step.losses and self._bearing in self._given:
            return True  # layers are looked at again when what they give to another is done
        for proof, contract_idx in zip(step.proofs, step.contracts, strict=True):
            await self._rows.keep_proof(proof, contract_idx)
        for loss in step.losses:
            await self._rows.keep_loss(loss)
        self._ticket += 1
        commands = step.commands.copy()
        commands["request_id"] = self._ticket
        self._given[self._ticket] = account_idx
        if step.losses:
            self._bearing = self._ticket
        with taking_back(partial(self._given.pop, self._ticket, None)):
            await self._send(commands)
        _log.info("account %d: %s", account_idx, step.story)
        return True

    async def _collect(self) -> None:
        """Have variation margin paid of members that have lost much since it was paid last."""
        liquidator, accounts = self._liquidator, self._mirror.accounts
        assert liquidator is not None
        given = set(self._given.values())
        for idx in self._members():
            lost = accounts[idx].unsettled_usd_micros
            if lost >= 0 or idx in given:
                continue
            if not has_lost_much(lost, liquidator.standing(idx).initial_usd_micros):
                continue
            held = accounts[idx].positions.values()
            rows = [
                collect_command(one.contract_idx, Cycle.MEMBER_LOST)
                for one in held
                if one.unsettled_usd_micros
            ]
            story = f"variation margin of {len(rows)} contracts is collected"
            await self._give(idx, Step(commands=np.concatenate(rows), story=story))

    def _members(self) -> list[int]:
        known = len(self._mirror.accounts)
        return [idx for idx, kind in self._kinds.items() if kind == MEMBER and idx < known]

    def _in_debt(self) -> set[int]:
        """Return the members whose cash is below zero: collateral pays no variation margin."""
        accounts = self._mirror.accounts
        return {idx for idx in self._members() if accounts[idx].cash_usd_micros < 0}

    # Margin calls

    async def _call(self, due: set[int]) -> None:
        """Issue calls to members that are due, and see to those that are open."""
        now_ns, calls = self._mirror.ts_ns, await self._rows.open_calls()
        for call in calls:
            after = self._seen_to(call, now_ns)
            if after != call and await self._rows.change(call, after, now_ns):
                _log.info("margin call %d: %s", call.call_id, after.state)
        self._escalated = await self._rows.escalated()
        called = {call.account_idx for call in calls} | self._escalated
        for idx in sorted(due - called - set(self._mirror.liquidations)):
            assert self._liquidator is not None
            standing = self._liquidator.standing(idx)
            amount = amount_to_call_usd_micros(
                standing.equity_usd_micros, standing.initial_usd_micros,
                standing.maintenance_usd_micros,
            )  # fmt: skip
            amount = max(amount, -self._mirror.accounts[idx].cash_usd_micros)
            if amount > 0:
                await self._rows.issue(issue(0, idx, amount, now_ns))

    def _seen_to(self, call: MarginCall, now_ns: int) -> MarginCall:
        """Return a call as it stands now: what came in, and what time has passed."""
        assert self._liquidator is not None
        standing = self._liquidator.standing(call.account_idx)
        debt = -self._mirror.accounts[call.account_idx].cash_usd_micros
        missing = max(standing.initial_usd_micros - standing.equity_usd_micros, debt)
        if missing <= 0:
            return relieve(call)
        came = call.amount_usd_micros - missing - call.met_usd_micros
        after = pay(call, came) if came > 0 else call
        after = pass_time(after, now_ns)
        return replace(after, reminders=reminders_due(after, now_ns))
