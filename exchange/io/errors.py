"""Exceptions: the world failed. A rule that says no is a Code in an EVENT, never one of these.

* ExchangeError
  x Unavailable    retry later: JournalUnavailable, BusUnavailable, DatabaseUnavailable,
                   ClockBehind
  x Conflict       the same key with another body: IdempotencyConflict
  x NotFound       there is no such row
  x Invalid        a value that cannot be stored
  x Corrupt        stop and call a person: JournalGap, JournalDamaged, SnapshotDamaged,
                   EngineHashMismatch
  x EpochLost      another process leads now: this one must end
  x StartRefused   what the operator must change first: AlreadyRunning, PortTaken, ...
"""


class ExchangeError(Exception):
    """The root of everything this package raises on purpose."""


class Unavailable(ExchangeError):
    """Something outside does not answer: retry later."""


class JournalUnavailable(Unavailable):
    """The journal cannot be written or read now."""


class DatabaseUnavailable(Unavailable):
    """Postgres cannot be reached now."""


class BusUnavailable(Unavailable):
    """The bus cannot take or give messages now."""


class ClockBehind(Unavailable):
    """The machine's clock is behind a time it has shown; `until_ns` is that time."""

    def __init__(self, until_ns: int) -> None:
        super().__init__(f"the clock is behind {until_ns}")
        self.until_ns = until_ns


class Conflict(ExchangeError):
    """What was asked for contradicts what is stored."""


class IdempotencyConflict(Conflict):
    """The same key was used before with another body."""


class NotFound(ExchangeError):
    """There is no such row."""


class Invalid(ExchangeError):
    """A value that cannot be stored as it is."""


class Corrupt(ExchangeError):
    """Stored data contradicts itself: stop and call a person."""


class JournalGap(Corrupt):
    """Sequence numbers of the journal are missing."""


class JournalDamaged(Corrupt):
    """A row of the journal does not match its checksum."""


class SnapshotDamaged(Corrupt):
    """A snapshot does not match its checksum."""


class EngineHashMismatch(Corrupt):
    """A replay reached another state than the one that was recorded."""


class EpochLost(ExchangeError):
    """Another process leads now: this one must end."""


class StartRefused(ExchangeError):
    """The operator must change something before this can start."""


class AlreadyRunning(StartRefused):
    """Another instance works on the same data folder."""


class PortTaken(StartRefused):
    """Another program listens on the port."""


class PostgresMissing(StartRefused):
    """There are no Postgres binaries to run."""


class PostgresFailed(StartRefused):
    """Postgres did not start."""


class RoleMissing(StartRefused):
    """The database user may not do what is needed."""


class NotDurable(StartRefused):
    """The database confirms a commit before it is on the disk."""
