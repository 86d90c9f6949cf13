"""All that is held against the oracle in a full run."""

from collections.abc import Sequence

from tests.oracle.state import Capacity
from tests.sim.engine import EngineFollower
from tests.sim.followers import Follower, MirrorFollower
from tests.sim.readers import LedgerFollower, MarketDataFollower


def everybody(capacity: Capacity) -> Sequence[Follower]:
    """Return fresh followers of an empty exchange."""
    return [EngineFollower(capacity), MirrorFollower(capacity.price_bits)]


def readers(capacity: Capacity) -> Sequence[Follower]:
    """Return those that only read what happened."""
    return [LedgerFollower(capacity), MarketDataFollower(capacity)]


def everybody_and_readers(capacity: Capacity) -> Sequence[Follower]:
    """Return both."""
    return [*everybody(capacity), *readers(capacity)]
