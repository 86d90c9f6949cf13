"""Bodies of webhooks."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.schemas import Body

Url = Annotated[str, Meta(min_length=1, max_length=2_000)]
EventName = Annotated[str, Meta(max_length=32)]


class WebhookNew(Body):
    """Where to tell what: `events` are names, each once."""

    url: Url
    events: Annotated[list[EventName], Meta(min_length=1, max_length=32)]
    label: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
