"""Requests about margin calls, liquidations, their proofs, and drills."""

from typing import Any
from urllib.parse import quote

from wellhead import default_types as dt
from wellhead import types as wt
from wellhead.calls import Call, get_call, member, page, target


def liquidations(
    account_id: str | None = None, limit: int | None = None
) -> Call[wt.Page[dt.Liquidation]]:
    """Liquidations of all accounts or of one, newest first; for an operator."""
    parse = page("liquidations", dt.Liquidation)
    return get_call("/admin/risk/liquidations", parse, account_id=account_id, limit=limit)


def margin_calls(
    account_id: str | None = None, limit: int | None = None
) -> Call[wt.Page[dt.MarginCall]]:
    """Margin calls of all accounts or of one, newest first; for an operator."""
    parse = page("margin_calls", dt.MarginCall)
    return get_call("/admin/risk/calls", parse, account_id=account_id, limit=limit)


def own_margin_calls(limit: int | None = None) -> Call[wt.Page[dt.MarginCall]]:
    """Own margin calls, newest first."""
    return get_call("/margin-calls", page("margin_calls", dt.MarginCall), limit=limit)


def own_liquidations(limit: int | None = None) -> Call[wt.Page[dt.Liquidation]]:
    """Own liquidations, newest first."""
    return get_call("/liquidations", page("liquidations", dt.Liquidation), limit=limit)


def acknowledge(call_id: str) -> Call[wt.Page[dt.MarginCall]]:
    """Say that a margin call was seen."""
    path = target(f"/margin-calls/{quote(call_id, safe='')}/acknowledge")
    return Call("POST", path, page("margin_calls", dt.MarginCall), repeatable=True)


def drill(
    account_id: str, multiple: int | None = None, premium: str | None = None
) -> Call[dt.Drill]:
    """What an auction would take and each layer pay if an account defaulted now; for operators."""
    parse = member("drill", dt.Drill)
    return get_call("/admin/risk/drill", parse, account_id=account_id, multiple=multiple,
                    premium=premium)  # fmt: skip


def proofs(liquidation_id: str) -> Call[list[dict[str, Any]]]:
    """Return the proofs of a liquidation's deleveraging; anybody may ask."""
    path = f"/liquidations/{quote(liquidation_id, safe='')}/proofs"
    return get_call(path, lambda answer: list(answer.get("proofs", [])), private=False)
