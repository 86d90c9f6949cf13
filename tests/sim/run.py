"""One run of a seed: the oracle goes first, everybody else is held against it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from matching.codes import EventKind
from matching.wire import COMMAND, EVENT
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity, Command
from tests.sim.followers import Disagreement, Follower
from tests.sim.market import Market
from tests.sim.profile import profile_of

BATCH_MAX = 64
COMPARE_EVERY = 16  # batches between comparisons of the whole state

MakeFollowers = Callable[[Capacity], Sequence[Follower]]


@dataclass
class Report:
    """What a run did."""

    seed: int
    commands: int = 0
    events: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    kinds: Counter[int] = field(default_factory=Counter)

    def add(self, events: np.ndarray) -> None:
        self.events += len(events)
        self.codes.update(events["code"].tolist())
        self.kinds.update(events["kind"].tolist())

    def line(self) -> str:
        trades = self.kinds[EventKind.TRADE]
        refused = self.kinds[EventKind.REFUSED]
        return (
            f"seed {self.seed}: {self.commands} commands, {self.events} events, "
            f"{trades} trades, {refused} refused, {len(self.codes) - (0 in self.codes)} codes"
        )


def rows_of(commands: Sequence[Command]) -> np.ndarray:
    """Return commands as COMMAND rows."""
    return np.array([tuple(cmd) for cmd in commands], COMMAND)


def simulate(seed: int, count: int, make_followers: MakeFollowers) -> Report:
    """Run `count` commands of a seed; raises Disagreement with the seed in its text."""
    rng = Random(seed)
    profile = profile_of(rng, seed)
    oracle = Oracle(profile.capacity)
    market = Market(rng, profile, oracle.ex)
    followers = make_followers(profile.capacity)
    report = Report(seed)
    cuts = Random(seed + 1)
    batches = 0
    while report.commands < count:
        size = min(count - report.commands, cuts.choice((1, cuts.randint(1, BATCH_MAX))))
        commands, events = _batch(market, oracle, size)
        report.commands += size
        report.add(events)
        batches += 1
        whole = batches % COMPARE_EVERY == 0 or report.commands == count
        try:
            for follower in followers:
                follower.batch(commands, events)
                if whole:
                    follower.compare(oracle.state_view())
        except AssertionError as found:
            name = f"make sim SEED={seed} COMMANDS={count}"
            raise Disagreement(f"{name}\nat most at command {report.commands}: {found}") from found
    return report


def _batch(market: Market, oracle: Oracle, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a batch; the oracle takes its commands one by one, the others take it whole."""
    commands, events = bytearray(), bytearray()
    for _ in range(size):
        command = rows_of([market.next()])
        commands += command.tobytes()
        events += oracle.apply(command).tobytes()
    return np.frombuffer(commands, COMMAND), np.frombuffer(events, EVENT)
