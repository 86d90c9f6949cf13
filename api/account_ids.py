"""Accounts by their public id, as a request names them."""

import re
from typing import Final

from api.deps import Services
from api.errors import Problem
from exchange.io.registry import Account

ACCOUNT_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)


async def account_by(services: Services, account_id: str) -> Account:
    """Return the account with this public id."""
    account = None
    if ACCOUNT_ID.fullmatch(account_id):
        account = await services.accounts.get(account_id)
    if account is None:
        raise Problem("account_unknown", "there is no such account", status=404)
    return account
