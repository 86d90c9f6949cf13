"""Receipts as the API says them: hours as milliseconds, money as decimals, rules as refusals."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from api.answers import millis
from api.covering import pledge_act
from api.deps import Services
from api.errors import OWN, Problem
from api.schemas_delivery import ReceiptAct, ReceiptNew, ReceiptShare
from exchange.io.covers import Covers
from exchange.io.delivery import PostgresReceipts
from exchange.io.delivery_issuers import Issuer, Issuers
from exchange.io.delivery_prices import index_usd_micros
from exchange.io.delivery_proofs import Proof, Proofs, SignedRoot
from exchange.io.efd import Exchanges
from exchange.rules.delivery import deeds
from exchange.rules.delivery.deeds import Deed, Refused
from exchange.rules.delivery.receipts import (
    NOBODY,
    NS_PER_HOUR,
    Event,
    Receipt,
    Status,
    bond_min_usd_micros,
    receipt_id_of,
)
from exchange.rules.grades import GRADE_BY_SYMBOL, GRADE_DEFAULT
from exchange.rules.index.prints import name_of
from exchange.rules.money import BPS, TICK_USD_MICROS, DecimalError, usd_micros_of, usd_text
from exchange.rules.regions import HUB_BY_SYMBOL
from exchange.rules.skus import SKU_BY_SHORT, SKU_BY_SYMBOL

MS_PER_HOUR: Final = 3_600_000
HUBS: Final = frozenset(HUB_BY_SYMBOL)
HOURS_MAX: Final = 9_000
SLA_BPS: Final = 9_900
ACTIONS: Final = (
    "transfer", "offer", "withdraw", "buy", "pledge", "unpledge", "split", "redeem",
)  # fmt: skip
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """The registry of receipts, its issuers and its proofs."""

    receipts: PostgresReceipts
    issuers: Issuers
    proofs: Proofs
    exchanges: Exchanges
    covers: Covers


def delivering_of(services: Services) -> Delivering:
    """Return the registry."""
    if services.delivering is None:
        raise Problem("unavailable", "this process does not serve it")
    found: Delivering = services.delivering
    return found


def hour_of(ts_ms: int, field: str) -> int:
    """Return the hour since 1970 that begins at a moment."""
    if ts_ms % MS_PER_HOUR:
        raise Problem(
            "field_invalid",
            "a whole hour of UTC: milliseconds since 1970, a multiple of 3600000",
            field=field,
        )
    return ts_ms // MS_PER_HOUR


def usd_of(text: str, field: str) -> int:
    """Return dollars as micro-dollars."""
    try:
        return usd_micros_of(text)
    except DecimalError as error:
        raise Problem("field_invalid", f"dollars: {error.allowed}", field=field) from None


async def account_idx_of(services: Services, account_id: str, field: str) -> int:
    """Return the number of an account that is open."""
    found = await services.accounts.get(account_id)
    if found is None or found.account_idx >= len(services.gateway.mirror.accounts):
        raise Problem("account_unknown", "there is no such account", status=404, field=field)
    return found.account_idx


def _known(text: str, rows: Any, field: str) -> str:
    if text not in rows:
        raise Problem("field_invalid", f"one of {', '.join(rows)}", field=field)
    return text


async def price_of(services: Services, name: str, hour: int) -> int:
    """Return the settlement price of the hour's month, else the newest print of the index."""
    month = datetime.fromtimestamp(hour * 3600, UTC).strftime("%YM%m")
    for contract in services.gateway.mirror.contracts:
        if contract.symbol == f"{name}-{month}" and contract.settle_ticks:
            return contract.settle_ticks * TICK_USD_MICROS
    found = await index_usd_micros(services.index, name, hour) if services.index else None
    if found is None:
        raise Problem("receipt_price_unknown", f"neither {name}-{month} nor {name} has a price")
    return found


