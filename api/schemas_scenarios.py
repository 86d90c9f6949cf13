"""Shapes of requests about margin scenarios; see `schemas.py`."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=32)]


class ScenariosNew(Struct, forbid_unknown_fields=True, kw_only=True):
    """What to build: the set of a day, today's when it is not given."""

    day: Text | UnsetType = UNSET
