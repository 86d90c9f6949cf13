"""What a mirror keeps of a contract's call auction and guards."""

from typing import NamedTuple


class CallResult(NamedTuple):
    """What a call ended with."""

    phase: int
    price_ticks: int  # 0: nothing traded
    lots: int
    imbalance_lots: int  # buys less sells that were left over
    ts_ns: int


class Call:
    """A contract's call auction and guards; phase 0 (CallPhase.NONE): no call is running."""

    __slots__ = (
        "breaches",
        "call_ns",
        "daily_bps",
        "daily_next_bps",
        "ends_after_ns",
        "ends_before_ns",
        "guard_set",
        "imbalance_lots",
        "indicative_lots",
        "indicative_ticks",
        "phase",
        "result",
        "velocity_bps",
        "velocity_ns",
        "window_ns",
    )

    def __init__(self) -> None:
        self.guard_set = False  # somebody said how it is guarded, or that it is not
        self.velocity_bps = 0  # of the guard, 0 for none
        self.velocity_ns = 0
        self.daily_bps = 0
        self.daily_next_bps = 0
        self.call_ns = 0  # how long a call of the guards lasts at least,
        self.window_ns = 0  # and how much longer at most
        self.breaches = 0  # of the daily limit since the last settlement
        self.result: CallResult | None = None  # of the last call that this mirror saw end
        self.end()

    def end(self) -> None:
        """Forget the call; the guards stay."""
        self.phase = 0
        self.ends_after_ns = 0  # the earliest end, 0 when a command ends it
        self.ends_before_ns = 0  # and the latest
        self.say(0, 0, 0)

    def say(self, price_ticks: int, lots: int, imbalance_lots: int) -> None:
        """Take an indicative price: what would trade now, and buys less sells there."""
        self.indicative_ticks = price_ticks  # 0: nothing would trade
        self.indicative_lots = lots
        self.imbalance_lots = imbalance_lots
