"""Assets in and out, as Postgres knows them; a request is written first and sent to the core then.

A withdrawal is a RESERVE; one PAID or one RETURN decides it, whole.
"""

from dataclasses import dataclass
from typing import Protocol

from exchange.io.registry import TransferStatus
from matching.codes import AssetMove


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRequest:
    """A move of an asset, and what became of it."""

    request_id: int
    account_idx: int
    asset: int
    move: AssetMove
    units: int
    client_key: str  # the asker's own name for it: asking twice moves nothing twice
    address: str  # where a withdrawal goes to
    parent_id: int | None  # of a payment or a return: the withdrawal it decides
    status: TransferStatus
    ref_id: int | None  # its number among the account's moves in the core
    code: int | None  # why it was refused
    seq: int | None
    created_at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a withdrawal may go to, some time after it was added."""

    asset: int
    address: str
    label: str
    created_at_ns: int


class Custody(Protocol):
    """Requests to move assets, approvals and addresses."""

    async def request(
        self, *, account_idx: int, asset: int, move: AssetMove, units: int, client_key: str,
        address: str = "", parent_id: int | None = None,
    ) -> AssetRequest:  # fmt: skip
        """Write the wish to move units; the leader carries it out within moments.

        The same `client_key` again returns what it made the first time.

        Errors:
            IdempotencyConflict: the key was used otherwise, or the withdrawal is decided already.
            NotFound: there is no such account.
        """
        ...

    async def get(self, request_id: int) -> AssetRequest | None:
        """Return the request."""
        ...

    async def wait_decided(self, request_id: int, timeout_s: float = 10.0) -> AssetRequest:
        """Return the request once it is done or refused, or as it is after `timeout_s`."""
        ...

    async def decision_of(self, request_id: int) -> AssetRequest | None:
        """Return the payment or return of a withdrawal."""
        ...

    async def withdrawals(
        self, account_idx: int | None, *, before_id: int | None = None, open_only: bool = False,
        limit: int = 100,
    ) -> list[AssetRequest]:  # fmt: skip
        """Return withdrawals, newest first."""
        ...

    async def approve(self, request_id: int, approver: str) -> list[str]:
        """Approve a withdrawal; return all who did. Doing it again changes nothing."""
        ...

    async def approvers(self, request_id: int) -> list[str]:
        """Return who approved a withdrawal."""
        ...

    async def add_address(self, account_idx: int, asset: int, address: str, label: str) -> None:
        """Add an address; one that is there stays as it is."""
        ...

    async def addresses(self, account_idx: int) -> list[Address]:
        """Return an account's addresses, oldest first."""
        ...

    async def remove_address(self, account_idx: int, asset: int, address: str) -> bool:
        """Remove an address; False when there is none."""
        ...

    async def owners(self, account_idxs: list[int]) -> dict[int, tuple[str, str]]:
        """Return name and kind of accounts."""
        ...
