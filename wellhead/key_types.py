"""An API key, as the exchange answers it."""

from msgspec import Struct


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key; its `secret` is there once, when it is made."""

    key: str
    account_id: str = ""
    label: str = ""
    scopes: list[str] = []
    ip_allow: list[str] = []
    secret: str | None = None
    expires_at: int | None = None
    revoked: bool = False
    created_ts: int | None = None
