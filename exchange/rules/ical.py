"""Calendars as iCalendar text (RFC 5545): lines of at most 75 bytes, folded, ended by CR LF."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

LINE_BYTES_MAX: Final = 75
PRODUCT: Final = "-//Wellhead//Contract calendar//EN"
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class Entry(NamedTuple):
    """One event of a calendar, a moment without length."""

    uid: str
    at_ns: int
    summary: str
    category: str


def folded(line: str) -> str:
    """Return a content line in pieces of at most 75 bytes; no character is cut."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > LINE_BYTES_MAX:
            pieces.append(piece)
            piece, size = " ", 1
        piece, size = piece + letter, size + width
    return "\r\n".join([*pieces, piece])


def stamp(ts_ns: int) -> str:
    """Return a moment as in 20270226T160000Z."""
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, tz=UTC).strftime("%Y%m%dT%H%M%SZ")


def ical(name: str, entries: Iterable[Entry], now_ns: int) -> str:
    """Return a calendar.

    Args:
        name: of the calendar.
        now_ns: when it was made.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN",
             "METHOD:PUBLISH", f"X-WR-CALNAME:{name.translate(_ESCAPED)}"]  # fmt: skip
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.uid}",
            f"DTSTAMP:{stamp(now_ns)}",
            f"DTSTART:{stamp(entry.at_ns)}",
            f"SUMMARY:{entry.summary.translate(_ESCAPED)}",
            f"CATEGORIES:{entry.category.translate(_ESCAPED)}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(folded(line) + "\r\n" for line in lines)
