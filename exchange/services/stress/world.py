"""An exchange of its own for a stress run: core, mirror, clearing and liquidator, no database."""

from collections.abc import Callable

import numpy as np

from exchange.rules.adl import AdlProof, faults_of_own
from exchange.rules.auction_close import close
from exchange.rules.auction_steps import CLOSED, OPEN, OVER, Auction, is_sent_enough, moves_due
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.default_auction import Bid, Result, Terms
from exchange.rules.layers import Funds, parts_of
from exchange.rules.liquidation_steps import Step
from exchange.rules.liquidator import Liquidator
from exchange.rules.loss_proof import LossProof
from exchange.rules.mirror import Mirror
from exchange.rules.standing import equity_usd_micros, held_of
from matching.codes import EventKind, Kind
from matching.engine import Engine
from matching.sizes import Sizes
from matching.wire import new_commands

SECOND_NS = 1_000_000_000


Keep = Callable[[np.ndarray, np.ndarray], None]


def row(kind: Kind, **fields: int) -> np.ndarray:
    """Return one COMMAND row."""
    rows = new_commands(1)
    rows["kind"] = kind
    for name, value in fields.items():
        rows[name] = value
    return rows


class World:
    """Sends commands to the core and keeps everybody who follows it."""

    def __init__(
        self,
        sizes: Sizes,
        start_ns: int,
        house_idx: int,
        funds: Funds | None = None,
        keep: Keep | None = None,
    ) -> None:
        """Begin with an empty core; `keep` is given each batch with its events."""
        self._keep = keep
        self.engine = Engine(sizes)
        self.mirror = Mirror()
        self.clearing = ClearingHouse()
        self.now_ns = start_ns
        self.house_idx = house_idx
        self.liquidator = Liquidator(self.mirror, house_idx, funds)
        self.proofs: list[AdlProof] = []
        self.losses: list[LossProof] = []
        self.own_faults: list[str] = []  # of rows, as their accounts recompute them
        self.results: list[Result] = []  # of auctions
        self.moves: list[np.ndarray] = []  # EVENT rows of moves of lots and money
        self.slice_lots = 0
        self.grounds: list[int] = []  # of each deleveraging: what any layer before still had
        self.refused: dict[int, int] = {}
        self.stories: dict[str, int] = {}
        self._waiting: list[np.ndarray] = []

    def say(self, *parts: np.ndarray) -> None:
        """Put commands aside until `flush`."""
        self._waiting += parts

    def flush(self) -> np.ndarray:
        """Apply what was said as one batch; return its events."""
        if not self._waiting:
            return np.zeros(0)
        batch = np.concatenate(self._waiting)
        self._waiting = []
        batch["seq"] = np.arange(len(batch)) + self.engine.last_seq + 1
        batch["ts_ns"] = self.now_ns
        events = self.engine.apply(batch)
        if self._keep is not None:
            self._keep(batch, events)
        self.mirror.apply(batch, events)
        self.clearing.apply(batch, events)
        self.clearing.take()
        self._note(events)
        return events

    def send(self, *parts: np.ndarray) -> np.ndarray:
        """Apply commands at once; return their events."""
        self.flush()
        self.say(*parts)
        return self.flush()

    def pass_time(self, seconds: int = 1) -> None:
        """Let the core's clock go on."""
        self.flush()
        self.now_ns += seconds * SECOND_NS
        self.send(row(Kind.TICK))

    def do(self, step: Step) -> None:
        """Carry out a step of liquidation; its proofs are kept before."""
        if step.offer is not None:
            self.liquidator.auctions.going[step.offer.liquidation_id] = Auction(step.offer)
            self.stories[step.story] = self.stories.get(step.story, 0) + 1
            return
        self._recompute(step)
        self.proofs += step.proofs
        self.losses += step.losses
        if step.proofs:
            self.grounds.append(self._left(int(step.commands["account_idx"][0])))
        word = "slices" if step.story.startswith("slice") else step.story
        self.stories[word] = self.stories.get(word, 0) + 1
        events = self.send(step.commands)
        if word == "slices":
            self.slice_lots += int(events["qty_lots"][events["kind"] == EventKind.TRADE].sum())

    def close_auctions(self, bids_of: Callable[[Terms], list[Bid]], after_ns: int) -> None:
        """Close the auctions that opened so long ago, and forget those that are over."""
        auctions, mirror = self.liquidator.auctions, self.mirror
        live = {one.liquidation_id for one in mirror.liquidations.values()}
        for number, one in list(auctions.going.items()):
            if number not in live:
                del auctions.going[number]
            elif one.phase == OPEN and self.now_ns >= one.terms.opened_ns + after_ns:
                idx = one.terms.account_idx
                result, one.won, one.juniors = close(
                    mirror, one.terms, bids_of(one.terms), self.liquidator.standing(idx),
                    held_of(mirror, idx, self.liquidator.shocks), self.liquidator.funds,
                )  # fmt: skip
                one.phase, one.closed_ns = CLOSED, mirror.ts_ns
                self.results.append(result)
            elif one.phase == CLOSED and (is_sent_enough(one) or moves_due(mirror, one) is None):
                one.phase = OVER

    def _recompute(self, step: Step) -> None:
        """Let every account recompute its own row of a proof, from what it knows of itself."""
        for proof, contract_idx in zip(step.proofs, step.contracts, strict=True):
            own_idx = int(step.commands["account_idx"][0])
            every = held_of(self.mirror, own_idx, self.liquidator.shocks)
            held = next(one for one in every if one.contract_idx == contract_idx)
            for one in self.liquidator.candidates(held, own_idx):
                self.own_faults += faults_of_own(proof, one)

    def _left(self, account_idx: int) -> int:
        """Return what layers still have for a default: the house's, where nothing is missing."""
        state, funds = self.mirror, self.liquidator.funds
        if equity_usd_micros(state, account_idx) >= 0:
            return self.liquidator.fund_usd_micros()
        parts = parts_of(state, account_idx, state.liquidations[account_idx], funds)
        return sum(max(0, part.available_usd_micros) for part in parts)

    def _note(self, events: np.ndarray) -> None:
        moved = np.isin(events["kind"], (EventKind.POSITION_MOVED, EventKind.CASH_TRANSFERRED))
        if moved.any():
            self.moves.append(events[moved].copy())
        refusals = events["code"][events["kind"] == EventKind.REFUSED]
        for code in refusals.tolist():
            self.refused[code] = self.refused.get(code, 0) + 1
