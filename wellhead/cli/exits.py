"""Exit codes, and the error of a command that is not the exchange's."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script can act on."""

    OK = 0
    REFUSED = 1  # the exchange said no; the message starts with its code
    USAGE = 2  # the command line is wrong
    UNAVAILABLE = 3  # nobody there, cannot start, or not now: trying later may help
    KEY = 4  # no key, a wrong one, or one without the scope
    DAMAGE = 5  # `verify` or `replay` found what must not be
    INTERRUPTED = 130


class CliError(Exception):
    """A command cannot do what it was asked; `code` is for programs."""

    def __init__(self, exit_code: Exit, code: str, message: str) -> None:
        super().__init__(message)
        self.exit = exit_code
        self.code = code


def why(error: Exception) -> str:
    """Return what went wrong without the file's name, which the message has already."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error)