async def receipt_from(services: Services, body: ReceiptNew, issuer_idx: int) -> Receipt:
    """Return the receipt that an issuer asks for."""
    sku = SKU_BY_SHORT[body.sku].symbol if body.sku in SKU_BY_SHORT else body.sku
    grade = GRADE_DEFAULT if body.grade is UNSET else body.grade
    _known(sku, SKU_BY_SYMBOL, "sku"), _known(body.hub, HUB_BY_SYMBOL, "hub")
    _known(grade, GRADE_BY_SYMBOL, "grade")
    start, end = hour_of(body.start_ts, "start_ts"), hour_of(body.end_ts, "end_ts")
    if not services.now_ns() // NS_PER_HOUR < start < end <= start + HOURS_MAX:
        raise Problem("field_invalid", "a window ahead, of 1 to 9,000 hours", field="end_ts")
    if len(set(body.nodes)) != len(body.nodes):
        raise Problem("field_invalid", "each node once", field="nodes")
    key = secrets.token_hex(12) if body.receipt_key is UNSET else body.receipt_key
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 60 of A-Z a-z 0-9 . _ : -", field="receipt_key")
    price = await price_of(services, name_of(sku, body.hub, grade), start)
    value = len(body.nodes) * body.gpus_per_node * (end - start) * price
    least = bond_min_usd_micros(value)
    bond = least if body.bond is UNSET else usd_of(body.bond, "bond")
    if bond < least:
        detail = f"at least 15 % of the window's value: {usd_text(least)}"
        raise Problem("field_invalid", detail, field="bond")
    return Receipt(
        receipt_id=receipt_id_of("key", issuer_idx, key), parent_id="", sku=sku, grade=grade,
        hub=body.hub, nodes=tuple(body.nodes), gpus_per_node=body.gpus_per_node,
        start_hour=start, end_hour=end, sla_bps=_or(body.sla_bps, SLA_BPS),
        load_factor_bps=_or(body.load_factor_bps, 0),
        kwh_per_gpu_hour_milli=_or(body.kwh_per_gpu_hour_milli, 0), price_usd_micros=price,
        bond_usd_micros=bond, bond_left_usd_micros=bond, issuer_idx=issuer_idx,
        holder_idx=issuer_idx, status=Status.BONDING,
        shares=await _shares(services, body.shares, issuer_idx),
    )  # fmt: skip


def _or(value: int | UnsetType, default: int) -> int:
    return default if value is UNSET else value


async def _shares(
    services: Services, said: list[ReceiptShare] | UnsetType, issuer_idx: int
) -> tuple[tuple[int, int], ...]:
    given = [] if said is UNSET else said
    rows = [(await account_idx_of(services, one.account_id, "shares"), one.bps) for one in given]
    names = {idx for idx, _ in rows} | {issuer_idx}
    if sum(bps for _, bps in rows) > BPS or len(names) != len(rows) + 1:
        raise Problem("field_invalid", "other accounts, each once, 10000 bps at most",
                      field="shares")  # fmt: skip
    return tuple(rows)


async def act_of(services: Services, body: ReceiptAct, actor_idx: int) -> Callable[[Receipt], Deed]:
    """Return the deed that somebody asks for."""
    now_hour = services.now_ns() // NS_PER_HOUR
    _known(body.action, ACTIONS, "action")
    match body.action:
        case "pledge" if body.to is UNSET:
            escrow_idx = await delivering_of(services).receipts.escrow_idx()
            symbol = "" if body.symbol is UNSET else body.symbol
            return pledge_act(services, escrow_idx, actor_idx, symbol)
        case "transfer" | "pledge":
            to_idx = await account_idx_of(services, _given(body.to, "to"), "to")
            deed = deeds.transfer if body.action == "transfer" else deeds.pledge
            return lambda receipt: deed(receipt, actor_idx, to_idx)
        case "offer":
            price = usd_of(_given(body.price, "price"), "price")
            buyer_idx = (
                NOBODY if body.to is UNSET else await account_idx_of(services, body.to, "to")
            )
            return lambda receipt: deeds.offer(receipt, actor_idx, buyer_idx, price)
        case "buy":
            ask = usd_of(_given(body.price, "price"), "price")
            return lambda receipt: deeds.buy(receipt, actor_idx, ask, now_hour)
        case "split" if body.nodes is not UNSET:
            nodes = body.nodes
            return lambda receipt: deeds.split_nodes(receipt, actor_idx, nodes)
        case "split":
            at_hour = hour_of(_given(body.at_ts, "at_ts"), "at_ts")
            return lambda receipt: deeds.split_hours(receipt, actor_idx, at_hour)
        case "redeem":
            return lambda receipt: deeds.redeem(receipt, actor_idx, now_hour)
    plain = deeds.withdraw if body.action == "withdraw" else deeds.unpledge
    return lambda receipt: plain(receipt, actor_idx)


