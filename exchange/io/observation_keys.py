"""Keys of providers: they sign their own prices, and may do nothing else."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from exchange.io.db import queries
from exchange.io.errors import IdempotencyConflict, Invalid, NotFound
from exchange.io.registry import ApiKey
from exchange.io.store import Store, to_ns, to_ns_or_none
from exchange.rules.observations import is_text
from exchange.rules.quotes import PROVIDER_ALIASES

KEY_ID: Final = re.compile(r"wp_[a-z2-7]{16}", re.ASCII)
KEYS_SHOWN: Final = 1_000
NO_ACCOUNT: Final = -1

_SQL: Final = queries("observations")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKey:
    """A key, whose it is, and until when it was good."""

    key_id: str
    provider: str
    public_key: bytes
    licence: str  # under which what it signs may be kept and shown
    added_by: str
    added_at_ns: int
    ended_at_ns: int | None


def key_id_of(public_key: bytes) -> str:
    """Return the id of a key: it follows from the key alone."""
    digest = hashlib.sha256(public_key).digest()
    return "wp_" + base64.b32encode(digest[:10]).decode().lower()


class ProviderKeys(Store):
    """Keys of providers, added and ended by an operator, never changed."""

    async def add(self, provider: str, public_key: bytes, licence: str, by: str) -> ProviderKey:
        """Register a key; the same again is the same key.

        Errors:
            Invalid: a text that cannot stand in an observation, or no key of Ed25519.
            IdempotencyConflict: the key is another provider's, or of another licence.
        """
        provider = PROVIDER_ALIASES.get(provider.lower(), provider.lower())
        if not (provider and is_text(provider) and licence and is_text(licence)):
            raise Invalid("provider and licence are printable, of 1 to 64 characters")
        if len(public_key) != 32:
            raise Invalid("a public key of Ed25519 has 32 bytes")
        key_id = key_id_of(public_key)
        await self._rows(_SQL["add_key"], key_id, provider, public_key, licence, by)
        key = await self.key(key_id)
        if key is None or (key.provider, key.licence) != (provider, licence):
            raise IdempotencyConflict("the key is registered for something else")
        return key

    async def end(self, key_id: str, by: str) -> ProviderKey:
        """End a key for ever; doing it again changes nothing.

        Errors:
            NotFound: there is no such key.
        """
        if await self.key(key_id) is None:
            raise NotFound(f"there is no key {key_id[:64]}")
        await self._rows(_SQL["end_key"], key_id, by)
        key = await self.key(key_id)
        assert key is not None, "keys are never removed"
        return key

    async def key(self, key_id: str) -> ProviderKey | None:
        """Return a key."""
        row = await self._row(_SQL["key"], key_id) if KEY_ID.fullmatch(key_id) else None
        return None if row is None else _key(row)

    async def keys(self) -> list[ProviderKey]:
        """Return all keys, the newest first."""
        return [_key(row) for row in await self._rows(_SQL["keys"], KEYS_SHOWN)]

    async def find(self, key_id: str) -> ApiKey | None:
        """Return a key as one that signs requests: of no account, with no scope."""
        found = await self.key(key_id)
        if found is None:
            return None
        return ApiKey(
            key_id=found.key_id,
            account_idx=NO_ACCOUNT,
            account_id=found.provider,
            label=found.licence,
            scopes=frozenset(),
            ip_allow=(),
            expires_at_ns=None,
            revoked_at_ns=found.ended_at_ns,
            created_at_ns=found.added_at_ns,
            secret=None,
            public_key=found.public_key,
        )

    async def rows_of_day(self, provider: str) -> int:
        """Return how many rows a provider has submitted in the last 24 hours."""
        return int(await self._value(_SQL["submitted_rows"], provider))


def _key(row: Any) -> ProviderKey:
    return ProviderKey(
        key_id=row["key_id"],
        provider=row["provider"],
        public_key=row["public_key"],
        licence=row["licence"],
        added_by=row["added_by"],
        added_at_ns=to_ns(row["added_at"]),
        ended_at_ns=to_ns_or_none(row["ended_at"]),
    )
