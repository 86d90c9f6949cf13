"""Those that are held against the oracle: the mirror, the engine, a broken oracle."""

from typing import Any, Protocol

import numpy as np

from exchange.rules.mirror import Mirror
from matching.wire import EVENT
from tests.oracle.engine import Oracle
from tests.sim.views import mirror_view, oracle_view_for_mirror


class Disagreement(AssertionError):
    """Two that follow the same rules did not do the same."""


class Follower(Protocol):
    """Gets each batch with the oracle's events, raises Disagreement."""

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Apply one batch and compare what can be compared at once."""

    def compare(self, view: dict[str, Any]) -> None:
        """Compare the whole state with the oracle's view."""


def same_events(commands: np.ndarray, expected: np.ndarray, got: np.ndarray) -> None:
    """Raise a Disagreement that shows the first command with other events."""
    if expected.tobytes() == got.tobytes():
        return
    for cmd in commands:
        want, have = expected[expected["seq"] == cmd["seq"]], got[got["seq"] == cmd["seq"]]
        if want.tobytes() != have.tobytes():
            raise Disagreement(
                f"command {readable(cmd)}\n  oracle: {[readable(row) for row in want]}"
                f"\n  engine: {[readable(row) for row in have]}"
            )
    raise Disagreement("events in another order, or of no command")


def same_view(expected: dict[str, Any], got: dict[str, Any]) -> None:
    """Raise a Disagreement that names the part of the state that differs."""
    for name, want in expected.items():
        if want != got[name]:
            raise Disagreement(
                f"{name} differ at seq {expected['seq']}:\n{_first(want, got[name])}"
            )


def _first(want: Any, got: Any) -> str:
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for place, (a, b) in enumerate(zip(want, got, strict=True)):
            if a != b:
                return f"  [{place}] oracle {a}\n  [{place}] other  {b}"
    return f"  oracle {want}\n  other  {got}"


def readable(row: np.void) -> dict[str, int]:
    """Return the fields of a row that are not zero."""
    names = row.dtype.names or ()
    return {name: int(row[name]) for name in names if row[name]}


class MirrorFollower:
    """The mirror, fed with commands and the oracle's events."""

    def __init__(self, price_bits: int) -> None:
        self.mirror = Mirror(price_bits)

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        self.mirror.apply(commands, events)

    def compare(self, view: dict[str, Any]) -> None:
        same_view(oracle_view_for_mirror(view), mirror_view(self.mirror))


class OracleFollower:
    """Another oracle: a planted bug in it has to be noticed."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle

    def batch(self, commands: np.ndarray, events: np.ndarray) -> None:
        assert events.dtype == EVENT
        same_events(commands, events, self.oracle.apply(commands))

    def compare(self, view: dict[str, Any]) -> None:
        same_view(view, self.oracle.state_view())
