"""What surveillance raises: which pattern, by whom, and the commands that show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exchange.rules.tenors import NS_PER_SECOND

EVIDENCE_MAX: Final = 200  # commands named in one alert: the first ones, and the last
QUIET_NS: Final = 60 * NS_PER_SECOND  # between two alerts of one pattern, owner and contract


class Pattern(StrEnum):
    """What somebody may be doing; docs/surveillance.md has the rule of each."""

    WASH_TRADE = "wash_trade"  # SURV_001
    SPOOFING = "spoofing"  # SURV_002
    LAYERING = "layering"  # SURV_002, at three prices or more
    QUOTE_STUFFING = "quote_stuffing"  # SURV_003
    MOMENTUM_IGNITION = "momentum_ignition"  # SURV_004
    WINDOW_RAMPING = "window_ramping"  # SURV_005
    MARKING_THE_CLOSE = "marking_the_close"  # SURV_006
    SUBMISSION_OUTLIER = "submission_outlier"  # SURV_007


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One suspicion.

    Attributes:
        subject: the owner, or of a submission the provider.
        contract_idx: -1 for a submission.
        seqs: commands of the journal, rising; of a submission numbers of observations.
        first_ns, last_ns: when the first and the last of them happened.
        figures: what was measured, by name.
    """

    pattern: Pattern
    subject: str
    contract_idx: int
    seqs: tuple[int, ...]
    first_ns: int
    last_ns: int
    figures: Mapping[str, int] = field(default_factory=dict)


def evidence(seqs: Iterable[int]) -> tuple[int, ...]:
    """Return commands in order, each once; of very many the first and the last."""
    every = sorted(set(seqs))
    if len(every) <= EVIDENCE_MAX:
        return tuple(every)
    half = EVIDENCE_MAX // 2
    return (*every[:half], *every[-half:])


class Quiet:
    """Lets one alert of a kind through in a while, so that a pattern is one alert, not hundreds."""

    def __init__(self, quiet_ns: int = QUIET_NS) -> None:
        self._quiet_ns = quiet_ns
        self._last_ns: dict[object, int] = {}

    def may_speak(self, key: object, ts_ns: int) -> bool:
        """Return whether it is time for another alert; it counts as raised then."""
        last_ns = self._last_ns.get(key)
        if last_ns is not None and ts_ns - last_ns < self._quiet_ns:
            return False
        self._last_ns[key] = ts_ns
        return True

    def forget(self, ts_ns: int) -> None:
        """Drop what says nothing any more."""
        keep = {key: at for key, at in self._last_ns.items() if ts_ns - at < self._quiet_ns}
        self._last_ns = keep
