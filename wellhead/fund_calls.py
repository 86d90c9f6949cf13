"""Requests about the default fund, and about who bore a default."""

import secrets
from typing import Any
from urllib.parse import quote

from wellhead import fund_types as ft
from wellhead import money_types as mt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole
from wellhead.order_fields import Number, decimal_text


def fund() -> Call[ft.Fund | None]:
    """What the default fund had to be today, and what it was; anybody may ask."""
    parse = whole(ft.FundOnly)
    return get_call("/fund", lambda answer: parse(answer).fund, private=False)


def losses(liquidation_id: str) -> Call[dict[str, list[dict[str, Any]]]]:
    """Return the proofs of who bore a default, and the money that was moved; anybody may ask."""
    path = f"/liquidations/{quote(liquidation_id, safe='')}/losses"
    return get_call(
        path,
        lambda answer: {name: list(answer.get(name, [])) for name in ("proofs", "uses")},
        private=False,
    )


def share() -> Call[ft.Share]:
    """Own share of the fund."""
    return get_call("/fund/share", member("share", ft.Share))


def own_losses(limit: int | None = None) -> Call[wt.Page[ft.OwnLoss]]:
    """What others' defaults cost the account, newest first."""
    return get_call("/losses", page("losses", ft.OwnLoss), limit=limit)


def pay_in(amount: Number, transfer_id: str | None = None) -> Call[mt.Transfer]:
    """Move own free cash into the fund."""
    return _move("/fund/deposits", {}, amount, transfer_id)


# Of operators


def whole_fund(*, now: bool = False) -> Call[ft.WholeFund]:
    """Return the fund with everybody's share, and the house's layers; `now`: sized now."""
    return get_call("/admin/risk/fund", whole(ft.WholeFund), now="true" if now else None)


def collect(account_id: str, amount: Number, transfer_id: str | None = None) -> Call[mt.Transfer]:
    """Move a member's free cash into its share."""
    return _move("/admin/risk/fund/deposits", {"account_id": account_id}, amount, transfer_id)


def give_back(account_id: str, amount: Number, transfer_id: str | None = None) -> Call[mt.Transfer]:
    """Move cash of a share back to its member."""
    return _move("/admin/risk/fund/returns", {"account_id": account_id}, amount, transfer_id)


def _move(path: str, body: Json, amount: Number, transfer_id: str | None) -> Call[mt.Transfer]:
    body = {**body, "amount": decimal_text(amount, "amount")}
    body["transfer_id"] = transfer_id or f"fd-{secrets.token_hex(12)}"
    return Call("POST", target(path), member("transfer", mt.Transfer), body=body, repeatable=True)
