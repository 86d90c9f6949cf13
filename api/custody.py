"""Assets as the API says them: decimals in, units inside, decimals out."""

import re
from typing import Any, Final

from msgspec import UNSET, UnsetType

from api.answers import millis
from api.deps import Services
from api.errors import Problem, core_name
from api.orders import account_of
from exchange.io.custody import Address, AssetRequest
from exchange.io.registry import TransferStatus
from exchange.rules.assets import ASSET_BY_NUMBER, ASSET_BY_SYMBOL, ASSETS, Asset
from exchange.rules.collateral import ADDRESS_HOLD_NS, Line, approvals_needed
from exchange.rules.holdings import Held
from exchange.rules.margin import margin_of
from exchange.rules.money import DecimalError, scaled_of, scaled_text, usd_text
from exchange.rules.valuation import CUSTOMER, counted_of
from matching.codes import AssetMove
from matching.limits import ASSET_UNITS_MAX

NS_PER_MS: Final = 1_000_000
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,60}", re.ASCII)
# Names that no member can give a withdrawal: theirs have no slash.
DEPOSIT_PREFIX: Final = "in/"
DECISION_PREFIX: Final = "on/"
_ADDRESS = re.compile(r"[A-Za-z0-9._:/-]{1,128}", re.ASCII)


def asset_of(symbol: str) -> Asset:
    """Return the asset of a symbol."""
    row = ASSET_BY_SYMBOL.get(symbol)
    if row is None:
        known = ", ".join(ASSET_BY_SYMBOL)
        raise Problem("asset_unknown", f"one of {known}", status=404, field="asset")
    return row


def units_of(text: str, row: Asset) -> int:
    """Return a quantity of an asset in its smallest units."""
    try:
        units = scaled_of(text, row.digits)
    except DecimalError as error:
        raise Problem("field_invalid", f"a quantity: {error.allowed}", field="amount") from None
    if not units:
        raise Problem("amount_not_positive", "more than nothing", status=422, field="amount")
    if units > ASSET_UNITS_MAX:
        raise Problem("amount_too_large", "more than one move may have", status=422, field="amount")
    return units


def key_of(text: str | UnsetType, field: str, default: str) -> str:
    """Return the asker's own name for a move."""
    if text is UNSET:
        return default
    if not _KEY.fullmatch(text):
        raise Problem("field_invalid", "1 to 60 of A-Z a-z 0-9 . _ : -", field=field)
    return text


def address_of(text: str) -> str:
    """Return a text that can be an address."""
    if not _ADDRESS.fullmatch(text):
        raise Problem("field_invalid", "1 to 128 of A-Z a-z 0-9 . _ : / -", field="address")
    return text


def quantity(asset: int, units: int) -> str:
    """Return units as a quantity of their asset."""
    return scaled_text(units, ASSET_BY_NUMBER[asset].digits)


# Answers


def rule_out(row: Asset) -> dict[str, Any]:
    """Return how an asset counts."""
    return {
        "asset": row.symbol,
        "kind": row.kind,
        "name": row.name,
        "issuer": row.issuer,
        "decimals": row.digits,
        "haircut_bps": row.haircut_bps,
        "cap_bps": row.cap_bps,
        "floor": usd_text(row.floor_usd_micros) if row.floor_usd_micros else None,
        "stale_ms": row.stale_ns // NS_PER_MS,
        "dead_ms": row.dead_ns // NS_PER_MS,
    }


def line_out(services: Services, line: Line, held: Held) -> dict[str, Any]:
    """Return one asset of an account."""
    price = services.gateway.mirror.asset_prices.get(line.asset)
    priced = line.price_usd_micros != 0
    return {
        "asset": ASSET_BY_NUMBER[line.asset].symbol,
        "quantity": quantity(line.asset, line.units),
        "leaving": quantity(line.asset, held.leaving_units),
        "price": usd_text(line.price_usd_micros) if priced else None,
        "price_ts": millis(price.priced_ns) if price is not None else None,
        "value": usd_text(line.value_usd_micros),
        "haircut_bps": line.haircut_bps,
        "after_haircut": usd_text(line.after_haircut_usd_micros),
        "counted": usd_text(line.counted_usd_micros),
        "reason": line.reason or None,
    }


async def collateral_out(services: Services, account_idx: int) -> dict[str, Any]:
    """Return what an account has beside cash, line by line."""
    state = services.gateway.mirror
    collateral = account_of(state, account_idx).collateral
    owners = await services.custody.owners([account_idx])
    owner = owners.get(account_idx, CUSTOMER)
    found = counted_of(state, account_idx, owner, services.now_ns())
    return {
        "counted": usd_text(collateral.counted_usd_micros),
        "requirement": usd_text(margin_of(state, account_idx).initial_usd_micros),
        "lines": [
            line_out(services, line, collateral.holdings.get(line.asset, Held()))
            for line in found.lines
        ],
        "rules": [rule_out(row) for row in ASSETS],
    }


def address_out(one: Address) -> dict[str, Any]:
    """Return an address of the allow-list."""
    return {
        "asset": ASSET_BY_NUMBER[one.asset].symbol,
        "address": one.address,
        "label": one.label,
        "usable_ts": millis(one.created_at_ns + ADDRESS_HOLD_NS),
    }


def needed(services: Services, request: AssetRequest) -> int:
    """Return how many admins must approve a withdrawal before it is paid."""
    row = ASSET_BY_NUMBER[request.asset]
    price = services.gateway.mirror.asset_prices.get(request.asset)
    return approvals_needed(row, request.units, price, services.now_ns())


async def withdrawal_out(
    services: Services, request: AssetRequest, account_id: str | None = None
) -> dict[str, Any]:
    """Return a withdrawal with what admins did about it."""
    decision = await services.custody.decision_of(request.request_id)
    approvals = await services.custody.approvers(request.request_id)
    return {
        "withdrawal_id": request.client_key,
        "request_id": str(request.request_id),
        "account_id": account_id,
        "asset": ASSET_BY_NUMBER[request.asset].symbol,
        "quantity": quantity(request.asset, request.units),
        "address": request.address,
        "status": status_of(request, decision),
        "code": core_name(request.code or 0),
        "approvals": len(approvals),
        "approvals_needed": needed(services, request),
        "created_ts": millis(request.created_at_ns),
    }


def status_of(request: AssetRequest, decision: AssetRequest | None) -> str:
    """Return how far a withdrawal is."""
    if request.status == TransferStatus.REFUSED:
        return "refused"
    if request.status != TransferStatus.DONE:
        return "pending"
    if decision is None:
        return "reserved"
    done = decision.status == TransferStatus.DONE
    if decision.move == AssetMove.PAID:
        return "paid" if done else "paying"
    return "returned" if done else "returning"
