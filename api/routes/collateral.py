"""Collateral for its owner: what is there, withdrawals, addresses, cash between own accounts."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api import codec, custody
from api.deps import JsonBody, Page, QueryOf, Reader, Services, ServicesDep, Transferrer
from api.edge import json_response
from api.errors import Problem, core_problem
from api.routes.admin import TRANSFER_STATUS, account_by, printable, transfer_out
from api.routes.public import stamped
from api.schemas_collateral import AddressGone, AddressNew, TransferBetween, WithdrawalNew
from exchange.io.custody import AssetRequest
from exchange.io.registry import TransferStatus
from exchange.rules.assets import Asset
from exchange.rules.collateral import ADDRESS_HOLD_NS
from matching.codes import AssetMove, Code
from matching.limits import TRANSFER_USD_MICROS_MAX

router = APIRouter(tags=["account"])


@router.get("/collateral", summary="Collateral beside cash, and how it counts")
async def get_collateral(services: ServicesDep, who: Reader) -> Response:
    """Return the account's assets from units to what is counted, and the rules of all assets."""
    await services.gateway.barrier()
    content = await custody.collateral_out(services, who.account_idx)
    return json_response(stamped(services, content))


@router.get("/withdrawals", summary="Withdrawals of assets")
async def list_withdrawals(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return the account's withdrawals, newest first."""
    size = query.size()
    found = await services.custody.withdrawals(
        who.account_idx, before_id=query.place(), limit=size + 1
    )
    await services.gateway.barrier()
    rows = [await custody.withdrawal_out(services, one) for one in found[:size]]
    cursor = str(found[size - 1].request_id) if len(found) > size else None
    return json_response(stamped(services, {"withdrawals": rows, "next_cursor": cursor}))


async def usable(services: Services, account_idx: int, row: Asset, address: str) -> None:
    """Refuse an address that is not on the allow-list, or not for long enough."""
    for one in await services.custody.addresses(account_idx):
        if (one.asset, one.address) == (row.asset, address):
            if services.now_ns() < one.created_at_ns + ADDRESS_HOLD_NS:
                raise Problem("address_on_hold", "an address is usable 24 hours after it was added",
                              field="address")  # fmt: skip
            return
    raise Problem("address_unknown", "not on the allow-list of the account", field="address")


@router.post("/withdrawals", status_code=201, summary="Withdraw an asset")
async def request_withdrawal(
    services: ServicesDep,
    who: Transferrer,
    body: Annotated[WithdrawalNew, Depends(JsonBody(WithdrawalNew))],
) -> Response:
    """Reserve units for a withdrawal, if margin allows; admins pay it out or return it."""
    row = custody.asset_of(body.asset)
    units, address = custody.units_of(body.amount, row), custody.address_of(body.address)
    key = custody.key_of(body.withdrawal_id, "withdrawal_id", f"wd-{secrets.token_hex(12)}")
    services.gateway.check_open()
    await usable(services, who.account_idx, row, address)
    request = await services.custody.request(
        account_idx=who.account_idx, asset=row.asset, move=AssetMove.RESERVE, units=units,
        client_key=key, address=address,
    )  # fmt: skip
    request = await decided(services, request)
    content = {"withdrawal": await custody.withdrawal_out(services, request)}
    status = 202 if request.status != TransferStatus.DONE else 201
    return json_response(stamped(services, content), status)


async def decided(services: Services, request: AssetRequest) -> AssetRequest:
    """Wait until the core has decided a move.

    Errors:
        Problem: it refused.
    """
    request = await services.custody.wait_decided(request.request_id)
    await services.gateway.reached(request.seq or 0)
    if request.status == TransferStatus.REFUSED:
        raise core_problem(request.code or int(Code.ASSET_MOVE_INVALID))
    return request


# Addresses


@router.get("/withdrawal-addresses", summary="Where withdrawals may go to")
async def list_addresses(services: ServicesDep, who: Reader) -> Response:
    """Return the account's allow-list, oldest first."""
    return json_response(await _addresses(services, who.account_idx))


async def _addresses(services: Services, account_idx: int) -> dict[str, Any]:
    found = [custody.address_out(one) for one in await services.custody.addresses(account_idx)]
    return stamped(services, {"addresses": found})


@router.post("/withdrawal-addresses", status_code=201, summary="Add an address")
async def add_address(
    services: ServicesDep,
    who: Transferrer,
    body: Annotated[AddressNew, Depends(JsonBody(AddressNew))],
) -> Response:
    """Add an address, usable in 24 hours; one that is there stays as it is."""
    row, address = custody.asset_of(body.asset), custody.address_of(body.address)
    label = printable(body.label, "label")
    await services.custody.add_address(who.account_idx, row.asset, address, label)
    return json_response(await _addresses(services, who.account_idx), 201)


@router.delete("/withdrawal-addresses", summary="Remove an address")
async def remove_address(
    services: ServicesDep,
    who: Transferrer,
    body: Annotated[AddressGone, Depends(JsonBody(AddressGone))],
) -> Response:
    """Remove an address; added again, it has to wait again."""
    row, address = custody.asset_of(body.asset), custody.address_of(body.address)
    if not await services.custody.remove_address(who.account_idx, row.asset, address):
        raise Problem("address_unknown", "not on the allow-list of the account", field="address")
    return json_response(await _addresses(services, who.account_idx))


# Cash


@router.post("/transfers", status_code=201, summary="Cash to another account of the member")
async def transfer_between(
    services: ServicesDep,
    who: Transferrer,
    body: Annotated[TransferBetween, Depends(JsonBody(TransferBetween))],
) -> Response:
    """Move free cash to an account of the same owner, in one step."""
    amount = codec.usd_micros(body.amount)
    if not 0 < amount <= TRANSFER_USD_MICROS_MAX:
        raise Problem("amount_too_large" if amount else "amount_not_positive",
                      "not an amount that can be moved", status=422, field="amount")  # fmt: skip
    key = custody.key_of(body.transfer_id, "transfer_id", f"wh-{secrets.token_hex(12)}")
    receiver = await account_by(services, body.to)
    owners = await services.custody.owners([who.account_idx, receiver.account_idx])
    if owners.get(who.account_idx, ("", ""))[0] != owners.get(receiver.account_idx, ("", ""))[0]:
        raise Problem("account_unknown", "not an account of the same member", field="to",
                      status=404)  # fmt: skip
    if receiver.account_idx == who.account_idx:
        raise core_problem(int(Code.RECEIVER_IS_SELF))
    services.gateway.check_open()
    transfer = await services.transfers.request(
        account_idx=who.account_idx, amount_usd_micros=-amount, client_key=key,
        to_account_idx=receiver.account_idx,
    )  # fmt: skip
    transfer = await services.transfers.wait_decided(transfer.transfer_id)
    await services.gateway.reached(transfer.seq or 0)
    if transfer.status == TransferStatus.REFUSED:
        raise core_problem(transfer.code or int(Code.WITHDRAWAL_EXCEEDS_FREE))
    content = {"transfer": transfer_out(transfer, who.account_id)}
    return json_response(stamped(services, content), TRANSFER_STATUS.get(transfer.status, 202))
