"""Bodies about collateral, withdrawals and transfers; `schemas.py` has all others."""

from msgspec import UNSET

from api.schemas import Body, MaybeText, Text


class AssetDeposit(Body):
    """Units of an asset that the custodian has; the same `transfer_id` again moves nothing."""

    asset: Text
    amount: Text
    transfer_id: MaybeText = UNSET


class WithdrawalNew(Body):
    """Units of an asset to an address of the allow-list; the same `withdrawal_id` moves nothing."""

    asset: Text
    amount: Text
    address: Text
    withdrawal_id: MaybeText = UNSET


class AddressNew(Body):
    """Where withdrawals of an asset may go to, a day from now."""

    asset: Text
    address: Text
    label: MaybeText = UNSET


class AddressGone(Body):
    """An address that withdrawals may go to no more."""

    asset: Text
    address: Text


class Decision(Body):
    """What an admin does with a withdrawal: approve, pay or return."""

    action: Text


class TransferBetween(Body):
    """Cash to another account of the same member; the same `transfer_id` again moves nothing."""

    to: Text
    amount: Text
    transfer_id: MaybeText = UNSET


class PriceNew(Body):
    """What one whole of an asset is worth in USD, and whose word that is: operator or feed."""

    price: Text
    source: MaybeText = UNSET
