"""What an operator does: accounts, keys, money in and out, contracts."""

import re
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET, UnsetType

from api import answers, answers_account, codec, orders
from api.account_ids import ACCOUNT_ID
from api.account_ids import account_by as account_by
from api.auth import is_key_id
from api.deps import Admin, JsonBody, Page, QueryOf, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem, core_name
from api.instruments import instrument_out
from api.keys import addresses_of, expiry_of, key_out, public_key_of, scopes_of
from api.memberships import join, member_by, need_client
from api.refusals import exceeds_free
from api.routes.public import stamped
from api.schemas import AccountChange, AccountNew, ContractChange, KeyNew, TransferNew
from exchange.io.registry import Account, Transfer, TransferStatus
from exchange.rules.account_levels import OPENED_KINDS
from exchange.rules.money import usd_text
from matching.codes import Code, Kind
from matching.limits import TRANSFER_USD_MICROS_MAX
from matching.wire import EVENT

router = APIRouter(prefix="/admin", tags=["admin"])

WORD_MAX: Final = 64
TRANSFER_STATUS: Final = {TransferStatus.DONE: 201, TransferStatus.REFUSED: 422}
LEAVES_LOTS: Final = (EVENT.names or ()).index("leaves_lots")
_TRANSFER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)


def printable(text: str | UnsetType, field: str, default: str = "") -> str:
    """Return a short text for people, one line, no control characters."""
    if text is UNSET:
        return default
    if not 1 <= len(text) <= WORD_MAX or not text.isprintable() or text != text.strip():
        raise Problem("field_invalid", f"1 to {WORD_MAX} printable characters", field=field)
    return text


def account_out(services: Services, account: Account, member_id: str | None) -> dict[str, Any]:
    """Return an account, with its state and cash once the core knows it."""
    known = services.gateway.mirror.accounts[account.account_idx : account.account_idx + 1]
    return {
        "account_id": account.account_id,
        "name": account.name,
        "kind": account.kind,
        "state": answers_account.account_state(known[0]) if known else "opening",
        "member": member_id,
        "cash": usd_text(known[0].cash_usd_micros) if known else usd_text(0),
        "created_ts": answers.millis(account.created_at_ns),
    }


async def accounts_out(services: Services, found: list[Account]) -> list[dict[str, Any]]:
    """Return accounts, each with the member it is a client of."""
    idxs = [account.account_idx for account in found]
    members = await services.members.members_of(idxs) if services.members else {}
    return [account_out(services, one, members.get(one.account_idx)) for one in found]


async def answered(services: Services, account: Account, status: int = 200) -> Response:
    """Return one account."""
    (shown,) = await accounts_out(services, [account])
    return json_response(stamped(services, {"account": shown}), status)


# Accounts


@router.post("/accounts", status_code=201, summary="Open an account")
async def create_account(
    services: ServicesDep, who: Admin, body: Annotated[AccountNew, Depends(JsonBody(AccountNew))]
) -> Response:
    """Open an account; the same body again returns the same account."""
    name = printable(body.name, "name")
    kind = "customer" if body.kind is UNSET else body.kind
    if kind not in OPENED_KINDS:
        raise Problem("field_invalid", f"one of {', '.join(sorted(OPENED_KINDS))}", field="kind")
    account_id = body.account_id
    if account_id is UNSET:
        account_id = f"acc-{secrets.token_hex(6)}"
    if not ACCOUNT_ID.fullmatch(account_id):
        raise Problem("field_invalid", "1 to 32 of a-z 0-9 -", field="account_id")
    member = None
    if body.member is not UNSET:
        member = await member_by(services, body.member, "member")
        need_client(kind)
    services.gateway.check_open(reduces=True)
    account = await services.accounts.create(account_id=account_id, name=name, kind=kind)
    account = await services.accounts.wait_open(account.account_idx)
    await services.gateway.reached(account.opened_seq or 0)
    if member is not None:
        await join(services, who, account, member)
    return await answered(services, account, 201)


