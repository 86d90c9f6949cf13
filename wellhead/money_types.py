"""Money and collateral on their way, as the exchange answers; part of `types.py`."""

from decimal import Decimal

from msgspec import Struct


class Transfer(Struct, frozen=True, kw_only=True):
    """A deposit or withdrawal, and what became of it."""

    transfer_id: str
    amount: Decimal
    status: str
    code: str | None = None
    account_id: str | None = None
