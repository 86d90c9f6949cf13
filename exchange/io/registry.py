"""Who is who: what Postgres knows about accounts, keys and transfers and the core does not.

Accounts and transfers are written here first (an outbox) and sent to the core as commands by the
leader; a crash anywhere in between neither loses nor doubles one.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

SIGNATURE_DIGEST_BYTES: Final = 16


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    TRADE = "trade"
    TRANSFER = "transfer"
    ADMIN = "admin"


class TransferStatus(StrEnum):
    """How far a deposit or withdrawal is."""

    PENDING = "pending"  # written, the core has not been asked
    SENT = "sent"  # the core has been asked, the answer is not written yet
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its owner knows it. `account_idx` is the core's name for it."""

    account_idx: int
    account_id: str  # public, never reused
    name: str
    kind: str  # customer, maker, taker, operator, ...
    created_at_ns: int
    opened_seq: int | None  # None: the core does not know it yet


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key that signs requests: with a shared secret, or with an Ed25519 private key."""

    key_id: str
    account_idx: int
    account_id: str
    label: str
    scopes: frozenset[Scope]
    ip_allow: tuple[str, ...]  # networks as text; empty: any address
    expires_at_ns: int | None
    revoked_at_ns: int | None
    created_at_ns: int
    secret: bytes | None  # of an HMAC key; never shown again after it was made
    public_key: bytes | None  # 32 bytes, of an Ed25519 key

    def is_live(self, now_ns: int) -> bool:
        """Say whether the key is neither revoked nor expired."""
        if self.revoked_at_ns is not None:
            return False
        return self.expires_at_ns is None or now_ns < self.expires_at_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """A key just made; `secret_text` is shown once. It signs with its own UTF-8 bytes."""

    key: ApiKey
    secret_text: str | None  # None for an Ed25519 key


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A deposit (amount above zero) or withdrawal (below), and what became of it."""

    transfer_id: int
    account_idx: int
    amount_usd_micros: int
    client_key: str  # the asker's own name for it: asking twice moves money once
    to_account_idx: int | None = None  # who receives it, None for the bank
    status: TransferStatus
    ref_id: int | None  # its number in the core
    code: int | None  # why it was refused
    seq: int | None  # of the command that decided
    created_at_ns: int


class Accounts(Protocol):
    """Accounts, made once and never removed."""

    async def create(self, *, account_id: str, name: str, kind: str = "customer") -> Account:
        """Write a new account; the leader opens it in the core within moments.

        The same call again returns the same account.

        Errors:
            IdempotencyConflict: the id exists with another name or kind.
        """
        ...

    async def wait_open(self, account_idx: int, timeout_s: float = 10.0) -> Account:
        """Return the account as soon as the core knows it.

        Errors:
            DatabaseUnavailable: not within `timeout_s`.
            NotFound: there is no such account.
        """
        ...

    async def get(self, account_id: str) -> Account | None:
        """Return the account with this public id."""
        ...

    async def by_idx(self, account_idx: int) -> Account | None:
        """Return the account with this slot."""
        ...

    async def list(self, *, after_idx: int = -1, limit: int = 1000) -> list[Account]:
        """Return accounts in order of their slot."""
        ...


class ApiKeys(Protocol):
    """Keys; secrets are stored encrypted."""

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
        """Make a key; with `public_key` (32 bytes) an Ed25519 one, else one with a new secret.

        Errors:
            NotFound: there is no such account.
        """
        ...

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key, revoked and expired ones too; fast when asked again.

        A change made anywhere is seen within moments.
        """
        ...

    async def list(self, account_idx: int) -> list[ApiKey]:
        """Return all keys of an account, without their secrets."""
        ...

    async def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key for ever; doing it again changes nothing.

        Errors:
            NotFound: there is no such key.
        """
        ...


class Transfers(Protocol):
    """Deposits and withdrawals on their way to the core."""

    async def request(
        self, *, account_idx: int, amount_usd_micros: int, client_key: str,
        to_account_idx: int | None = None,
    ) -> Transfer:  # fmt: skip
        """Write the wish to move money; the leader carries it out within moments.

        The same `client_key` again returns what it made the first time.

        Errors:
            IdempotencyConflict: the key was used with another amount.
            NotFound: there is no such account.
        """
        ...

    async def get(self, transfer_id: int) -> Transfer | None:
        """Return the transfer."""
        ...

    async def wait_decided(self, transfer_id: int, timeout_s: float = 10.0) -> Transfer:
        """Return the transfer once it is done or refused, or as it is after `timeout_s`."""
        ...

    async def list(
        self, account_idx: int, *, before_id: int | None = None, limit: int = 100
    ) -> list[Transfer]:
        """Return an account's transfers, newest first."""
        ...


class Signatures(Protocol):
    """Signatures of requests that were accepted: each once, also across gateways and restarts."""

    async def claim(self, key_id: str, signature: bytes, expires_at_ns: int) -> bool:
        """Return True for the first use; it is remembered until `expires_at_ns`."""
        ...


def digest_of_signature(key_id: str, signature: bytes) -> bytes:
    """Return what is remembered of a signature."""
    name = key_id.encode(errors="replace") + b"\0" + signature
    return hashlib.blake2b(name, digest_size=SIGNATURE_DIGEST_BYTES).digest()


class Origins(Protocol):
    """Numbers of gateways: a new one at each start, higher than all before."""

    async def next_origin_id(self) -> int:
        """Return a number no process has had."""
        ...
