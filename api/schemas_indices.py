"""Shapes of requests about the index; see `schemas.py`."""

from typing import Annotated

from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=32)]
Reason = Annotated[str, Meta(min_length=8, max_length=500)]


class IndexSaid(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a day's print is, where there is no quorum, and why."""

    day: Text
    price: Text
    reason: Reason
