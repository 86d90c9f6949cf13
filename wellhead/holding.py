# Made by tools/sync_client.py from async_holding.py: change that file.
"""Collateral beside cash: what counts, withdrawals of assets, cash between own accounts.

made from this file's twin.
"""

from wellhead import collateral_calls as cc
from wellhead import money_types as mt
from wellhead import types as wt
from wellhead.http_sync import Http
from wellhead.order_fields import Number


class Holding:
    """What `Client` holds beside cash: `client.collateral`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def show(self) -> mt.Collateral:
        """Return the account's assets from units to what is counted, and the rules."""
        return self._http.run(cc.collateral())

    def withdraw(
        self, asset: str, amount: Number, address: str, *, withdrawal_id: str | None = None
    ) -> mt.Withdrawal:
        """Reserve units for a withdrawal to an address of the allow-list."""
        return self._http.run(cc.withdraw(asset, amount, address, withdrawal_id))

    def withdrawals(
        self, limit: int | None = None, cursor: str | None = None
    ) -> wt.Page[mt.Withdrawal]:
        """Return withdrawals, newest first."""
        return self._http.run(cc.withdrawals(limit, cursor))

    def addresses(self) -> wt.Page[mt.Address]:
        """Return where withdrawals may go to."""
        return self._http.run(cc.addresses())

    def add_address(
        self, asset: str, address: str, label: str | None = None
    ) -> wt.Page[mt.Address]:
        """Add an address, usable in 24 hours."""
        return self._http.run(cc.add_address(asset, address, label))

    def remove_address(self, asset: str, address: str) -> wt.Page[mt.Address]:
        """Remove an address."""
        return self._http.run(cc.remove_address(asset, address))

    def transfer(self, to: str, amount: Number, *, transfer_id: str | None = None) -> wt.Transfer:
        """Send cash to another account of the same member."""
        return self._http.run(cc.transfer(to, amount, transfer_id))

    def deposit(
        self, account_id: str, asset: str, amount: Number, *, transfer_id: str | None = None
    ) -> mt.AssetMoved:
        """Confirm, as an operator, that the custodian has units of an asset."""
        return self._http.run(cc.deposit(account_id, asset, amount, transfer_id))

    def open_withdrawals(self, limit: int | None = None) -> wt.Page[mt.Withdrawal]:
        """Return, to an operator, withdrawals of all accounts that wait for a decision."""
        return self._http.run(cc.open_withdrawals(limit))

    def decide(self, request_id: str, action: str) -> mt.Withdrawal:
        """Approve, pay or return a withdrawal, as an operator."""
        return self._http.run(cc.decide(request_id, action))

    def price(self, asset: str, usd: Number, source: str | None = None) -> mt.AssetPrice:
        """Say, as an operator, what one whole of an asset is worth now."""
        return self._http.run(cc.price(asset, usd, source))
