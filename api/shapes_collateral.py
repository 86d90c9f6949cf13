"""Answers about collateral, withdrawals and transfers; `shapes.py` has all others."""

from api.shapes import Answer, Part
from api.shapes_account import Transfer


class CollateralLine(Part):
    """One asset of the account, from its units to what is counted.

    `reason` says what lowered it beyond the haircut: cap, own_paper, wrong_way, no_price,
    price_stale, price_dead, below_floor; null for nothing.
    """

    asset: str
    quantity: str
    leaving: str
    price: str | None
    price_ts: int | None
    value: str
    haircut_bps: int
    after_haircut: str
    counted: str
    reason: str | None


class AssetRule(Part):
    """How an asset counts; a cap is a part of the requirement, per issuer; 0 is none."""

    asset: str
    kind: str
    name: str
    issuer: str
    decimals: int
    haircut_bps: int
    cap_bps: int
    floor: str | None
    stale_ms: int
    dead_ms: int


class CollateralAnswer(Answer):
    """What the account has beside cash; `counted` is what margin uses now."""

    counted: str
    requirement: str
    lines: list[CollateralLine]
    rules: list[AssetRule]


class Withdrawal(Part):
    """A withdrawal; status is pending, refused, reserved, paying, paid, returning or returned."""

    withdrawal_id: str
    request_id: str
    account_id: str | None
    asset: str
    quantity: str
    address: str
    status: str
    code: str | None
    approvals: int
    approvals_needed: int
    created_ts: int


class WithdrawalAnswer(Answer):
    """One withdrawal."""

    withdrawal: Withdrawal


class WithdrawalsAnswer(Answer):
    """Withdrawals, newest first."""

    withdrawals: list[Withdrawal]
    next_cursor: str | None


class Address(Part):
    """Where withdrawals may go to from `usable_ts` on."""

    asset: str
    address: str
    label: str
    usable_ts: int


class AddressesAnswer(Answer):
    """The allow-list of an account, oldest first."""

    addresses: list[Address]


class AssetMoved(Part):
    """A deposit of an asset, and what became of it."""

    transfer_id: str
    account_id: str
    asset: str
    quantity: str
    status: str
    code: str | None


class AssetMovedAnswer(Answer):
    """One deposit of an asset."""

    transfer: AssetMoved


class BetweenAnswer(Answer):
    """One transfer between two accounts."""

    transfer: Transfer


class AssetPrice(Part):
    """The price of an asset, whose word it is, and when it was so."""

    asset: str
    price: str
    source: str
    ts: int


class AssetPriceAnswer(Answer):
    """The price that counts from now on."""

    price: AssetPrice
