"""Logs: JSON lines on stderr, or readable ones when a person looks at them."""

import logging
import sys
from pathlib import Path
from typing import Any, Final

import structlog

from exchange.io.errors import StartRefused

# Libraries that say at `info` what only their authors want to know.
_QUIET: Final = ("numba", "asyncio", "uvicorn.access", "uvicorn.error")


def configure(level: str, file: Path | None = None) -> None:
    """Send what is logged anywhere to stderr, or to a file and only errors to stderr, in one form.

    Errors:
        StartRefused: the file cannot be written.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    person = sys.stderr.isatty()
    spoken: logging.Handler = logging.StreamHandler(sys.stderr)
    spoken.setFormatter(_form(shared, person=person))
    handlers = [spoken]
    if file is not None:
        spoken.setLevel(logging.ERROR)
        handlers.append(_written(file, _form(shared, person=False)))
    logging.basicConfig(handlers=handlers, level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _form(shared: list[Any], *, person: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([] if person else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer(),
        ],
    )


def _written(file: Path, form: logging.Formatter) -> logging.Handler:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")  # appends: children write to it too
    except OSError as error:
        raise StartRefused(f"cannot write the log {file}: {error.strerror}") from error
    handler.setFormatter(form)
    return handler