def _given(value: Any, field: str) -> Any:
    if value is UNSET:
        raise Problem("field_missing", "this action needs it", field=field)
    return value


def json_of(text: str) -> dict[str, Any]:
    """Return what we wrote as JSON."""
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def problem_of(error: Refused) -> Problem:
    """Return a refusal of the rules as the API says it."""
    return Problem(error.code, error.detail, status=OWN.get(error.code, 422))


# Answers


def _maybe(account_idx: int) -> int | None:
    return None if account_idx == NOBODY else account_idx


def receipt_out(one: Receipt) -> dict[str, Any]:
    """Return a receipt as it is shown."""
    return {
        "receipt_id": one.receipt_id,
        "parent_id": one.parent_id or None,
        "status": one.status.value,
        "sku": one.sku,
        "hub": one.hub,
        "grade": one.grade,
        "nodes": list(one.nodes),
        "gpus_per_node": one.gpus_per_node,
        "start_ts": one.start_hour * MS_PER_HOUR,
        "end_ts": one.end_hour * MS_PER_HOUR,
        "gpu_hours": one.gpu_hours,
        "sla_bps": one.sla_bps,
        "load_factor_bps": one.load_factor_bps,
        "kwh_per_gpu_hour_milli": one.kwh_per_gpu_hour_milli,
        "reference_price": usd_text(one.price_usd_micros),
        "bond": usd_text(one.bond_usd_micros),
        "bond_left": usd_text(one.bond_left_usd_micros),
        "issuer": one.issuer_idx,
        "holder": one.holder_idx,
        "pledgee": _maybe(one.pledgee_idx),
        "covers": one.covers or None,
        "buyer": _maybe(one.buyer_idx),
        "open_offer": one.is_open_offer,
        "ask": usd_text(one.ask_usd_micros) if one.ask_usd_micros else None,
        "shares": [list(share) for share in one.shares],
        "missed_hours": one.missed_hours,
        "penalty": usd_text(one.penalty_usd_micros),
        "claimed": usd_text(one.claimed_usd_micros),
        "claim_paid": usd_text(one.claim_paid_usd_micros),
        "claim_open": usd_text(one.claim_open_usd_micros),
    }


def event_out(event: Event) -> dict[str, Any]:
    """Return an event as it is shown."""
    return {
        "number": str(event.number),
        "receipt_id": event.receipt_id,
        "kind": event.kind,
        "event_ts": millis(event.ts_ns),
        "note": event.note,
    }


def issuer_out(one: Issuer) -> dict[str, Any]:
    """Return an issuer as it is shown."""
    return {
        "account_id": one.account_id,
        "account": one.issuer_idx,
        "public_key": one.public_key.hex(),
        "audit": one.audit,
        "acceptance": one.acceptance,
        "acceptance_hours": one.acceptance_hours,
        "admitted_ts": millis(one.admitted_at_ns),
        "ended_ts": None if one.ended_at_ns is None else millis(one.ended_at_ns),
        "end_reason": one.end_reason,
    }


def root_out(one: SignedRoot) -> dict[str, Any]:
    """Return a signed root as it is shown."""
    root = one.root
    return {
        "day": root.day,
        "first_number": str(root.first_number),
        "last_number": str(root.last_number),
        "root": root.root.hex(),
        "before": root.before.hex(),
        "public_key": one.public_key.hex(),
        "signature": one.signature.hex(),
    }


def proof_out(proof: Proof) -> dict[str, Any]:
    """Return a proof as it is shown."""
    event = proof.event
    return {
        "number": str(event.number),
        "receipt_id": event.receipt_id,
        "kind": event.kind,
        "event_ts_ns": str(event.ts_ns),
        "note": event.note,
        "body": event.body,
        "before": proof.before.hex(),
        "digest": event.digest.hex(),
        "path": [one.hex() for one in proof.path],
        "root": root_out(proof.root) if proof.root else None,
    }
