"""The naive engine as a core of the sequencer."""

from tests.oracle.engine import Oracle


class OracleCore(Oracle):
    """The naive engine as a core of the sequencer."""

    @property
    def now_ns(self) -> int:
        return self.ex.now_ns

    @property
    def next_expiry_ns(self) -> int:
        return 0

    def state_hash(self) -> bytes:
        return bytes(16)

    def save(self) -> bytes:
        return b""
