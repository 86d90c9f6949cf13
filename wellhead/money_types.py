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


class CollateralLine(Struct, frozen=True, kw_only=True):
    """One asset of the account, from its units to what is counted."""

    asset: str
    quantity: Decimal
    leaving: Decimal
    value: Decimal
    haircut_bps: int
    after_haircut: Decimal
    counted: Decimal
    price: Decimal | None = None
    price_ts: int | None = None
    reason: str | None = None


class AssetRule(Struct, frozen=True, kw_only=True):
    """How an asset counts; a cap is a part of the requirement, per issuer; 0 is none."""

    asset: str
    kind: str
    name: str
    issuer: str
    decimals: int
    haircut_bps: int
    cap_bps: int
    floor: Decimal | None = None
    stale_ms: int = 0
    dead_ms: int = 0


class Collateral(Struct, frozen=True, kw_only=True):
    """What the account has beside cash; `counted` is what margin uses now."""

    counted: Decimal
    requirement: Decimal
    lines: list[CollateralLine]
    rules: list[AssetRule]


class Withdrawal(Struct, frozen=True, kw_only=True):
    """A withdrawal of an asset, and what admins did about it."""

    withdrawal_id: str
    request_id: str
    asset: str
    quantity: Decimal
    address: str
    status: str
    account_id: str | None = None
    code: str | None = None
    approvals: int = 0
    approvals_needed: int = 0
    created_ts: int | None = None


class Address(Struct, frozen=True, kw_only=True):
    """Where withdrawals may go to from `usable_ts` on."""

    asset: str
    address: str
    label: str
    usable_ts: int


class AssetMoved(Struct, frozen=True, kw_only=True):
    """A deposit of an asset, and what became of it."""

    transfer_id: str
    asset: str
    quantity: Decimal
    status: str
    account_id: str | None = None
    code: str | None = None


class AssetPrice(Struct, frozen=True, kw_only=True):
    """The price of an asset, whose word it is, and when it was so."""

    asset: str
    price: Decimal
    source: str
    ts: int