@router.get("/accounts", summary="All accounts")
async def list_accounts(
    services: ServicesDep, who: Admin, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return accounts, oldest first."""
    after, size = query.place(), query.size()
    after_idx = -1 if after is None else min(after, (1 << 31) - 1)
    found = await services.accounts.list(after_idx=after_idx, limit=size + 1)
    cursor = str(found[size - 1].account_idx) if len(found) > size else None
    await services.gateway.barrier()
    page = await accounts_out(services, found[:size])
    return json_response(stamped(services, {"accounts": page, "next_cursor": cursor}))


@router.get("/accounts/{account_id}", summary="One account")
async def get_account(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return an account."""
    account = await account_by(services, account_id)
    await services.gateway.barrier()
    return await answered(services, account)


@router.patch("/accounts/{account_id}", summary="Change an account's state")
async def change_account(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[AccountChange, Depends(JsonBody(AccountChange))],
) -> Response:
    """Make an account active, reduce_only or frozen; a frozen one loses all its orders."""
    state = codec.choice(codec.ACCOUNT_STATES, body.state, 0, "state")
    account = await account_by(services, account_id)
    services.gateway.check_open(reduces=True)
    row = codec.words_row(Kind.SET_ACCOUNT, account.account_idx, state=state, qty_lots=1)
    more = True
    while more:  # one command ends a bounded number of orders
        reply = await services.gateway.send(row)
        reply.raise_refused()
        more = reply.events[0][LEAVES_LOTS] > 0
    return await answered(services, account)


# Money


async def move(services: Services, account_id: str, body: TransferNew, sign: int) -> Response:
    """Ask for a transfer, wait until the core has decided, and answer."""
    amount = codec.usd_micros(body.amount)
    if not 0 < amount <= TRANSFER_USD_MICROS_MAX:
        raise Problem("amount_not_positive" if not amount else "amount_too_large",
                      "not an amount that can be moved", status=422, field="amount")  # fmt: skip
    key = body.transfer_id
    if key is UNSET:
        key = f"wh-{secrets.token_hex(12)}"
    if not _TRANSFER_ID.fullmatch(key):
        raise Problem("field_invalid", "1 to 64 of A-Z a-z 0-9 . _ : -", field="transfer_id")
    account = await account_by(services, account_id)
    services.gateway.check_open(reduces=sign > 0)
    transfer = await services.transfers.request(
        account_idx=account.account_idx, amount_usd_micros=sign * amount, client_key=key
    )
    transfer = await services.transfers.wait_decided(transfer.transfer_id)
    await services.gateway.reached(transfer.seq or 0)
    content = {"transfer": transfer_out(transfer, account_id)}
    status = TRANSFER_STATUS.get(transfer.status, 202)
    if status == 422:
        name = core_name(transfer.code or 0) or "field_invalid"
        detail = "the exchange refused"
        if transfer.code == Code.WITHDRAWAL_EXCEEDS_FREE:
            mirror = services.gateway.mirror
            detail = exceeds_free(mirror, account.account_idx) or detail
        raise Problem(name, detail, status=status, field="amount", extra=content)
    return json_response(stamped(services, content), status)


def transfer_out(transfer: Transfer, account_id: str) -> dict[str, Any]:
    """Return a transfer as JSON."""
    return {
        "transfer_id": transfer.client_key,
        "account_id": account_id,
        "amount": usd_text(transfer.amount_usd_micros),
        "status": transfer.status.value,
        "code": core_name(transfer.code or 0),
        "created_ts": answers.millis(transfer.created_at_ns),
    }


TransferBody = Annotated[TransferNew, Depends(JsonBody(TransferNew))]


@router.post("/accounts/{account_id}/deposits", status_code=201, summary="Book money in")
async def deposit(
    services: ServicesDep, who: Admin, account_id: str, body: TransferBody
) -> Response:
    """Book money in; the same `transfer_id` again moves nothing."""
    return await move(services, account_id, body, 1)


@router.post("/accounts/{account_id}/withdrawals", status_code=201, summary="Book money out")
async def withdraw(
    services: ServicesDep, who: Admin, account_id: str, body: TransferBody
) -> Response:
    """Book money out; the same `transfer_id` again moves nothing."""
    return await move(services, account_id, body, -1)


# Keys


@router.post("/accounts/{account_id}/keys", status_code=201, summary="Make an API key")
async def create_key(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[KeyNew, Depends(JsonBody(KeyNew))],
) -> Response:
    """Make a key; a secret is in this answer and never again."""
    made_of: dict[str, Any] = {
        "label": printable(body.label, "label"),
        "scopes": scopes_of(body),
        "ip_allow": addresses_of(body),
        "expires_at_ns": expiry_of(body, services.now_ns()),
        "public_key": public_key_of(body),
    }
    account = await account_by(services, account_id)
    made = await services.keys.create(account_idx=account.account_idx, **made_of)
    key = {**key_out(made.key), "secret": made.secret_text}
    return json_response(stamped(services, {"key": key}), 201)


@router.get("/accounts/{account_id}/keys", summary="Keys of an account")
async def list_keys(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return all keys of an account, without secrets."""
    account = await account_by(services, account_id)
    found = [key_out(key) for key in await services.keys.list(account.account_idx)]
    return json_response(stamped(services, {"keys": found, "next_cursor": None}))


@router.delete("/keys/{key_id}", summary="Revoke a key")
async def revoke_key(services: ServicesDep, who: Admin, key_id: str) -> Response:
    """Revoke a key for ever; doing it again changes nothing."""
    if not is_key_id(key_id):
        raise Problem("key_unknown", "there is no such key")
    return json_response(stamped(services, {"key": key_out(await services.keys.revoke(key_id))}))


# Contracts


@router.patch("/contracts/{symbol:path}", summary="Change a contract's state or price band")
async def change_contract(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[ContractChange, Depends(JsonBody(ContractChange))],
) -> Response:
    """Set a trading state, a price band, the protection of market orders, or several of them."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    idx, rows = contract.contract_idx, []
    if body.state is not UNSET:
        state = codec.choice(codec.TRADING_STATES, body.state, 0, "state")
        rows.append(codec.admin_row(Kind.SET_STATE, contract_idx=idx, state=state))
    if body.band_bps is not UNSET:
        rows.append(codec.admin_row(Kind.SET_BAND, contract_idx=idx, order_id=body.band_bps))
    if body.protection_bps is not UNSET:
        bps = body.protection_bps
        rows.append(codec.admin_row(Kind.SET_BAND, contract_idx=idx, order_id=bps, state=1))
    if not rows:
        raise Problem("field_missing", "state, band_bps or protection_bps", field="state")
    services.gateway.check_open(reduces=True)
    for row in rows:
        (await services.gateway.send(row)).raise_refused()
    return json_response(stamped(services, {"instrument": instrument_out(services, contract)}))
