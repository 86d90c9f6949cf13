"""Requests whose path says everything: a body that says more is refused, not passed over."""

from typing import Final

import msgspec
from fastapi import Request

from api.deps import body_of
from api.strict import Decoder


class NoFields(msgspec.Struct, forbid_unknown_fields=True):
    """A body without fields."""


_DECODER: Final = Decoder[NoFields](NoFields)


async def no_fields(request: Request) -> None:
    """Refuse a body that says something; {} is as good as none.

    Errors:
        Problem: `field_unknown`, or what is wrong with the text.
    """
    body = await body_of(request)
    if body:
        _DECODER.decode(body)
