"""Api keys in Postgres, their secrets encrypted, with a memory of those in use."""

import base64
import ipaddress
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import asyncpg

from exchange.io.db import queries
from exchange.io.errors import Invalid, NotFound
from exchange.io.notify import API_KEY
from exchange.io.registry import ApiKey, NewApiKey, Scope
from exchange.io.secret_box import SecretBox
from exchange.io.store import Store, from_ns, storable, to_ns, to_ns_or_none

KEY_ID: Final = re.compile(r"wk_[a-z2-7]{16}")
SECRET_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
LABEL_LENGTH_MAX: Final = 200
NETWORKS_MAX: Final = 32
REMEMBERED_S: Final = 10.0  # should a message of a change be missed
REMEMBERED_MAX: Final = 100_000

_SQL: Final = queries("registry")


class PostgresApiKeys(Store):
    """Keys; `changed` must be told what `notify.listen` hears, so that a revocation is prompt."""

    def __init__(self, pool: asyncpg.Pool, box: SecretBox) -> None:
        super().__init__(pool)
        self._box = box
        self._remembered: dict[str, tuple[float, ApiKey]] = {}

    async def create(
        self,
        *,
        account_idx: int,
        label: str = "",
        scopes: frozenset[Scope] = frozenset({Scope.READ}),
        ip_allow: tuple[str, ...] = (),
        expires_at_ns: int | None = None,
        public_key: bytes | None = None,
    ) -> NewApiKey:
        """Make a key; with `public_key` (32 bytes) an Ed25519 one, else one with a new secret."""
        key_id = "wk_" + base64.b32encode(secrets.token_bytes(10)).decode().lower()
        secret_text = None if public_key else "ws_" + secrets.token_urlsafe(SECRET_BYTES)
        if public_key is not None and len(public_key) != PUBLIC_KEY_BYTES:
            raise Invalid(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes")
        try:
            await self._rows(
                _SQL["insert_key"],
                key_id,
                account_idx,
                storable(label, LABEL_LENGTH_MAX, "label"),
                sorted(scopes),
                _networks(ip_allow),
                self._box.seal(secret_text.encode(), key_id) if secret_text else None,
                public_key,
                None if expires_at_ns is None else from_ns(expires_at_ns, "expiry"),
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound(f"there is no account {account_idx}") from error
        key = await self.find(key_id)
        assert key is not None, "just written"
        return NewApiKey(key=key, secret_text=secret_text)

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key, revoked and expired ones too; fast when asked again."""
        found = self._remembered.get(key_id)
        if found is not None and time.monotonic() - found[0] < REMEMBERED_S:
            return found[1]
        if not KEY_ID.fullmatch(key_id):
            return None
        row = await self._row(_SQL["key"], key_id)
        if row is None:
            return None
        sealed = row["secret_encrypted"]
        key = replace(_key(row), secret=self._box.open(sealed, key_id) if sealed else None)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[key_id] = (time.monotonic(), key)
        return key

    async def list(self, account_idx: int) -> list[ApiKey]:
        """Return all keys of an account, without their secrets."""
        return [_key(row) for row in await self._rows(_SQL["keys"], account_idx)]

    async def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key for ever; doing it again changes nothing."""
        self._remembered.pop(key_id, None)
        if KEY_ID.fullmatch(key_id):
            await self._rows(_SQL["revoke_key"], key_id)
            await self._rows(_SQL["notify"], API_KEY, key_id)
        self._remembered.pop(key_id, None)  # it may have been read meanwhile
        key = await self.find(key_id)
        if key is None:
            raise NotFound("there is no such key")
        return key

    def changed(self, key_id: str) -> None:
        """Forget a key that another process has changed; "" for all of them."""
        if key_id:
            self._remembered.pop(key_id, None)
        else:
            self._remembered.clear()


def _networks(texts: tuple[str, ...]) -> list[str]:
    """Return addresses and networks in their usual form.

    Errors:
        Invalid: one is neither, or there are too many.
    """
    if len(texts) > NETWORKS_MAX:
        raise Invalid(f"at most {NETWORKS_MAX} networks can be allowed")
    try:
        return [str(ipaddress.ip_network(text, strict=False)) for text in texts]
    except ValueError as error:
        raise Invalid(f"not an address or network: {error}") from error


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        account_idx=row["account_idx"],
        account_id=row["account_id"],
        label=row["label"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        ip_allow=tuple(row["ip_allow"]),
        expires_at_ns=to_ns_or_none(row["expires_at"]),
        revoked_at_ns=to_ns_or_none(row["revoked_at"]),
        created_at_ns=to_ns(row["created_at"]),
        secret=None,
        public_key=row["public_key"],
    )
