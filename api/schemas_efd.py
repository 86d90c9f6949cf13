"""Bodies about the exchange for delivery; `schemas.py` has all others."""

from msgspec import UNSET

from api.schemas import Body, MaybeText, Millis, Text


class EfdEntryNew(Body):
    """Lots that would be exchanged, and the most that is paid or the least that is taken.

    The newest of an `entry_id` stands; quantity "0" takes it back.
    """

    side: Text
    quantity: Text
    differential: Text
    entry_id: MaybeText = UNSET


class EfdSessionNew(Body):
    """A session beside those of the calendar."""

    symbol: Text
    opens_ts: Millis
    call_ts: Millis
