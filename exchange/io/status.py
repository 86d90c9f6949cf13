"""What the exchange says about itself: read by the health routes, the CLI and the metrics."""

from enum import StrEnum

import msgspec


class Mode(StrEnum):
    """What the exchange takes now."""

    NORMAL = "normal"
    CANCEL_ONLY = "cancel_only"  # clearing is far behind: only commands that lower risk
    HALTED = "halted"  # commits do not succeed: nothing is acknowledged
    RECOVERING = "recovering"  # starting: the journal is being replayed


class Status(msgspec.Struct):
    """One mutable object per process; the sequencer writes it, everyone else reads it."""

    mode: Mode = Mode.RECOVERING
    reason: str = ""  # why the mode is not normal
    seq: int = 0  # applied by the engine; may be ahead of the journal
    journal_seq: int = 0  # committed
    clearing_seq: int = 0  # posted to the ledger
    epoch: int = 0
    started_ns: int = 0
    updated_ns: int = 0

    @property
    def clearing_lag(self) -> int:
        """Return how many commands clearing is behind the journal."""
        return max(0, self.journal_seq - self.clearing_seq)

    def to_json(self) -> bytes:
        """Return the status as JSON, for the bus."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(raw: bytes) -> "Status":
        """Return what `to_json` was given."""
        return msgspec.json.decode(raw, type=Status)
