"""All that is held against the oracle in a full run."""

from collections.abc import Sequence

from tests.oracle.state import Capacity
from tests.sim.engine import EngineFollower
from tests.sim.followers import Follower, MirrorFollower


def everybody(capacity: Capacity) -> Sequence[Follower]:
    """Return fresh followers of an empty exchange."""
    return [EngineFollower(capacity), MirrorFollower(capacity.price_bits)]
